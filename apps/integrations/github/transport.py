"""The way to GitHub: one request, one answer. Tests hand in a transport that answers from a function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import urljoin, urlsplit

import httpx

from apps.integrations.github.errors import QueryTooHeavy, Unavailable

USER_AGENT = "tformance (+https://docs.github.com/rest)"
API_VERSION = "2022-11-28"
"""https://docs.github.com/rest/about-the-rest-api/api-versions"""

REDIRECTS = frozenset({301, 302, 307, 308})
"""GitHub wants a redirected request repeated as it was, a POST as a POST.

https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
"""

MOST_REDIRECTS = 5
MOST_BYTES = 64 * 1024 * 1024
"""The largest answer that is read, unpacked. A page of a hundred pull requests has some megabytes."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """Raises Unavailable when no complete answer came, QueryTooHeavy when it took too long or was too large."""


class HttpxTransport:
    """Pooled connections over httpx. GitHub cuts a query after 10 s; `read_timeout` leaves room for the way.

    An answer that is still coming after `total_timeout` seconds or has more than `most_bytes` is given up.
    """

    def __init__(
        self,
        *,
        read_timeout: float = 20.0,
        total_timeout: float = 60.0,
        most_bytes: int = MOST_BYTES,
        connections: int = 4,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_timeout = total_timeout
        self._most_bytes = most_bytes
        self._clock = clock
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(connect=5.0, read=read_timeout, write=10.0, pool=30.0),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "X-GitHub-Api-Version": API_VERSION},
        )

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        for _ in range(MOST_REDIRECTS):
            response = self._request(method, url, headers, body)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            url = redirected(url, response.headers["location"])
        raise Unavailable("redirected too often")

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        until = self._clock() + self._total_timeout
        try:
            with self._client.stream(method, url, headers=dict(headers), content=body) as answer:
                content = bounded(answer.iter_bytes(), until=until, most_bytes=self._most_bytes, clock=self._clock)
                return Response(answer.status_code, answer.headers, content)
        except httpx.ReadTimeout as error:
            raise QueryTooHeavy("GitHub did not answer in time") from error
        except httpx.HTTPError as error:
            raise Unavailable(_reason(error)) from error
        except httpx.InvalidURL as error:
            raise Unavailable("redirected to no address") from error

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def bounded(
    chunks: Iterable[bytes], *, until: float, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The chunks in one. Raises QueryTooHeavy for more than `most_bytes`, and when they still come after `until`."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise QueryTooHeavy("GitHub's answer is too large")
        if clock() > until:
            raise QueryTooHeavy("GitHub did not finish its answer in time")
    return bytes(content)


def redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises Unavailable for another host, where a token is not sent, and for nonsense."""
    try:
        target = urljoin(url, location)
        if _origin(url) == _origin(target):
            return target
    except ValueError as error:
        raise Unavailable("redirected to no address") from error
    raise Unavailable("redirected to another host, where the token is not sent")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.PoolTimeout):
        return "all connections are busy"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "the connection broke off"
    return type(error).__name__

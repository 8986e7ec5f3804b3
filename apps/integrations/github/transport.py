"""The way to GitHub: one request, one answer. Tests hand in a transport that answers from a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import urljoin, urlsplit

import httpx

from apps.integrations.github.errors import QueryTooHeavy, Unavailable

USER_AGENT = "tformance (+https://docs.github.com/rest)"
API_VERSION = "2022-11-28"
"""https://docs.github.com/rest/about-the-rest-api/api-versions"""

REDIRECTS = frozenset({301, 302, 307, 308})
MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """Raises Unavailable when no complete answer came, QueryTooHeavy when it took too long to begin."""


class HttpxTransport:
    """Pooled connections over httpx. GitHub cuts a query after 10 s; `read_timeout` leaves room for the way."""

    def __init__(self, *, read_timeout: float = 20.0, connections: int = 4, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(connect=5.0, read=read_timeout, write=10.0, pool=30.0),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "X-GitHub-Api-Version": API_VERSION},
        )

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        for _ in range(MOST_REDIRECTS):
            answer = self._request(method, url, headers, body)
            if answer.status_code not in REDIRECTS or "location" not in answer.headers:
                return Response(answer.status_code, answer.headers, answer.content)
            target = urljoin(url, answer.headers["location"])
            if not _same_origin(url, target):
                raise Unavailable("redirected to another host, where the token is not sent")
            url = target
        raise Unavailable("redirected too often")

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> httpx.Response:
        try:
            return self._client.request(method, url, headers=dict(headers), content=body)
        except httpx.ReadTimeout as error:
            raise QueryTooHeavy("GitHub did not answer in time") from error
        except httpx.HTTPError as error:
            raise Unavailable(_reason(error)) from error

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _same_origin(url: str, target: str) -> bool:
    before, after = urlsplit(url), urlsplit(target)
    return (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.PoolTimeout):
        return "all connections are busy"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "the connection broke off"
    return type(error).__name__

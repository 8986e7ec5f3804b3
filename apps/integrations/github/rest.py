"""REST over PyGithub's connection: one request, one answer or one named error; pages by their Link header.

Of PyGithub this uses the connections, the redirects of renamed repositories and the pause between writes; not its
objects, which fetch behind one's back, nor its retries, which sleep until the budget comes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import requests
from github import Github
from urllib3.util import Retry

from apps.integrations.github import classify
from apps.integrations.github.access import TokenSource
from apps.integrations.github.errors import Unavailable
from apps.integrations.github.graphql import utc_now
from apps.integrations.github.transport import API_VERSION, MOST_REDIRECTS, USER_AGENT
from apps.integrations.github.types import RateLimit, Raw

NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')
TEMPORARY = frozenset({302, 307, 308})
ACCEPT = "application/vnd.github+json"


def retries(backoff: float) -> Retry:
    """Reads that failed on the way are tried twice more; writes, refusals and rate limits never."""
    return Retry(
        total=2,
        status_forcelist=frozenset({500, 502, 503, 504}),
        allowed_methods=frozenset({"GET"}),
        backoff_factor=backoff,
        backoff_jitter=backoff,
        respect_retry_after_header=False,
        raise_on_status=False,
        redirect=0,
    )


@contextmanager
def documented_shape() -> Iterator[None]:
    """Reads an answer in the shape that GitHub documents; one of another shape is as good as none."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise Unavailable("its answer has another shape than it documents") from error


class Rest:
    """A REST API for one user of it; not to be shared between threads. `requests` counts what was sent.

    `api_url` is https://api.github.com, an Enterprise Server's `…/api/v3`, or a stand-in's address. GitHub wants a
    second between writes (`seconds_between_writes`).
    """

    def __init__(
        self,
        tokens: TokenSource,
        api_url: str = "https://api.github.com",
        *,
        timeout: int = 15,
        backoff: float = 0.5,
        seconds_between_writes: float = 1.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._tokens = tokens
        self._now = now
        self._github = Github(
            base_url=api_url.rstrip("/"),
            timeout=timeout,
            user_agent=USER_AGENT,
            per_page=100,
            retry=retries(backoff),
            seconds_between_requests=None,
            seconds_between_writes=seconds_between_writes,
            api_version=API_VERSION,
        )
        self.requests = 0

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at `path`; raises the named error otherwise."""
        return self.send("GET", path, parameters=parameters)[1]

    def pages(self, path: str, *, items: str = "", **parameters: Any) -> Iterator[list[Raw]]:
        """The lists at `path`, 100 entries each, as long as there is a next page; `items` is the key they are under."""
        headers, content = self.send("GET", path, parameters={"per_page": 100, **parameters})
        seen = {path}
        while True:
            yield content[items] if items else content
            following = NEXT_PAGE.search(headers.get("link", ""))
            if following is None or following.group(1) in seen:
                return
            seen.add(following.group(1))
            headers, content = self.send("GET", following.group(1))

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> tuple[Mapping[str, str], Any]:
        """One request; the answer's headers (lower case) and JSON (None for an empty body)."""
        for _ in range(MOST_REDIRECTS):
            status, headers, output = self._leased(method, path, parameters, body)
            if status not in TEMPORARY or "location" not in headers or method != "GET":
                break
            path, parameters = headers["location"], None  # PyGithub takes its path only: the host stays the same
        error = classify.failure(status, headers, output.encode(), now=self._now(), what=path.partition("?")[0])
        if error is not None:
            raise error
        try:
            return headers, orjson.loads(output) if output else None
        except orjson.JSONDecodeError as broken:
            raise Unavailable("its answer is no JSON") from broken

    def _leased(
        self, method: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], str]:
        lease = self._tokens.lease(cost=1, resource="core")
        limit: RateLimit | None = None
        try:
            status, headers, output = self._github.requester.requestJson(
                method,
                path,
                parameters=dict(parameters or {}),
                headers={"Authorization": f"token {lease.token}", "Accept": ACCEPT},
                input=None if body is None else dict(body),
            )
            limit = classify.rate_limit_of(headers, resource="core")
        except requests.RequestException as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error
        finally:
            self.requests += 1
            self._tokens.report(lease, limit)
        return status, headers, output

    def close(self) -> None:
        self._github.close()

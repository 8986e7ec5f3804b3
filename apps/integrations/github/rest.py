"""REST over PyGithub's requester: one request, one answer or one named error; pages by their Link header.

Of PyGithub this uses the requests, their connections and the pause between writes; not its objects, which fetch behind
one's back, nor its redirects and retries, of which the latter sleep until the budget comes back.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from github import Github

from apps.integrations.github import classify
from apps.integrations.github.access import Lease, TokenSource, sent_with
from apps.integrations.github.classify import documented_shape
from apps.integrations.github.errors import GitHubError, QueryTooHeavy, Unavailable
from apps.integrations.github.graphql import ATTEMPTS, utc_now
from apps.integrations.github.patience import Patience
from apps.integrations.github.rest_connection import connection_to
from apps.integrations.github.transport import (
    API_VERSION,
    MOST_BYTES,
    MOST_REDIRECTS,
    REDIRECTS,
    USER_AGENT,
    Response,
    redirected,
)
from apps.integrations.github.types import RateLimit, Raw

__all__ = ["Rest", "documented_shape"]

NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')
ACCEPT = "application/vnd.github+json"


class Rest:
    """A REST API for one user of it; not to be shared between threads. `requests` counts what was sent.

    `api_url` is https://api.github.com, an Enterprise Server's `…/api/v3`, or a stand-in's address. Reads that failed
    on the way are tried twice more, after about `backoff` seconds and twice that; writes, refusals and rate limits
    never. GitHub wants a second between writes (`seconds_between_writes`). With `patience` it asks no longer than that.
    """

    def __init__(
        self,
        tokens: TokenSource,
        api_url: str = "https://api.github.com",
        *,
        timeout: int = 15,
        most_bytes: int = MOST_BYTES,
        backoff: float = 0.5,
        seconds_between_writes: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._backoff = backoff
        self._sleep = sleep
        self._jitter = jitter
        self._now = now
        self._connection = connection_to(self._api_url, timeout=timeout, most_bytes=most_bytes)
        self._github = Github(
            base_url=self._api_url,
            user_agent=USER_AGENT,
            retry=0,
            seconds_between_requests=None,
            seconds_between_writes=seconds_between_writes,
            api_version=API_VERSION,
        )
        self.requests = 0
        self.patience: Patience | None = None

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at `path`; raises the named error otherwise."""
        return self.send("GET", path, parameters=parameters)[1]

    def pages(self, path: str, *, items: str = "", **parameters: Any) -> Iterator[list[Raw]]:
        """The lists at `path`, 100 entries each, as long as there is a next page; `items` is the key they are under."""
        headers, content = self.send("GET", path, parameters={"per_page": 100, **parameters})
        seen = {path}
        while True:
            yield _entries(content, items)
            following = NEXT_PAGE.search(headers.get("link", ""))
            if following is None or following.group(1) in seen:
                return
            seen.add(following.group(1))
            headers, content = self.send("GET", redirected(f"{self._api_url}/", following.group(1)))

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> tuple[Mapping[str, str], Any]:
        """One request; the answer's headers (lower case) and JSON (None for an empty body)."""
        if self.patience is not None:
            self.patience.check()
        try:
            return self._tried(method, path, parameters, body)
        except Unavailable:
            if self.patience is not None:
                self.patience.is_away()
            raise

    def _tried(
        self, method: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> tuple[Mapping[str, str], Any]:
        for attempt in range(1, ATTEMPTS if method == "GET" else 1):
            try:
                return self._followed(method, path, parameters, body)
            except (Unavailable, QueryTooHeavy):
                if self.patience is not None and self.patience.is_over:
                    raise
                self._sleep(self._backoff * 2 ** (attempt - 1) * (0.5 + self._jitter()))
        return self._followed(method, path, parameters, body)

    def _followed(
        self, method: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> tuple[Mapping[str, str], Any]:
        """Where a redirect leads, the same request again: a POST stays one, and what was asked for is asked for."""
        for _ in range(MOST_REDIRECTS):
            response = self._leased(method, path, parameters, body)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response.headers, _json(response)
            path = redirected(f"{self._api_url}/", response.headers["location"])
            if "?" in path:
                parameters = None
        raise Unavailable("redirected too often")

    def _leased(
        self, method: str, path: str, parameters: Mapping[str, Any] | None, body: Mapping[str, Any] | None
    ) -> Response:
        def send(lease: Lease) -> Response:
            return self._once(lease, method, path, parameters, body)

        return sent_with(self._tokens, send, cost=1, resource="core")

    def _once(
        self,
        lease: Lease,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> Response:
        limit: RateLimit | None = None
        error: GitHubError | None = Unavailable()
        self.requests += 1
        try:
            self._github.requester.requestJson(
                method,
                path,
                parameters=dict(parameters or {}),
                headers={"Authorization": f"token {lease.token}", "Accept": ACCEPT},
                input=None if body is None else dict(body),
                cnx=self._connection,
            )
            response, now = self._connection.answer, self._now()
            limit = classify.rate_limit_of(response.headers, resource="core", now=now)
            what = path.partition("?")[0]
            error = classify.failure(response.status, response.headers, response.body, now=now, what=what)
            if error is not None:
                raise error
            return response
        except GitHubError as raised:
            error = raised
            raise
        finally:
            self._tokens.report(lease, limit, error)

    def close(self) -> None:
        self._connection.close()
        self._github.close()


def _json(response: Response) -> Any:
    if response.status >= 300:
        raise Unavailable(f"it answered {response.status}")
    try:
        return orjson.loads(response.body) if response.body else None
    except orjson.JSONDecodeError as broken:
        raise Unavailable("its answer is no JSON") from broken


def _entries(content: Any, items: str) -> list[Raw]:
    with documented_shape():
        entries = content[items] if items else content
    if not isinstance(entries, list):
        raise Unavailable("its answer is not a list")
    return entries

"""GraphQL over a transport: one operation in, one answer or one named error out.

https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.integrations.github import classify
from apps.integrations.github.access import Lease, TokenSource, sent_with
from apps.integrations.github.documents import operation as operation_document
from apps.integrations.github.errors import (
    GitHubError,
    NotFound,
    PermissionMissing,
    QueryRejected,
    QueryTooHeavy,
    RepositoryGone,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.transport import Response, Transport
from apps.integrations.github.types import Answer, QueryError, RateLimit, Raw, instant

ATTEMPTS = 3
RATE_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
TOO_HEAVY = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
GAVE_UP = ("something went wrong", "timed out", "timedout", "timeout")
LOOKUPS = frozenset({"repository", "organization", "repositoryOwner"})
"""Root fields that name one thing: when they are null there is no answer. Lists and aliases may lose an element."""
LISTS = frozenset({"pullRequests", "deployments", "teams"})
"""What the queries want of such a thing. Its other fields (an id that does not fit GraphQL's Int) may be missing."""


def graphql_url(api_url: str) -> str:
    """Where GraphQL lives beside a REST base: `…/api/v3` → `…/api/graphql` (Enterprise Server), else `…/graphql`."""
    base = api_url.rstrip("/")
    return f"{base.removesuffix('/v3')}/graphql" if base.endswith("/api/v3") else f"{base}/graphql"


def utc_now() -> datetime:
    return datetime.now(UTC)


class GraphQL:
    """Runs operations. What failed on the way is tried twice more, after about `backoff` seconds and twice that.

    `repository_id`: GitHub's number of the one repository that may be asked for by its name. Another one may bear that
    name by now: its answers raise RepositoryGone, so that none of them is taken for ours.

    `sleep`, `jitter` (0..1), `clock` (seconds) and `now` are handed in by tests.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        url: str = "https://api.github.com/graphql",
        *,
        repository_id: int | None = None,
        backoff: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._url = url
        self._repository_id = repository_id
        self._backoff = backoff
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock
        self._now = now

    def run(self, operation: str, *, cost: int = 1, **variables: Any) -> Answer:
        """Runs `queries/<operation>.graphql`; `cost` is the estimate of its points that the token is leased for."""
        return self.run_document(operation_document(operation), variables, cost=cost)

    def run_document(self, document: str, variables: Mapping[str, Any], *, cost: int = 1) -> Answer:
        """Runs a composed document. Errors that leave the rest usable are in `Answer.errors`, others are raised.

        Only what may pass by itself is tried again (Unavailable); a query that is too heavy never is: it costs extra.
        """
        body = orjson.dumps({"query": document, "variables": dict(variables)})
        sent = itertools.count(1)

        def send(lease: Lease) -> Answer:
            return self._once(lease, body, variables, next(sent))

        for attempt in range(1, ATTEMPTS):
            try:
                return sent_with(self._tokens, send, cost=cost, resource="graphql")
            except Unavailable:
                self._sleep(self._backoff * 2 ** (attempt - 1) * (0.5 + self._jitter()))
        return sent_with(self._tokens, send, cost=cost, resource="graphql")

    def _once(self, lease: Lease, body: bytes, variables: Mapping[str, Any], number: int) -> Answer:
        limit: RateLimit | None = None
        error: GitHubError | None = Unavailable()
        try:
            headers = {"Authorization": f"bearer {lease.token}", "Content-Type": "application/json"}
            started = self._clock()
            response = self._transport.send("POST", self._url, headers=headers, body=body)
            seconds = self._clock() - started
            now = self._now()
            limit = classify.rate_limit_of(response.headers, resource="graphql", now=now, cost=lease.cost)
            content = self._content(response)
            with classify.documented_shape():
                data = _data(content)
                limit = _stated_limit(data, response, now) or limit
                errors = _errors(content)
                if fatal := self._fatal(errors, data, response, variables):
                    raise fatal
                self._see_repository(data or {}, variables)
            error = None
            return Answer(data or {}, errors, limit, seconds, number)
        except GitHubError as raised:
            error = raised
            raise
        finally:
            self._tokens.report(lease, limit, error)

    def _content(self, response: Response) -> Raw:
        error = classify.failure(response.status, response.headers, response.body, now=self._now())
        if error is not None:
            raise error
        content = _decoded(response.body)
        if not isinstance(content, dict):
            raise Unavailable("its answer is not an object")
        return content

    def _fatal(
        self, errors: tuple[QueryError, ...], data: Raw | None, response: Response, variables: Mapping[str, Any]
    ) -> GitHubError | None:
        """The error that makes the whole answer worthless, None when `data` can be used."""
        for error in errors:
            if found := self._limit_reached(error, data, response):
                return found
        for error in errors:
            if _loses_everything(error, data):
                return _named(error, response, variables)
        if data is None:
            return Unavailable("its answer is empty")
        missing = next((root for root in LOOKUPS & data.keys() if data[root] is None), None)
        return _named(QueryError("NOT_FOUND", "", (missing,)), response, variables) if missing else None

    def _see_repository(self, data: Raw, variables: Mapping[str, Any]) -> None:
        found = (data.get("repository") or {}).get("databaseId")
        if found is None or self._repository_id is None:  # GitHub's own type may be too small for the number
            return
        if int(found) != self._repository_id:
            raise RepositoryGone(f"{variables.get('owner')}/{variables.get('name')}")

    def _limit_reached(self, error: QueryError, data: Raw | None, response: Response) -> GitHubError | None:
        if classify.SECONDARY.search(error.message):  # first: its type is the hourly limit's
            return classify.secondary(response.headers, now=self._now())
        if error.type in RATE_LIMITED:
            now = self._now()
            stated = _stated_limit(data, response, now)
            return classify.rate_limited(
                response.headers, now=now, reset_at=stated.reset_at if stated is not None else None
            )
        if error.type in TOO_HEAVY:
            return QueryTooHeavy("the query exceeds GitHub's resource limits")
        return None


def page_of(answer: Answer, root: str, connection: str) -> Raw:
    """The connection that the query was about, as in `repository.pullRequests`.

    Raises QueryTooHeavy where GitHub gave none, Unavailable where the answer has not even the field.
    """
    with classify.documented_shape():
        page: Raw | None = answer.data[root][connection]
        if page is None or page["nodes"] is None:
            raise QueryTooHeavy("GitHub gave nothing")
        return page


def _decoded(body: bytes) -> object:
    """orjson is six times faster, but refuses half a surrogate pair, which a cut-off emoji leaves in people's text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as broken:  # also numbers without end, and what is nested without end
        raise Unavailable("its answer is no JSON") from broken


def _data(content: Raw) -> Raw | None:
    data = content.get("data")
    if data is not None and not isinstance(data, dict):
        raise Unavailable("its data are not an object")
    return data


def _stated_limit(data: Raw | None, response: Response, now: datetime) -> RateLimit | None:
    """The budget as the query's own `rateLimit` tells it, None where the server keeps none or tells nonsense."""
    stated = (data or {}).get("rateLimit")
    if not stated:
        return None
    try:
        limit, remaining, cost = (int(stated[name]) for name in ("limit", "remaining", "cost"))
        reset_at = classify.local_time(instant(stated["resetAt"]), response.headers, now)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    if not 0 <= remaining <= limit or limit == 0:
        return None
    return RateLimit(limit, remaining, limit - remaining, reset_at, cost=max(cost, 0))


def _errors(content: Raw) -> tuple[QueryError, ...]:
    """The answer's errors; a bare `message` instead of them (seen from proxies and outages) counts as one."""
    entries = content.get("errors") or []
    if not entries and content.get("data") is None and content.get("message"):
        entries = [{"message": content["message"]}]
    found = []
    for entry in entries:
        extensions = entry.get("extensions") or {}
        kind = "SAML" if extensions.get("saml_failure") else entry.get("type") or extensions.get("code") or ""
        path = tuple(entry.get("path") or ())
        if path[:1] != ("rateLimit",):
            found.append(QueryError(str(kind), classify.storable(str(entry.get("message") or kind)), path))
    return tuple(found)


def _gave_up(error: QueryError) -> bool:
    return error.type == "INTERNAL" or any(sign in error.message.lower() for sign in GAVE_UP)


def _loses_everything(error: QueryError, data: Raw | None) -> bool:
    if data is None:
        return True
    if not error.path:
        return _gave_up(error)
    root = error.path[0]
    if root not in LOOKUPS:
        return False
    lost = data.get(str(root))
    return lost is None or (len(error.path) == 2 and error.path[1] in LISTS and lost.get(error.path[1]) is None)


def _named(error: QueryError, response: Response, variables: Mapping[str, Any]) -> GitHubError:
    if error.type == "NOT_FOUND":
        if error.path[:1] == ("repository",):
            return RepositoryGone(f"{variables.get('owner')}/{variables.get('name')}")
        return NotFound(str(variables.get("login") or error.path[0] if error.path else "what was asked for"))
    if error.type == "SAML":
        return classify.refusal("SAML enforcement", response.headers) or SsoRequired()
    if denied := classify.refusal(error.message, response.headers):
        if isinstance(denied, PermissionMissing) and len(error.path) > 1:
            return PermissionMissing(str(error.path[1]))
        return denied
    if error.type in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return PermissionMissing(error.message)
    if error.type == "SERVICE_UNAVAILABLE":
        return Unavailable("it answered that it is unavailable")
    if _gave_up(error):
        return QueryTooHeavy("GitHub gave up on the query")
    return QueryRejected(error.message)

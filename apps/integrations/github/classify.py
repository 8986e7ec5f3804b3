"""From an HTTP answer to the named error, for REST and GraphQL alike.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import orjson

from apps.integrations.github.errors import (
    BadCredentials,
    FeatureGone,
    GitHubError,
    IpNotAllowed,
    NotFound,
    PermissionMissing,
    QueryRejected,
    QueryTooHeavy,
    RateLimited,
    RepositoryBlocked,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.types import RateLimit

SECONDARY_WAIT = 60.0
"""GitHub: without `retry-after` wait at least a minute; whoever waits repeatedly doubles it."""

LEAST_WAIT = 5.0
"""Seconds to wait for a reset that is over by our clock while GitHub still refuses."""

LONGEST_WINDOW = timedelta(hours=1, minutes=5)
"""GitHub's windows last an hour. A reset further away is a mistake of somebody's clock."""

SKEWED = timedelta(seconds=60)
"""By how much GitHub's clock may differ from ours before its times are read by its own `date`."""

SECONDARY = re.compile(r"secondary rate|abuse detection|submitted too quickly", re.IGNORECASE)
PRIMARY = re.compile(r"rate limit (already )?exceeded", re.IGNORECASE)
NO_ACCESS = re.compile(r"not accessible by (integration|personal access token)", re.IGNORECASE)
SCOPES = re.compile(r"requires one of the following scopes: \[([^\]]*)\]", re.IGNORECASE)
WHOLE_NUMBER = re.compile(r"[0-9]{1,11}")
RESOURCE = re.compile(r"[a-z_]{1,40}")
"""Names of budgets: what else a server calls them is taken for the one that was asked."""
MESSAGE_LENGTH = 300
PAGE_LENGTH = 20_000


def failure(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, what: str = "what was asked for"
) -> GitHubError | None:
    """The error that an HTTP answer means, None when it is none. Header names are lower case."""
    if status < 400:
        return None
    error = _named(status, headers, body, now, what)
    if isinstance(error, BadCredentials | PermissionMissing | NotFound) and _is_page(body):
        return Unavailable(f"a page came instead of its answer, with {status}")  # a proxy's: it says nothing of GitHub
    return error


def _named(status: int, headers: Mapping[str, str], body: bytes, now: datetime, what: str) -> GitHubError:
    message = _message(body)
    if status in {403, 429}:
        return _forbidden(status, headers, message or storable(body[:PAGE_LENGTH].decode("utf-8", "replace")), now)
    if status == 401:
        return BadCredentials()
    if status == 404:
        return NotFound(what)
    if status == 410:
        return FeatureGone(what)
    if status == 451:
        return RepositoryBlocked(what)
    if status in {502, 504}:
        return QueryTooHeavy(f"GitHub answered {status}")
    if status >= 500:
        return Unavailable(f"it answered {status}")
    return QueryRejected(f"{status} {message}".strip())


def _forbidden(status: int, headers: Mapping[str, str], message: str, now: datetime) -> GitHubError:
    if headers.get("x-ratelimit-remaining") == "0":
        return rate_limited(headers, now=now)
    if "retry-after" in headers or SECONDARY.search(message):
        return secondary(headers, now=now)
    if status == 429 or PRIMARY.search(message):
        return rate_limited(headers, now=now)
    if denied := refusal(message, headers):
        return denied
    return PermissionMissing(
        headers.get("x-accepted-github-permissions") or _wanted_scopes(headers) or message or "access"
    )


def refusal(message: str, headers: Mapping[str, str]) -> GitHubError | None:
    """Single sign-on, an IP allow list or a missing permission, when the message or the headers say so."""
    sso = headers.get("x-github-sso", "")
    if "required" in sso or "SAML enforcement" in message:
        return SsoRequired(sso.partition("url=")[2])
    if "IP allow list" in message:
        return IpNotAllowed()
    if NO_ACCESS.search(message):
        return PermissionMissing(headers.get("x-accepted-github-permissions", "") or "access of this kind")
    if "required scopes" in message:
        scopes = SCOPES.search(message)
        return PermissionMissing(scopes.group(1).replace("'", "") if scopes else "a further scope")
    return None


def rate_limited(headers: Mapping[str, str], *, now: datetime, reset_at: datetime | None = None) -> RateLimited:
    """The hourly budget is used up, until the time that the answer names (at most one window); else for a minute."""
    reset = _whole(headers, "x-ratelimit-reset")
    if reset is not None:
        reset_at = local_time(datetime.fromtimestamp(reset, UTC), headers, now)
    is_stated = reset_at is not None
    reset_at = min(reset_at or now + timedelta(seconds=SECONDARY_WAIT), now + LONGEST_WINDOW)
    reset_at = max(reset_at, now + timedelta(seconds=LEAST_WAIT))
    return RateLimited(reset_at, retry_after=(reset_at - now).total_seconds(), is_stated=is_stated)


def secondary(headers: Mapping[str, str], *, now: datetime) -> RateLimited:
    """GitHub's protection against bursts: for as long as it says (at most one window), else for a minute."""
    stated = min(_retry_after(headers.get("retry-after", ""), now), LONGEST_WINDOW.total_seconds())
    wait = stated or SECONDARY_WAIT
    return RateLimited(now + timedelta(seconds=wait), secondary=True, retry_after=wait, is_stated=stated > 0)


def rate_limit_of(
    headers: Mapping[str, str], *, resource: str, now: datetime | None = None, cost: int = 1
) -> RateLimit | None:
    """The budget as the headers tell it, None where they do not or tell nonsense."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    limit, remaining, reset = (_whole(headers, name) for name in names)
    if not limit or remaining is None or reset is None or remaining > limit:
        return None
    return RateLimit(
        limit=limit,
        remaining=remaining,
        used=limit - remaining,
        reset_at=local_time(datetime.fromtimestamp(reset, UTC), headers, now or datetime.now(UTC)),
        cost=cost,
        resource=stated if RESOURCE.fullmatch(stated := headers.get("x-ratelimit-resource", "")) else resource,
    )


def local_time(moment: datetime, headers: Mapping[str, str], now: datetime) -> datetime:
    """A moment of GitHub's clock by ours: where the two differ much, the answer's `date` says by how much."""
    theirs = _http_date(headers.get("date", ""))
    if theirs is None or abs(theirs - now) < SKEWED:
        return moment
    try:
        return moment + (now - theirs)
    except OverflowError:  # beyond every calendar
        return moment


@contextmanager
def documented_shape() -> Iterator[None]:
    """Reads an answer in the shape that GitHub documents; one of another shape is as good as none."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise Unavailable("its answer has another shape than it documents") from error


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if WHOLE_NUMBER.fullmatch(value) else None


def _retry_after(value: str, now: datetime) -> float:
    if WHOLE_NUMBER.fullmatch(value):
        return float(value)
    moment = _http_date(value)
    return max((moment - now).total_seconds(), 0.0) if moment is not None else 0.0


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _wanted_scopes(headers: Mapping[str, str]) -> str:
    """GitHub lists the scopes that would do; only a token that has scopes can lack one."""
    has = headers.get("x-oauth-scopes")
    wants = headers.get("x-accepted-oauth-scopes", "")
    if has is None or not wants or set(has.split(", ")) & set(wants.split(", ")):
        return ""
    return wants


def _message(body: bytes) -> str:
    """GitHub's own words; a page of HTML (a proxy, a unicorn) says nothing to a person."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return storable(message[:MESSAGE_LENGTH]) if isinstance(message, str) else ""


def storable(words: str) -> str:
    """What a server says, without what no database takes: it is kept with the sync that it ended."""
    return words.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _is_page(body: bytes) -> bool:
    """Whether the body is something, but not an object of JSON as all of GitHub's refusals are."""
    return bool(body.strip()) and not body.lstrip().startswith(b"{")

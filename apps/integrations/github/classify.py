"""From an HTTP answer to the named error, for REST and GraphQL alike.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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

SECONDARY = re.compile(r"secondary rate|abuse detection|submitted too quickly", re.IGNORECASE)
PRIMARY = re.compile(r"rate limit (already )?exceeded", re.IGNORECASE)
NO_ACCESS = re.compile(r"not accessible by (integration|personal access token)", re.IGNORECASE)
SCOPES = re.compile(r"requires one of the following scopes: \[([^\]]*)\]", re.IGNORECASE)
MESSAGE_LENGTH = 300


def failure(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, what: str = "what was asked for"
) -> GitHubError | None:
    """The error that an HTTP answer means, None when it is none. Header names are lower case."""
    if status < 400:
        return None
    message = _message(body)
    if status in {403, 429}:
        return _forbidden(status, headers, message, now)
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
    """The hourly budget is used up, until the time that the answer names; without one, a minute."""
    reset = headers.get("x-ratelimit-reset", "")
    if reset.isdigit():
        reset_at = datetime.fromtimestamp(int(reset), UTC)
    reset_at = max(reset_at or now + timedelta(seconds=SECONDARY_WAIT), now)
    return RateLimited(reset_at, retry_after=(reset_at - now).total_seconds())


def secondary(headers: Mapping[str, str], *, now: datetime) -> RateLimited:
    wait = _retry_after(headers.get("retry-after", ""), now) or SECONDARY_WAIT
    return RateLimited(now + timedelta(seconds=wait), secondary=True, retry_after=wait)


def rate_limit_of(headers: Mapping[str, str], *, resource: str, cost: int = 1) -> RateLimit | None:
    """The budget as the headers tell it, None where they do not."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    limit, remaining, reset = (headers.get(name, "") for name in names)
    if not (limit.isdigit() and remaining.isdigit() and reset.isdigit()):
        return None
    return RateLimit(
        limit=int(limit),
        remaining=int(remaining),
        used=int(limit) - int(remaining),
        reset_at=datetime.fromtimestamp(int(reset), UTC),
        cost=cost,
        resource=headers.get("x-ratelimit-resource", resource),
    )


def _retry_after(value: str, now: datetime) -> float:
    if value.isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0


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
    return message[:MESSAGE_LENGTH] if isinstance(message, str) else ""

"""Whose token sends the next request, and whether its budget allows it.

The budget belongs to a GitHub user (or installation), not to a token string: two tokens of one user share it. It is
kept in Redis for all workers, as a memory of what GitHub said last: an empty Redis costs one request to learn it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson
import redis
from django.conf import settings
from django.utils import timezone

from apps.integrations.github.access import Lease
from apps.integrations.github.errors import BadCredentials, GitHubError, RateLimited
from apps.integrations.github.types import RateLimit
from apps.integrations.models import IntegrationCredential
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

FLOOR = 100
"""What a sync leaves untouched, in points or requests, so that events can still be followed up."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left (points of `graphql`, requests of `core`) until `reset_at`."""

    limit: int
    remaining: int
    reset_at: datetime


class Budgets:
    """The last known budgets, shared through Redis; while Redis is away, this process's own memory serves."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._own: dict[str, Budget] = {}

    def get(self, account: str, resource: str) -> Budget | None:
        """None: nothing is known, or the hour that it was known for is over."""
        key = _key(account, resource)
        try:
            stored = self._redis.get(key)
        except redis.RedisError:
            budget = self._own.get(key)
        else:
            budget = _decoded(stored) if isinstance(stored, bytes) else None
        return budget if budget is not None and budget.reset_at > timezone.now() else None

    def put(self, account: str, resource: str, budget: Budget) -> None:
        key = _key(account, resource)
        self._own[key] = budget
        seconds = max(1, int((budget.reset_at - timezone.now()).total_seconds()) + 1)
        value = orjson.dumps([budget.limit, budget.remaining, budget.reset_at.timestamp()])
        try:
            self._redis.set(key, value, ex=seconds)
        except redis.RedisError as error:
            logger.warning("the budget of %s is not shared: %s", account, error)


def _key(account: str, resource: str) -> str:
    return f"tformance:budget:{account}:{resource}"


def _decoded(stored: bytes) -> Budget:
    limit, remaining, reset_at = orjson.loads(stored)
    return Budget(limit, remaining, datetime.fromtimestamp(reset_at, UTC))


@dataclass(frozen=True, slots=True)
class Usable:
    """A credential that may be leased; `account` names whose budget it draws on."""

    account: str
    token: str = field(repr=False)


class IntegrationTokens:
    """A `TokenSource` over the credentials of one integration: the one with most left is used."""

    def __init__(self, usable: Sequence[Usable], budgets: Budgets) -> None:
        self._usable = usable
        self._budgets = budgets

    def lease(self, *, cost: int, resource: str) -> Lease:
        """Raises RateLimited when every credential would fall below FLOOR, BadCredentials when there is none."""
        if not self._usable:
            raise BadCredentials("The GitHub connection has no usable token. Connect GitHub again.")
        best: tuple[float, Usable] | None = None
        resets: list[datetime] = []
        for usable in self._usable:
            budget = self._budgets.get(usable.account, resource)
            left = float("inf") if budget is None else budget.remaining - cost
            if budget is not None and left < FLOOR:
                resets.append(budget.reset_at)
            elif best is None or left > best[0]:
                best = (left, usable)
        if best is None:
            reset_at = min(resets)
            raise RateLimited(reset_at, retry_after=max(0.0, (reset_at - timezone.now()).total_seconds()))
        return Lease(token=best[1].token, credential=best[1].account)

    def refused(self, lease: Lease) -> bool:
        return False

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        """Remember what GitHub said. Silence is no limit: some Enterprise Servers keep none."""
        if limit is not None:
            self._budgets.put(lease.credential, limit.resource, Budget(limit.limit, limit.remaining, limit.reset_at))


def budget_account(github_user_id: int) -> str:
    """The name under which a GitHub user's budget is kept: one user may exist on several servers."""
    return f"{urlsplit(settings.GITHUB_API_URL).netloc}:{github_user_id}"


def tokens_of(*, team_id: int, integration_id: int) -> IntegrationTokens:
    """The leasable credentials of an integration, read once: a run that starts later sees later ones."""
    with team_scope(team_id):
        usable_ones = IntegrationCredential.objects.filter(integration_id=integration_id, is_valid=True)
        credentials = list(usable_ones.order_by("-is_primary", "pk"))
    usable = [Usable(budget_account(credential.github_user_id), credential.access_token) for credential in credentials]
    return IntegrationTokens(usable, Budgets(settings.REDIS_URL))


def budget_of(github_user_id: int, resource: str = "graphql") -> Budget | None:
    """What is left of a GitHub user's hour, as far as it is known here; for showing it."""
    return Budgets(settings.REDIS_URL).get(budget_account(github_user_id), resource)

"""Whose token sends the next request, and whether its budget allows it.

The budget belongs to a GitHub user (or installation), not to a token string: two tokens of one user share it. What a
request will cost is reserved before it is sent, for all workers (`budgets.shared`); what its answer says is the truth.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings

from apps.integrations.github.access import Lease
from apps.integrations.github.errors import BadCredentials, Crowded, GitHubError, RateLimited
from apps.integrations.github.types import RateLimit
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.budgets.shared import budgets_at
from apps.integrations.services.budgets.terms import (
    Asked,
    Became,
    Budget,
    Busy,
    Closed,
    Granted,
    Keeper,
    Settled,
)
from apps.integrations.services.oauth_tokens import another_token
from apps.teams.scope import team_scope

__all__ = ["FLOOR", "Budget", "IntegrationTokens", "budget_of", "tokens_of"]

FLOOR = 100
"""What a sync leaves untouched, in points or requests, so that events can still be followed up."""

PATIENCE = 20.0
"""Seconds that a request waits for its turn; then its work makes room for that of others."""

MAKE_ROOM = timedelta(seconds=15)
"""How long work rests whose turn did not come."""

FIRST_POLL, LONGEST_POLL = 0.01, 0.1
"""Seconds between two looks for a free place."""


@dataclass(frozen=True, slots=True)
class Usable:
    """A credential that may be leased; `account` names whose budget it draws on."""

    account: str
    token: str = field(repr=False)
    credential_id: int = 0


class Renewal(Protocol):
    def __call__(self, *, credential_id: int, refused: str, may_renew: bool) -> str | None:
        """Another token of a credential whose token GitHub refused; None when it has none, and is done with."""


def no_renewal(*, credential_id: int, refused: str, may_renew: bool) -> str | None:
    return None


class IntegrationTokens:
    """A `TokenSource` over the credentials of one integration: the one with most left is used. Safe for threads."""

    def __init__(
        self,
        usable: Sequence[Usable],
        keeper: Keeper,
        *,
        floor: int = FLOOR,
        renewal: Renewal = no_renewal,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._usable = tuple(usable)
        self._keeper = keeper
        self._floor = floor
        self._renewal = renewal
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._renewed: set[int] = set()
        self._lock = threading.Lock()

    def lease(self, *, cost: int, resource: str) -> Lease:
        """Waits while other requests take every place, and for the pace of the minute, but never for a reset.

        Raises RateLimited with the earliest reset when every credential is used up or blocked, Crowded when no turn
        came, BadCredentials when there is no credential.
        """
        asked = Asked(secrets.token_hex(8), resource, cost, self._floor)
        until = self._clock() + self._patience
        poll = FIRST_POLL
        while True:
            by_account = self._by_account()
            now = self._clock()
            match self._keeper.lease(list(by_account), asked, now):
                case Granted(account):
                    return Lease(by_account[account].token, account, asked.id, resource, cost)
                case Closed(opens, secondary):
                    reset_at = datetime.fromtimestamp(opens, UTC)
                    raise RateLimited(reset_at, secondary=secondary, retry_after=max(0.0, opens - now))
                case Busy(seconds):
                    if now + seconds >= until:
                        raise Crowded(
                            datetime.fromtimestamp(now, UTC) + MAKE_ROOM, retry_after=MAKE_ROOM.total_seconds()
                        )
                    self._sleep(max(seconds, poll * (0.5 + self._jitter())))
                    poll = min(poll * 1.5, LONGEST_POLL)

    def _by_account(self) -> dict[str, Usable]:
        """One credential for each account, in order of preference."""
        if not self._usable:
            raise BadCredentials("The GitHub connection has no usable token. Connect GitHub again.")
        found: dict[str, Usable] = {}
        for usable in self._usable:
            found.setdefault(usable.account, usable)
        return found

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        """Releases what was reserved and remembers what GitHub said. Silence is no limit: some servers keep none."""
        settled = Settled(lease.id, lease.credential, lease.resource, lease.cost, _became(error))
        if limit is not None:
            settled = replace(
                settled,
                resource=limit.resource,
                limit=limit.limit,
                remaining=limit.remaining,
                reset_at=limit.reset_at.timestamp(),
                actual=limit.cost,
            )
        if isinstance(error, RateLimited):
            settled = replace(
                settled, until=error.reset_at.timestamp(), wait=error.retry_after if error.is_stated else 0.0
            )
        self._keeper.settle(settled, self._clock())

    def refused(self, lease: Lease) -> bool:
        """Each credential is renewed once at most; one that stays refused is used no more. Speaks to GitHub and the
        database: never inside a scope.
        """
        with self._lock:
            refused = next((usable for usable in self._usable if usable.token == lease.token), None)
            if refused is None:  # another thread has seen to it
                return bool(self._usable)
            token = self._renewal(
                credential_id=refused.credential_id,
                refused=refused.token,
                may_renew=refused.credential_id not in self._renewed,
            )
            self._renewed.add(refused.credential_id)
            kept = [replace(refused, token=token)] if token is not None else []
            self._usable = tuple(each for usable in self._usable for each in (kept if usable is refused else [usable]))
            return bool(self._usable)


def _became(error: GitHubError | None) -> Became:
    if error is None:
        return Became.FINE
    if isinstance(error, RateLimited):
        return Became.SECONDARY if error.secondary else Became.USED_UP
    return Became.LOST


def budget_account(github_user_id: int) -> str:
    """The name under which a GitHub user's budget is kept: one user may exist on several servers."""
    return f"{urlsplit(settings.GITHUB_API_URL).netloc}:{github_user_id}"


def tokens_of(*, team_id: int, integration_id: int, floor: int = FLOOR) -> IntegrationTokens:
    """The leasable credentials of an integration, read once: a run that starts later sees later ones.

    `floor` is what is left of each budget: what follows up events may use up what syncs leave.
    """
    with team_scope(team_id):
        usable_ones = IntegrationCredential.objects.filter(integration_id=integration_id, is_valid=True)
        credentials = list(usable_ones.order_by("-is_primary", "pk"))
    usable = [
        Usable(budget_account(credential.github_user_id), credential.access_token, credential.pk)
        for credential in credentials
    ]
    renewal = partial(another_token, team_id=team_id)
    return IntegrationTokens(usable, budgets_at(settings.REDIS_URL), floor=floor, renewal=renewal)


def budget_of(github_user_id: int, resource: str = "graphql") -> Budget | None:
    """What is left of a GitHub user's hour, as far as it is known here; for showing it."""
    keeper = budgets_at(settings.REDIS_URL)
    return keeper.standing(budget_account(github_user_id), resource, time.time()).budget

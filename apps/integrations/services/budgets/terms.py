"""The rules of a budget, and what is asked of and answered by whoever keeps it. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from apps.integrations.github.classify import LONGEST_WINDOW as LONGEST

HEAVY = frozenset({"graphql"})
"""Resources whose requests each take a place: GitHub computes seconds for one of them."""

PLACES = 2
"""Heavy requests of one account that are under way at once, over all workers; and requests of any kind while nothing
is known of its budget."""

LEASE_SECONDS = 90.0
"""After so long a lease counts as dead, with whoever held it. No request takes longer."""

FLOOR_SHARE = 0.1
"""The floor is at most this part of the limit, so that a server with a small limit can be synced at all."""

SAME_WINDOW = 5.0
"""GitHub's servers name the end of one window within some seconds of each other."""

LONGEST_WINDOW = LONGEST.total_seconds()

UNLIMITED_SECONDS = 3600.0
"""How long an account counts as unlimited after an answer without a word about limits."""

FIRST_WAIT = 60.0
LONGEST_WAIT = 900.0
"""A secondary limit without `retry-after`: a minute, twice as long for each further one in a row, at most this."""

STREAK_SECONDS = 7200.0


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` points at once and `per_minute` in the long run: `burst + per_minute` in any one minute."""

    per_minute: float
    burst: float

    @property
    def seconds_per_point(self) -> float:
        return 60.0 / self.per_minute

    @property
    def ahead(self) -> float:
        """The seconds by which an account may be ahead of its pace."""
        return self.burst * self.seconds_per_point


PACES = {"graphql": Pace(1500, 400), "core": Pace(700, 150)}
"""Below GitHub's 2,000 GraphQL points and 900 REST points a minute, which also serve servers that state no limit.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""
PACE = PACES["core"]
"""Of any other resource."""


def pace_of(resource: str) -> Pace:
    return PACES.get(resource, PACE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is to be sent: `cost` points (or requests) of `resource`, leaving `floor` of them. `id` is new."""

    id: str
    resource: str
    cost: int
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Granted:
    """`account` may be used; the cost is reserved."""

    account: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Budget is there, but no place, or the pace of the minute is reached: ask again in `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Closed:
    """Every account is used up or blocked; the first one opens at `until`."""

    until: float
    secondary: bool = False


class Became(StrEnum):
    """What became of a request."""

    FINE = "fine"
    LOST = "lost"  # no answer, or one that says nothing about limits
    USED_UP = "used_up"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Settled:
    """How a lease ended. `limit`, `remaining` and `reset_at` are what the answer stated of `resource`, if it did.

    `wait` is how long GitHub said to wait (0: it did not say), `until` when a used up budget is full again.
    """

    id: str
    account: str
    leased: str
    cost: int
    became: Became
    resource: str = ""
    limit: int = 0
    remaining: int = 0
    reset_at: float = 0.0
    actual: int = 0
    wait: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left (points of `graphql`, requests of `core`) until `reset_at`."""

    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands. `budget` is None where nothing is known, `blocked_until` where nothing is in the way.

    `reserved` points (or requests) are about to be spent by `in_flight` requests.
    """

    budget: Budget | None = None
    blocked_until: datetime | None = None
    is_unlimited: bool = False
    in_flight: int = 0
    reserved: int = 0


class Keeper(Protocol):
    """Keeps the budgets of accounts. `now` is handed in, so that all that is compared is one clock."""

    def lease(self, accounts: Sequence[str], asked: Asked, now: float) -> Granted | Busy | Closed:
        """Reserve the cost on the account with most left, if any may be used. Of equals the first."""

    def settle(self, settled: Settled, now: float) -> None:
        """Release the reservation and learn what the answer said."""

    def standing(self, account: str, resource: str, now: float) -> Standing: ...

"""Budgets in this process's own memory: what serves while Redis is away, and the rules in readable form."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apps.integrations.services.budgets.terms import (
    FIRST_WAIT,
    FLOOR_SHARE,
    HEAVY,
    LEASE_SECONDS,
    LONGEST_WAIT,
    LONGEST_WINDOW,
    PLACES,
    SAME_WINDOW,
    UNLIMITED_SECONDS,
    Asked,
    Became,
    Budget,
    Busy,
    Closed,
    Granted,
    Settled,
    Standing,
    pace_of,
)


@dataclass(slots=True)
class _Known:
    """What is known of one resource of an account."""

    limit: int = 0
    remaining: int = 0
    reset_at: float = 0.0
    closed_until: float = 0.0
    unlimited_until: float = 0.0
    paced: float = 0.0


@dataclass(slots=True)
class _Held:
    resource: str
    cost: int
    until: float


@dataclass(slots=True)
class _Account:
    known: dict[str, _Known] = field(default_factory=dict)
    held: dict[str, _Held] = field(default_factory=dict)
    blocked_until: float = 0.0
    streak: int = 0

    def of(self, resource: str) -> _Known:
        return self.known.setdefault(resource, _Known())

    def held_of(self, resource: str, now: float) -> list[_Held]:
        self.held = {key: held for key, held in self.held.items() if held.until > now}
        return [held for held in self.held.values() if held.resource == resource]


class MemoryBudgets:
    """A `Keeper` for the threads of this process."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def lease(self, accounts: Sequence[str], asked: Asked, now: float) -> Granted | Busy | Closed:
        with self._lock:
            return self._lease(accounts, asked, now)

    def _lease(self, accounts: Sequence[str], asked: Asked, now: float) -> Granted | Busy | Closed:
        best: tuple[float, str] | None = None
        busy: list[Busy] = []
        closed: list[Closed] = []
        for name in accounts:
            match self._left(self._account(name), asked, now):
                case Busy() as found:
                    busy.append(found)
                case Closed() as found:
                    closed.append(found)
                case float(left) if best is None or left > best[0]:
                    best = (left, name)
        if best is not None:
            self._reserve(self._account(best[1]), asked, now)
            return Granted(best[1])
        if busy:
            return min(busy, key=lambda found: found.seconds)
        return min(closed, key=lambda found: found.until)

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account())

    def _left(self, account: _Account, asked: Asked, now: float) -> float | Busy | Closed:
        """What an account that may be used has left, or what is in the way."""
        known, pace = account.of(asked.resource), pace_of(asked.resource)
        held = account.held_of(asked.resource, now)
        left = known.remaining - sum(each.cost for each in held)
        is_known = known.reset_at > now
        is_counted = asked.resource in HEAVY or not (is_known or known.unlimited_until > now)
        if account.blocked_until > now:
            return Closed(account.blocked_until, secondary=True)
        if known.closed_until > now:
            return Closed(known.closed_until)
        if is_known and left - asked.cost < min(asked.floor, known.limit * FLOOR_SHARE):
            return Closed(known.reset_at)
        if is_counted and len(held) >= PLACES:
            return Busy(0.0)
        if known.paced - now > pace.ahead + 0.001:  # more than what rounding makes
            return Busy(known.paced - now - pace.ahead)
        return float(left) if is_known else float("inf")

    def _reserve(self, account: _Account, asked: Asked, now: float) -> None:
        known = account.of(asked.resource)
        known.paced = max(known.paced, now) + asked.cost * pace_of(asked.resource).seconds_per_point
        account.held[asked.id] = _Held(asked.resource, asked.cost, now + LEASE_SECONDS)

    def settle(self, settled: Settled, now: float) -> None:
        with self._lock:
            account = self._account(settled.account)
            account.held.pop(settled.id, None)
            self._learn(account.of(settled.resource or settled.leased), settled, now)
            if settled.limit and settled.actual != settled.cost:
                leased = account.of(settled.leased)
                correction = (settled.actual - settled.cost) * pace_of(settled.leased).seconds_per_point
                leased.paced = max(leased.paced, now) + correction
            if settled.became == Became.SECONDARY:
                self._block(account, settled.wait, now)
            elif settled.became == Became.FINE and account.blocked_until <= now:
                account.streak = 0

    def _learn(self, known: _Known, settled: Settled, now: float) -> None:
        reset_at = min(settled.reset_at, now + LONGEST_WINDOW)
        is_known = known.reset_at > now
        if settled.limit and reset_at > now:
            if is_known and abs(reset_at - known.reset_at) <= SAME_WINDOW:
                known.remaining = min(known.remaining, settled.remaining)  # answers may overtake one another
            else:
                known.remaining, known.reset_at = settled.remaining, reset_at
            known.limit = settled.limit
            known.unlimited_until = 0.0
        elif not settled.limit and settled.became == Became.FINE and not is_known:
            known.unlimited_until = now + UNLIMITED_SECONDS
        if settled.became == Became.USED_UP:
            known.closed_until = max(known.closed_until, min(settled.until, now + LONGEST_WINDOW))

    def _block(self, account: _Account, wait: float, now: float) -> None:
        if account.blocked_until <= now:  # what was under way when the first one came is no repetition
            account.streak += 1
        wait = wait or min(FIRST_WAIT * 2 ** (account.streak - 1), LONGEST_WAIT)
        account.blocked_until = max(account.blocked_until, now + min(wait, LONGEST_WINDOW))

    def standing(self, account: str, resource: str, now: float) -> Standing:
        with self._lock:
            found = self._account(account)
            known = found.of(resource)
            held = found.held_of(resource, now)
            return standing_of(
                limit=known.limit,
                remaining=known.remaining,
                reset_at=known.reset_at,
                blocked=max(found.blocked_until, known.closed_until),
                is_unlimited=known.unlimited_until > now,
                held=[each.cost for each in held],
                now=now,
            )


def standing_of(
    *,
    limit: int,
    remaining: int,
    reset_at: float,
    blocked: float,
    is_unlimited: bool,
    held: Sequence[int],
    now: float,
) -> Standing:
    """What of it still counts now."""
    is_known = reset_at > now
    return Standing(
        budget=Budget(limit, remaining, datetime.fromtimestamp(reset_at, UTC)) if is_known else None,
        blocked_until=datetime.fromtimestamp(blocked, UTC) if blocked > now else None,
        is_unlimited=is_unlimited and not is_known,
        in_flight=len(held),
        reserved=sum(held),
    )

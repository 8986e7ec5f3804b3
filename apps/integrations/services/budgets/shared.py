"""Budgets in Redis, for all workers: one command for a lease, one to settle it, each one script and so atomic.

Redis may be emptied at any time: what it knew is learned anew from the next answer, until when few requests go out.
While it is away, each process's own memory serves, which hears of every answer beside it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.integrations.services.budgets.memory import MemoryBudgets, standing_of
from apps.integrations.services.budgets.terms import (
    FIRST_WAIT,
    FLOOR_SHARE,
    HEAVY,
    LEASE_SECONDS,
    LONGEST_WAIT,
    LONGEST_WINDOW,
    PLACES,
    SAME_WINDOW,
    STREAK_SECONDS,
    UNLIMITED_SECONDS,
    Asked,
    Busy,
    Closed,
    Granted,
    Settled,
    Standing,
    pace_of,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

FURTHEST = LONGEST_WINDOW + 60.0
"""Seconds from now. What is kept of a later moment is nonsense that somebody else wrote, and counts as nothing; a
minute is for workers whose clocks differ.
"""

AWAY_SECONDS = 5.0
"""After Redis did not answer, it is not asked for so long: nobody waits for a timeout with every request."""


class SharedBudgets:
    """A `Keeper` over Redis at `url`. Safe for threads and across a fork. `clock` (seconds) is handed in by tests."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
            # Once more at once: a restarted Redis has closed the connections of before. A lease is known by its id.
            retry=Retry(NoBackoff(), 1),
            retry_on_error=[redis.ConnectionError],
        )
        self._lease = self._redis.register_script(_script("lease"))
        self._settle = self._redis.register_script(_script("settle"))
        self._own = MemoryBudgets()
        self._clock = clock
        self._away_until = float("-inf")

    def lease(self, accounts: Sequence[str], asked: Asked, now: float) -> Granted | Busy | Closed:
        pace = pace_of(asked.resource)
        keys = [key for account in accounts for key in _keys(account, asked.resource)]
        arguments: list[Any] = [
            *(now, asked.resource, asked.cost, asked.floor, asked.id),
            *(PLACES, int(asked.resource in HEAVY), LEASE_SECONDS, FLOOR_SHARE),
            *(pace.seconds_per_point, pace.ahead, FURTHEST),
        ]

        def shared() -> Granted | Busy | Closed:
            kind, value, *more = self._lease(keys=keys, args=arguments)
            if kind == b"granted":
                return Granted(accounts[int(value) - 1])
            if kind == b"busy":
                return Busy(float(value))
            return Closed(float(value), secondary=more == [b"1"])

        return self._asked(shared, lambda: self._own.lease(accounts, asked, now))

    def settle(self, settled: Settled, now: float) -> None:
        leased, leases, block = _keys(settled.account, settled.leased)
        budget = _keys(settled.account, settled.resource or settled.leased)[0]
        arguments: list[Any] = [
            *(now, settled.leased, settled.cost, settled.id, settled.became.value),
            *(settled.limit, settled.remaining, settled.reset_at, settled.actual, settled.wait, settled.until),
            *(SAME_WINDOW, LONGEST_WINDOW, UNLIMITED_SECONDS, FIRST_WAIT, LONGEST_WAIT, STREAK_SECONDS),
            *(pace_of(settled.leased).seconds_per_point, FURTHEST),
        ]
        self._own.settle(settled, now)
        self._asked(lambda: self._settle(keys=[leased, budget, leases, block], args=arguments), lambda: None)

    def standing(self, account: str, resource: str, now: float) -> Standing:
        def shared() -> Standing:
            budget, leases, block = _keys(account, resource)
            names = ("limit", "remaining", "reset_at", "closed_until", "unlimited_until")
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.hmget(budget, names)
                pipeline.zrangebyscore(leases, f"({now}", "+inf")
                pipeline.hget(block, "until")
                known, members, blocked = pipeline.execute()
            limit, remaining = (_number(value) for value in known[:2])
            reset_at, closed, unlimited, block_ends = (_moment(value, now) for value in (*known[2:], blocked))
            held = (member.decode().split("|") for member in members)
            return standing_of(
                limit=int(limit),
                remaining=int(remaining),
                reset_at=reset_at,
                blocked=max(block_ends, closed),
                is_unlimited=unlimited > now,
                held=[int(cost) for of, cost, _ in held if of == resource],
                now=now,
            )

        return self._asked(shared, lambda: self._own.standing(account, resource, now))

    def close(self) -> None:
        self._redis.close()

    def _asked(self, shared: Callable[[], T], own: Callable[[], T]) -> T:
        if self._clock() < self._away_until:
            return own()
        try:
            return shared()
        except redis.RedisError as error:
            self._away_until = self._clock() + AWAY_SECONDS
            logger.warning("budgets are not shared while Redis is away: %s", error)
            return own()


@lru_cache(maxsize=4)
def budgets_at(url: str) -> SharedBudgets:
    """One for each Redis and process, so that its memory and its connections last."""
    return SharedBudgets(url)


def _number(value: bytes | None) -> float:
    """What Redis keeps as a number; 0 where it is none that is finite."""
    try:
        number = float(value or 0)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _moment(value: bytes | None, now: float) -> float:
    moment = _number(value)
    return moment if moment <= now + FURTHEST else 0.0


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")


def _keys(account: str, resource: str) -> tuple[str, str, str]:
    start = f"tformance:budget:{account}"
    return f"{start}:of:{resource}", f"{start}:leases", f"{start}:block"  # no resource is called as the other two

"""Rate limits: 5,000 points or requests an hour for each person and resource, and the headers that say so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Resource = Literal["core", "graphql", "search"]
HOUR = 3_600
_LIMITS: dict[str, int] = {"core": 5_000, "graphql": 5_000, "search": 30}
ANONYMOUS_LIMIT = 60


@dataclass
class Budget:
    limit: int
    remaining: int
    reset: int
    """Epoch seconds at which `remaining` is `limit` again."""

    @property
    def used(self) -> int:
        return self.limit - self.remaining

    @property
    def reset_at(self) -> str:
        return datetime.fromtimestamp(self.reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Limits:
    """The budgets of everybody. `charge` takes points off; a budget that is empty stays so until its reset."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.enabled = True
        """False: no limits, no headers, `rateLimit` null, as on some Enterprise Servers."""
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, Resource], Budget] = {}
        self._preset: dict[Resource, Budget] = {}

    def budget(self, key: str, resource: Resource) -> Budget:
        """A copy of the budget as it is now."""
        with self._lock:
            budget = self._current(key, resource)
            return Budget(budget.limit, budget.remaining, budget.reset)

    def charge(self, key: str, resource: Resource, points: int) -> Budget | None:
        """The budget after taking `points` off it; None if fewer are left (nothing is taken then)."""
        with self._lock:
            budget = self._current(key, resource)
            if not self.enabled:
                return Budget(budget.limit, budget.remaining, budget.reset)
            if budget.remaining < points:
                budget.remaining = 0 if resource == "graphql" else budget.remaining
                return None
            budget.remaining -= points
            return Budget(budget.limit, budget.remaining, budget.reset)

    def preset(
        self, *, remaining: int, reset_in: float, limit: int | None = None, resource: Resource | None = None
    ) -> None:
        """Everybody's budget becomes this one until `reset_in` seconds from now; then it is full again."""
        for each in (resource,) if resource else ("core", "graphql"):
            full = limit or _LIMITS[each]
            with self._lock:
                self._budgets = {key: budget for key, budget in self._budgets.items() if key[1] != each}
                self._preset[each] = Budget(full, min(remaining, full), int(self._clock() + reset_in + 0.999))

    def exhaust(self, key: str, resource: Resource, reset_in: float) -> None:
        """One bearer has nothing left of the resource until `reset_in` seconds from now."""
        with self._lock:
            budget = self._current(key, resource)
            budget.remaining, budget.reset = 0, int(self._clock() + reset_in + 0.999)

    def _current(self, key: str, resource: Resource) -> Budget:
        now = self._clock()
        budget = self._budgets.get((key, resource))
        if budget is None:
            preset = self._preset.get(resource)
            if preset is not None and preset.reset > now:
                budget = Budget(preset.limit, preset.remaining, preset.reset)
            else:
                budget = self._full(key, resource, now)
            self._budgets[key, resource] = budget
        elif budget.reset <= now:
            budget.remaining, budget.reset = budget.limit, int(now) + HOUR
        return budget

    def _full(self, key: str, resource: Resource, now: float) -> Budget:
        limit = ANONYMOUS_LIMIT if key == "anonymous" else _LIMITS[resource]
        return Budget(limit, limit, int(now) + HOUR)

    def headers(self, budget: Budget, resource: Resource) -> dict[str, str]:
        return headers(budget, resource) if self.enabled else {}


def headers(budget: Budget, resource: Resource) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(budget.limit),
        "X-RateLimit-Remaining": str(budget.remaining),
        "X-RateLimit-Used": str(budget.used),
        "X-RateLimit-Reset": str(budget.reset),
        "X-RateLimit-Resource": resource,
    }

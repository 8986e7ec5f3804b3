"""Faults by chance: the same seed breaks the same requests, counted in the order they come in."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random
from typing import Any

from devtools.github_sandbox.fault import Fault

RANDOM_KINDS = (
    "502",
    "504",
    "truncate",
    "drop",
    "invalid_json",
    "secondary",
    "rate_limited",
    "resource_limits",
    "graphql_error",
    "slow",
)
CONNECTIONS = (
    "assignees",
    "closingIssuesReferences",
    "comments",
    "commits",
    "files",
    "labels",
    "reviewRequests",
    "reviews",
    "reviewThreads",
    "statusCheckRollup",
    "timelineItems",
)
"""What may fail alone inside a pull request. Most may not be null: the whole pull request is then, as the schema has
it."""


class RandomFaults:
    """`rate` of the requests get one of `kinds`, GraphQL and REST alike. `struck` tells which: (request, name, kind).

    The n-th request after the beginning is struck or not by `seed` and n alone. A kind that is GraphQL's only strikes
    other requests as 502. Waits are short: secondary limits of 0 or 1 s, budgets that are full again after 1 s.
    """

    def __init__(self, seed: int, rate: float, kinds: Sequence[str]) -> None:
        unknown = set(kinds) - set(RANDOM_KINDS)
        if unknown or not kinds:
            raise ValueError(f"no random faults: {', '.join(sorted(unknown))}")
        self.seed = seed
        self.rate = rate
        self.kinds = tuple(kinds)
        self.struck: list[tuple[int, str, str]] = []
        self._lock = threading.Lock()
        self._requests = 0
        self._stopped = False

    def stop(self) -> None:
        """No more of them; `struck` stays."""
        self._stopped = True

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "seed": self.seed,
                "rate": self.rate,
                "kinds": self.kinds,
                "requests": self._requests,
                "struck": list(self.struck),
                "stopped": self._stopped,
            }

    def take(self, name: str, selected: frozenset[str]) -> Fault | None:
        """The fault of the next request, if it gets one; `selected` are the fields that a query asks for."""
        if self._stopped:
            return None
        with self._lock:
            self._requests += 1
            number = self._requests
        random = Random(f"{self.seed}:{number}")
        if random.random() >= self.rate:
            return None
        kind = random.choice(self.kinds)
        fields = sorted(selected.intersection(CONNECTIONS))
        if kind in ("resource_limits", "graphql_error") and not fields:
            kind = "502"
        with self._lock:
            self.struck.append((number, name, kind))
        return self._fault(kind, fields, random)

    def _fault(self, kind: str, fields: list[str], random: Random) -> Fault:
        options: dict[str, Any] = {}
        if kind == "secondary":
            options = {"retry_after": random.choice((0, 1)), "status": random.choice((200, 403, 429))}
        elif kind == "rate_limited":
            options = {"reset_in": 1, "everybody": False}
        elif kind == "slow":
            options = {"seconds": 0.2}
        elif kind in ("resource_limits", "graphql_error"):
            options = {"field": random.choice(fields), "every": random.choice((1, 2, 3))}
        return Fault("*", kind, options=options)

"""What the sandbox was asked: for measurements and for tests that promise a number of requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stats:
    """Counters since the start or the last `reset`. `operations` are GraphQL operation names in the order answered,
    `paths` REST's method and path; `points` is what GraphQL queries cost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.points = 0
            self.graphql_requests = 0
            self.rest_requests = 0
            self.operations: list[str] = []
            self.paths: list[str] = []
            self.faults = 0
            self.max_in_flight = self.in_flight

    @contextmanager
    def request(self) -> Iterator[int]:
        """Counts one request as in flight; gives how many are."""
        with self._lock:
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            now = self.in_flight
        try:
            yield now
        finally:
            with self._lock:
                self.in_flight -= 1

    def graphql(self, operation: str, points: int) -> None:
        with self._lock:
            self.graphql_requests += 1
            self.points += points
            self.operations.append(operation)

    def rest(self, method: str, path: str) -> None:
        with self._lock:
            self.rest_requests += 1
            self.paths.append(f"{method} {path}")

    def fault(self) -> None:
        with self._lock:
            self.faults += 1

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "points": self.points,
                "graphql_requests": self.graphql_requests,
                "rest_requests": self.rest_requests,
                "requests": self.graphql_requests + self.rest_requests,
                "operations": list(self.operations),
                "paths": list(self.paths),
                "faults": self.faults,
                "in_flight": self.in_flight,
                "max_in_flight": self.max_in_flight,
            }

"""Faults on request: the next answers that match are broken in one of GitHub's ways."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset(
    {
        "status",
        "502",
        "504",
        "rate_limited",
        "secondary",
        "truncate",
        "drop",
        "slow",
        "invalid_json",
        "graphql_error",
        "resource_limits",
        "bad_credentials",
        "sso",
    }
)


@dataclass
class Fault:
    """`match`: an operation's name or the beginning of a REST path, "*" for all. `times` -1: for ever.

    `skip` lets that many matching requests through first. `when` {"variable": "n", "over": 14} limits the fault to
    GraphQL requests that ask for more. `options`, by kind: status and body (status), retry_after and status
    (secondary), reset_in (rate_limited), seconds (slow), path, message and type (graphql_error, resource_limits).
    """

    match: str
    kind: str
    times: int = 1
    skip: int = 0
    when: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def matches(self, names: tuple[str, ...], variables: dict[str, Any]) -> bool:
        if self.match != "*" and not any(
            name == self.match or (self.match.startswith("/") and name.startswith(self.match)) for name in names
        ):
            return False
        if self.when is None:
            return True
        value = variables.get(self.when["variable"])
        size = len(value) if isinstance(value, list) else value
        return isinstance(size, int) and size > self.when["over"]


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, match: str, kind: str, *, times: int = 1, skip: int = 0, **options: Any) -> None:
        """Raises ValueError for a kind that is none."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}")
        when = options.pop("when", None)
        with self._lock:
            self._faults.append(Fault(match, kind, times, skip, when, options))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [vars(fault) for fault in self._faults]

    def take(self, names: tuple[str, ...], variables: dict[str, Any]) -> Fault | None:
        """The fault for a request, counted down; `names` are its operation name or path."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(names, variables):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None

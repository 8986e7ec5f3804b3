"""Faults on request: the next answers that match are broken in one of GitHub's ways."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from devtools.github_sandbox.fault import KINDS, Fault, Touched
from devtools.github_sandbox.random_faults import RANDOM_KINDS, RandomFaults


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._random: RandomFaults | None = None

    def add(self, match: str, kind: str, *, times: int = 1, skip: int = 0, **options: Any) -> None:
        """Raises ValueError for a kind that is none."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}")
        when = options.pop("when", None)
        with self._lock:
            self._faults.append(Fault(match, kind, times, skip, when, options))

    def poison(self, repo: str, number: int, part: str | list[str] | None = None, kind: str = "502") -> None:
        """Every GraphQL query that has this pull request fails, at any size; with `part` those that ask it for that
        field only. REST works."""
        when = {"repo": repo, "pull": number} | ({"selecting": part} if part else {})
        self.add("*", kind, times=-1, when=when)

    def random(self, seed: int, rate: float = 0.05, kinds: Sequence[str] = RANDOM_KINDS) -> RandomFaults:
        """From now on a share `rate` of the requests is answered with one of `kinds`: see RandomFaults."""
        plan = RandomFaults(seed, rate, kinds)
        with self._lock:
            self._random = plan
        return plan

    @property
    def random_plan(self) -> RandomFaults | None:
        return self._random

    def clear(self) -> None:
        """Also ends a random plan."""
        with self._lock:
            self._faults.clear()
            if self._random is not None:
                self._random.stop()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [vars(fault) for fault in self._faults]

    def take(self, names: tuple[str, ...], variables: dict[str, Any], selected: Iterable[str] = ()) -> Fault | None:
        """The fault of a whole answer, counted down; `names` are the operation's name or the path, `selected` all
        fields of a GraphQL query."""
        with self._lock:
            for fault in self._faults:
                if fault.of_content or fault.of_field or not fault.matches(names, variables):
                    continue
                if self._counted(fault):
                    return fault
            return self._random.take(names[0], frozenset(selected)) if self._random is not None else None

    def of_fields(self, names: tuple[str, ...], variables: dict[str, Any]) -> list[Fault]:
        """The faults of single fields that a query may meet; `met` counts them down."""
        with self._lock:
            found = [fault for fault in self._faults if fault.of_field and fault.matches(names, variables)]
            ready = [fault for fault in found if fault.skip == 0]
            for fault in found:
                fault.skip = max(fault.skip - 1, 0)
            return ready

    def met(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            for fault in faults:
                if fault in self._faults:
                    self._counted(fault)

    def after(self, names: tuple[str, ...], variables: dict[str, Any], touched: Touched) -> list[Fault]:
        """The faults that the contents of a finished answer bring about: every slow one, and one other."""
        struck: list[Fault] = []
        with self._lock:
            for fault in list(self._faults):
                if not fault.of_content or fault.of_field or not fault.matches(names, variables):
                    continue
                if fault.kind != "slow" and any(each.kind != "slow" for each in struck):
                    continue
                if fault.strikes(touched) and self._counted(fault):
                    struck.append(fault)
        return struck

    def _counted(self, fault: Fault) -> bool:
        """Counts a request down; whether it is struck. Needs the lock."""
        if fault.skip > 0:
            fault.skip -= 1
            return False
        fault.times -= 1
        if fault.times == 0:
            self._faults.remove(fault)
        return True

"""What benchmarks share: a team that is gone afterwards, a clock for wall and own processor time, memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from apps.teams.models import Team
from apps.teams.services import delete_team


@contextmanager
def scratch_team() -> Iterator[Team]:
    """A team, deleted with all that it has."""
    team = Team.objects.create(name="Benchmark", slug=f"benchmark-{uuid4().hex[:12]}")
    try:
        yield team
    finally:
        delete_team(team_id=team.pk)


@dataclass(slots=True)
class Clock:
    """Seconds that passed, and that this process computed meanwhile."""

    wall: float = 0.0
    own: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, own = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.own += time.process_time() - own


def memory_mb() -> float:
    """What this process has resident now."""
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

"""Everything goes wrong at random, and the rows are those of a sync without faults: 2,000 pull requests, 20 seeds.

`python -m benchmarks.faults [SEEDS] [PULL_REQUESTS]`. A tenth of all requests fail in one of GitHub's ways; the workers
are processes that are killed, doubled, cut off from PostgreSQL, robbed of Redis.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.conf import settings
from django.test.utils import override_settings

from apps.integrations.models import SyncRun
from apps.integrations.services import github_sync
from apps.integrations.tests.accidents import Accidents, Workers
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.teams.models import Team
from apps.teams.scope import team_scope
from benchmarks.harness import scratch_team
from benchmarks.report import Figure, at_least, report
from devtools.github_sandbox.server import SandboxServer

REPOSITORY = "acme/shop"
RATE = 0.1
EVERY = 3.0
"""Seconds between two accidents to the workers, on average."""


@dataclass(frozen=True, slots=True)
class Survived:
    """How a seed ended. `points` are those that GitHub counted."""

    faults: Counter[str]
    accidents: Counter[str]
    points: int
    seconds: float
    is_equal: bool
    status: str

    def line(self, seed: int, undisturbed: int) -> str:
        faults = ", ".join(f"{kind} {times}" for kind, times in sorted(self.faults.items()))
        accidents = ", ".join(f"{kind} {times}" for kind, times in sorted(self.accidents.items()))
        verdict = f"{self.status}, {'equal' if self.is_equal else 'NOT EQUAL'}"
        return (
            f"  {seed:>3}  {verdict:<16} {self.points - undisturbed:>+5} points {self.seconds:>6.1f} s"
            f"  GitHub: {faults or 'none'}; workers: {accidents}"
        )


@contextmanager
def undisturbed(github: SandboxServer) -> Iterator[tuple[Team, int, str]]:
    """A team that synced in peace, the points that took, and how it ended: two of the 2,000 have no diff at GitHub."""
    with scratch_team() as team:
        github.stats.reset()
        github_sync.sync_repository_history(tracked_at(github, team, REPOSITORY), None)
        with team_scope(team.pk):
            status = SyncRun.objects.get().status
        yield team, github.stats.points, status


def survived(github: SandboxServer, workers: Workers, wanted: dict[str, list[tuple[Any, ...]]], seed: int) -> Survived:
    with scratch_team() as team:
        tracked = tracked_at(github, team, REPOSITORY)
        github.stats.reset()
        faults = github.faults.random(seed=seed, rate=RATE)
        accidents = Accidents(workers, github.url, seed=seed, every=EVERY)
        started = time.perf_counter()
        run = accidents.synced(tracked)
        seconds = time.perf_counter() - started
        faults.stop()
        with team_scope(team.pk):
            run = SyncRun.objects.get(pk=run.pk)
        return Survived(
            faults=Counter(kind for _, _, kind in faults.struck),
            accidents=accidents.happened,
            points=github.stats.points,
            seconds=seconds,
            is_equal=rows_of(team) == wanted,
            status=run.status,
        )


def main(seeds: int = 20, pull_requests: int = 2_000) -> bool:
    print(f"\nFaults: {RATE:.0%} of the requests, an accident to a worker every {EVERY:.0f} s")
    done: list[Survived] = []
    with (
        SandboxServer(synthetic=[f"acme:shop:{pull_requests}:7"]) as github,
        override_settings(GITHUB_API_URL=github.url),
        undisturbed(github) as (team, points, status),
        Workers(settings.REDIS_URL) as workers,
    ):
        wanted = rows_of(team)
        for seed in range(1, seeds + 1):
            done.append(survived(github, workers, wanted, seed))
            print(done[-1].line(seed, points), flush=True)
    extra = median(each.points for each in done) / points - 1
    return report(
        f"Random faults in the sync of {pull_requests:,} pull requests, {seeds} seeds",
        [
            at_least("equal to an undisturbed sync, row for row", sum(each.is_equal for each in done), "seeds", seeds),
            at_least("ended as that one did", sum(each.status == status for each in done), "seeds", seeds),
            Figure("faults in all", sum(each.faults.total() for each in done), "faults"),
            Figure("workers killed", sum(each.accidents["killed"] for each in done), "workers"),
            Figure("points more than undisturbed, median", 100 * extra, "%"),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

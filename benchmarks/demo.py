"""How fast the demo organisation is made, and how much memory that takes: the command, as somebody would run it.

`python -m benchmarks.demo [PULL_REQUESTS]`, 100,000 by default.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from apps.metrics.models import PullRequest, WeeklyMetrics
from apps.teams.scope import team_scope
from benchmarks.harness import scratch_team
from benchmarks.large import resident
from benchmarks.report import Figure, at_least, at_most, report

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
UNTIL = "2026-11-20"


def most_memory(process: subprocess.Popen[bytes]) -> float:
    """The most that one process of it had in memory, in MB; waits for its end."""
    most = 0.0
    while process.poll() is None:
        family = [process.pid, *children_of(process.pid)]
        most = max([most, *(resident(pid)[0] for pid in family)])
        time.sleep(0.5)
    return most


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def seeded(slug: str, pull_requests: int) -> tuple[float, float]:
    """Seconds, and the most memory."""
    options = ["--team", slug, "--prs", str(pull_requests), "--until", UNTIL]
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, str(MANAGE), "seed_demo_data", *options]) as process:
        memory = most_memory(process)
    assert process.returncode == 0
    return time.perf_counter() - started, memory


def main(pull_requests: int = 100_000) -> bool:
    with scratch_team() as team:
        few_seconds, few_memory = seeded(team.slug, 2_000)
        seconds, memory = seeded(team.slug, pull_requests)
        with team_scope(team.pk):
            stored, weeks = PullRequest.objects.count(), WeeklyMetrics.objects.count()
    budget = 180 * pull_requests / 100_000
    return report(
        f"Demo data: {pull_requests:,} pull requests, and the 2,000 of make dev",
        [
            at_most(f"wall for {pull_requests:,}, the 2,000 removed first", seconds, "s", budget),
            Figure("pull requests", pull_requests / seconds, "PRs/s"),
            at_least("of them stored", stored, "PRs", pull_requests),
            Figure("rows of weekly aggregates", weeks, "rows"),
            at_most("wall for 2,000, with starting", few_seconds, "s", 15),
            at_most("memory of a process, at most", memory, "MB", 250),
            at_most("of that more than for 2,000", max(0.0, memory - few_memory), "MB", 80),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

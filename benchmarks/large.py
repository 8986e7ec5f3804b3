"""The full history of a large repository: 50,000 pull requests, synced by a process of its own whose memory is watched.

`python -m benchmarks.large [PULL_REQUESTS]`
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from django.test.utils import override_settings

from apps.integrations.models import SyncRun
from apps.metrics.models import PullRequest
from apps.teams.scope import team_scope
from apps.teams.services import delete_team
from benchmarks.report import Figure, at_least, at_most, report
from benchmarks.sync import asked, sandbox, tracked

FULL_NAME = "acme/big"
BUDGET = 12_500
"""Points an hour, as a GitHub App has them in an organisation of such a size: with a token's 5,000 the run would pause
once and go on in the next hour.
"""

SETTLED = 5_000
"""Pull requests after which everything is imported and every cache is full: from then on memory should not grow."""

SYNC = """
import sys
import benchmarks
from apps.integrations.models import TrackedRepository
from apps.integrations.services import github_sync
from apps.teams.scope import team_scope
with team_scope(int(sys.argv[1])):
    row = TrackedRepository.objects.select_related("repository").get(pk=int(sys.argv[2]))
github_sync.sync_repository_history(row, None)
"""
"""What the process does: no more than a worker."""


@dataclass(slots=True)
class Watched:
    """What was seen of the process: seconds to its first pull requests, and its memory (MB) after SETTLED of them and
    at most.
    """

    first: float = 0.0
    settled_mb: float = 0.0
    most_mb: float = 0.0


def resident(pid: int) -> tuple[float, float]:
    """What a process has in memory now and had at most, in MB; (0, 0) once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0, 0.0
    found = {name: float(kilobytes) / 1024 for name, kilobytes in re.findall(r"(VmRSS|VmHWM):\s+(\d+)", status)}
    return found.get("VmRSS", 0.0), found.get("VmHWM", 0.0)


def watch(process: subprocess.Popen[bytes], team_id: int) -> Watched:
    seen = Watched()
    started = time.perf_counter()
    while process.poll() is None:
        now, most = resident(process.pid)
        seen.most_mb = max(seen.most_mb, most)
        if not seen.settled_mb:
            with team_scope(team_id):
                stored = PullRequest.objects.count()
            if stored and not seen.first:
                seen.first = time.perf_counter() - started
            if stored >= SETTLED:
                seen.settled_mb = now
        time.sleep(0.1 if not seen.first else 1)
    return seen


def main(pull_requests: int = 50_000) -> bool:
    with sandbox(0, f"acme:big:{pull_requests}") as url, override_settings(GITHUB_API_URL=url):
        asked(url, "/_sandbox/limit", "POST", {"limit": BUDGET, "remaining": BUDGET, "reset_in": 7_200})
        row = tracked(url, FULL_NAME)
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", SYNC, str(row.team_id), str(row.pk)], env={**os.environ, "GITHUB_API_URL": url}
        )
        seen = watch(process, row.team_id)
        seconds = time.perf_counter() - started
        with team_scope(row.team_id):
            run = SyncRun.objects.get(tracked_repository=row)
            stored = PullRequest.objects.count()
        delete_team(team_id=row.team_id)
    reasons = {json.dumps(reason) for reason in run.partial.values()}
    assert stored == pull_requests, (stored, run.status, run.errors, reasons)
    return report(
        f"Full history of {pull_requests:,} pull requests, without latency; the sandbox works beside it",
        [
            Figure("wall", seconds, "s"),
            Figure("pull requests", pull_requests / seconds, "PRs/s"),
            at_most("first pull requests stored", seen.first, "s", 10),
            at_most("the worker's memory, at most", seen.most_mb, "MB", 200),
            at_most(f"grown since {SETTLED:,} pull requests", max(0.0, seen.most_mb - seen.settled_mb), "MB", 40),
            at_most("GraphQL points a pull request", run.points / pull_requests, "points", 0.18),
            at_least("of them stored", stored, "PRs", pull_requests),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

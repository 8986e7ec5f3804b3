"""Asking a hundred repositories for news when there is none: what it costs, and that nothing is written.

`python -m benchmarks.incremental [REPOSITORIES] [PULL_REQUESTS_OF_EACH]`, 100 and 12 by default.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from math import ceil

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.tests.sync_support import tracked_at, versions_of
from apps.metrics.models import PullRequest
from apps.teams.models import Team
from apps.teams.scope import team_scope
from benchmarks.harness import scratch_team
from benchmarks.report import Figure, at_most, report
from devtools.github_sandbox.server import SandboxServer

SCOPE = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT coalesce(current_setting('app.team_id'")
"""What entering and leaving a team's scope says."""


def synced(github: SandboxServer, team: Team, repositories: int) -> int:
    """All repositories with their full history, an hour ago. The integration that has them."""
    for number in range(1, repositories + 1):
        row = tracked_at(github, team, f"acme/r-{number}", days_back=None)
        github_sync.sync_repository_history(row, None)
    past = timezone.now() - timedelta(hours=1)
    with team_scope(team.pk):
        TrackedRepository.objects.update(last_sync_at=past)
        PullRequest.objects.update(synced_at=timezone.now() + timedelta(minutes=1))  # well after its last change
    integration: int = row.integration_id
    return integration


def main(repositories: int = 100, pull_requests: int = 12) -> bool:
    with (
        SandboxServer(synthetic=[f"acme:r*{repositories}:{pull_requests}"]) as github,
        override_settings(GITHUB_API_URL=github.url),
        scratch_team() as team,
    ):
        integration_id = synced(github, team, repositories)
        with team_scope(team.pk):
            open_ones = PullRequest.objects.filter(state="open").count()
        before = versions_of(team)
        github.stats.reset()
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            look = github_sync.look(team.pk, integration_id, seconds=None)
            seconds = time.perf_counter() - started
        after = versions_of(team)
        with team_scope(team.pk):
            begun = SyncRun.objects.filter(status__in=SyncRun.UNFINISHED).count()
    assert look is not None
    assert not look.error, look.error
    written = sum(len(set(after[table]) - set(rows)) for table, rows in before.items())
    statements = [query for query in queries if not str(query["sql"]).startswith(SCOPE)]
    return report(
        f"Nothing new in {look.repositories} repositories with {open_ones:,} open pull requests",
        [
            at_most("GraphQL points", github.stats.points, "points", 2 + ceil(open_ones / 100)),
            Figure("requests", github.stats.graphql_requests + github.stats.rest_requests, "requests"),
            at_most("rows of pull requests and their parts written", written, "rows", 0),
            at_most("runs begun", begun, "runs", 0),
            Figure("SQL statements", len(statements), "statements"),
            Figure("wall", seconds, "s"),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

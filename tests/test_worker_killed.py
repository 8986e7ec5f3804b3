"""A real Celery worker on a real Redis, killed in the middle of a sync, and a second one that completes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import SyncRun
from apps.integrations.services import github_sync
from apps.integrations.tasks import sync_advance_task, sync_repository_initial_task
from apps.integrations.tests.sync_support import reaped, rows_of, tracked_at
from apps.metrics.models import PullRequest
from apps.teams.factories import TeamFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer
from tests.worker_support import broker, kill, send, wait_until, worker


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_nothing_and_the_next_one_completes(settings):
    messages = broker(9)
    team, undisturbed = TeamFactory(), TeamFactory()
    with SandboxServer(synthetic=["acme:shop:200:5"]) as github:
        github.faults.add("PullRequestPage", "slow", times=-1, skip=3, seconds=60)  # so it never comes to the end
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop", days_back=None)

        def stored() -> int:
            with team_scope(team.pk):
                return PullRequest.objects.count()

        def run() -> SyncRun:
            with team_scope(team.pk):
                return SyncRun.objects.get()

        with worker(messages, GITHUB_API_URL=github.url) as first:
            send(messages, sync_repository_initial_task, team.pk, tracked.pk, None)
            wait_until(lambda: stored() >= 30)
            kill(first)
        github.faults.clear()
        assert 30 <= stored() < 200
        assert run().status == "running"

        with team_scope(team.pk):  # as after a minute
            SyncRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1, seconds=1))
        [handle] = reaped(team.pk)
        with worker(messages, GITHUB_API_URL=github.url):
            send(messages, sync_advance_task, handle.team_id, handle.run_id, handle.token)
            wait_until(lambda: run().status in {"complete", "partial"})

        github_sync.sync_repository_history(tracked_at(github, undisturbed, "acme/shop"), None)
        assert rows_of(team) == rows_of(undisturbed)

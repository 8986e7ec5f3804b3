"""A team with many repositories does not starve a team with one: a real worker, a real queue, a sandbox GitHub."""

from __future__ import annotations

import pytest

from apps.integrations.models import SyncRun
from apps.integrations.tasks import sync_repository_initial_task
from apps.integrations.tests.sync_support import tracked_at
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer
from tests.worker_support import broker, send, wait_until, worker

MANY = 40


@pytest.mark.django_db(transaction=True)
def test_a_team_with_many_repositories_does_not_starve_a_team_with_one(team, other_team):
    """The other team asks when forty syncs stand in front of it, and is served behind a handful of them."""
    messages = broker(14)
    with SandboxServer(synthetic=[f"acme:r{number}:30" for number in range(MANY)] + ["beta:shop:30"]) as github:
        many = [tracked_at(github, team, f"acme/r{number}") for number in range(MANY)]
        one = tracked_at(github, other_team, "beta/shop")
        for tracked in many:
            send(messages, sync_repository_initial_task, team.pk, tracked.pk, None)
        send(messages, sync_repository_initial_task, other_team.pk, one.pk, None)
        with worker(messages, GITHUB_API_URL=github.url):

            def served() -> SyncRun | None:
                with team_scope(other_team.pk):
                    return SyncRun.objects.exclude(finished_at=None).first()

            wait_until(lambda: served() is not None, 120)
        run = served()
        assert run is not None
        with team_scope(team.pk):
            before = SyncRun.objects.filter(finished_at__lt=run.finished_at).count()
            assert SyncRun.objects.count() == MANY
    assert before <= 4

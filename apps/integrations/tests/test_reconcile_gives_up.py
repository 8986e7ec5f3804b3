"""A comparison that GitHub does not let us make holds nothing else up."""

from __future__ import annotations

from datetime import timedelta

from django.core import mail
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.services.github_sync.trouble import MOST_TRIES
from apps.integrations.tests.sync_support import next_turn, tracked_at
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer


def test_a_comparison_that_cannot_be_made_waits_for_another_night(team, settings):
    MembershipFactory.create(team=team, role="admin")
    with SandboxServer(synthetic=["acme:shop:10:7"]) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        assert github_sync.sync_repository_history(tracked, None).ended == Ended.FINISHED
        night = timezone.now() + timedelta(hours=31)
        assert nightly.begin_due(team.pk, now=night) == [tracked.integration_id]
        with team_scope(team.pk):
            run = SyncRun.objects.latest("pk")
        github.faults.add("PullRequestStates", "502", times=-1)
        for _ in range(MOST_TRIES):
            outcome = github_sync.advance(next_turn(run.pk, team.pk), seconds=None)
            assert outcome.ended == Ended.PAUSED
            with team_scope(team.pk):
                SyncRun.objects.filter(pk=run.pk).update(resume_at=timezone.now())
        assert github_sync.advance(next_turn(run.pk, team.pk), seconds=None).ended == Ended.FAILED
    with team_scope(team.pk):
        run.refresh_from_db()
        now = TrackedRepository.objects.get()
    assert (run.status, now.sync_status, now.last_sync_error) == ("error", "complete", "")
    assert not sync_notifications.notify_about(team_id=team.pk, run_id=run.pk)
    assert mail.outbox == []
    assert nightly.begin_due(team.pk, now=timezone.now() + timedelta(hours=19)) == []
    assert nightly.begin_due(team.pk, now=night) == [tracked.integration_id]

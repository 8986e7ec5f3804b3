"""A sync whose worker is lost again and again: accidents are survived, a page that cannot be written ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.factories import SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import runs
from apps.integrations.tests.sync_support import reaped
from apps.teams.scope import team_scope


@pytest.fixture
def run(team) -> SyncRun:
    tracked = TrackedRepositoryFactory.create(team=team, sync_status="syncing")
    return SyncRunFactory.create(team=team, tracked_repository=tracked, status="running")


def crash(run: SyncRun) -> list[github_sync.Handle]:
    """A worker has it, and is lost a minute ago."""
    with team_scope(run.team_id):
        SyncRun.objects.filter(pk=run.pk, status__in=SyncRun.UNFINISHED).update(
            status="running", heartbeat_at=timezone.now() - timedelta(minutes=2)
        )
    return reaped(run.team_id)


def test_a_sync_survives_many_lost_workers(run):
    for _ in range(runs.MOST_CRASHES):
        assert len(crash(run)) == 1


def test_a_page_on_which_every_worker_is_lost_ends_the_sync_and_tells_the_admins(run, team):
    for _ in range(runs.MOST_CRASHES):
        crash(run)
    assert crash(run) == []
    with team_scope(team.pk):
        ended, tracked = SyncRun.objects.get(), TrackedRepository.objects.get()
        assert (ended.status, tracked.sync_status) == ("error", "error")
        assert "worker's log" in tracked.last_sync_error
        SyncRun.objects.update(finished_at=timezone.now() - timedelta(minutes=6))
    assert sync_notifications.unwritten(team.pk) == [run.pk]
    assert reaped(team.pk) == []


def test_who_still_holds_a_sync_that_was_ended_cannot_write(run, team):
    for _ in range(runs.MOST_CRASHES + 1):
        crash(run)
    with team_scope(team.pk), pytest.raises(runs.Fenced):
        runs.beat(run)


def test_a_pause_or_a_lost_message_is_no_crash(run, team):
    for status in ("pending", "paused"):
        with team_scope(team.pk):
            then = timezone.now() - timedelta(minutes=5)
            SyncRun.objects.update(
                status=status, heartbeat_at=then, queued_at=then, resume_at=then, checkpoint={"crashes": 30}
            )
        assert len(reaped(team.pk)) == 1

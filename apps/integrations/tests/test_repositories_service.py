"""Following a repository, or no longer, and how far back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.integrations.factories import AvailableRepositoryFactory, GitHubIntegrationFactory, SyncRunFactory
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services.repositories import (
    request_hook,
    request_sync,
    set_depth,
    track_repository,
    untrack_repository,
)
from apps.metrics.factories import PullRequestFactory
from apps.metrics.models import PullRequest, Repository
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

Sync = TrackedRepository.SyncStatus
Hook = TrackedRepository.WebhookStatus


@pytest.fixture
def available(team):
    integration = GitHubIntegrationFactory.create(team=team)
    return AvailableRepositoryFactory.create(team=team, integration=integration, full_name="acme/shop")


def track(available, days_back=30, **options):
    return track_repository(
        integration=available.integration, available=available, days_back=days_back, actor=None, **options
    )


def fresh(tracked) -> TrackedRepository:
    with team_scope(tracked.team_id):
        return TrackedRepository.objects.select_related("repository").get(pk=tracked.pk)


def actions(team) -> list[str]:
    with team_scope(team.pk):
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_it_follows_a_repository_and_notes_what_is_to_be_done(team, available):
    tracked = fresh(track(available))
    assert tracked.repository.full_name == "acme/shop"
    assert tracked.repository.github_repo_id == available.github_repo_id
    assert (tracked.is_active, tracked.days_back) == (True, 30)
    assert (tracked.sync_status, tracked.webhook_status) == (Sync.PENDING, Hook.PENDING)
    assert tracked.sync_requested_at is not None
    assert actions(team) == ["repository.tracked"]


def test_following_twice_changes_nothing(team, available):
    first = track(available)
    assert track(available).pk == first.pk
    assert actions(team) == ["repository.tracked"]


def test_without_a_webhook_none_is_asked_for(available):
    assert fresh(track(available, webhook_wanted=False)).webhook_status == Hook.NONE


def test_a_command_leaves_the_first_sync_to_another(available):
    assert fresh(track(available, sync_wanted=False)).sync_requested_at is None


def test_no_longer_following_stops_the_sync_and_keeps_the_data(team, available):
    tracked = track(available)
    PullRequestFactory.create(team=team, repository=tracked.repository)
    run = SyncRunFactory.create(team=team, tracked_repository=tracked, status=SyncRun.Status.RUNNING)
    assert not untrack_repository(tracked=tracked, actor=None).is_active
    with team_scope(team.pk):
        run.refresh_from_db()
        assert run.status == SyncRun.Status.CANCELLED
        assert PullRequest.objects.count() == 1
    assert fresh(tracked).webhook_status == Hook.NONE
    assert actions(team) == ["repository.tracked", "repository.untracked"]


def test_a_registered_hook_is_remembered_until_it_is_removed(available):
    tracked = track(available)
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(webhook_id=5, webhook_status=Hook.ACTIVE)
    untrack_repository(tracked=tracked, actor=None)
    assert fresh(tracked).webhook_id == 5


def test_following_again_takes_up_the_same_row(team, available):
    tracked = track(available)
    untrack_repository(tracked=tracked, actor=None)
    with team_scope(team.pk):
        TrackedRepository.objects.update(sync_status=Sync.ERROR, last_sync_error="gone", sync_progress=40)
    again = track(available, days_back=None)
    assert again.pk == tracked.pk
    stored = fresh(again)
    assert (stored.is_active, stored.days_back, stored.sync_status) == (True, None, Sync.PENDING)
    assert (stored.last_sync_error, stored.sync_progress) == ("", 0)


def test_following_through_another_connection_moves_the_row_there(team, available):
    untrack_repository(tracked=track(available), actor=None)
    other = GitHubIntegrationFactory.create(team=team)
    same = AvailableRepositoryFactory.create(
        team=team, integration=other, github_repo_id=available.github_repo_id, full_name="acme/shop"
    )
    assert fresh(track(same)).integration_id == other.pk
    with team_scope(team.pk):
        assert TrackedRepository.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_clicks_at_once_make_one_row(team, available):
    def click(_):
        try:
            return track(available).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as clicks:
        assert len(set(clicks.map(click, range(12)))) == 1
    with team_scope(team.pk):
        assert TrackedRepository.objects.count() == Repository.objects.count() == 1
    assert actions(team) == ["repository.tracked"]


def covered(tracked, since) -> TrackedRepository:
    with team_scope(tracked.team_id):
        Repository.objects.update(covered_from=since)
        TrackedRepository.objects.update(sync_status=Sync.COMPLETE)
    return fresh(tracked)


@pytest.mark.parametrize("days", [60, 90, None])
def test_looking_further_back_asks_for_a_sync(team, available, days):
    tracked = covered(track(available), timezone.now() - timedelta(days=30))
    assert set_depth(tracked=tracked, days_back=days, actor=None)
    stored = fresh(tracked)
    assert (stored.days_back, stored.sync_status) == (days, Sync.PENDING)
    assert actions(team)[-1] == "repository.depth_changed"


def test_looking_less_far_back_keeps_what_is_there(available):
    tracked = covered(track(available, days_back=90), timezone.now() - timedelta(days=90))
    assert not set_depth(tracked=tracked, days_back=30, actor=None)
    stored = fresh(tracked)
    assert (stored.days_back, stored.sync_status) == (30, Sync.COMPLETE)


def test_going_back_to_a_depth_that_is_stored_fetches_nothing(available):
    everything = datetime(1970, 1, 1, tzinfo=UTC)
    tracked = covered(track(available), everything)
    assert not set_depth(tracked=tracked, days_back=None, actor=None)
    assert fresh(tracked).days_back is None


def test_another_depth_replaces_the_run_that_is_going_on(team, available):
    tracked = covered(track(available), timezone.now() - timedelta(days=30))
    run = SyncRunFactory.create(team=team, tracked_repository=tracked, status=SyncRun.Status.RUNNING)
    set_depth(tracked=tracked, days_back=90, actor=None)
    with team_scope(team.pk):
        run.refresh_from_db()
    assert run.status == SyncRun.Status.CANCELLED


def test_the_same_depth_is_no_change(team, available):
    tracked = fresh(track(available))
    assert not set_depth(tracked=tracked, days_back=30, actor=None)
    assert actions(team) == ["repository.tracked"]


@pytest.mark.parametrize("status", [Sync.COMPLETE, Sync.PARTIAL, Sync.ERROR])
def test_a_sync_can_be_asked_for(available, status):
    tracked = fresh(track(available))
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(sync_status=status, sync_requested_at=None)
    assert request_sync(tracked=tracked, actor=None)
    assert fresh(tracked).sync_requested_at is not None


@pytest.mark.parametrize("status", [Sync.PENDING, Sync.SYNCING, Sync.PAUSED])
def test_a_sync_that_runs_or_waits_is_not_asked_for_again(available, status):
    tracked = fresh(track(available))
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(sync_status=status)
    assert not request_sync(tracked=tracked, actor=None)
    assert fresh(tracked).sync_status == status


@pytest.mark.parametrize(
    ("status", "asked"), [(Hook.FORBIDDEN, True), (Hook.FAILED, True), (Hook.NONE, True), (Hook.ACTIVE, False)]
)
def test_a_hook_can_be_tried_again_unless_it_works(available, status, asked):
    tracked = track(available)
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(webhook_status=status, webhook_error="no")
    assert request_hook(tracked=tracked) is asked

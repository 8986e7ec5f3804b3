"""What is asked of every team each minute: little, where nothing waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.factories import GitHubIntegrationFactory, SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tasks import ask_for_looks_task, reap_sync_runs_task
from apps.integrations.tests.sync_log_support import very_many_updates
from apps.metrics.factories import RepositoryFactory
from apps.teams.scope import team_scope


@pytest.fixture
def tracked(team):
    """Synced just now, and nothing is wrong."""
    now = timezone.now()
    found = TrackedRepositoryFactory.create(
        team=team, sync_status="complete", watermark=now, last_sync_at=now, reconciled_at=now
    )
    SyncRunFactory.create(team=team, tracked_repository=found, status="complete", finished_at=now, notified_at=now)
    SyncRunFactory.create(team=team, tracked_repository=found, status="cancelled", finished_at=now)
    return found


def is_quiet(team) -> bool:
    with team_scope(team.pk):
        return github_sync.is_quiet(team.pk)


def test_a_team_is_quiet_whose_repositories_are_synced(team, tracked):
    assert is_quiet(team)


@pytest.mark.parametrize("status", ["pending", "running", "paused"])
def test_an_unfinished_run_is_not_quiet(team, tracked, status):
    SyncRunFactory.create(team=team, tracked_repository=tracked, status=status)
    assert not is_quiet(team)


@pytest.mark.parametrize("status", ["complete", "partial", "error"])
def test_an_end_of_which_nobody_was_told_is_not_quiet(team, tracked, status):
    SyncRunFactory.create(team=team, tracked_repository=tracked, status=status, finished_at=timezone.now())
    assert not is_quiet(team)


def test_a_sync_that_was_asked_for_is_not_quiet(team):
    TrackedRepositoryFactory.create(team=team, sync_requested_at=timezone.now())
    assert not is_quiet(team)


@pytest.mark.parametrize(
    "trouble",
    [{"sync_status": "held"}, {"sync_status": "disconnected"}, {"permissions_missing": {"checks": {}}}],
)
def test_a_connection_that_needs_somebody_is_not_quiet(team, trouble):
    GitHubIntegrationFactory.create(team=team, **trouble)
    assert not is_quiet(team)


def test_what_another_team_waits_for_disturbs_nobody(team, other_team):
    SyncRunFactory.create(team=other_team)
    assert is_quiet(team)
    assert not is_quiet(other_team)


@pytest.mark.parametrize(("task", "asked"), [(reap_sync_runs_task, 1), (ask_for_looks_task, 2)])
def test_a_quiet_minute_asks_a_team_little(team, tracked, task, asked):
    """Besides who the teams are, and what a scope takes."""
    with CaptureQueriesContext(connection) as captured:
        task()
    assert sum("integrations_" in query["sql"] for query in captured) == asked


def test_a_quiet_night_asks_a_team_little(team, tracked, django_assert_num_queries):
    with team_scope(team.pk), django_assert_num_queries(1):
        assert nightly.begin_due(team.pk) == []


@pytest.mark.django_db(transaction=True)
def test_the_runs_that_nobody_was_told_of_are_found_among_very_many(team, tracked):
    very_many_updates(tracked)
    with team_scope(team.pk), connection.cursor() as cursor:
        with CaptureQueriesContext(connection) as captured:
            sync_notifications.unwritten(team.pk)
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        assert "sync_run_unwritten" in str(cursor.fetchall())


def test_a_reading_of_checks_that_goes_on_is_asked_for(team):
    now = timezone.now()
    repository = RepositoryFactory.create(team=team)
    tracked = TrackedRepositoryFactory.create(
        team=team, repository=repository, sync_status="complete", watermark=now, last_sync_at=now - timedelta(minutes=1)
    )
    with team_scope(team.pk):
        tracked.integration.checks_cursor = 7
        tracked.integration.save()
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]

"""The nightly comparison: when a repository has its turn, and what becomes of a night that is interrupted."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import due, runs
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.services.github_sync.reconciliation.comparison import rows_to_compare
from apps.integrations.tests.reconcile_support import NOW, begun, change, figures, reconciled
from apps.integrations.tests.sync_support import fresh, next_turn, rows_of, run_of, tracked_at
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.models import Deployment, PullRequest, Repository
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer


def test_each_repository_has_its_turn_once_a_day_at_night(synced_shop, team):
    night = datetime(2026, 11, 21, 3, tzinfo=UTC)
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=night - timedelta(hours=19))
    assert nightly.begin_due(team.pk, now=night) == []
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=night - timedelta(hours=21))
    assert nightly.begin_due(team.pk, now=night.replace(hour=7)) == []
    assert nightly.begin_due(team.pk, now=night) == [synced_shop.integration_id]
    assert nightly.begin_due(team.pk, now=night) == []
    assert run_of(synced_shop).kind == "reconcile"


def test_what_missed_the_night_follows_by_day(synced_shop, team):
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=noon - timedelta(hours=31))
    assert nightly.begin_due(team.pk, now=noon) == [synced_shop.integration_id]


def test_a_repository_that_something_else_is_done_for_waits(synced_shop, team):
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(days=3))
        github_sync.begin_run(tracked=synced_shop, kind=SyncRun.Kind.INCREMENTAL, days_back=None)
    assert nightly.begin_due(team.pk) == []


def test_of_a_big_repository_every_pull_request_is_compared_when_that_was_asked_for(synced_shop, team):
    with team_scope(team.pk):
        repository = Repository.objects.get()
        PullRequest.objects.update(state="merged", pr_updated_at=NOW - timedelta(days=400))
        now = timezone.now()
        assert len(rows_to_compare(repository, after=0, now=now, big=10)) < 10
        assert len(rows_to_compare(repository, after=0, now=now, big=10, every=True)) == 40


def test_of_a_big_repository_the_old_have_their_turn_within_a_week(team):
    with team_scope(team.pk):
        repository = RepositoryFactory.create(team=team)
        first = PullRequestFactory.create(repository=repository, team=team, number=1, state="merged", node_id="PR_1")
        long_ago, lately = NOW - timedelta(days=200), NOW - timedelta(days=80)
        copies = []
        for number in range(2, 282):
            copies.append(copy(first))
            copies[-1].pk, copies[-1].number = None, number
            copies[-1].state = "open" if number == 100 else "merged"
            copies[-1].pr_updated_at = lately if number == 207 else long_ago
        first.delete()
        PullRequest.objects.bulk_create(copies)
        assert len(night_of(repository, NOW, big=280)) == 280  # it is not a big one
        nights = [night_of(repository, NOW + timedelta(days=day)) for day in range(7)]
    assert all({100, 207} <= set(night) for night in nights)
    assert all(len(night) in {42, 41, 40} for night in nights)
    assert set().union(*nights) == set(range(2, 282))


def night_of(repository, now, big=279) -> list[int]:
    """The numbers that are compared."""
    numbers: list[int] = []
    while rows := rows_to_compare(repository, after=numbers[-1] if numbers else 0, now=now, big=big):
        numbers += [row["number"] for row in rows]
    return numbers


def test_a_comparison_that_is_cancelled_leaves_the_repository_as_it_was(synced_shop, team):
    begun(synced_shop)
    assert fresh(synced_shop).sync_status == "syncing"
    with team_scope(team.pk):
        assert github_sync.cancel_runs(tracked=fresh(synced_shop)) == 1
        assert (fresh(synced_shop).sync_status, due.followed().count()) == ("complete", 1)
        github_sync.begin_run(tracked=fresh(synced_shop), kind=SyncRun.Kind.MANUAL, days_back=30)
        github_sync.cancel_runs(tracked=fresh(synced_shop))
    assert fresh(synced_shop).sync_status == "pending"


def test_killed_half_way_it_goes_on_where_it_was(settings, team):
    with SandboxServer(synthetic=["acme:shop:230:5"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        github_sync.sync_repository_history(tracked, None)
        before = rows_of(team)
        with team_scope(team.pk):
            PullRequest.objects.filter(number__in=[3, 223]).update(title="nonsense")
        handle = begun(tracked)
        for _ in range(3):  # the missing ones, and twice a hundred
            assert github_sync.advance(handle, seconds=0).ended == Ended.HANDED_ON
            handle = next_turn(run_of(tracked).pk, team.pk)
        assert run_of(tracked).counts["compared"] == 200
        with team_scope(team.pk):
            runs.take(run_id=handle.run_id, token=handle.token)  # and killed
            SyncRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
        assert github_sync.advance(next_turn(run_of(tracked).pk, team.pk), seconds=None).ended == Ended.FINISHED
        assert figures(run_of(tracked)) == (230, 2, 0)
        assert rows_of(team) == before


@pytest.mark.parametrize("operation", ["PullRequestStates", "PullRequestsByNumber", "PullRequestIds", "KnownIds"])
def test_a_502_in_the_middle_marks_nothing_and_the_run_goes_on_later(silent_github, synced_shop, team, operation):
    change(silent_github, "delete", number=5)
    change(silent_github, "delete_deployment")
    silent_github.faults.add(operation, "502", times=-1)
    outcome = github_sync.advance(begun(synced_shop), seconds=None)
    assert outcome.ended == Ended.PAUSED
    with team_scope(team.pk):
        gone_before = PullRequest.objects.exclude(gone_at=None).count()
        assert gone_before == (0 if operation in {"PullRequestStates", "PullRequestsByNumber"} else 1)
        assert not Deployment.objects.exclude(gone_at=None).exists()
        silent_github.faults.clear()
        SyncRun.objects.filter(status="paused").update(resume_at=timezone.now())
    assert github_sync.advance(next_turn(run_of(synced_shop).pk, team.pk), seconds=None).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert Deployment.objects.exclude(gone_at=None).count() == 1
        assert list(PullRequest.objects.exclude(gone_at=None).values_list("number", flat=True)) == [5]


def test_a_few_that_are_too_heavy_together_are_asked_in_halves(silent_github, synced_shop):
    silent_github.faults.add("PullRequestStates", "502", times=3)
    assert figures(reconciled(synced_shop)) == (40, 0, 0)


def test_nobody_is_written_to_about_a_night_that_went_well(silent_github, synced_shop, team):
    MembershipFactory.create(team=team, role="admin")
    change(silent_github, "delete", number=5)
    run = reconciled(synced_shop)
    sync_notifications.notify_about(team_id=team.pk, run_id=run.pk)
    assert mail.outbox == []

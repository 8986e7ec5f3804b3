"""A run from task to task: handed on, opened by one worker at a time, cancelled, paused, and revived by the reaper."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import SyncBusy, runs
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import begun, fresh, next_hour, next_turn, reaped, rows_of, run_of, tracked_at
from apps.metrics.models import PullRequest
from apps.teams.scope import team_scope


@pytest.fixture
def tracked(shop_github, team) -> TrackedRepository:
    return tracked_at(shop_github, team, "acme/shop")


def sync(tracked, days=None):
    return github_sync.sync_repository_history(tracked, days)


def test_a_chain_of_short_tasks_ends_like_one_long_one(tracked, team, other_team, shop_github):
    outcome = github_sync.advance(begun(tracked), seconds=0)
    steps = 1
    while outcome.ended == Ended.HANDED_ON:
        outcome = github_sync.advance(next_turn(outcome.run_id, tracked.team_id), seconds=0)
        steps += 1
    assert outcome.ended == Ended.FINISHED
    assert steps >= 4  # pages, deployments, the closing pass
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_numbers_are_there_after_the_first_page(tracked, team):
    outcome = github_sync.advance(begun(tracked), seconds=0)
    assert outcome.ended == Ended.HANDED_ON
    row = fresh(tracked)
    with team_scope(team.pk):
        assert PullRequest.objects.count() == row.sync_prs_completed == 7
    assert (row.sync_status, row.sync_prs_total, row.sync_progress) == ("syncing", 60, 11)
    assert row.sync_activity == "Pull requests, newest first"


def test_a_worker_that_wakes_up_late_cannot_write(tracked, team):
    seen = []

    def taken_away(run):
        with team_scope(team.pk):
            seen.append(github_sync.handle_of(run))
            SyncRun.objects.update(token=uuid.uuid4())

    assert github_sync.advance(begun(tracked), on_page=taken_away).ended == Ended.FENCED
    assert len(seen) == 1
    with team_scope(team.pk):
        assert PullRequest.objects.count() == 7  # the first page's, and nothing of the second


def test_a_token_opens_a_run_once(tracked):
    handle = begun(tracked)
    assert github_sync.advance(handle, seconds=0).ended == Ended.HANDED_ON
    assert github_sync.advance(handle, seconds=0).ended == Ended.FENCED


def test_two_never_sync_one_repository_at_once(tracked):
    handle = begun(tracked)
    with team_scope(tracked.team_id):
        runs.take(run_id=handle.run_id, token=handle.token)
    with pytest.raises(SyncBusy):
        sync(tracked)


def test_a_cancelled_run_stops_at_its_next_page_and_keeps_what_it_has(tracked, team):
    def cancelled(run):
        with team_scope(team.pk):
            github_sync.cancel_runs(tracked=tracked)

    assert github_sync.advance(begun(tracked), on_page=cancelled).ended == Ended.FENCED
    assert run_of(tracked).status == "cancelled"
    with team_scope(team.pk):
        assert PullRequest.objects.count() == 7


def test_another_depth_replaces_the_unfinished_run(tracked):
    first = begun(tracked, days=30)
    second = begun(tracked, days=90)
    assert first.run_id != second.run_id
    with team_scope(tracked.team_id):
        assert SyncRun.objects.get(pk=first.run_id).status == "cancelled"


def test_below_a_hundred_remaining_it_pauses_and_resumes_after_the_reset(shop_github, tracked, team):
    shop_github.limits.preset(remaining=101, reset_in=1800)
    outcome = sync(tracked)
    row, run = fresh(tracked), run_of(tracked)
    assert outcome.ended == Ended.PAUSED
    assert (row.sync_status, row.rate_limited, run.rate_limited) == ("paused", True, True)
    assert row.rate_limit_reset_at == run.resume_at
    assert 98 <= shop_github.limits.budget(_account(shop_github), "graphql").remaining < 101
    shop_github.limits.preset(remaining=5000, reset_in=3600)
    next_hour(tracked)
    assert sync(tracked).ended == Ended.FINISHED
    assert run_of(tracked).pk == run.pk  # the same run, from its checkpoint
    with team_scope(team.pk):
        assert PullRequest.objects.count() == 60
    assert fresh(tracked).rate_limited is False


def _account(github):
    return next(key for key, resource in github.limits._budgets if resource == "graphql")


def test_the_reaper_resumes_a_pause_that_is_over(tracked):
    handle = begun(tracked)
    with team_scope(tracked.team_id):
        run = runs.take(run_id=handle.run_id, token=handle.token)
        runs.pause(run, until=timezone.now() + timedelta(minutes=5), reason="limit", rate_limited=True)
    assert reaped(tracked.team_id) == []
    with team_scope(tracked.team_id):
        SyncRun.objects.update(resume_at=timezone.now())
    [resumed] = reaped(tracked.team_id)
    assert github_sync.advance(resumed).ended == Ended.FINISHED


def test_the_reaper_continues_a_run_whose_worker_is_gone_from_its_checkpoint(tracked, team, other_team, shop_github):
    handle = next_turn(github_sync.advance(begun(tracked), seconds=0).run_id, team.pk)
    with team_scope(team.pk):
        runs.take(run_id=handle.run_id, token=handle.token)  # and killed
    assert reaped(team.pk) == []
    with team_scope(team.pk):
        SyncRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    [revived] = reaped(team.pk)
    assert reaped(team.pk) == []
    assert github_sync.advance(revived).ended == Ended.FINISHED
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_the_reaper_sends_again_what_was_lost_with_redis(tracked):
    begun(tracked)
    [sent] = reaped(tracked.team_id)
    assert reaped(tracked.team_id) == []
    with team_scope(tracked.team_id):
        SyncRun.objects.update(queued_at=timezone.now() - timedelta(minutes=3))
    assert reaped(tracked.team_id) == [sent]


def test_the_reaper_begins_a_sync_that_was_asked_for_and_never_began(tracked):
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(sync_requested_at=timezone.now() - timedelta(minutes=3))
    [handle] = reaped(tracked.team_id)
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert reaped(tracked.team_id) == []

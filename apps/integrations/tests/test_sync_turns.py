"""Whose turn it is: few messages in the queue, nobody starved, nothing sent twice with effect."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.factories import (
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    SyncRunFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_control
from apps.integrations.services.github_sync import coverage, runs
from apps.integrations.services.github_sync.turns import AT_ONCE
from apps.integrations.services.repositories import request_sync
from apps.integrations.tasks import sync_repository_initial_task, sync_repository_task
from apps.integrations.tests.sync_support import reaped
from apps.teams.scope import team_scope


@pytest.fixture
def integration(team):
    return GitHubIntegrationFactory.create(team=team)


def waiting(team, integration, count: int) -> list[SyncRun]:
    """`count` repositories, each with a run that nobody has worked on yet."""
    return [
        SyncRunFactory.create(
            team=team, tracked_repository=TrackedRepositoryFactory.create(team=team, integration=integration)
        )
        for _ in range(count)
    ]


def turns(integration) -> list[int]:
    given = github_sync.next_turns(team_id=integration.team_id, integration_id=integration.pk)
    return [handle.run_id for handle in given]


def test_a_connection_with_five_hundred_repositories_has_few_messages_in_the_queue(team, integration):
    all_of_them = waiting(team, integration, 500)
    assert turns(integration) == [run.pk for run in all_of_them[:AT_ONCE]]
    assert turns(integration) == []


def test_what_was_worked_on_waits_behind_what_was_not(team, integration):
    first, second, third = waiting(team, integration, 3)
    handles = github_sync.next_turns(team_id=team.pk, integration_id=integration.pk)
    with team_scope(team.pk):
        runs.hand_on(runs.take(run_id=handles[0].run_id, token=handles[0].token))
    assert turns(integration) == [third.pk]
    with team_scope(team.pk):
        SyncRun.objects.filter(pk__in=[second.pk, third.pk]).update(status="complete")
    assert turns(integration) == [first.pk]


def test_every_credential_brings_its_own_turns(team, integration):
    for user in (1, 2, 3):
        IntegrationCredentialFactory.create(team=team, integration=integration, github_user_id=user)
    waiting(team, integration, 10)
    assert len(turns(integration)) == 3 * AT_ONCE


def test_a_message_that_is_long_in_the_queue_is_sent_again_and_opens_the_run_only_once(team, integration):
    [run] = waiting(team, integration, 1)
    [first] = github_sync.next_turns(team_id=team.pk, integration_id=integration.pk)
    with team_scope(team.pk):
        SyncRun.objects.update(queued_at=timezone.now() - timedelta(minutes=3))
    [again] = github_sync.next_turns(team_id=team.pk, integration_id=integration.pk)
    assert again == first
    with team_scope(team.pk):
        assert runs.take(run_id=first.run_id, token=first.token) == run
        with pytest.raises(runs.Fenced):
            runs.take(run_id=again.run_id, token=again.token)


def test_a_dead_worker_keeps_no_turn(team, integration):
    waiting(team, integration, AT_ONCE + 1)
    for handle in github_sync.next_turns(team_id=team.pk, integration_id=integration.pk):
        with team_scope(team.pk):
            runs.take(run_id=handle.run_id, token=handle.token)
    assert turns(integration) == []
    with team_scope(team.pk):
        SyncRun.objects.filter(status="running").update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    assert len(reaped(team.pk)) == AT_ONCE


def test_what_a_person_paused_rests_until_a_person_resumes_it(team, integration):
    [run] = waiting(team, integration, 1)
    [handle] = github_sync.next_turns(team_id=team.pk, integration_id=integration.pk)
    with team_scope(team.pk):
        held = runs.take(run_id=handle.run_id, token=handle.token)
        assert github_sync.pause_by_person(run.tracked_repository, "Mira")
        with pytest.raises(runs.Fenced):
            runs.beat(held)
    assert reaped(team.pk) == []
    with team_scope(team.pk):
        run.refresh_from_db()
        assert [(wait["reason"], wait["until"]) for wait in run.waits] == [("Paused by Mira.", None)]
        assert github_sync.resume(run.tracked_repository)
    [resumed] = reaped(team.pk)
    with team_scope(team.pk):
        [wait] = runs.take(run_id=resumed.run_id, token=resumed.token).waits
        assert wait["until"] is not None
        assert not github_sync.resume(run.tracked_repository)


def test_a_disconnected_connection_has_no_turns(team, integration):
    waiting(team, integration, 1)
    with team_scope(team.pk):
        integration.sync_status = integration.SyncStatus.DISCONNECTED
        integration.save()
    assert turns(integration) == []


@pytest.mark.parametrize("wanted", [None, 90])
def test_a_late_message_of_another_depth_changes_nothing(team, integration, wanted):
    tracked = TrackedRepositoryFactory.create(team=team, integration=integration, days_back=wanted)
    in_hand = [SyncRunFactory.create(team=team, tracked_repository__integration=integration) for _ in range(AT_ONCE)]
    with team_scope(team.pk):  # no turn is free: what is begun only waits
        SyncRun.objects.update(status=SyncRun.Status.RUNNING, heartbeat_at=timezone.now())
        run = github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=wanted)
    sync_repository_initial_task(team.pk, tracked.pk, 30)
    with team_scope(team.pk):
        assert SyncRun.objects.exclude(pk__in=[other.pk for other in in_hand]).get() == run
        assert SyncRun.objects.get(pk=run.pk).status == SyncRun.Status.PENDING


@pytest.mark.parametrize("task", [sync_repository_initial_task, sync_repository_task])
def test_a_late_message_restarts_no_history_that_somebody_cancelled(team, integration, owner, task):
    [run] = waiting(team, integration, 1)
    tracked = run.tracked_repository
    sync_control.cancel_sync(run=run, actor=owner)
    task(*([team.pk, tracked.pk, tracked.days_back][: 3 if task is sync_repository_initial_task else 2]))
    with team_scope(team.pk):
        assert SyncRun.objects.get().status == SyncRun.Status.CANCELLED
    assert request_sync(tracked=tracked, actor=owner)  # now somebody asks
    with team_scope(team.pk):
        assert not github_sync.nobody_waits_for(tracked_now(tracked))


def test_a_message_that_comes_twice_begins_no_second_history(team, integration):
    [run] = waiting(team, integration, 1)
    tracked = run.tracked_repository
    with team_scope(team.pk):
        coverage.finish(runs.take(run_id=run.pk, token=str(run.token)))
    sync_repository_initial_task(team.pk, tracked.pk, tracked.days_back)
    with team_scope(team.pk):
        assert SyncRun.objects.get() == run


def tracked_now(tracked):
    return TrackedRepository.objects.select_related("repository").get(pk=tracked.pk)

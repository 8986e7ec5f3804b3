"""The connection's tasks, and what they take up again when messages were lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import Celery
from django.db import transaction
from django.utils import timezone

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import AvailableRepository, GitHubIntegration, IntegrationCredential, TrackedRepository
from apps.integrations.services import upkeep
from apps.integrations.services.connections import FORGET_AFTER, disconnect
from apps.integrations.services.upkeep import LOST, REFRESH_AFTER, due
from apps.integrations.tasks import (
    after_commit,
    disconnect_task,
    discover_repositories_task,
    register_webhook_task,
    remove_webhook_task,
)
from apps.integrations.tests.test_github_webhooks import followed, fresh
from apps.teams.scope import team_scope
from tformance.celery import app

Hook = TrackedRepository.WebhookStatus
Discovery = GitHubIntegration.Discovery


def aged(rows, by: timedelta, **changes) -> None:
    rows.update(updated_at=timezone.now() - by - timedelta(seconds=1), **changes)


@pytest.mark.parametrize(
    "task", [discover_repositories_task, register_webhook_task, remove_webhook_task, disconnect_task]
)
def test_each_has_the_name_that_stays_and_three_retries(task):
    assert task.name == f"apps.integrations.tasks.{task.__name__}"
    assert (task.max_retries, task.name in app.tasks) == (3, True)


def test_discovery_runs_as_a_task(connected):
    discover_repositories_task.apply((connected.team_id, connected.pk), throw=True)
    with team_scope(connected.team_id):
        assert AvailableRepository.objects.count() == 3


def test_without_budget_discovery_waits_without_an_error(sandbox, connected):
    sandbox.faults.add("/orgs/acme/repos", "rate_limited", times=-1, reset_in=600)
    discover_repositories_task.apply((connected.team_id, connected.pk), throw=True)
    with team_scope(connected.team_id):
        assert GitHubIntegration.objects.get().discovery_status == Discovery.PENDING


def test_hooks_are_registered_and_removed_as_tasks(sandbox, connected):
    shop = followed(sandbox, connected, "acme/shop")
    register_webhook_task.apply((shop.team_id, shop.pk, True), throw=True)
    assert fresh(shop).webhook_status == Hook.ACTIVE
    with team_scope(shop.team_id):
        TrackedRepository.objects.update(is_active=False)
    remove_webhook_task.apply((shop.team_id, shop.pk, True), throw=True)
    assert fresh(shop).webhook_id is None


def test_giving_up_a_connection_ends_with_no_token(connected):
    disconnect(integration=connected, actor=None)
    disconnect_task.apply((connected.team_id, connected.pk), throw=True)
    with team_scope(connected.team_id):
        assert not IntegrationCredential.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_fails_nobody(caplog):
    nobody_there = Celery(broker="redis://127.0.0.1:9/0", set_as_current=False)

    @nobody_there.task(name="probe")
    def probe(number):
        raise AssertionError("nobody runs it")

    with transaction.atomic():
        after_commit(probe, 1)
        assert "queue is away" not in caplog.text
    assert "the queue is away, probe(1,) is made up for later" in caplog.text


def test_what_was_lost_is_due_again(team):
    integration = GitHubIntegrationFactory.create(team=team)
    hooked = TrackedRepositoryFactory.create(
        team=team, integration=integration, webhook_wanted=True, webhook_status=Hook.PENDING
    )
    left = TrackedRepositoryFactory.create(team=team, integration=integration, is_active=False, webhook_id=7)
    assert due(team.pk) == upkeep.Due()
    with team_scope(team.pk):
        aged(GitHubIntegration.objects, LOST, discovery_status=Discovery.PENDING)
        aged(TrackedRepository.objects, LOST)
    assert due(team.pk) == upkeep.Due(discover=(integration.pk,), register=(hooked.pk,), remove=(left.pk,))


@pytest.mark.parametrize("status", [Discovery.DONE, Discovery.FAILED])
def test_the_list_is_made_anew_now_and_then(team, status):
    integration = GitHubIntegrationFactory.create(team=team, discovery_status=status)
    assert due(team.pk).discover == ()
    with team_scope(team.pk):
        aged(GitHubIntegration.objects, REFRESH_AFTER)
    assert due(team.pk).discover == (integration.pk,)


def test_a_connection_that_does_not_work_is_left_in_peace(team):
    integration = GitHubIntegrationFactory.create(
        team=team, sync_status=GitHubIntegration.SyncStatus.DISCONNECTED, discovery_status=Discovery.PENDING
    )
    TrackedRepositoryFactory.create(
        team=team, integration=integration, webhook_wanted=True, webhook_status=Hook.PENDING
    )
    with team_scope(team.pk):
        aged(GitHubIntegration.objects, REFRESH_AFTER)
        aged(TrackedRepository.objects, LOST)
    assert due(team.pk) == upkeep.Due()


def test_a_token_whose_end_was_lost_is_forgotten_at_last(team):
    integration = GitHubIntegrationFactory.create(team=team)
    IntegrationCredentialFactory.create(team=team, integration=integration)
    disconnect(integration=integration, actor=None)
    assert due(team.pk).give_up == ()
    with team_scope(team.pk):
        aged(IntegrationCredential.objects, LOST)
    assert due(team.pk).give_up == (integration.pk,)
    with team_scope(team.pk):
        aged(IntegrationCredential.objects, FORGET_AFTER)
    assert due(team.pk).give_up == ()
    with team_scope(team.pk):
        assert not IntegrationCredential.objects.exists()


def test_another_teams_work_is_not_this_teams(team, other_team):
    GitHubIntegrationFactory.create(team=other_team)
    AvailableRepositoryFactory.create(team=other_team)
    with team_scope(other_team.pk):
        aged(GitHubIntegration.objects, REFRESH_AFTER)
    assert due(team.pk) == upkeep.Due()
    assert len(due(other_team.pk).discover) == 2

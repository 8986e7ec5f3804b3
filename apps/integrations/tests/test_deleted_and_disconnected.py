"""What goes on in the background while a team is deleted or its connection given up."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from apps.integrations.factories import TrackedRepositoryFactory, WebhookDeliveryFactory, WebhookEndpointFactory
from apps.integrations.models import GitHubIntegration, SyncRun, WebhookDelivery, WebhookEndpoint
from apps.integrations.tasks import sync_repository_initial_task, sync_repository_task
from apps.teams.models import Team
from apps.teams.scope import team_scope


@pytest.mark.django_db(transaction=True)
def test_a_team_that_received_webhooks_can_be_deleted(team, other_team, capsys):
    deliveries = [
        WebhookDeliveryFactory.create(endpoint=WebhookEndpointFactory.create(team=t)) for t in (team, other_team)
    ]
    call_command("delete_team", team=team.slug, yes=True)
    assert f"Deleted {team.name}" in capsys.readouterr().out
    assert not Team.objects.filter(pk=team.pk).exists()
    assert not WebhookEndpoint.objects.filter(team_id=team.pk).exists()
    assert list(WebhookDelivery.objects.all()) == [deliveries[1]]


@pytest.mark.parametrize("days", ["none", 30])
def test_a_sync_that_was_asked_for_before_a_disconnect_is_not_begun_after_it(team, days):
    tracked = TrackedRepositoryFactory.create(team=team, sync_status="pending")
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status="disconnected", status_reason="Disconnected by Mira.")
    if days == "none":
        sync_repository_task(team.pk, tracked.pk)
    else:
        sync_repository_initial_task(team.pk, tracked.pk, days)
    with team_scope(team.pk):
        assert not SyncRun.objects.exists()
        tracked.refresh_from_db()
    assert (tracked.sync_status, tracked.last_sync_error) == ("pending", "")

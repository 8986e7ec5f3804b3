"""A connection's life: made, refused, given up, taken up again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.integrations.factories import SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.models import (
    GitHubIntegration,
    IntegrationCredential,
    SyncRun,
    TrackedRepository,
    WebhookEndpoint,
)
from apps.integrations.services.access_check import Account, GrantedAccess
from apps.integrations.services.connections import AlreadyConnected, connect, disconnect, forget
from apps.integrations.tests.sync_support import reaped
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

ACME = Account(77, "acme")


def access(token="secret-1", login="mira") -> GrantedAccess:
    return GrantedAccess(
        kind="token", token=token, identity_id=5, identity_login=login, scopes=("read:org", "repo"), accounts=(ACME,)
    )


def made(team, owner, **options):
    return connect(team=team, access=access(**options), account=ACME, actor=owner)


def test_it_stores_the_connection_its_credential_its_endpoint_and_who_did_it(team, owner):
    integration = made(team, owner)
    with team_scope(team.pk):
        credential = IntegrationCredential.objects.get()
        assert (credential.integration, credential.access_token, credential.github_login) == (
            integration,
            "secret-1",
            "mira",
        )
        assert credential.scopes == ["read:org", "repo"]
        assert len(GitHubIntegration.objects.get().webhook_secret) == 64
        event = AuditEvent.objects.get(action="github.connected")
        assert event.actor_id == owner.pk
        assert event.details == {"account": "acme", "github_login": "mira", "kind": "token"}
    assert WebhookEndpoint.objects.get(team=team).integration_id == integration.pk


def test_a_second_connection_to_the_same_organisation_is_refused(team, owner):
    made(team, owner)
    with pytest.raises(AlreadyConnected, match="acme is connected already"):
        made(team, owner, token="secret-2")
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "secret-1"


def test_one_that_may_not_read_everything_can_be_connected_again(team, owner):
    """As its card asks for."""
    integration = made(team, owner)
    with team_scope(team.pk):
        gap = {"permission": "checks: read", "since": "2026-11-20T13:00:00+00:00"}
        GitHubIntegration.objects.update(permissions_missing={"checks": gap}, permissions_told=["checks"])
    assert made(team, owner, token="secret-2").pk == integration.pk
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "secret-2"
        assert GitHubIntegration.objects.get().permissions_missing == {}


def test_a_command_may_replace_the_credential(team, owner):
    made(team, owner)
    connect(team=team, access=access(token="secret-2"), account=ACME, actor=None, replace=True)
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "secret-2"


def test_two_teams_may_connect_the_same_organisation(team, other_team, owner):
    assert made(team, owner).pk != made(other_team, None).pk


def test_disconnecting_stops_syncs_and_leaves_everything_else(team, owner):
    integration = made(team, owner)
    tracked = TrackedRepositoryFactory.create(team=team, integration=integration, sync_status="syncing")
    run = SyncRunFactory.create(team=team, tracked_repository=tracked, status=SyncRun.Status.RUNNING)
    disconnect(integration=integration, actor=owner)
    with team_scope(team.pk):
        stored = GitHubIntegration.objects.get()
        assert stored.sync_status == GitHubIntegration.SyncStatus.DISCONNECTED
        assert owner.display_name in stored.status_reason
        assert not IntegrationCredential.objects.filter(is_valid=True).exists()
        run.refresh_from_db()
        tracked.refresh_from_db()
        assert run.status == SyncRun.Status.CANCELLED
        assert tracked.is_active
        assert AuditEvent.objects.filter(action="github.disconnected").count() == 1


def test_disconnecting_twice_is_one_line_in_the_audit_log(team, owner):
    integration = made(team, owner)
    disconnect(integration=integration, actor=owner)
    disconnect(integration=integration, actor=owner)
    with team_scope(team.pk):
        assert AuditEvent.objects.filter(action="github.disconnected").count() == 1


def test_forgetting_deletes_the_token(team, owner):
    integration = made(team, owner)
    disconnect(integration=integration, actor=owner)
    assert forget(team_id=team.pk, integration_id=integration.pk) == 1
    with team_scope(team.pk):
        assert not IntegrationCredential.objects.exists()


def test_forgetting_late_leaves_a_new_credential_alone(team, owner):
    integration = made(team, owner)
    disconnect(integration=integration, actor=owner)
    made(team, owner, token="secret-2")
    assert forget(team_id=team.pk, integration_id=integration.pk) == 0
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "secret-2"


def test_reconnecting_keeps_the_integration_and_takes_up_what_stopped(team, owner):
    integration = made(team, owner)
    with team_scope(team.pk):
        secret = GitHubIntegration.objects.get().webhook_secret
    endpoint = WebhookEndpoint.objects.get(team=team).opaque_id
    failed = TrackedRepositoryFactory.create(
        team=team, integration=integration, sync_status="error", last_sync_error="401", webhook_wanted=True
    )
    disconnect(integration=integration, actor=owner)
    again = connect(team=team, access=access(token="secret-2"), account=Account(77, "acme-renamed"), actor=owner)
    assert again.pk == integration.pk
    with team_scope(team.pk):
        stored = GitHubIntegration.objects.get()
        assert (stored.organization_slug, stored.sync_status, stored.status_reason) == (
            "acme-renamed",
            "connected",
            "",
        )
        assert stored.webhook_secret == secret
        assert [row.access_token for row in IntegrationCredential.objects.all()] == ["secret-2"]
        failed.refresh_from_db()
        assert failed.sync_status == TrackedRepository.SyncStatus.PENDING
        assert failed.last_sync_error == ""
        assert failed.webhook_status == TrackedRepository.WebhookStatus.PENDING
        assert AuditEvent.objects.filter(action="github.reconnected").count() == 1
    assert WebhookEndpoint.objects.get(team=team).opaque_id == endpoint


def test_what_a_reconnect_takes_up_is_begun_even_if_its_task_is_lost(team, owner):
    integration = made(team, owner)
    stopped = TrackedRepositoryFactory.create(team=team, integration=integration, sync_status="syncing")
    SyncRunFactory.create(team=team, tracked_repository=stopped, status="running")
    disconnect(integration=integration, actor=owner)
    made(team, owner, token="secret-2")
    with team_scope(team.pk):
        assert SyncRun.objects.get().status == SyncRun.Status.CANCELLED
        assert TrackedRepository.objects.update(sync_requested_at=timezone.now() - timedelta(minutes=3)) == 1
    [handle] = reaped(team.pk)
    with team_scope(team.pk):
        assert SyncRun.objects.get(pk=handle.run_id).tracked_repository == stopped


def test_what_waits_for_a_sync_after_a_reconnect_is_noted_as_asked_for(team, owner):
    integration = made(team, owner)
    waiting = TrackedRepositoryFactory.create(team=team, integration=integration, sync_status="pending")
    disconnect(integration=integration, actor=owner)
    made(team, owner, token="secret-2")
    with team_scope(team.pk):
        waiting.refresh_from_db()
    assert waiting.sync_requested_at is not None


def test_a_token_that_ends_keeps_its_end(team, owner):
    ends = timezone.now() + timedelta(hours=8)
    granted = GrantedAccess(
        kind="oauth",
        token="t",
        identity_id=5,
        identity_login="mira",
        scopes=None,
        accounts=(ACME,),
        refresh_token="r",
        expires_at=ends,
    )
    connect(team=team, access=granted, account=ACME, actor=owner)
    with team_scope(team.pk):
        credential = IntegrationCredential.objects.get()
        assert (credential.refresh_token, credential.expires_at, credential.scopes) == ("r", ends, [])


@pytest.mark.django_db(transaction=True)
def test_who_connects_again_keeps_nobody_waiting_who_only_points_to_the_connection(team, owner):
    integration = made(team, owner)

    def tracked_meanwhile() -> None:
        with closing(connection), team_scope(team.pk):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout TO '2s'")
            TrackedRepositoryFactory.create(team=team, integration=integration)

    with ThreadPoolExecutor(1) as beside, transaction.atomic():
        connect(team=team, access=access(), account=ACME, actor=owner, replace=True)
        beside.submit(tracked_meanwhile).result(timeout=60)

"""A team's connections: made, renewed after a break, given up. Nothing here waits for GitHub."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, IntegrationCredential, TrackedRepository, WebhookEndpoint
from apps.integrations.services import github_sync
from apps.integrations.services.access_check import Account, GrantedAccess
from apps.integrations.services.github_sync import permissions, resting
from apps.teams.models import Team
from apps.teams.scope import team_scope
from apps.teams.services import record_event
from apps.users.models import User

FORGET_AFTER = timedelta(hours=1)
"""How long a given-up connection may keep its token to remove its webhooks, should GitHub not answer."""

Sync = TrackedRepository.SyncStatus
Hook = TrackedRepository.WebhookStatus


class AlreadyConnected(Exception):
    """The team has a working connection to this account."""

    def __init__(self, login: str) -> None:
        self.login = login
        super().__init__(f"{login} is connected already. Disconnect it first to use another token; its data stay.")


def connect(
    *, team: Team, access: GrantedAccess, account: Account, actor: User | None, replace: bool = False
) -> GitHubIntegration:
    """Store a checked access for `account`, which becomes what the team's admins see as a connection.

    A connection that was given up or refused, or that may not read everything, is taken up again, with everything it
    has: the new credential replaces the old. Raises AlreadyConnected for one that works, unless `replace`.
    """
    try:
        with transaction.atomic(), team_scope(team.pk):
            known = _locked(account)
            if known is not None and known.works_fully and not replace:
                raise AlreadyConnected(known.organization_slug)
            integration = _stored(account, known)
            _store_credential(integration, access)
            WebhookEndpoint.objects.get_or_create(integration=integration, defaults={"team_id": team.pk})
            if known is not None:
                _take_up_again(integration)
            action = "github.connected" if known is None else "github.reconnected"
            record_event(
                team, actor, action, account=account.login, github_login=access.identity_login, kind=str(access.kind)
            )
            return integration
    except IntegrityError as error:  # another request connected it in the same moment
        raise AlreadyConnected(account.login) from error


def _locked(account: Account) -> GitHubIntegration | None:
    """The team's connection to the account, ours until COMMIT with the runs that are not finished."""
    known: GitHubIntegration | None = GitHubIntegration.objects.filter(organization_id=account.id).first()
    if known is not None:
        resting.locked(known.pk, resting.unfinished(known.pk))
        known.refresh_from_db()  # as it is now that nobody else writes it
    return known


def _stored(account: Account, known: GitHubIntegration | None) -> GitHubIntegration:
    integration = known or GitHubIntegration(organization_id=account.id, webhook_secret=secrets.token_hex(32))
    integration.organization_slug = account.login
    integration.is_personal = account.is_personal
    integration.sync_status = GitHubIntegration.SyncStatus.CONNECTED
    integration.status_reason = integration.status_url = ""
    integration.status_since = integration.admins_told_at = None
    not_readable = set(integration.permissions_missing)
    integration.permissions_missing, integration.permissions_told = {}, []  # the new credential may have them
    integration.discovery_status = GitHubIntegration.Discovery.PENDING
    integration.discovery_error = ""
    integration.save()
    permissions.have_compared(integration, not_readable)
    return integration


def _store_credential(integration: GitHubIntegration, access: GrantedAccess) -> None:
    integration.credentials.all().delete()
    IntegrationCredential.objects.create(
        integration=integration,
        kind=access.kind,
        access_token=access.token,
        refresh_token=access.refresh_token,
        expires_at=access.expires_at,
        scopes=list(access.scopes or ()),
        github_user_id=access.identity_id,
        github_login=access.identity_login,
    )


def _take_up_again(integration: GitHubIntegration) -> None:
    """What stopped with the old credential goes on, a run that rested from its checkpoint."""
    resting.resume_all(integration.pk)
    tracked = TrackedRepository.objects.filter(integration=integration, is_active=True)
    now = timezone.now()
    # Asked for in the row: should the task be lost, the reaper begins what was asked for.
    tracked.filter(sync_status__in=(Sync.ERROR, Sync.PENDING)).update(
        sync_status=Sync.PENDING, sync_requested_at=now, last_sync_error="", updated_at=now
    )
    tracked.filter(webhook_wanted=True, webhook_id=None).update(webhook_status=Hook.PENDING, updated_at=now)


def disconnect(*, integration: GitHubIntegration, actor: User | None) -> None:
    """Give a connection up: at once nothing uses its token any more; the data and what is tracked stay.

    The token lives on, unusable for syncs, until `forget` is called: its webhooks are to be removed with it.
    """
    with transaction.atomic(), team_scope(integration.team_id):
        who = actor.display_name if actor else "the system"
        resting.locked(integration.pk, resting.unfinished(integration.pk))
        for tracked in TrackedRepository.objects.filter(integration=integration):
            github_sync.cancel_runs(tracked=tracked)
        now = timezone.now()
        Status = GitHubIntegration.SyncStatus
        known = GitHubIntegration.objects.filter(pk=integration.pk)
        changed = known.exclude(sync_status=Status.DISCONNECTED).update(
            sync_status=Status.DISCONNECTED, status_since=now
        )
        known.update(
            status_reason=f"Disconnected by {who} on {now:%-d %B %Y}.",
            status_url="",
            admins_told_at=now,  # they did it
            updated_at=now,
        )
        integration.refresh_from_db()
        integration.credentials.update(is_valid=False, is_primary=False, updated_at=now)
        if changed:
            record_event(integration.team, actor, "github.disconnected", account=integration.organization_slug)


def forget(*, team_id: int, integration_id: int) -> int:
    """Delete the credentials of a connection that was given up. How many; 0 when it was connected again meanwhile."""
    with team_scope(team_id):
        given_up = IntegrationCredential.objects.filter(integration_id=integration_id, is_primary=False, is_valid=False)
        count: int = given_up.delete()[0]
        return count

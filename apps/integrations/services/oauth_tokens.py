"""OAuth tokens that expire: what renews them, once each.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from apps.integrations.github.errors import BadCredentials, GitHubError, Unavailable
from apps.integrations.github.oauth import OAuthClient, RefreshTokenExpired
from apps.integrations.github.types import TokenGrant
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.github_transport import transport
from apps.teams.scope import team_scope

RENEW_BEFORE = timedelta(minutes=5)
CLAIM = timedelta(minutes=1)
"""How long whoever renews a token has it for themselves; then it counts as dead."""

PATIENCE, POLL = 15.0, 0.25
"""Seconds to wait for somebody else's renewal, and between two looks."""


def oauth_client() -> OAuthClient:
    return OAuthClient(settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET, settings.GITHUB_WEB_URL)


def expiry_of(grant: TokenGrant) -> datetime | None:
    """When the granted token ends; None: never."""
    return timezone.now() + timedelta(seconds=grant.expires_in) if grant.expires_in else None


def renew_expiring(*, team_id: int, integration_id: int) -> int:
    """Renew the integration's tokens that end within five minutes. How many were; never inside a scope.

    One that GitHub no longer renews is used no more. Raises BadCredentials when none is left then, GitHubError when
    GitHub does not answer.
    """
    with team_scope(team_id):
        valid = IntegrationCredential.objects.filter(integration_id=integration_id, is_valid=True)
        expiring = list(valid.filter(expires_at__lt=timezone.now() + RENEW_BEFORE))
    renewed = 0
    for credential in expiring:
        try:
            renewed += renew(team_id=team_id, credential_id=credential.pk, instead_of=credential.access_token)
        except BadCredentials:
            if not give_up(team_id=team_id, credential_id=credential.pk):
                raise
    return renewed


def renew(*, team_id: int, credential_id: int, instead_of: str = "") -> bool:
    """Exchange the refresh token, which works once, so it is claimed first. False: somebody else does it just now, has
    removed the credential, or has renewed the token `instead_of` since the caller saw it.

    Raises BadCredentials when there is none that GitHub takes, GitHubError when it does not answer.
    """
    now = timezone.now()
    unclaimed = Q(renewing_at=None) | Q(renewing_at__lt=now - CLAIM)
    with team_scope(team_id):
        mine = IntegrationCredential.objects.filter(unclaimed, pk=credential_id)
        if not mine.update(renewing_at=now):
            return False
        claimed = IntegrationCredential.objects.get(pk=credential_id)
        if instead_of and claimed.access_token != instead_of:
            IntegrationCredential.objects.filter(pk=credential_id).update(renewing_at=None)
            return False
        refresh_token = claimed.refresh_token
    try:
        grant = _granted(refresh_token)
    except GitHubError:
        with team_scope(team_id):
            IntegrationCredential.objects.filter(pk=credential_id, renewing_at=now).update(renewing_at=None)
        raise
    with team_scope(team_id):
        # Somebody may have connected anew meanwhile, or given the connection up: what they changed stays.
        credential = IntegrationCredential.objects.select_for_update().filter(pk=credential_id).first()
        if credential is None:
            return False
        credential.access_token = grant.access_token
        credential.refresh_token = grant.refresh_token or refresh_token
        credential.expires_at = expiry_of(grant)
        credential.renewing_at = None
        credential.save(update_fields=["access_token", "refresh_token", "expires_at", "renewing_at", "updated_at"])
    return True


def _granted(refresh_token: str) -> TokenGrant:
    if not refresh_token:
        raise BadCredentials
    try:
        return oauth_client().refresh(transport(), refresh_token=refresh_token)
    except RefreshTokenExpired as error:
        raise BadCredentials from error


def another_token(
    *,
    team_id: int,
    credential_id: int,
    refused: str,
    may_renew: bool = True,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """The token of a credential after GitHub refused the token `refused`: renewed, by us or by whoever does it just
    now. None when it has none, from when on the credential is used no more.

    May be called in any thread, never inside a scope. Raises GitHubError when GitHub does not answer.
    """
    with _leaving_no_connection():
        until = clock() + PATIENCE
        while True:
            credential = _usable(team_id, credential_id)
            if credential is None:
                return None
            if credential.access_token != refused:
                token: str = credential.access_token
                return token
            if not (may_renew and credential.refresh_token):
                give_up(team_id=team_id, credential_id=credential_id)
                return None
            try:
                is_mine = renew(team_id=team_id, credential_id=credential_id, instead_of=refused)
            except BadCredentials:
                give_up(team_id=team_id, credential_id=credential_id)
                return None
            if not is_mine:
                if clock() >= until:
                    raise Unavailable("another worker has been renewing the token for long")
                sleep(POLL)


def give_up(*, team_id: int, credential_id: int) -> bool:
    """GitHub takes a credential no more: nothing uses it from now on. True when the connection has another one."""
    with team_scope(team_id):
        credential = IntegrationCredential.objects.filter(pk=credential_id).first()
        if credential is None:
            return False
        IntegrationCredential.objects.filter(pk=credential_id).update(is_valid=False, updated_at=timezone.now())
        has_another: bool = IntegrationCredential.objects.filter(
            integration_id=credential.integration_id, is_valid=True
        ).exists()
        return has_another


def _usable(team_id: int, credential_id: int) -> IntegrationCredential | None:
    with team_scope(team_id):
        found: IntegrationCredential | None = IntegrationCredential.objects.filter(
            pk=credential_id, is_valid=True
        ).first()
        return found


@contextmanager
def _leaving_no_connection() -> Iterator[None]:
    """A thread that had no database connection has none afterwards."""
    had_one = connection.connection is not None
    try:
        yield
    finally:
        if not had_one:
            connection.close()

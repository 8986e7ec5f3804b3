"""OAuth tokens that expire: what renews them, once each.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.integrations.github.errors import BadCredentials
from apps.integrations.github.oauth import OAuthClient, RefreshTokenExpired
from apps.integrations.github.types import TokenGrant
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.github_client import transport
from apps.teams.scope import team_scope

RENEW_BEFORE = timedelta(minutes=5)
CLAIM = timedelta(minutes=1)
"""How long whoever renews a token has it for themselves; then it counts as dead."""


def oauth_client() -> OAuthClient:
    return OAuthClient(settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET, settings.GITHUB_WEB_URL)


def expiry_of(grant: TokenGrant) -> datetime | None:
    """When the granted token ends; None: never."""
    return timezone.now() + timedelta(seconds=grant.expires_in) if grant.expires_in else None


def renew_expiring(*, team_id: int, integration_id: int) -> int:
    """Renew the integration's tokens that end within five minutes. How many were; never inside a scope.

    Raises BadCredentials when GitHub no longer renews one, GitHubError when it does not answer.
    """
    with team_scope(team_id):
        expiring = list(
            IntegrationCredential.objects.filter(
                integration_id=integration_id, is_valid=True, expires_at__lt=timezone.now() + RENEW_BEFORE
            ).values_list("pk", flat=True)
        )
    return sum(renew(team_id=team_id, credential_id=pk) for pk in expiring)


def renew(*, team_id: int, credential_id: int) -> bool:
    """Exchange the refresh token, which works once, so it is claimed first. False: somebody else does it just now."""
    now = timezone.now()
    unclaimed = Q(renewing_at=None) | Q(renewing_at__lt=now - CLAIM)
    with team_scope(team_id):
        if not IntegrationCredential.objects.filter(unclaimed, pk=credential_id).update(renewing_at=now):
            return False
        refresh_token = IntegrationCredential.objects.get(pk=credential_id).refresh_token
    if not refresh_token:
        raise BadCredentials
    try:
        grant = oauth_client().refresh(transport(), refresh_token=refresh_token)
    except RefreshTokenExpired as error:
        raise BadCredentials from error
    with team_scope(team_id):
        credential = IntegrationCredential.objects.get(pk=credential_id)
        credential.access_token = grant.access_token
        credential.refresh_token = grant.refresh_token or refresh_token
        credential.expires_at = expiry_of(grant)
        credential.renewing_at = None
        credential.save()
    return True

"""Connect GitHub in the browser: the sign-in at GitHub and back.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from apps.integrations.github.oauth import new_state, new_verifier
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.access_check import REQUESTED_SCOPES, GrantedAccess, check_token
from apps.integrations.services.encryption import seal, unseal
from apps.integrations.services.github_client import transport
from apps.integrations.services.github_rest import rest_with
from apps.integrations.services.oauth_tokens import expiry_of, oauth_client

SESSION_KEY = "github_oauth"
LIFETIME = timedelta(minutes=10)
"""As long as GitHub's own code lives."""

MOST_PENDING = 5
"""Sign-ins that a session may have begun and not ended: a few tabs."""


class StateUnknown(Exception):
    """The answer does not belong to a sign-in of this session, or belongs to one that has ended."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that was begun in this session, for this team."""

    team_id: int
    verifier: str = field(repr=False)


def is_configured() -> bool:
    return bool(settings.GITHUB_CLIENT_ID and settings.GITHUB_CLIENT_SECRET)


def begin(session: MutableMapping[str, Any], *, team_id: int, redirect_uri: str) -> str:
    """The address at GitHub to send the browser to. The state is kept in the session and works once."""
    state, verifier = new_state(), new_verifier()
    pending = dict(session.get(SESSION_KEY) or {})
    pending[state] = seal({"team_id": team_id, "verifier": verifier}, lifetime=LIFETIME)
    session[SESSION_KEY] = dict(list(pending.items())[-MOST_PENDING:])
    return oauth_client().authorize_url(
        redirect_uri=redirect_uri, state=state, verifier=verifier, scopes=REQUESTED_SCOPES
    )


def take(session: MutableMapping[str, Any], state: str) -> SignIn:
    """The sign-in that `state` belongs to; it cannot be taken again. Raises StateUnknown."""
    pending = dict(session.get(SESSION_KEY) or {})
    sealed = pending.pop(state, None)
    session[SESSION_KEY] = pending
    content = unseal(sealed) if sealed else None
    if content is None:
        raise StateUnknown
    return SignIn(content["team_id"], content["verifier"])


def exchange(sign_in: SignIn, *, code: str, redirect_uri: str) -> GrantedAccess:
    """What the person granted, checked. Raises GitHubError (OAuthError for a code that is not good), AccessRefused."""
    grant = oauth_client().exchange(transport(), code=code, redirect_uri=redirect_uri, verifier=sign_in.verifier)
    return check_token(
        grant.access_token,
        rest=rest_with(grant.access_token),
        kind=IntegrationCredential.Kind.OAUTH,
        refresh_token=grant.refresh_token,
        expires_at=expiry_of(grant),
    )

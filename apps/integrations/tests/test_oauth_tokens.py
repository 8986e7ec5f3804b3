"""Tokens that expire are renewed once each, in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.github.errors import BadCredentials, GitHubError
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.oauth_tokens import CLAIM, oauth_client, renew, renew_expiring
from apps.teams.scope import team_scope


@pytest.fixture
def expiring(sandbox, connected, settings) -> IntegrationCredential:
    """The connection's credential, as an OAuth App with expiring tokens handed it out, about to end."""
    settings.GITHUB_CLIENT_ID = "the-expiring-app"
    person = sandbox.world.account("sandbox-owner")
    code = sandbox.oauth.grant("the-expiring-app", person, frozenset({"repo", "read:org"}))
    answer = sandbox.oauth.token({"client_id": "the-expiring-app", "client_secret": "its-secret", "code": code})
    with team_scope(connected.team_id):
        credential = IntegrationCredential.objects.get()
        credential.access_token, credential.refresh_token = answer["access_token"], answer["refresh_token"]
        credential.expires_at = timezone.now() + timedelta(minutes=1)
        credential.save()
    return credential


def fresh(credential) -> IntegrationCredential:
    with team_scope(credential.team_id):
        return IntegrationCredential.objects.get(pk=credential.pk)


def renewed(credential) -> int:
    return renew_expiring(team_id=credential.team_id, integration_id=credential.integration_id)


def test_a_token_that_ends_soon_is_renewed(expiring):
    assert renewed(expiring) == 1
    now = fresh(expiring)
    assert now.access_token != expiring.access_token
    assert now.refresh_token != expiring.refresh_token
    assert now.expires_at > timezone.now() + timedelta(hours=7)
    assert now.renewing_at is None
    assert renewed(expiring) == 0


def test_one_that_does_not_end_is_left_alone(connected):
    assert renew_expiring(team_id=connected.team_id, integration_id=connected.pk) == 0


def test_two_at_once_spend_one_refresh_token(expiring):
    with team_scope(expiring.team_id):
        IntegrationCredential.objects.update(renewing_at=timezone.now())
    assert not renew(team_id=expiring.team_id, credential_id=expiring.pk)
    assert fresh(expiring).access_token == expiring.access_token


def test_a_claim_that_died_is_taken_over(expiring):
    with team_scope(expiring.team_id):
        IntegrationCredential.objects.update(renewing_at=timezone.now() - CLAIM - timedelta(seconds=1))
    assert renew(team_id=expiring.team_id, credential_id=expiring.pk)


def test_a_spent_refresh_token_means_connecting_again(sandbox, expiring):
    spent = {"grant_type": "refresh_token", "refresh_token": expiring.refresh_token}
    sandbox.oauth.token(spent | {"client_id": "the-expiring-app", "client_secret": "its-secret"})
    with pytest.raises(BadCredentials):
        renewed(expiring)


def test_a_token_that_ended_without_a_refresh_token_means_connecting_again(expiring):
    with team_scope(expiring.team_id):
        expiring.refresh_token = ""
        expiring.save()
    with pytest.raises(BadCredentials):
        renewed(expiring)


def test_github_being_away_spends_nothing(expiring, settings):
    settings.GITHUB_WEB_URL = "http://127.0.0.1:9"
    with pytest.raises(GitHubError):
        renewed(expiring)
    assert fresh(expiring).refresh_token == expiring.refresh_token


def test_the_secret_is_in_no_repr(sandbox):
    assert "its-secret" not in repr(oauth_client())

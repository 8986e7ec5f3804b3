"""Connecting by signing in at GitHub, and each way in which that goes wrong."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import TrackedRepositoryFactory
from apps.integrations.models import GitHubIntegration, IntegrationCredential
from apps.integrations.services import encryption
from apps.integrations.services.connections import disconnect
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from apps.teams.scope import team_scope

CALLBACK = "/integrations/github/callback/"


def begun(client, team) -> dict[str, str]:
    """What the browser is sent to GitHub with."""
    response = client.post(reverse("integrations:oauth_start", args=[team.slug]))
    assert response.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def authorized(sandbox, asked, login="sandbox-owner", decision="approve") -> dict[str, str]:
    """What GitHub sends the browser back with."""
    back = sandbox.oauth.decide(asked | {"login": login, "decision": decision})
    assert back.startswith(asked["redirect_uri"])
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def nothing_stored(team) -> bool:
    with team_scope(team.pk):
        return not IntegrationCredential.objects.exists()


def choose(client, team, account_id):
    return client.post(reverse("integrations:choose", args=[team.slug]), {"account": account_id})


def test_it_asks_github_with_state_pkce_and_the_scopes(sandbox, team, as_owner_of_team, settings):
    asked = begun(as_owner_of_team, team)
    assert asked["client_id"] == "the-app"
    assert asked["redirect_uri"] == settings.BASE_URL + CALLBACK
    assert asked["scope"] == "repo read:org read:user admin:repo_hook"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) > 30
    assert begun(as_owner_of_team, team)["state"] != asked["state"]


def test_the_whole_way_ends_with_a_connection(sandbox, acme, team, as_owner_of_team, queued):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    response = as_owner_of_team.get(CALLBACK, back)
    assert response["Location"] == reverse("integrations:choose", args=[team.slug])
    page = as_owner_of_team.get(response["Location"])
    assert b"GitHub knows you as sandbox-owner" in page.content
    assert b"acme" in page.content
    with queued() as tasks:
        response = choose(as_owner_of_team, team, acme.database_id)
    assert response["Location"] == reverse("integrations:repositories", args=[team.slug])
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
        credential = IntegrationCredential.objects.get()
    assert integration.organization_slug == "acme"
    assert (credential.kind, credential.github_login) == ("oauth", "sandbox-owner")
    assert credential.access_token.startswith("gho_")
    assert tasks == [("discover_repositories_task", team.pk, integration.pk)]
    # The choice is made: what was kept for it is gone.
    assert as_owner_of_team.get(reverse("integrations:choose", args=[team.slug])).status_code == 302


def test_somebody_without_organisation_is_told_what_to_do(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team), login="sandbox-loner")
    page = as_owner_of_team.get(CALLBACK, back, follow=True)
    assert b"is in no organisation that this access may see" in page.content
    assert b"Grant it access at GitHub" in page.content
    assert b"your own account" in page.content


def test_the_personal_account_can_be_chosen(sandbox, team, as_owner_of_team, queued):
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team), login="sandbox-loner"))
    with queued():
        choose(as_owner_of_team, team, sandbox.world.account("sandbox-loner").database_id)
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().is_personal


@pytest.mark.parametrize("account", ["", "abc", "-1", "0", "12345", "9" * 40])
def test_only_an_account_of_the_token_can_be_chosen(sandbox, team, as_owner_of_team, account):
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)))
    assert choose(as_owner_of_team, team, account).status_code == 400
    assert nothing_stored(team)


def test_a_second_connection_to_the_same_organisation_says_so(sandbox, connected, acme, team, as_owner_of_team):
    page = as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)), follow=True)
    assert b"connected already; disconnect it first" in page.content
    response = choose(as_owner_of_team, team, acme.database_id)
    assert response.status_code == 400
    assert b"acme is connected already" in response.content
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "sandbox-token"


def test_one_that_was_disconnected_is_taken_up_again(sandbox, connected, acme, team, as_owner_of_team, queued):
    disconnect(integration=connected, actor=None)
    page = as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)), follow=True)
    assert b"goes on where it stopped" in page.content
    with queued():
        choose(as_owner_of_team, team, acme.database_id)
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().pk == connected.pk
        assert IntegrationCredential.objects.get().access_token.startswith("gho_")


def test_connecting_again_goes_on_with_what_was_followed(sandbox, connected, acme, team, as_owner_of_team, queued):
    shop = TrackedRepositoryFactory.create(
        team=team, integration=connected, webhook_wanted=True, sync_status="error", last_sync_error="401"
    )
    TrackedRepositoryFactory.create(team=team, integration=connected, is_active=False)
    disconnect(integration=connected, actor=None)
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)))
    with queued() as tasks:
        choose(as_owner_of_team, team, acme.database_id)
    assert tasks == [
        ("discover_repositories_task", team.pk, connected.pk),
        ("sync_repository_task", team.pk, shop.pk),
        ("register_webhook_task", team.pk, shop.pk),
    ]


# ── what goes wrong ───────────────────────────────────────


def test_denial_is_a_page_that_says_what_to_do(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team), decision="deny")
    response = as_owner_of_team.get(CALLBACK, back)
    assert response.status_code == 403
    assert b"GitHub was not authorised" in response.content
    assert reverse("integrations:connect", args=[team.slug]).encode() in response.content
    assert nothing_stored(team)


@pytest.mark.parametrize("state", [None, "", "guess", "x" * 500])
def test_a_missing_or_foreign_state_is_refused(sandbox, team, as_owner_of_team, state):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    back.pop("state")
    response = as_owner_of_team.get(CALLBACK, back | ({"state": state} if state is not None else {}))
    assert response.status_code == 400
    assert b"cannot be finished" in response.content
    assert nothing_stored(team)


def test_a_state_works_once(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    assert as_owner_of_team.get(CALLBACK, back).status_code == 302
    assert as_owner_of_team.get(CALLBACK, back).status_code == 400


def test_a_state_is_spent_by_a_denial_too(sandbox, team, as_owner_of_team):
    asked = begun(as_owner_of_team, team)
    as_owner_of_team.get(CALLBACK, authorized(sandbox, asked, decision="deny"))
    assert as_owner_of_team.get(CALLBACK, authorized(sandbox, asked)).status_code == 400


def test_another_sessions_state_is_refused(sandbox, team, owner, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    elsewhere = Client()
    elsewhere.force_login(owner)
    assert elsewhere.get(CALLBACK, back).status_code == 400
    assert as_owner_of_team.get(CALLBACK, back).status_code == 302


def test_a_state_is_too_old_after_ten_minutes(sandbox, team, as_owner_of_team, monkeypatch):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    later = timezone.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr(encryption.timezone, "now", lambda: later)
    assert as_owner_of_team.get(CALLBACK, back).status_code == 400


def test_several_tabs_can_sign_in_side_by_side(sandbox, team, as_owner_of_team):
    first, second = begun(as_owner_of_team, team), begun(as_owner_of_team, team)
    assert as_owner_of_team.get(CALLBACK, authorized(sandbox, first)).status_code == 302
    assert as_owner_of_team.get(CALLBACK, authorized(sandbox, second)).status_code == 302


def test_a_code_that_expired_says_so(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    response = as_owner_of_team.get(CALLBACK, back | {"code": "expired"})
    assert response.status_code == 400
    assert b"has expired or was used already" in response.content


def test_a_code_of_another_sign_in_does_not_fit_its_verifier(sandbox, team, as_owner_of_team):
    mine, other = begun(as_owner_of_team, team), begun(as_owner_of_team, team)
    stolen = authorized(sandbox, other)["code"]
    response = as_owner_of_team.get(CALLBACK, {"state": mine["state"], "code": stolen})
    assert response.status_code == 400
    assert nothing_stored(team)


def test_without_a_code_nothing_is_connected(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    assert as_owner_of_team.get(CALLBACK, {"state": back["state"]}).status_code == 400


def test_a_scope_that_was_not_granted_is_named(sandbox, team, as_owner_of_team):
    asked = begun(as_owner_of_team, team)
    back = authorized(sandbox, asked | {"scope": "read:user"})
    response = as_owner_of_team.get(CALLBACK, back)
    assert response.status_code == 403
    assert "“repo”".encode() in response.content
    assert "“read:org”".encode() in response.content
    assert nothing_stored(team)


def test_without_the_hook_scope_it_goes_on_with_a_word(sandbox, team, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team) | {"scope": "repo read:org"})
    page = as_owner_of_team.get(CALLBACK, back, follow=True)
    assert "“admin:repo_hook” webhooks may not be registered".encode() in page.content


def test_github_being_down_says_so(sandbox, team, as_owner_of_team, settings):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    settings.GITHUB_WEB_URL = "http://127.0.0.1:9"
    response = as_owner_of_team.get(CALLBACK, back)
    assert response.status_code == 503
    assert b"GitHub does not answer" in response.content


def test_github_going_down_between_the_choice_and_the_connection_stores_nothing(sandbox, acme, team, as_owner_of_team):
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)))
    sandbox.faults.add("/orgs/acme/repos", "sso", times=-1)
    response = choose(as_owner_of_team, team, acme.database_id)
    assert response.status_code == 403
    assert b"single sign-on" in response.content
    assert nothing_stored(team)
    sandbox.faults.clear()
    assert as_owner_of_team.get(reverse("integrations:choose", args=[team.slug])).status_code == 200


def test_a_wrong_client_secret_tells_the_operator(sandbox, team, as_owner_of_team, settings):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    settings.GITHUB_CLIENT_SECRET = "wrong"
    response = as_owner_of_team.get(CALLBACK, back)
    assert response.status_code == 502
    assert b"GITHUB_CLIENT_SECRET" in response.content


def test_what_github_says_is_escaped(sandbox, team, as_owner_of_team):
    asked = begun(as_owner_of_team, team)
    evil = {"state": asked["state"], "error": "server_error", "error_description": "<script>alert(1)</script>"}
    response = as_owner_of_team.get(CALLBACK, evil)
    assert response.status_code == 400
    assert b"<script>alert" not in response.content


def test_without_a_client_id_the_token_is_offered(sandbox, team, as_owner_of_team, settings):
    settings.GITHUB_CLIENT_ID = ""
    page = as_owner_of_team.post(reverse("integrations:oauth_start", args=[team.slug]), follow=True)
    assert b"not set up on this installation" in page.content


# ── whose it is ───────────────────────────────────────────


def test_whoever_is_no_admin_any_more_is_refused(sandbox, team, owner, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    Membership.objects.filter(user=owner).update(role=Membership.Role.MEMBER)
    assert as_owner_of_team.get(CALLBACK, back).status_code == 403
    assert nothing_stored(team)


def test_whoever_left_the_team_is_refused(sandbox, team, owner, as_owner_of_team):
    back = authorized(sandbox, begun(as_owner_of_team, team))
    Membership.objects.filter(user=owner).delete()
    assert as_owner_of_team.get(CALLBACK, back).status_code == 404


def test_the_callback_wants_a_login(sandbox, stranger):
    response = stranger.get(CALLBACK, {"state": "x", "code": "y"})
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


def test_a_choice_belongs_to_its_team(sandbox, acme, team, other_team, owner, as_owner_of_team):
    MembershipFactory.create(team=other_team, user=owner, role=Membership.Role.ADMIN)
    as_owner_of_team.get(CALLBACK, authorized(sandbox, begun(as_owner_of_team, team)))
    choose(as_owner_of_team, other_team, acme.database_id)
    assert nothing_stored(other_team)

"""Connecting with a token, the connection page, and giving a connection up."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.integrations.factories import GitHubIntegrationFactory
from apps.integrations.models import GitHubIntegration, IntegrationCredential
from apps.teams.scope import team_scope


def url(name, team, *arguments):
    return reverse(f"integrations:{name}", args=[team.slug, *arguments])


def give(client, team, token, organization=""):
    return client.post(url("connect_token", team), {"token": token, "organization": organization})


def test_the_page_offers_both_ways(sandbox, team, as_owner_of_team):
    page = as_owner_of_team.get(url("connect", team))
    assert page.status_code == 200
    assert b"Sign in at GitHub" in page.content
    assert b"scopes=repo,read%3Aorg,admin%3Arepo_hook" in page.content


def test_a_token_is_checked_and_leads_to_the_choice(sandbox, team, as_owner_of_team):
    response = give(as_owner_of_team, team, "  sandbox-token\n")
    assert response["Location"] == url("choose", team)
    page = as_owner_of_team.get(response["Location"])
    assert b"GitHub knows you as sandbox-owner" in page.content
    assert b"admin:repo_hook" in page.content
    with team_scope(team.pk):
        assert not IntegrationCredential.objects.exists()


@pytest.mark.parametrize(
    ("token", "organization", "told"),
    [
        ("", "", "required"),
        ("nonsense", "", "does not accept this token"),
        ("two words", "", "no spaces"),
        ("tökén", "", "no special letters"),
        ("x" * 300, "", "at most 255"),
        ("sandbox-noscope", "", "did not grant the scope"),
        ("sandbox-noorg", "acme", "does not see the organisation"),
        ("sandbox-token", "../../etc", "letters, digits and hyphens"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(sandbox, team, as_owner_of_team, token, organization, told):
    page = give(as_owner_of_team, team, token, organization)
    assert page.status_code == 400
    assert told in page.content.decode()


def test_an_organisation_that_is_not_seen_is_wrong_beside_its_own_field(sandbox, team, as_owner_of_team):
    page = give(as_owner_of_team, team, "sandbox-noorg", "acme")
    errors = page.context["form"].errors
    assert list(errors) == ["organization"]
    assert "does not see the organisation" in errors["organization"][0]


def test_the_token_is_never_shown_again(sandbox, team, as_owner_of_team):
    assert b"mistyped-token" not in give(as_owner_of_team, team, "mistyped-token").content


def test_github_being_away_stands_beside_the_field(sandbox, team, as_owner_of_team, settings):
    settings.GITHUB_API_URL = "http://127.0.0.1:9"
    assert b"GitHub is not available" in give(as_owner_of_team, team, "sandbox-token").content


def test_reading_the_form_s_address_leads_to_the_page(team, as_owner_of_team):
    assert as_owner_of_team.get(url("connect_token", team))["Location"] == url("connect", team)


def test_disconnecting_stops_it_at_once_and_cleans_up_behind(connected, team, as_owner_of_team, queued):
    with queued() as tasks:
        response = as_owner_of_team.post(url("disconnect", team, connected.pk))
    assert response["Location"] == url("connect", team)
    assert tasks == [("disconnect_task", team.pk, connected.pk)]
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().sync_status == GitHubIntegration.SyncStatus.DISCONNECTED
    assert b"Everything that was synced stays" in as_owner_of_team.get(response["Location"]).content


def test_the_list_can_be_asked_for_anew(connected, team, as_owner_of_team, queued):
    with queued() as tasks:
        as_owner_of_team.post(url("refresh", team, connected.pk))
    assert tasks == [("discover_repositories_task", team.pk, connected.pk)]


def test_another_teams_connection_does_not_exist(other_team, team, as_owner_of_team):
    foreign = GitHubIntegrationFactory.create(team=other_team)
    assert as_owner_of_team.post(url("disconnect", team, foreign.pk)).status_code == 404
    assert as_owner_of_team.post(url("refresh", team, foreign.pk)).status_code == 404
    with team_scope(other_team.pk):
        assert GitHubIntegration.objects.get().sync_status == GitHubIntegration.SyncStatus.CONNECTED


PAGES = [("get", "connect"), ("post", "oauth_start"), ("post", "connect_token"), ("get", "choose"), ("post", "choose")]


@pytest.mark.parametrize(("method", "name"), PAGES)
def test_it_checks_ownership(sandbox, team, as_teammate, as_outsider, stranger, method, name):
    assert getattr(as_teammate, method)(url(name, team)).status_code == 403
    assert getattr(as_outsider, method)(url(name, team)).status_code == 404
    assert "/accounts/login/" in getattr(stranger, method)(url(name, team))["Location"]


@pytest.mark.parametrize("name", ["disconnect", "refresh"])
def test_a_connection_is_its_admins(connected, team, as_teammate, as_outsider, stranger, name):
    assert as_teammate.post(url(name, team, connected.pk)).status_code == 403
    assert as_outsider.post(url(name, team, connected.pk)).status_code == 404
    assert "/accounts/login/" in stranger.post(url(name, team, connected.pk))["Location"]


@pytest.mark.parametrize("name", ["oauth_start"])
def test_what_changes_something_wants_a_post(team, as_owner_of_team, name):
    assert as_owner_of_team.get(url(name, team)).status_code == 405

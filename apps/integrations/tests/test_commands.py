"""connect_github, list_repositories, track_repository: errors say what to do, and nothing is half stored."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.integrations.models import (
    AvailableRepository,
    GitHubIntegration,
    IntegrationCredential,
    TrackedRepository,
)
from apps.integrations.services.connections import disconnect
from apps.metrics.models import Repository
from apps.teams.scope import team_scope


def run(command, *arguments) -> tuple[str, dict]:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    text = out.getvalue()
    return text, json.loads(text.splitlines()[-1])


def connect(team, monkeypatch, token="sandbox-token", *arguments):
    monkeypatch.setenv("THE_TOKEN", token)
    return run("connect_github", "--team", team.slug, "--token-env", "THE_TOKEN", *arguments)


def nothing_stored(team) -> bool:
    with team_scope(team.pk):
        return not GitHubIntegration.objects.exists() and not IntegrationCredential.objects.exists()


def test_it_connects_and_says_what_it_may_see(sandbox, team, monkeypatch):
    text, report = connect(team, monkeypatch)
    assert "is connected to acme as sandbox-owner" in text
    assert report["organization"] == "acme"
    assert (report["repositories"], report["login"], report["notes"]) == (3, "sandbox-owner", [])
    assert "sandbox-token" not in text
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "sandbox-token"
        assert AvailableRepository.objects.count() == 3


def test_it_can_be_run_again_with_a_new_token(sandbox, team, monkeypatch):
    connect(team, monkeypatch)
    _, report = connect(team, monkeypatch, "sandbox-readonly")
    assert report["login"] == "sandbox-reader"
    assert "admin:repo_hook" in report["notes"][0]
    with team_scope(team.pk):
        assert IntegrationCredential.objects.get().access_token == "sandbox-readonly"


def test_a_personal_account_is_named(sandbox, team, monkeypatch):
    _, report = connect(team, monkeypatch, "sandbox-noorg", "--org", "Sandbox-Loner")
    assert report["organization"] == "sandbox-loner"


@pytest.mark.parametrize(
    ("token", "arguments", "told"),
    [
        ("nonsense", (), "does not accept the token"),
        ("sandbox-noscope", (), "did not grant the scopes “repo”"),
        ("sandbox-noorg", (), "sees no organisation.*--org"),
        ("sandbox-noorg", ("--org", "acme"), "does not see the organisation “acme”"),
        ("sandbox-token", ("--org", "nobody"), "does not see the organisation “nobody”"),
        ("  ", (), "THE_TOKEN is not set or empty"),
    ],
)
def test_what_cannot_be_connected_says_why_and_stores_nothing(sandbox, team, monkeypatch, token, arguments, told):
    with pytest.raises(CommandError, match=told) as refused:
        connect(team, monkeypatch, token, *arguments)
    assert refused.value.returncode == 1
    assert nothing_stored(team)


def test_an_organisation_that_keeps_the_token_out_stores_nothing(sandbox, team, monkeypatch):
    sandbox.faults.add("/orgs/acme/repos", "sso", times=-1)
    with pytest.raises(CommandError, match="single sign-on"):
        connect(team, monkeypatch)
    assert nothing_stored(team)


def test_github_being_away_stores_nothing(sandbox, team, monkeypatch):
    sandbox.faults.add("/user", "status", times=-1, status=503)
    with pytest.raises(CommandError, match="not available"):
        connect(team, monkeypatch)
    assert nothing_stored(team)


def test_a_missing_variable_is_named(db, team, monkeypatch):
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(CommandError, match="NOT_THERE is not set"):
        run("connect_github", "--team", team.slug, "--token-env", "NOT_THERE")


@pytest.mark.parametrize(
    "command",
    [
        ("connect_github", "--token-env", "HOME"),
        ("list_repositories",),
        ("track_repository", "acme/shop"),
    ],
)
def test_an_unknown_team_is_named(db, command):
    with pytest.raises(CommandError, match=r"There is no team “nobody”.*create_team"):
        run(*command, "--team", "nobody")


@pytest.mark.parametrize("command", [("list_repositories",), ("track_repository", "acme/shop")])
def test_without_a_connection_it_says_how_to_make_one(team, command):
    with pytest.raises(CommandError, match=r"not connected to GitHub.*connect_github"):
        run(*command, "--team", team.slug)


def test_a_connection_that_was_given_up_says_so(team, connected):
    disconnect(integration=connected, actor=None)
    with pytest.raises(CommandError, match=r"does not work \(acme: Disconnected by"):
        run("list_repositories", "--team", team.slug)


def test_it_lists_what_the_connection_sees(team, connected):
    text, report = run("list_repositories", "--team", team.slug)
    assert [row["full_name"] for row in report["repositories"]] == ["acme/docs", "acme/shop", "acme/web"]
    assert "3 repositories." in text
    assert not any(row["is_tracked"] for row in report["repositories"])


def test_it_tracks_with_the_default_depth_and_a_hook_and_does_not_sync(sandbox, team, connected):
    text, report = run("track_repository", "--team", team.slug, "acme/shop")
    assert (report["repository"], report["days"], report["webhook"]) == ("acme/shop", 30, "active")
    assert report["github_repo_id"] == sandbox.world.repository("acme/shop").database_id
    assert "follows acme/shop, 30 days" in text
    with team_scope(team.pk):
        tracked = TrackedRepository.objects.get()
        assert (tracked.sync_status, tracked.sync_requested_at) == ("pending", None)


def test_a_name_is_found_in_any_case(team, connected):
    assert run("track_repository", "--team", team.slug, "ACME/Shop")[1]["repository"] == "acme/shop"


def test_depth_and_hook_are_options(team, connected):
    _, report = run("track_repository", "--team", team.slug, "acme/shop", "--days", "all", "--no-webhook")
    assert (report["days"], report["webhook"]) == ("all", "none")


def test_tracking_again_changes_the_depth_of_the_one_row(team, connected):
    run("track_repository", "--team", team.slug, "acme/shop", "--no-webhook")
    run("track_repository", "--team", team.slug, "acme/shop", "--days", "90", "--no-webhook")
    with team_scope(team.pk):
        assert TrackedRepository.objects.get().days_back == 90
        assert Repository.objects.count() == 1


def test_without_the_right_to_hook_it_tracks_and_says_so(team, connected):
    with team_scope(team.pk):
        credential = IntegrationCredential.objects.get()
        credential.access_token = "sandbox-readonly"
        credential.save()
    text, report = run("track_repository", "--team", team.slug, "acme/shop")
    assert (report["webhook"], "admin:repo_hook" in text) == ("forbidden", True)


@pytest.mark.parametrize("name", ["shop", "acme/", "/shop", "a/b/c", "acme/nothing", "nobody/shop"])
def test_an_unknown_repository_stores_nothing(team, connected, name):
    with pytest.raises(CommandError, match=r"is no repository|does not know"):
        run("track_repository", "--team", team.slug, name)
    with team_scope(team.pk):
        assert not TrackedRepository.objects.exists()
        assert not Repository.objects.exists()


@pytest.mark.parametrize("days", ["-1", "abc", "0", "3651"])
def test_a_depth_that_is_none_stores_nothing(team, connected, days):
    with pytest.raises(CommandError, match=r"--days: .*30, 60, 90"):
        run("track_repository", "--team", team.slug, "acme/shop", f"--days={days}")
    with team_scope(team.pk):
        assert not TrackedRepository.objects.exists()

"""What becomes of repositories and organisations, as events tell it."""

from __future__ import annotations

import pytest

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.processors import process
from apps.integrations.tests.processors.support import SHOP, the_pull_request
from apps.metrics.models import PullRequest, Repository
from apps.teams.scope import team_scope


def test_a_renamed_repository_and_its_pull_requests_follow(github, number, team, happens):
    happens("rename", name="store")
    pr = the_pull_request(team, number)
    assert (pr.github_repo, pr.url) == ("acme/store", f"https://github.test/acme/store/pull/{number}")
    happens("edit", number=number, title="Since")
    assert the_pull_request(team, number).url == f"https://github.test/acme/store/pull/{number}"


def test_renames_out_of_order_are_looked_up(github, shop, team):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(discovery_status="done")
    first, second = github.tell("rename", name="store"), github.tell("rename", name="market")
    for event in (*second, *first):
        process(team.pk, *event)
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().discovery_status == "pending"


def test_a_repository_says_what_became_of_it(happens, shop, team):
    happens("archive")
    happens("privatize")
    with team_scope(team.pk):
        repository = Repository.objects.get()
    assert (repository.is_archived, repository.is_private) == (True, True)
    happens("transfer", to="globex")
    with team_scope(team.pk):
        assert Repository.objects.get().full_name == "globex/shop"


def test_a_deleted_repository_is_switched_off_and_keeps_its_data(happens, number, team):
    [processed] = happens("delete_repository")
    with team_scope(team.pk):
        tracked = TrackedRepository.objects.get()
        assert PullRequest.objects.count() == 1
    assert (processed.changed, tracked.is_active) == (1, False)
    assert tracked.stopped_reason == "The repository was deleted on GitHub."


def test_a_renamed_organisation_is_followed(github, shop, team):
    world = github.sandbox.world
    payload = {
        "action": "renamed",
        "changes": {"login": {"from": "acme"}},
        "organization": {"id": world.account("acme").database_id, "login": "acme-inc"},
    }
    process(team.pk, "organization", payload)
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
    assert (integration.organization_slug, integration.discovery_status) == ("acme-inc", "pending")


@pytest.mark.parametrize("event", ["member", "organization"])
def test_whoever_joins_or_leaves_has_the_list_of_members_read_soon(github, shop, team, event):
    world = github.sandbox.world
    account = {"id": world.account("acme").database_id, "login": "acme"}
    payloads = {
        "member": {"action": "removed", "repository": {"id": world.repository(SHOP).database_id}},
        "organization": {"action": "member_added", "organization": account},
    }
    with team_scope(team.pk):
        GitHubIntegration.objects.update(discovery_status="done")
        assert process(team.pk, event, payloads[event]).ignored == ""
        assert GitHubIntegration.objects.get().discovery_status == "pending"


def test_members_of_an_organisation_that_is_not_connected_are_nobodys_business(shop, team):
    payload = {"action": "member_removed", "organization": {"id": 5, "login": "elsewhere"}}
    assert process(team.pk, "organization", payload).ignored

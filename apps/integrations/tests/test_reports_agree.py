"""What is said of a sync: its run, the card, the completeness and the command say the same."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.integrations.models import GitHubIntegration, IntegrationCredential
from apps.integrations.queries.cards import State, cards_of
from apps.integrations.queries.repositories import quick_counts
from apps.integrations.tests.failure_support import NOW, PULLS, REPO, repository_of
from apps.integrations.tests.sync_support import fresh, run_of, tracked_at
from apps.metrics.queries.completeness import completeness_in_words
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=[f"acme:shop:{PULLS}:7", "beta:tools:2:1"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        yield sandbox


@pytest.fixture
def tracked(github, team):
    return tracked_at(github, team, REPO)


@pytest.fixture
def sick(github):
    """The number of a pull request in the middle of the list."""
    return sorted(github.world.repository(REPO).contents.pulls)[PULLS // 2]


def sync(team, *arguments):
    """The exit code, what the command says of it, and the JSON."""
    out, code, message = StringIO(), 0, ""
    try:
        call_command("sync_repository", REPO, "--team", team.slug, "--json", *arguments, stdout=out)
    except CommandError as error:
        code, message = error.returncode, str(error)
    return code, message, json.loads(out.getvalue().splitlines()[-1])


def card_of(tracked):
    with team_scope(tracked.team_id):
        return cards_of([fresh(tracked)])[0]


def test_a_sync_that_asks_no_more_for_what_is_forbidden_is_partial_too(github, tracked, team):
    github.mutations.apply({"action": "forbid", "part": "statusCheckRollup", "who": "*"})
    for _ in range(2):  # the first one learns it, the second one knows it
        code, message, report = sync(team, "--days", "all")
        assert (code, report["status"]) == (2, "partial")
        assert (report["partial"], report["permissions_missing"]) == (PULLS, ["checks"])
        assert message == f"Partial: {PULLS} partial; permission missing: checks."
        assert (run_of(tracked).status, run_of(tracked).partial) == ("partial", {"permissions": {"checks": "checks"}})
        assert (card_of(tracked).state, card_of(tracked).partial_count) == (State.PARTIAL, PULLS)


def test_forbidden_deployments_are_said_by_each_sync_that_leaves_them_out(github, tracked, team):
    github.mutations.apply({"action": "forbid", "part": "deployments", "who": "*"})
    for _ in range(2):
        code, _, report = sync(team, "--days", "all")
        assert (code, report["partial"], report["permissions_missing"]) == (2, 0, ["deployments"])
        assert run_of(tracked).partial == {"permissions": {"deployments": "deployments"}}


@pytest.mark.parametrize("part", [None, "body"], ids=["nameless", "named"])
@pytest.mark.parametrize("days", ["all", "3650"])
def test_a_pull_request_that_nothing_can_read_is_counted_everywhere_alike(github, tracked, team, sick, part, days):
    github.faults.poison(REPO, sick, part)
    github.faults.add(f"/repos/{REPO}/pulls/{sick}", "502", times=-1)
    code, message, report = sync(team, "--days", days)
    assert (code, report["status"], report["partial"], report["unread"]) == (2, "partial", 0, 1)
    assert message == "Partial: 0 partial; 1 could not be read."
    words = f"{PULLS - 1} of {PULLS}, 1 could not be read"
    assert completeness_in_words(repository_of(tracked)) == words
    assert (card_of(tracked).state, card_of(tracked).completeness) == (State.PARTIAL, words)
    assert run_of(tracked).status == "partial"
    assert fresh(tracked).page_size == 24


def test_one_that_is_stored_and_has_no_name_any_more_is_not_called_complete(github, tracked, team, sick):
    assert sync(team, "--days", "all")[0] == 0
    github.faults.poison(REPO, sick)
    code, _, report = sync(team, "--days", "all")
    assert (code, report["partial"], report["unread"]) == (2, 0, 1)
    assert completeness_in_words(repository_of(tracked)) == f"{PULLS} of {PULLS}, 1 could not be read"
    github.faults.clear()
    assert sync(team, "--days", "all")[0] == 0
    assert completeness_in_words(repository_of(tracked)) == f"{PULLS} of {PULLS}"


def test_a_pause_because_github_is_away_is_a_pause_in_words_for_people(github, tracked, team):
    github.faults.add("*", "502", times=-1, skip=1)
    code, message, report = sync(team, "--days", "all")
    assert (code, report["status"], report["rate_limited"]) == (3, "paused", False)
    assert message == (
        "GitHub answered 502. It is tried again later, for less at once. Run the same command to resume."
    )
    github.faults.clear()
    assert sync(team, "--days", "all")[0] == 0


def test_a_token_that_is_refused_is_a_failure_that_needs_somebody(github, tracked, team):
    with team_scope(team.pk):
        IntegrationCredential.objects.update(access_token="nonsense")
    code, message, report = sync(team, "--days", "all")
    assert (code, report["status"]) == (1, "error")
    assert "does not accept the token" in message


def test_the_head_counts_what_a_first_sync_has_brought_so_far(github, tracked, team):
    github.faults.add("PullRequestPage", "rate_limited", times=-1, skip=1, reset_in=1800)
    assert sync(team, "--days", "all")[0] == 3
    with team_scope(team.pk):
        assert quick_counts().stored == fresh(tracked).sync_prs_completed > 0


def track(team, name):
    call_command("track_repository", name, "--team", team.slug, "--no-webhook", stdout=StringIO())


def test_of_two_connections_the_one_that_fails_is_named_and_the_other_is_asked(github, tracked, team):
    other = tracked_at(github, team, "beta/tools")
    with team_scope(team.pk):
        IntegrationCredential.objects.filter(integration=tracked.integration).update(access_token="nonsense")
        assert GitHubIntegration.objects.count() == 2
    with pytest.raises(CommandError) as refused:
        track(team, "acme/nope")
    assert str(refused.value).startswith("GitHub does not know acme/nope")
    assert "The connection to acme could not ask: GitHub does not accept the token." in str(refused.value)
    track(team, REPO)
    assert fresh(other).is_active
    with team_scope(team.pk):
        IntegrationCredential.objects.update(access_token="nonsense")
    with pytest.raises(CommandError, match=r"connection to acme could not ask.*connection to beta could not ask"):
        track(team, "acme/nope")

"""Each row of the table "Behaviour for each failure": provoked over HTTP, checked in rows, status and message.

Here is what cannot be read while the sync goes on. What pauses it is in test_failure_waits, what ends it in
test_failure_ends; what concerns a whole connection in test_failures_of_connections, what moves at GitHub in
test_world_moves.
"""

from __future__ import annotations

import pytest
from django.core import mail

from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.failure_support import PULLS, REPO, connection_of, stored, sync, update
from apps.integrations.tests.sync_support import fresh, rows_of, run_of
from apps.metrics.models import PRCheckRun, PRComment, PRFile, PullRequest
from apps.teams.scope import team_scope


def pulls(github):
    return github.world.repository(REPO).contents.pulls


@pytest.mark.parametrize("kind", ["502", "504"])
def test_too_heavy_pages_are_halved_until_they_fit_and_the_size_is_remembered(
    fragile_github, fragile_shop, team, twin, kind
):
    fragile_github.faults.add("PullRequestPage", kind, times=-1, when={"pulls_over": 7})
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert (fresh(fragile_shop).sync_status, run_of(fragile_shop).partial) == ("complete", {})
    assert fresh(fragile_shop).page_size <= 7
    assert rows_of(team) == twin()


def test_something_went_wrong_is_too_heavy_too(fragile_github, fragile_shop, team, twin):
    fragile_github.faults.add("PullRequestPage", "graphql_error", times=2, path=["repository", "pullRequests"])
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert rows_of(team) == twin()


def test_slow_answers_make_the_pages_smaller(fragile_github, fragile_shop, team, twin):
    fragile_github.faults.add("PullRequestPage", "slow", times=1, skip=1, seconds=7.2)
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert fresh(fragile_shop).page_size < 24
    assert rows_of(team) == twin()


def test_one_bad_pull_request_loses_the_bad_part_only_and_the_sync_goes_on(fragile_github, fragile_shop, team):
    bad = next(number for number, pull in pulls(fragile_github).items() if pull.files)
    fragile_github.faults.poison(REPO, bad, ["files"])
    fragile_github.faults.add(f"/repos/{REPO}/pulls/{bad}/files", "502", times=-1)
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert run_of(fragile_shop).status == fresh(fragile_shop).sync_status == "partial"
    with team_scope(team.pk):
        assert PullRequest.objects.count() == PULLS
        [pull] = PullRequest.objects.filter(is_partial=True)
        assert (pull.number, list(pull.partial)) == (bad, ["files"])
        assert pull.partial["files"]
        assert not PRFile.objects.filter(pull_request=pull).exists()
    assert str(bad) in run_of(fragile_shop).partial


def test_what_graphql_cannot_render_comes_over_rest(fragile_github, fragile_shop, team, twin):
    bad = next(number for number, pull in pulls(fragile_github).items() if pull.files)
    fragile_github.faults.poison(REPO, bad, ["files"])
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert (run_of(fragile_shop).partial, fresh(fragile_shop).sync_status) == ({}, "complete")
    assert rows_of(team) == twin()


def test_resource_limits_are_not_fetched_and_never_empty(fragile_github, fragile_shop, team, twin):
    fragile_github.faults.add(
        "PullRequestPage", "resource_limits", times=3, path=["repository", "pullRequests", "nodes", "*", "files"]
    )
    assert sync(fragile_shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert PRFile.objects.exists()
    assert rows_of(team) == twin()


@pytest.mark.parametrize(
    ("field", "part", "path"),
    [
        ("reviews", "reviews", "pulls/{}/reviews"),
        ("files", "files", "pulls/{}/files"),
        ("comments", "issue_comments", "issues/{}/comments"),  # takes the pull request along in GraphQL
    ],
)
def test_errors_beside_data_keep_what_came_and_delete_nothing(fragile_github, fragile_shop, team, field, part, path):
    sync(fragile_shop)
    with team_scope(team.pk):
        before = (PRComment.objects.filter(gone_at=None).count(), PRFile.objects.filter(gone_at=None).count())
        one = PullRequest.objects.filter(state="open").first().number
    fragile_github.mutations.apply({"repo": REPO, "action": "edit", "number": one, "title": "A new title"})
    fragile_github.faults.add("*", "graphql_error", times=-1, field=field, when={"pull": one})
    fragile_github.faults.add(f"/repos/{REPO}/{path.format(one)}", "502", times=-1)
    assert update(fragile_shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        pull = PullRequest.objects.get(number=one)
        assert pull.title == "A new title"
        assert part in pull.partial
        assert field == "comments" or list(pull.partial) == [part]
        assert (
            PRComment.objects.filter(gone_at=None).count(),
            PRFile.objects.filter(gone_at=None).count(),
        ) == before
    assert run_of(fragile_shop).status == "partial"


def test_a_missing_permission_is_recorded_once_told_once_and_not_asked_for_again(fragile_github, fragile_shop, team):
    fragile_github.mutations.apply({"action": "forbid", "part": "statusCheckRollup"})
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert fresh(fragile_shop).sync_status == "partial"
    missing = connection_of(fragile_shop).permissions_missing
    assert list(missing) == ["checks"]
    assert missing["checks"]["permission"]
    with team_scope(team.pk):
        assert (PullRequest.objects.count(), PRCheckRun.objects.count()) == (PULLS, 0)
        assert PullRequest.objects.filter(partial__has_key="checks").count() == PULLS
    [message] = mail.outbox
    assert message.subject == "The GitHub connection to acme needs you"
    assert "checks" in message.body
    fragile_github.stats.reset()
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert len(mail.outbox) == 1
    assert fragile_github.stats.faults == 0
    assert connection_of(fragile_shop).permissions_missing["checks"]["since"] == missing["checks"]["since"]


def test_a_missing_permission_for_deployments_leaves_the_pull_requests_alone(fragile_github, fragile_shop, team):
    fragile_github.mutations.apply({"action": "forbid", "part": "deployments"})
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert list(connection_of(fragile_shop).permissions_missing) == ["deployments"]
    with team_scope(team.pk):
        assert PullRequest.objects.filter(is_partial=False).count() == PULLS
    assert "deployments" in mail.outbox[0].body


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_are_followed(fragile_github, fragile_shop, team, twin, status):
    fragile_github.faults.add("*", "redirect", times=1, skip=1, status=status)
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert rows_of(team) == twin()


def test_410_stops_that_part_only(fragile_github, fragile_shop, team):
    fragile_github.faults.add("Deployments", "410", times=-1)
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert fresh(fragile_shop).is_active
    assert stored(fragile_shop) == PULLS
    assert list(run_of(fragile_shop).partial["unreadable"].values()) == [
        "deployments: GitHub no longer offers them (410)"
    ]


def test_a_diff_that_graphql_gave_up_on_comes_over_rest(fragile_github, fragile_shop, team, twin):
    expected = twin()
    number = next(number for number, pull in pulls(fragile_github).items() if pull.files)
    fragile_github.mutations.apply({"repo": REPO, "action": "diff_unavailable", "number": number, "silent": True})
    assert sync(fragile_shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).changed_files == len(pulls(fragile_github)[number].files)
    assert rows_of(team)["prfile"] == expected["prfile"]
    assert run_of(fragile_shop).partial == {}


def test_a_diff_that_nobody_has_is_partial_and_not_0(fragile_github, fragile_shop, team):
    number = next(number for number, pull in pulls(fragile_github).items() if pull.files)
    fragile_github.mutations.apply({"repo": REPO, "action": "diff_unavailable", "number": number, "rest": False})
    assert sync(fragile_shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        pull = PullRequest.objects.get(number=number)
    assert (pull.changed_files, pull.additions, list(pull.partial)) == (None, None, ["files"])
    assert fresh(fragile_shop).sync_status == "partial"


def test_deleted_people_and_repositories_are_nobody(fragile_github, fragile_shop, team):
    pull = next(iter(pulls(fragile_github).values()))
    login = pull.author.login
    pull.head_repository = None
    fragile_github.mutations.apply({"action": "delete_user", "login": login})
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert (fresh(fragile_shop).sync_status, run_of(fragile_shop).partial) == ("complete", {})
    with team_scope(team.pk):
        stored_pull = PullRequest.objects.get(number=pull.number)
    assert stored_pull.author is None
    assert stored_pull.head_repository in {None, ""}


@pytest.mark.parametrize(
    ("nonsense", "says"),
    [
        ({"created_at": "yesterday, more or less"}, "makes no sense"),
        ({"additions": 10**12}, "cannot be stored"),
    ],
)
def test_one_pull_request_that_makes_no_sense_holds_no_other_up(
    fragile_github, fragile_shop, team, caplog, nonsense, says
):
    for name, value in nonsense.items():
        setattr(pulls(fragile_github)[7], name, value)
    with caplog.at_level("CRITICAL"):
        assert sync(fragile_shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        numbers = set(PullRequest.objects.values_list("number", flat=True))
    assert numbers == set(pulls(fragile_github)) - {7}
    assert (run_of(fragile_shop).status, fresh(fragile_shop).sync_status) == ("partial", "partial")
    assert list(run_of(fragile_shop).partial["unreadable"]) == ["7"]
    assert says in run_of(fragile_shop).partial["unreadable"]["7"]

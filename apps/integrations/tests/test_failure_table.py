"""Each row of the table "Behaviour for each failure": provoked over HTTP, checked in rows, status and message.

What concerns a whole connection is in test_failures_of_connections, what moves at GitHub in test_world_moves.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.queries.cards import cards_of
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.failure_support import (
    NOW,
    PULLS,
    REPO,
    connection_of,
    repository_of,
    stored,
    sync,
    tell,
    time_passes,
    update,
)
from apps.integrations.tests.sync_support import fresh, rows_of, run_of, tracked_at
from apps.metrics.models import PRCheckRun, PRComment, PRFile, PullRequest
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=[f"acme:shop:{PULLS}:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        yield sandbox


@pytest.fixture
def tracked(github, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    return tracked_at(github, team, REPO)


@pytest.fixture
def twin(github, tracked, other_team):
    """Another team's copy of the same repository, synced without any fault: what ought to be stored."""

    def synced():
        github.faults.clear()
        copy = tracked_at(github, other_team, REPO)
        assert sync(copy).ended == Ended.FINISHED
        return rows_of(other_team)

    return synced


def pulls(github):
    return github.world.repository(REPO).contents.pulls


@pytest.mark.parametrize("kind", ["502", "504"])
def test_too_heavy_pages_are_halved_until_they_fit_and_the_size_is_remembered(github, tracked, team, twin, kind):
    github.faults.add("PullRequestPage", kind, times=-1, when={"pulls_over": 7})
    assert sync(tracked).ended == Ended.FINISHED
    assert (fresh(tracked).sync_status, run_of(tracked).partial) == ("complete", {})
    assert fresh(tracked).page_size <= 7
    assert rows_of(team) == twin()


def test_something_went_wrong_is_too_heavy_too(github, tracked, team, twin):
    github.faults.add("PullRequestPage", "graphql_error", times=2, path=["repository", "pullRequests"])
    assert sync(tracked).ended == Ended.FINISHED
    assert rows_of(team) == twin()


def test_slow_answers_make_the_pages_smaller(github, tracked, team, twin):
    github.faults.add("PullRequestPage", "slow", times=1, skip=1, seconds=7.2)
    assert sync(tracked).ended == Ended.FINISHED
    assert fresh(tracked).page_size < 24
    assert rows_of(team) == twin()


def test_one_bad_pull_request_loses_the_bad_part_only_and_the_sync_goes_on(github, tracked, team):
    bad = next(number for number, pull in pulls(github).items() if pull.files)
    github.faults.poison(REPO, bad, ["files"])
    github.faults.add(f"/repos/{REPO}/pulls/{bad}/files", "502", times=-1)
    assert sync(tracked).ended == Ended.FINISHED
    assert run_of(tracked).status == fresh(tracked).sync_status == "partial"
    with team_scope(team.pk):
        assert PullRequest.objects.count() == PULLS
        [pull] = PullRequest.objects.filter(is_partial=True)
        assert (pull.number, list(pull.partial)) == (bad, ["files"])
        assert pull.partial["files"]
        assert not PRFile.objects.filter(pull_request=pull).exists()
    assert str(bad) in run_of(tracked).partial


def test_what_graphql_cannot_render_comes_over_rest(github, tracked, team, twin):
    bad = next(number for number, pull in pulls(github).items() if pull.files)
    github.faults.poison(REPO, bad, ["files"])
    assert sync(tracked).ended == Ended.FINISHED
    assert (run_of(tracked).partial, fresh(tracked).sync_status) == ({}, "complete")
    assert rows_of(team) == twin()


def test_resource_limits_are_not_fetched_and_never_empty(github, tracked, team, twin):
    github.faults.add(
        "PullRequestPage", "resource_limits", times=3, path=["repository", "pullRequests", "nodes", "*", "files"]
    )
    assert sync(tracked).ended == Ended.FINISHED
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
def test_errors_beside_data_keep_what_came_and_delete_nothing(github, tracked, team, field, part, path):
    sync(tracked)
    with team_scope(team.pk):
        before = (PRComment.objects.filter(gone_at=None).count(), PRFile.objects.filter(gone_at=None).count())
        one = PullRequest.objects.filter(state="open").first().number
    github.mutations.apply({"repo": REPO, "action": "edit", "number": one, "title": "A new title"})
    github.faults.add("*", "graphql_error", times=-1, field=field, when={"pull": one})
    github.faults.add(f"/repos/{REPO}/{path.format(one)}", "502", times=-1)
    assert update(tracked).ended == Ended.FINISHED
    with team_scope(team.pk):
        pull = PullRequest.objects.get(number=one)
        assert pull.title == "A new title"
        assert part in pull.partial
        assert field == "comments" or list(pull.partial) == [part]
        assert (
            PRComment.objects.filter(gone_at=None).count(),
            PRFile.objects.filter(gone_at=None).count(),
        ) == before
    assert run_of(tracked).status == "partial"


def test_a_missing_permission_is_recorded_once_told_once_and_not_asked_for_again(github, tracked, team):
    github.mutations.apply({"action": "forbid", "part": "statusCheckRollup"})
    assert sync(tracked).ended == Ended.FINISHED
    assert fresh(tracked).sync_status == "partial"
    missing = connection_of(tracked).permissions_missing
    assert list(missing) == ["checks"]
    assert missing["checks"]["permission"]
    with team_scope(team.pk):
        assert (PullRequest.objects.count(), PRCheckRun.objects.count()) == (PULLS, 0)
        assert PullRequest.objects.filter(partial__has_key="checks").count() == PULLS
    [message] = mail.outbox
    assert message.subject == "The GitHub connection to acme needs you"
    assert "checks" in message.body
    github.stats.reset()
    assert sync(tracked).ended == Ended.FINISHED
    assert len(mail.outbox) == 1
    assert github.stats.faults == 0
    assert connection_of(tracked).permissions_missing["checks"]["since"] == missing["checks"]["since"]


def test_a_missing_permission_for_deployments_leaves_the_pull_requests_alone(github, tracked, team):
    github.mutations.apply({"action": "forbid", "part": "deployments"})
    assert sync(tracked).ended == Ended.FINISHED
    assert list(connection_of(tracked).permissions_missing) == ["deployments"]
    with team_scope(team.pk):
        assert PullRequest.objects.filter(is_partial=False).count() == PULLS
    assert "deployments" in mail.outbox[0].body


def test_a_repository_that_may_not_be_read_at_all_is_stopped_with_the_reason(github, tracked):
    github.mutations.apply({"action": "forbid", "part": "pullRequests"})
    assert sync(tracked).ended == Ended.FAILED
    row = fresh(tracked)
    assert (row.is_active, run_of(tracked).status) == (False, "error")
    assert "permission" in row.stopped_reason
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("way", ["exhausted", "fault"])
def test_the_primary_limit_pauses_until_the_reset_and_resumes_by_itself(github, tracked, team, twin, way):
    if way == "exhausted":
        github.limits.preset(remaining=102, reset_in=1800)
    else:
        github.faults.add("PullRequestPage", "rate_limited", times=-1, skip=1, reset_in=1800)
    assert sync(tracked).ended == Ended.PAUSED
    row, run = fresh(tracked), run_of(tracked)
    assert (row.sync_status, row.rate_limited, run.rate_limited) == ("paused", True, True)
    assert abs(run.resume_at - timezone.now() - timedelta(minutes=30)) < timedelta(minutes=1)
    assert row.rate_limit_reset_at == run.resume_at
    assert 0 < stored(tracked) < PULLS
    assert [wait["until"] for wait in run.waits] == [None]
    github.faults.clear()
    github.limits.preset(remaining=5000, reset_in=3600)
    _another_hour(tracked)
    handle = time_passes(tracked)
    assert handle is not None
    assert handle.run_id == run.pk
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert run_of(tracked).waits[0]["until"] is not None
    assert fresh(tracked).rate_limited is False
    assert mail.outbox == []
    assert rows_of(team) == twin()


def _another_hour(tracked):
    """As time does: what was known of the budget is forgotten."""
    with team_scope(tracked.team_id):
        credential = tracked.integration.credentials.get()
        credential.github_user_id += 1
        credential.save()


@pytest.mark.parametrize("status", [403, 429, 200])
def test_the_secondary_limit_waits_as_long_as_github_says_and_is_no_missing_permission(github, tracked, status):
    github.faults.add("*", "secondary", times=-1, skip=1, status=status, retry_after=90)
    assert sync(tracked).ended == Ended.PAUSED
    row, run = fresh(tracked), run_of(tracked)
    assert (row.sync_status, row.rate_limited, row.is_active) == ("paused", False, True)
    assert timedelta(seconds=80) < run.resume_at - timezone.now() <= timedelta(seconds=90)
    assert row.last_sync_error == "GitHub asked to slow down."
    assert connection_of(tracked).permissions_missing == {}
    assert mail.outbox == []


def test_a_repository_that_is_blocked_is_stopped_and_the_others_go_on(settings, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    with SandboxServer(synthetic=["acme:shop:9:1", "acme:web:9:2"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        shop, web = tracked_at(github, team, "acme/shop"), tracked_at(github, team, "acme/web")
        sync(shop)
        github.mutations.apply({"action": "block", "repo": "acme/shop"})
        assert sync(shop).ended == Ended.FAILED
        assert sync(web).ended == Ended.FINISHED
    row = fresh(shop)
    assert row.is_active is False
    assert row.stopped_at is not None
    assert "451" in row.stopped_reason
    assert (stored(shop), stored(web)) == (9, 9)
    assert connection_of(web).sync_status == "connected"
    assert [message.subject for message in mail.outbox] == ["The sync of acme/shop needs you"]
    assert "451" in mail.outbox[0].body


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_are_followed(github, tracked, team, twin, status):
    github.faults.add("*", "redirect", times=1, skip=1, status=status)
    assert sync(tracked).ended == Ended.FINISHED
    assert rows_of(team) == twin()


def test_410_stops_that_part_only(github, tracked, team):
    github.faults.add("Deployments", "410", times=-1)
    assert sync(tracked).ended == Ended.FINISHED
    assert fresh(tracked).is_active
    assert stored(tracked) == PULLS
    assert list(run_of(tracked).partial["unreadable"].values()) == ["deployments: GitHub no longer offers them (410)"]


def test_a_diff_that_graphql_gave_up_on_comes_over_rest(github, tracked, team, twin):
    expected = twin()
    number = next(number for number, pull in pulls(github).items() if pull.files)
    github.mutations.apply({"repo": REPO, "action": "diff_unavailable", "number": number, "silent": True})
    assert sync(tracked).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).changed_files == len(pulls(github)[number].files)
    assert rows_of(team)["prfile"] == expected["prfile"]
    assert run_of(tracked).partial == {}


def test_a_diff_that_nobody_has_is_partial_and_not_0(github, tracked, team):
    number = next(number for number, pull in pulls(github).items() if pull.files)
    github.mutations.apply({"repo": REPO, "action": "diff_unavailable", "number": number, "rest": False})
    assert sync(tracked).ended == Ended.FINISHED
    with team_scope(team.pk):
        pull = PullRequest.objects.get(number=number)
    assert (pull.changed_files, pull.additions, list(pull.partial)) == (None, None, ["files"])
    assert fresh(tracked).sync_status == "partial"


def test_a_server_without_limits_is_never_waited_for(github, tracked, team, twin):
    github.limits.enabled = False
    assert sync(tracked).ended == Ended.FINISHED
    assert (run_of(tracked).waits, fresh(tracked).sync_status) == ([], "complete")
    github.limits.enabled = True
    assert rows_of(team) == twin()


def test_deleted_people_and_repositories_are_nobody(github, tracked, team):
    pull = next(iter(pulls(github).values()))
    login = pull.author.login
    pull.head_repository = None
    github.mutations.apply({"action": "delete_user", "login": login})
    assert sync(tracked).ended == Ended.FINISHED
    assert (fresh(tracked).sync_status, run_of(tracked).partial) == ("complete", {})
    with team_scope(team.pk):
        stored_pull = PullRequest.objects.get(number=pull.number)
    assert stored_pull.author is None
    assert stored_pull.head_repository in {None, ""}


@pytest.mark.parametrize("kind", ["drop", "truncate", "invalid_json"])
def test_a_broken_answer_is_tried_three_times_then_the_sync_pauses_and_resumes(github, tracked, team, twin, kind):
    github.faults.add("*", kind, times=-1, skip=1)
    assert sync(tracked).ended == Ended.PAUSED
    assert github.stats.faults == 3
    row, run = fresh(tracked), run_of(tracked)
    assert (row.sync_status, row.rate_limited, row.is_active) == ("paused", False, True)
    assert timedelta(0) < run.resume_at - timezone.now() <= timedelta(minutes=2)
    assert "GitHub is not available" in row.last_sync_error
    assert mail.outbox == []
    if kind == "drop":
        assert sync(tracked).ended == Ended.PAUSED
        assert run_of(tracked).resume_at - timezone.now() > timedelta(minutes=3)  # longer each time
    github.faults.clear()
    handle = time_passes(tracked)
    assert handle is not None
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert rows_of(team) == twin()


def test_a_request_that_github_rejects_ends_the_run_with_its_words(github, tracked):
    body = {"data": None, "errors": [{"type": "undefinedField", "message": "Field 'x' doesn't exist"}]}
    github.faults.add("*", "status", times=-1, status=400, body=body)
    assert sync(tracked).ended == Ended.FAILED
    row = fresh(tracked)
    assert (row.sync_status, row.is_active, row.stopped_at) == ("error", True, None)
    assert "GitHub rejected the request" in row.last_sync_error
    assert len(mail.outbox) == 1
    assert sync(tracked).ended == Ended.FAILED
    assert len(mail.outbox) == 1  # once for the trouble, not for each sync that meets it
    github.faults.clear()
    assert sync(tracked).ended == Ended.FINISHED
    assert fresh(tracked).admins_told_at is None
    github.faults.add("*", "status", times=-1, status=400, body=body)
    assert sync(tracked).ended == Ended.FAILED
    assert len(mail.outbox) == 2  # it came back


def test_nonsense_that_nobody_foresaw_pauses_a_few_times_then_ends_with_a_plain_message(github, tracked, caplog):
    github.mutations.apply({"repo": REPO, "action": "deploy"})
    github.world.repository(REPO).contents.deployments[-1].created_at = "yesterday, more or less"
    with caplog.at_level("CRITICAL"):
        for _ in range(3):
            assert sync(tracked).ended == Ended.PAUSED
            assert time_passes(tracked) is not None
        assert sync(tracked).ended == Ended.FAILED
    row = fresh(tracked)
    assert (row.sync_status, row.is_active) == ("error", True)
    assert "cannot handle (ValueError)" in row.last_sync_error
    assert len(mail.outbox) == 1
    assert repository_of(tracked).full_name == REPO


@pytest.mark.parametrize(
    ("nonsense", "says"),
    [
        ({"created_at": "yesterday, more or less"}, "makes no sense"),
        ({"additions": 10**12}, "cannot be stored"),
    ],
)
def test_one_pull_request_that_makes_no_sense_holds_no_other_up(github, tracked, team, caplog, nonsense, says):
    for name, value in nonsense.items():
        setattr(pulls(github)[7], name, value)
    with caplog.at_level("CRITICAL"):
        assert sync(tracked).ended == Ended.FINISHED
    with team_scope(team.pk):
        numbers = set(PullRequest.objects.values_list("number", flat=True))
    assert numbers == set(pulls(github)) - {7}
    assert (run_of(tracked).status, fresh(tracked).sync_status) == ("partial", "partial")
    assert list(run_of(tracked).partial["unreadable"]) == ["7"]
    assert says in run_of(tracked).partial["unreadable"]["7"]


def test_what_failed_though_it_was_covered_is_tried_again_the_next_day_and_told_once(github, tracked, team):
    assert sync(tracked).ended == Ended.FINISHED
    body = {"data": None, "errors": [{"type": "undefinedField", "message": "Field 'x' doesn't exist"}]}
    github.faults.add("*", "status", times=-1, status=400, body=body)
    assert update(tracked).ended == Ended.FAILED
    assert "It is tried again each day" in mail.outbox[-1].body
    hours_pass(team, 23)
    assert github_sync.ask_for_looks(team.pk) == []
    hours_pass(team, 2)
    with team_scope(team.pk):
        [card] = cards_of([fresh(tracked)])
    assert card.state == "failed"
    assert card.tried_again_at < timezone.now()
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    github_sync.look(team.pk, tracked.integration_id)
    [handle] = github_sync.next_turns(team_id=team.pk, integration_id=tracked.integration_id)
    assert github_sync.advance(handle).ended == Ended.FAILED
    tell(team.pk)
    sync_notifications.notify_about(team_id=team.pk, run_id=handle.run_id)
    assert len(mail.outbox) == 1
    assert github_sync.ask_for_looks(team.pk) == []  # and not before the day after
    hours_pass(team, 25)
    github.faults.clear()
    github_sync.look(team.pk, tracked.integration_id)
    [handle] = github_sync.next_turns(team_id=team.pk, integration_id=tracked.integration_id)
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert (fresh(tracked).sync_status, fresh(tracked).admins_told_at) == ("complete", None)


def test_a_history_that_failed_waits_for_a_person(github, tracked, team):
    assert sync(tracked, 30).ended == Ended.FINISHED
    github.faults.add("*", "status", times=-1, status=400, body={"data": None, "errors": [{"message": "x"}]})
    assert sync(tracked, None).ended == Ended.FAILED
    assert "cannot go on by itself" in mail.outbox[-1].body
    hours_pass(team, 50)
    assert github_sync.ask_for_looks(team.pk) == []
    with team_scope(team.pk):
        assert cards_of([fresh(tracked)])[0].tried_again_at is None


def hours_pass(team, hours):
    by = timedelta(hours=hours)
    with team_scope(team.pk):
        SyncRun.objects.update(finished_at=F("finished_at") - by)
        TrackedRepository.objects.update(last_sync_at=F("last_sync_at") - by)
        GitHubIntegration.objects.update(look_claimed_until=None, look_asked_at=None)

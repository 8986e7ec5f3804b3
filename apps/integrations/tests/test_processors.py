"""What each event of a repository does to what is stored, and what it asks to be fetched."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.processors import (
    Reason,
    handle_pull_request_event,
    handle_pull_request_review_event,
    process,
)
from apps.integrations.services.github_sync.trouble import stop_repository
from apps.integrations.tests.sync_support import rows_of, tracked_at, versions_of
from apps.integrations.tests.webhook_support import hook_at
from apps.metrics.models import (
    Deployment,
    DeploymentStatus,
    PRCheckRun,
    PRComment,
    PRReview,
    PullRequest,
    Repository,
    ReviewThread,
)
from apps.teams.scope import team_scope
from devtools.github_sandbox.mutations import Mutations
from devtools.github_sandbox.sandbox import Sandbox
from devtools.github_sandbox.server import build_world

SHOP = "acme/shop"
Event = tuple[str, dict[str, Any]]


class GitHub:
    """A GitHub whose clock goes on by ten seconds with each change; `tell` answers the events that it told."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(build_world(None, ["acme:shop:3:7"]))
        self.sandbox.listens_at("https://github.test")
        self.at = timezone.now().replace(microsecond=0) - timedelta(hours=2)
        parts = (self.sandbox.world, self.sandbox.hooks, self.sandbox.payloads)
        self.mutations = Mutations(*parts, now=self._now, tokens=self.sandbox.tokens)
        self.hook = hook_at(self.sandbox, SHOP)
        logins = [member.account.login for member in self.sandbox.world.account("acme").members]
        self.somebody = [login for login in logins if not login.startswith("sandbox-")][1]  # the first one opens them

    def _now(self) -> str:
        self.at += timedelta(seconds=10)
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def tell(self, action, **more) -> list[Event]:
        self.mutations.apply({"repo": self.hook.owner.full_name, "action": action, **more})
        told = [(each.event, orjson.loads(each.payload)) for each in reversed(self.hook.deliveries)]
        self.hook.deliveries.clear()
        return told


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def shop(github, team) -> TrackedRepository:
    return tracked_at(github.sandbox, team, SHOP)


@pytest.fixture
def happens(github, shop, team):
    """What came of the events of a change."""

    def happens(action, **more):
        return [process(team.pk, *event) for event in github.tell(action, **more)]

    return happens


@pytest.fixture
def number(github, shop, team) -> int:
    """A pull request that an event told of."""
    [(event, payload)] = github.tell("open", title="Count the gulls")
    process(team.pk, event, payload)
    return payload["number"]


def the_pull_request(team, number) -> PullRequest:
    with team_scope(team.pk):
        return PullRequest.objects.select_related("author", "merged_by").get(number=number)


def present(team, model, **which) -> list[Any]:
    with team_scope(team.pk):
        return list(model.objects.filter(gone_at=None, **which).order_by("pk"))


def reasons(came_of) -> list[Reason]:
    return [need.reason for processed in came_of for need in processed.needs]


def fetched_whole(team, **when) -> None:
    with team_scope(team.pk):
        PullRequest.objects.update(whole_at=timezone.now())


# --- pull requests


def test_an_opened_pull_request_is_there_at_once_and_says_what_is_not_fetched_yet(github, shop, team):
    [(_, payload)] = github.tell("open", title="Count the gulls", author=github.somebody)
    processed = handle_pull_request_event(team, payload)
    pr = the_pull_request(team, payload["number"])
    assert (pr.title, pr.state, pr.author.login) == ("Count the gulls", "open", github.somebody)
    assert (pr.additions, pr.changed_files, pr.is_partial, pr.whole_at) == (12, 0, True, None)
    assert set(pr.partial.values()) == {"not fetched yet"}
    [need] = processed.needs
    assert (need.reason, need.number, need.node_id) == (Reason.UNKNOWN, pr.number, pr.node_id)
    assert (need.repository_id, need.pull_request_id) == (shop.repository_id, pr.pk)
    assert processed.repository_id == shop.repository_id
    assert len(processed.touched_weeks) == 1


def test_a_merge_asks_for_everything_even_when_its_event_is_late(github, number, team, happens):
    merge = github.tell("merge", number=number, author=github.somebody)
    happens("label", number=number, name="late")
    [processed] = [process(team.pk, *event) for event in merge]
    pr = the_pull_request(team, number)
    assert (pr.state, pr.merged_by.login) == ("merged", github.somebody)
    assert reasons([processed]) == [Reason.MERGED]


def test_what_a_payload_carries_whole_asks_for_nothing(happens, number, team):
    came_of = [
        *happens("label", number=number, name="birds"),
        *happens("label", number=number, name="harbour"),
        *happens("unlabel", number=number, name="birds"),
        *happens("edit", number=number, title="Count the terns"),
    ]
    pr = the_pull_request(team, number)
    with team_scope(team.pk):
        assert [label.name for label in pr.labels.all()] == ["harbour"]
    assert pr.title == "Count the terns"
    assert reasons(came_of) == []


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"action": "edit", "body": "Closes #1"}, Reason.LIFE),
        ({"action": "convert_to_draft"}, Reason.LIFE),
        ({"action": "close"}, Reason.LIFE),
        ({"action": "push"}, Reason.CODE),
        ({"action": "comment"}, Reason.LIFE),
        ({"action": "review"}, Reason.LIFE),
        ({"action": "review_comment"}, Reason.LIFE),
    ],
)
def test_what_it_does_not_carry_is_to_be_fetched_unless_that_was_done_later(github, number, team, action, reason):
    events = github.tell(number=number, **action)
    assert set(reasons(process(team.pk, *event) for event in events)) == {reason}
    fetched_whole(team)
    assert reasons(process(team.pk, *event) for event in events) == []


def test_an_older_event_changes_nothing(github, number, team):
    first, second = (
        github.tell("edit", number=number, title="First"),
        github.tell("edit", number=number, title="Second"),
    )
    for event in (*second, *first, *second):
        process(team.pk, *event)
    before = versions_of(team)
    assert [process(team.pk, *event).changed for event in (*first, *second)] == [0, 0]
    assert the_pull_request(team, number).title == "Second"
    assert versions_of(team) == before


def test_two_words_of_one_second_are_asked_about(github, number, team, shop):
    [(event, first)] = github.tell("edit", number=number, title="First")
    second = orjson.loads(orjson.dumps(first)) | {"pull_request": first["pull_request"] | {"title": "Second"}}
    assert reasons([process(team.pk, event, first)]) == []
    assert reasons([process(team.pk, event, second)]) == [Reason.DOUBT]


def test_what_is_gone_is_fetched_and_not_believed(github, number, team):
    with team_scope(team.pk):
        PullRequest.objects.update(gone_at=timezone.now())
    [processed] = [process(team.pk, *event) for event in github.tell("close", number=number)]
    assert (processed.changed, reasons([processed])) == (0, [Reason.LIFE])
    assert the_pull_request(team, number).gone_at is not None


# --- what people say


def test_one_review_leaves_the_others_and_moves_the_figures(github, number, team, happens):
    for state in ("COMMENTED", "APPROVED"):
        [(_, payload)] = github.tell("review", number=number, state=state, author=github.somebody)
        handle_pull_request_review_event(team, payload)
    pr = the_pull_request(team, number)
    assert [review.state for review in present(team, PRReview)] == ["commented", "approved"]
    assert pr.first_review_at == present(team, PRReview)[0].submitted_at
    assert pr.review_time_seconds == 10
    happens("dismiss", number=number)
    assert [review.state for review in present(team, PRReview)] == ["commented", "dismissed"]


def test_a_dismissal_is_never_taken_back_by_a_late_event(github, number, team):
    review, dismissal = github.tell("review", number=number), github.tell("dismiss", number=number)
    for _, payload in (*review, *dismissal):
        payload["review"].pop("updated_at")  # older servers do not say
    for event in (*dismissal, *review):
        process(team.pk, *event)
    assert [review.state for review in present(team, PRReview)] == ["dismissed"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
@pytest.mark.parametrize("kind", ["comment", "review_comment"])
def test_a_deleted_comment_stays_deleted_in_any_order(github, number, team, kind, order):
    events = [github.tell(action, number=number) for action in (kind, f"edit_{kind}", f"delete_{kind}")]
    for place in order:
        [event] = events[place]
        process(team.pk, *event)
    assert present(team, PRComment) == []
    assert the_pull_request(team, number).total_comments == 0
    with team_scope(team.pk):
        assert PRComment.objects.count() == 1


def test_a_comment_that_is_deleted_before_anything_was_heard_of_stays_deleted(github, shop, team):
    created, deleted = github.tell("review_comment", number=2), github.tell("delete_review_comment", number=2)
    assert reasons(process(team.pk, *event) for event in deleted) == [Reason.UNKNOWN]
    for event in created:
        process(team.pk, *event)
    assert present(team, PRComment) == []


def test_the_latest_text_of_a_comment_counts_in_any_order(github, number, team):
    events = [github.tell("comment", number=number, body="One"), github.tell("edit_comment", number=number, body="Two")]
    for [event] in reversed(events):
        process(team.pk, *event)
    assert [comment.body for comment in present(team, PRComment)] == ["Two"]
    assert the_pull_request(team, number).total_comments == 1


def test_a_thread_is_resolved_and_opened_again_and_its_comments_are_in_it(github, number, team, happens):
    happens("review_comment", number=number)
    assert present(team, ReviewThread) == []  # which thread it is only the thread's own events say
    assert reasons(happens("resolve", number=number, author=github.somebody)) == [Reason.LIFE]
    [thread], [comment] = present(team, ReviewThread), present(team, PRComment)
    assert (thread.is_resolved, thread.resolved_by_id is not None, comment.thread_id) == (True, True, thread.pk)
    happens("unresolve", number=number)
    [thread] = present(team, ReviewThread)
    assert (thread.is_resolved, thread.resolved_by_id) == (False, None)


def test_a_comment_on_what_is_not_stored_has_it_fetched(github, shop, team):
    [processed] = [process(team.pk, *event) for event in github.tell("comment", number=1)]
    [need] = processed.needs
    pull = github.sandbox.world.repository(SHOP).contents.pulls[1]
    assert (need.reason, need.number, need.node_id, need.pull_request_id) == (Reason.UNKNOWN, 1, pull.id, None)
    assert present(team, PRComment) == []


def test_a_comment_on_an_issue_is_nobodys_business(github, number, team, shop):
    [(event, payload)] = github.tell("comment", number=number)
    del payload["issue"]["pull_request"]
    assert process(team.pk, event, payload).ignored == "It is about an issue."


# --- code and checks


def test_a_push_has_the_pull_requests_of_its_branch_fetched(github, number, team, shop):
    push, synchronize = github.tell("push", number=number)
    assert reasons([process(team.pk, *push)]) == [Reason.CODE]
    process(team.pk, *synchronize)
    assert reasons([process(team.pk, *push)]) == []
    event, payload = push
    assert process(team.pk, event, payload | {"ref": "refs/tags/v1"}).ignored


def test_every_attempt_of_a_check_is_kept_and_the_last_one_counts(happens, number, team):
    for conclusion in ("FAILURE", "SUCCESS"):
        happens("check", number=number, name="unit tests", conclusion=conclusion)
    assert [run.conclusion for run in present(team, PRCheckRun)] == ["failure", "success"]
    assert the_pull_request(team, number).ci_status == "success"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_check_run_never_goes_back(github, number, team, order):
    events = [
        github.tell("check", number=number, status="IN_PROGRESS")[0],
        github.tell("finish_check", number=number, conclusion="FAILURE")[0],
    ]
    event, payload = events[0]
    queued = payload | {"check_run": payload["check_run"] | {"status": "queued", "started_at": None}}
    for place in order:
        process(team.pk, *events[place])
    process(team.pk, event, queued)
    [run] = present(team, PRCheckRun)
    assert (run.status, run.conclusion, the_pull_request(team, number).ci_status) == (
        "completed",
        "failure",
        "failure",
    )


def test_a_status_of_a_commit_that_is_in_no_pull_request_is_not_kept(github, number, team, shop):
    [(event, payload)] = github.tell("status", number=number)
    assert process(team.pk, event, payload | {"sha": "f" * 40}).ignored
    assert present(team, PRCheckRun) == []
    assert process(team.pk, event, payload).changed == 1


def test_a_check_that_is_quicker_than_its_push_is_kept_and_the_push_is_fetched(github, number, team, shop):
    github.tell("push", number=number)
    [check, _] = github.tell("check", number=number)
    assert reasons([process(team.pk, *check)]) == [Reason.CODE]
    assert len(present(team, PRCheckRun)) == 1


def test_a_suite_that_ended_unheard_has_its_checks_fetched(github, number, team, shop):
    [start] = github.tell("check", number=number, status="IN_PROGRESS")
    finish, suite = github.tell("finish_check", number=number)
    process(team.pk, *start)
    assert reasons([process(team.pk, *suite)]) == [Reason.CHECKS]
    process(team.pk, *finish)
    assert reasons([process(team.pk, *suite)]) == []


# --- deployments


def test_a_deployment_ends_with_its_success_and_keeps_its_other_statuses(github, happens, number, team):
    with team_scope(team.pk):
        Repository.objects.update(covered_from=github.at - timedelta(days=1))
    happens("merge", number=number)
    deployment, begun = github.tell("deploy", state="IN_PROGRESS")
    [done] = github.tell("deployment_status", state="SUCCESS")
    process(team.pk, *deployment)
    assert [row.state for row in present(team, Deployment)] == ["pending"]
    for event in (done, begun, deployment):
        process(team.pk, *event)
    [row] = present(team, Deployment)
    assert (row.state, row.is_production) == ("active", True)
    assert row.finished_at == datetime.fromisoformat(done[1]["deployment_status"]["created_at"])
    assert sorted(status.state for status in present(team, DeploymentStatus)) == ["in_progress", "success"]
    assert the_pull_request(team, number).deploy_seconds == 20


def test_a_merge_that_is_told_after_its_deployment_is_deployed_all_the_same(github, number, team, shop):
    with team_scope(team.pk):
        Repository.objects.update(covered_from=github.at - timedelta(days=1))
    events = [*github.tell("merge", number=number), *github.tell("deploy", state="SUCCESS")]
    for event in reversed(events):
        process(team.pk, *event)
    assert the_pull_request(team, number).deploy_seconds == 10


# --- repositories and organisations


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


# --- whose business it is


def test_two_teams_that_follow_it_both_get_it(github, shop, team, other_team):
    tracked_at(github.sandbox, other_team, SHOP)
    events = [*github.tell("open"), *github.tell("comment", number=4), *github.tell("check", number=4)]
    for each in (team, other_team):
        for event in events:
            process(each.pk, *event)
    assert rows_of(team) == rows_of(other_team)
    assert len(rows_of(team)["prcheckrun"]) == 1


def test_a_repository_that_was_switched_off_hears_nothing(github, shop, team):
    with team_scope(team.pk):
        stop_repository(shop, "Somebody wanted it so.")
    [processed] = [process(team.pk, *event) for event in github.tell("open")]
    assert processed.ignored == "The repository is not followed."
    assert present(team, PullRequest) == []

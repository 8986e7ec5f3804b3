"""GitHub's nodes become records: our spellings, no NUL, nothing pending, nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.integrations.github.deployments import fetch_deployments
from apps.integrations.github.pull_requests import fetch_checks, fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.github.types import NO_DIFF
from apps.integrations.services.mapping import (
    account,
    checks_record,
    deployment_record,
    pull_request_record,
    repository_record,
)
from apps.integrations.services.mapping.values import text
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    Part,
    PullRequestRecord,
    RepositoryRecord,
    ReviewRecord,
    ThreadRecord,
)

OCTOCAT = Account(583231, "octocat", "U_octocat", "Octocat", "https://avatars.example/octocat")
REVIEWER = Account(7, "reviewer", "U_reviewer", "Reviewer", "https://avatars.example/reviewer")


def at(day: int, hour: int, minute: int = 0, second: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def mapped(number: int = 1, skip: dict[str, str] | None = None, **parts: Any) -> PullRequestRecord:
    """The record of a pull request that GitHub answers like this."""
    world = World()
    builders.repository(world, [builders.pull_request(world, number, **parts)])
    [node] = fetch_page(world.client(), owner="o", name="r", skip=skip).nodes
    return pull_request_record(node)


def test_a_pull_request_without_parts_is_complete():
    assert mapped(3) == PullRequestRecord(
        id=9_000_000_003,
        number=3,
        node_id="PR_3",
        title="Add a thing",
        state="merged",
        is_draft=False,
        author=OCTOCAT,
        created_at=at(4, 0, month=10),
        updated_at=at(4, 0),
        body="Because",
        url="https://github.com/o/r/pull/3",
        merged_by=Account(8, "merger", "U_merger", "Merger", "https://avatars.example/merger"),
        closed_at=at(3, 10),
        merged_at=at(3, 10),
        additions=10,
        deletions=2,
        changed_files=0,
        base_ref="main",
        head_ref="topic",
        head_sha=builders.SHA,
        head_repository="o/r",
        merge_commit_sha=builders.SHA,
        totals=dict.fromkeys(Part, 0) | {"every_review": 0},
    )


def test_a_repository():
    world = World()
    builders.repository(world, [])
    page = fetch_page(world.client(), owner="o", name="r")
    assert repository_record(page.repository) == RepositoryRecord(1_296_269, "R_1", "o/r", "main")


def test_deleted_accounts_and_repositories_are_none():
    record = mapped(author=None, headRepository=None, mergeCommit=None, mergedBy=builders.user("ghost", 10137))
    assert (record.author, record.merged_by, record.head_repository, record.merge_commit_sha) == (None, None, "", "")


@pytest.mark.parametrize(
    ("actor", "login", "number", "is_bot"),
    [
        (
            {"__typename": "Bot", "login": "dependabot", "id": "B", "databaseId": 49699333},
            "dependabot[bot]",
            49699333,
            True,
        ),
        ({"__typename": "Bot", "login": "ci[bot]", "id": "B", "databaseId": 2**40}, "ci[bot]", 2**40, True),
        ({"__typename": "User", "login": "octocat", "id": "U", "databaseId": 1}, "octocat", 1, False),
        ({"__typename": "Mannequin", "login": "old", "id": "M", "databaseId": 2}, "old", 2, False),
        (
            {"__typename": "EnterpriseUserAccount", "login": "e", "id": "E", "user": {"id": "U", "databaseId": 5}},
            "e",
            5,
            False,
        ),
    ],
)
def test_accounts(actor, login, number, is_bot):
    found = account(actor)
    assert found is not None
    assert (found.login, found.id, found.is_bot) == (login, number, is_bot)


def test_reviews_without_the_pending_ones():
    record = mapped(
        reviews=[
            builders.review(id="R1", fullDatabaseId="3000000001", author=None, commit=None, body="ok\x00"),
            builders.review(state="PENDING", submittedAt=None),
            builders.review(id="R2", fullDatabaseId="3000000002", state="CHANGES_REQUESTED"),
        ]
    )
    assert record.reviews == (
        ReviewRecord(3000000001, "approved", at(2, 10), None, "R1", "ok", "", at(2, 10)),
        ReviewRecord(3000000002, "changes_requested", at(2, 10), REVIEWER, "R2", "Looks good", builders.SHA, at(2, 10)),
    )
    assert record.totals[Part.REVIEWS] == 2
    assert record.capped == {}


def test_threads_and_their_comments():
    first = builders.review_comment(id="C1", fullDatabaseId="5000000001")
    reply = builders.review_comment(
        id="C2", fullDatabaseId="5000000002", replyTo={"fullDatabaseId": "5000000001"}, line=None
    )
    pending = builders.review_comment(state="PENDING")
    thread = builders.thread(id="T1", resolvedBy=None, isResolved=False) | {"comments": [first, reply, pending]}
    record = mapped(reviewThreads=[thread])
    assert record.threads == (ThreadRecord("T1", False, False, "a.py", 3, None),)
    shared = {"kind": "review", "created_at": at(2, 10), "author": OCTOCAT, "body": "Why?", "updated_at": at(2, 10)}
    shared |= {"path": "a.py", "review_id": 42, "thread_node_id": "T1"}
    assert record.review_comments == (
        CommentRecord(id=5000000001, node_id="C1", line=3, **shared),
        CommentRecord(id=5000000002, node_id="C2", line=None, in_reply_to=5000000001, **shared),
    )
    assert (record.totals[Part.THREADS], record.totals[Part.REVIEW_COMMENTS]) == (1, 2)


def test_a_thread_of_nothing_but_pending_comments_is_not_there_yet():
    thread = builders.thread() | {"comments": [builders.review_comment(state="PENDING")]}
    record = mapped(reviewThreads=[thread])
    assert (record.threads, record.review_comments, record.totals[Part.THREADS]) == ((), (), 0)


def test_comments_of_the_conversation():
    record = mapped(comments=[builders.comment(id="C", fullDatabaseId="4")])
    assert record.issue_comments == (CommentRecord(4, "issue", at(2, 10), OCTOCAT, "C", "Hm", at(2, 10)),)


def test_commits_with_git_names_and_accounts():
    made = builders.commit(oid="a" * 40, authoredDate="2026-11-01T12:00:00+02:00", message="Fix\x00 it")
    record = mapped(commits=[made])
    assert record.commits == (
        CommitRecord(
            "a" * 40, at(1, 10), at(1, 10, 0, 1), "Fix it", OCTOCAT, "Octo", "octo@example.com", None, 1, 0, 1
        ),
    )


def test_a_date_that_no_calendar_has_becomes_the_commits_other_date():
    record = mapped(commits=[builders.commit(authoredDate="0000-01-01T00:00:00Z")])
    assert record.commits is not None
    assert record.commits[0].authored_at == record.commits[0].committed_at == at(1, 10, 0, 1)


def test_files_have_the_spelling_of_rest():
    record = mapped(
        files=[
            builders.file(path="a", changeType="ADDED", additions=3),
            builders.file(path="b", changeType="DELETED", deletions=4, additions=0),
            builders.file(path="c", changeType="RENAMED"),
        ]
    )
    assert record.files == (
        FileRecord("a", "added", 3, 0),
        FileRecord("b", "removed", 0, 4),
        FileRecord("c", "renamed", 1, 0),
    )


def test_a_diff_that_github_could_not_compute_has_no_sizes():
    record = mapped(changedFiles=0, additions=0, deletions=0, files=[])
    assert (record.files, record.additions) == ((), 0)
    world = World()
    builders.repository(world, [builders.pull_request(world, 1, changedFiles=0) | {"files": None}])
    [node] = fetch_page(world.client(), owner="o", name="r").nodes
    record = pull_request_record(node)
    assert (record.files, record.additions, record.deletions, record.changed_files) == (None, None, None, None)
    assert record.partial == {"files": NO_DIFF}
    assert record.missing == {Part.FILES}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return builders.event(kind, id="E", createdAt="2026-11-01T10:00:00Z", **more)


CORE = {"__typename": "Team", "id": "T", "databaseId": 9, "slug": "core"}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (event("ReadyForReviewEvent"), {"kind": EventKind.READY_FOR_REVIEW}),
        (event("ConvertToDraftEvent"), {"kind": EventKind.CONVERTED_TO_DRAFT}),
        (
            event("ReviewRequestedEvent", requestedReviewer=builders.user("reviewer", 7)),
            {"kind": EventKind.REVIEW_REQUESTED, "subject": "7", "subject_account": REVIEWER},
        ),
        (
            event("ReviewRequestedEvent", requestedReviewer=CORE),
            {"kind": EventKind.REVIEW_REQUESTED, "subject": "team/9", "detail": "core"},
        ),
        (event("ReviewRequestRemovedEvent", requestedReviewer=None), {"kind": EventKind.REVIEW_REQUEST_REMOVED}),
        (
            event(
                "ReviewDismissedEvent",
                previousReviewState="APPROVED",
                review={"id": "R", "fullDatabaseId": "3000000001"},
            ),
            {"kind": EventKind.REVIEW_DISMISSED, "subject": "3000000001", "previous_state": "approved"},
        ),
        (
            event("HeadRefForcePushedEvent", beforeCommit=None, afterCommit={"oid": "b" * 40}),
            {"kind": EventKind.FORCE_PUSHED, "subject": "b" * 40, "after_sha": "b" * 40},
        ),
        (event("AutoMergeEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (event("AutoSquashEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (event("AutoRebaseEnabledEvent"), {"kind": EventKind.AUTO_MERGE_ENABLED}),
        (
            event("AutoMergeDisabledEvent", reasonCode="closed"),
            {"kind": EventKind.AUTO_MERGE_DISABLED, "detail": "closed"},
        ),
        (event("AddedToMergeQueueEvent"), {"kind": EventKind.QUEUED}),
        (event("RemovedFromMergeQueueEvent", reason=None), {"kind": EventKind.DEQUEUED}),
        (event("ClosedEvent"), {"kind": EventKind.CLOSED}),
        (event("ReopenedEvent", actor=None), {"kind": EventKind.REOPENED, "actor": None}),
        (
            event("MergedEvent", commit={"oid": "c" * 40}, mergeRefName="main"),
            {"kind": EventKind.MERGED, "subject": "c" * 40, "after_sha": "c" * 40, "detail": "main"},
        ),
        (
            event("BaseRefChangedEvent", previousRefName="main", currentRefName="next"),
            {"kind": EventKind.BASE_CHANGED, "detail": "main → next"},
        ),
    ],
    ids=lambda value: value.get("__typename", ""),
)
def test_events(node, expected):
    record = mapped(timelineItems=[node])
    plain = {"occurred_at": at(1, 10), "actor": OCTOCAT, "node_id": "E"}
    assert record.events == (EventRecord(**(plain | expected)),)


def test_events_that_nothing_tells_apart_are_one():
    twice = [
        event("ClosedEvent") | {"id": "E1"},
        event("ClosedEvent") | {"id": "E2"},
        event("ReopenedEvent") | {"id": "E3"},
    ]
    record = mapped(timelineItems=twice)
    assert record.events is not None
    assert [found.kind for found in record.events] == [EventKind.CLOSED, EventKind.REOPENED]
    assert record.totals[Part.EVENTS] == 2


def context(state: str, name: str = "ci/old") -> dict[str, Any]:
    return {
        "__typename": "StatusContext",
        "id": f"SC_{name}",
        "context": name,
        "state": state,
        "createdAt": "2026-11-01T10:00:00Z",
        "targetUrl": None,
    }


def test_check_runs_and_status_contexts():
    running = {"status": "IN_PROGRESS", "conclusion": None, "completedAt": None, "checkSuite": None, "detailsUrl": None}
    record = mapped(
        contexts=[
            builders.check_run(databaseId=2**33),
            builders.check_run(databaseId=2, **running),
            context("SUCCESS"),
            context("ERROR", "ci/error"),
            context("EXPECTED", "ci/expected"),
        ]
    )
    sha, ten = builders.SHA, at(1, 10)
    url = "https://ci.example/1"
    assert record.checks == (
        CheckRecord(2**33, "tests", sha, "completed", "success", ten, at(1, 10, 5), "github-actions", "CI", 1, url),
        CheckRecord(2, "tests", sha, "in_progress", "", ten),
        CheckRecord(None, "ci/old", sha, "completed", "success", None, ten),
        CheckRecord(None, "ci/error", sha, "completed", "error", None, ten),
        CheckRecord(None, "ci/expected", sha, "pending", "", ten),
    )


def test_checks_alone():
    world = World()
    builders.pull_request(world, 1, contexts=2)
    [node] = fetch_checks(world.client(), ["PR_1"]).nodes
    found = checks_record(node)
    assert (found.pull_request_id, found.head_sha, found.total, found.partial) == (9_000_000_001, builders.SHA, 2, "")
    assert found.checks is not None
    assert len(found.checks) == 2


def test_labels_milestone_assignees_and_linked_issues():
    record = mapped(
        labels=[builders.label(id="L", name="bug"), builders.label(id="L2", name="bug")],
        milestone={"id": "M", "number": 4, "title": "v1", "dueOn": "2026-12-01T00:00:00Z", "state": "CLOSED"},
        assignees=[builders.user()],
        closingIssuesReferences=[builders.issue(number=9, repository={"nameWithOwner": "other/place"})],
    )
    assert record.labels == (LabelRecord("bug", "ff0000", "L2"),)
    assert record.totals[Part.LABELS] == 1
    assert record.milestone == MilestoneRecord(4, "v1", "closed", at(1, 0, month=12), "M")
    assert record.assignees == (OCTOCAT,)
    url = "https://github.com/o/r/issues/1"
    assert record.linked_issues == (LinkedIssueRecord("other/place", 9, "Broken", url),)


def test_what_was_not_fetched_is_none_and_has_no_total():
    record = mapped(skip={"checks": "permission missing: checks", "threads": "off"}, reviews=1)
    assert record.missing == {Part.CHECKS, Part.THREADS, Part.REVIEW_COMMENTS}
    assert record.partial["checks"] == "permission missing: checks"
    assert Part.CHECKS not in record.totals


def test_what_github_caps_keeps_its_total():
    record = mapped(commits=2, stated={"commits": 1639})
    assert record.totals[Part.COMMITS] == 1639
    assert record.capped == {"commits": "GitHub yields 2 of 1,639"}


def test_text_that_postgresql_cannot_store_is_cleaned():
    assert text("a\x00b\x00") == "ab"
    assert text("cut off \ud83d") == "cut off ?"
    assert text("Grüße 🚀") == "Grüße 🚀"
    assert text(None) == ""
    record = mapped(title="a\x00b", headRefName="x\x00")
    assert (record.title, record.head_ref) == ("ab", "x")


def test_a_deployment_with_its_statuses_the_oldest_first():
    statuses = [
        {
            "id": f"DS_{state}",
            "state": state,
            "createdAt": f"2026-11-01T10:0{minute}:00Z",
            "environmentUrl": None,
            "logUrl": "https://ci.example/log",
            "description": None,
            "creator": builders.user(),
        }
        for state, minute in (("SUCCESS", 5), ("IN_PROGRESS", 1))
    ]
    deployment = {
        "id": "D_1",
        "databaseId": 2**35,
        "commitOid": builders.SHA,
        "environment": "production",
        "latestEnvironment": "production",
        "originalEnvironment": "production",
        "state": "ACTIVE",
        "task": "deploy",
        "description": None,
        "createdAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-01T10:05:00Z",
        "ref": None,
        "creator": builders.user(),
        "statuses": statuses,
    }
    world = World()
    builders.repository(world, [], deployments=[deployment])
    [node] = fetch_deployments(world.client(), owner="o", name="r").nodes
    record = deployment_record(node)
    assert (record.id, record.environment, record.state, record.is_production) == (2**35, "production", "active", None)
    assert record.statuses is not None
    assert [(status.state, status.created_at) for status in record.statuses] == [
        ("in_progress", at(1, 10, 1)),
        ("success", at(1, 10, 5)),
    ]
    assert record.statuses_total == 2

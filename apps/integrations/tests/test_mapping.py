"""GitHub's nodes become records: our spellings, no NUL, nothing pending, nothing twice."""

from __future__ import annotations

import pytest

from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.github.types import NO_DIFF
from apps.integrations.services.mapping import account, pull_request_record, repository_record
from apps.integrations.services.mapping.values import text
from apps.integrations.tests.mapping_support import OCTOCAT, REVIEWER, at, mapped
from apps.metrics.records import (
    Account,
    CommentRecord,
    CommitRecord,
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

"""REST's and the webhooks' objects become the same records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.integrations.services.mapping import rest
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    DeploymentRecord,
    DeploymentStatusRecord,
    EventRecord,
    FileRecord,
    LabelRecord,
    MilestoneRecord,
    Part,
    RepositoryRecord,
    ReviewRecord,
)

USER = {"id": 1, "login": "octocat", "node_id": "U_1", "avatar_url": "https://a", "type": "User"}
OCTOCAT = Account(1, "octocat", "U_1", "", "https://a?s=64")
BOT = {"id": 49699333, "login": "dependabot[bot]", "node_id": "B", "avatar_url": "https://b", "type": "Bot"}
TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
FIVE_PAST = TEN.replace(minute=5)
TIMES = {"created_at": "2026-11-02T10:00:00Z", "updated_at": "2026-11-02T10:05:00Z"}
SHA = "a" * 40

PULL_REQUEST: dict[str, Any] = {
    "id": 9_000_000_001,
    "number": 7,
    "node_id": "PR_7",
    "title": "Add\x00 a thing",
    "state": "closed",
    "draft": False,
    "user": USER,
    "body": None,
    "html_url": "https://github.com/o/r/pull/7",
    "merged_by": None,
    "closed_at": "2026-11-02T10:05:00Z",
    "merged_at": "2026-11-02T10:05:00Z",
    "merge_commit_sha": SHA,
    "base": {"ref": "main", "repo": {"id": 5, "full_name": "o/r"}},
    "head": {"ref": "topic", "sha": SHA, "repo": None},
    "labels": [{"name": "bug", "color": "f00", "node_id": "L"}],
    "assignees": [USER],
    "milestone": {"number": 2, "title": "v1", "state": "open", "due_on": None, "node_id": "M"},
    **TIMES,
}


def test_a_pull_request_says_only_what_the_payload_says():
    record = rest.pull_request_record(PULL_REQUEST)
    assert (record.id, record.number, record.state, record.title) == (9_000_000_001, 7, "merged", "Add a thing")
    assert (record.created_at, record.updated_at, record.merged_at) == (TEN, FIVE_PAST, FIVE_PAST)
    assert (record.author, record.merged_by, record.head_sha) == (OCTOCAT, None, SHA)
    assert (record.head_repository, record.is_cross_repository) == ("", True)
    assert (record.additions, record.changed_files) == (None, None)
    assert record.labels == (LabelRecord("bug", "f00", "L"),)
    assert record.assignees == (OCTOCAT,)
    assert record.milestone == MilestoneRecord(2, "v1", "open", None, "M")
    assert record.missing == set(Part) - {Part.LABELS, Part.ASSIGNEES}


def test_the_merge_commit_of_an_open_pull_request_is_githubs_trial_and_nobody_elses():
    record = rest.pull_request_record(PULL_REQUEST | {"state": "open", "merged_at": None, "closed_at": None})
    assert (record.state, record.merge_commit_sha) == ("open", "")


@pytest.mark.parametrize("user", [None, {"id": 10137, "login": "ghost"}, {}])
def test_deleted_accounts_are_none(user):
    assert rest.account(user) is None


@pytest.mark.parametrize("login", ["dependabot[bot]", "dependabot"])
def test_bots_are_told_by_their_type_and_spelt_as_everywhere(login):
    assert rest.account(BOT | {"login": login}) == Account(
        49699333, "dependabot[bot]", "B", "", "https://b?s=64", is_bot=True
    )


def test_a_picture_has_the_size_that_graphql_is_asked_for():
    account = rest.account(USER | {"avatar_url": "https://avatars.githubusercontent.com/u/1?v=4"})
    assert account is not None
    assert account.avatar_url == "https://avatars.githubusercontent.com/u/1?s=64&v=4"


def test_a_repository():
    data = {"id": 5, "node_id": "R", "full_name": "o/r", "default_branch": "main", "private": True, "fork": False}
    assert rest.repository_record(data) == RepositoryRecord(5, "R", "o/r", "main", is_private=True)


@pytest.mark.parametrize("state", ["APPROVED", "approved"])
def test_a_review(state):
    data = {"id": 3, "state": state, "submitted_at": "2026-11-02T10:00:00Z", "user": USER, "node_id": "R", "body": ""}
    assert rest.review_record(data | {"commit_id": SHA}) == ReviewRecord(3, "approved", TEN, OCTOCAT, "R", "", SHA)


def test_a_pending_review_is_nobodys_business():
    assert rest.review_record({"id": 3, "state": "PENDING", "user": USER}) is None


def test_comments():
    shared = {"id": 4, "user": USER, "node_id": "C", "body": "Hm", **TIMES}
    assert rest.issue_comment_record(shared) == CommentRecord(4, "issue", TEN, OCTOCAT, "C", "Hm", FIVE_PAST)
    more = {"path": "a.py", "line": None, "in_reply_to_id": 3, "pull_request_review_id": 8}
    assert rest.review_comment_record(shared | more, thread_node_id="T") == CommentRecord(
        4, "review", TEN, OCTOCAT, "C", "Hm", FIVE_PAST, "a.py", None, 3, 8, "T"
    )


def test_a_commit_with_and_without_sizes():
    signature = {"name": "Octo", "email": "o@example.com", "date": "2026-11-02T10:00:00Z"}
    data = {
        "sha": SHA,
        "commit": {"author": signature, "committer": signature, "message": "Fix"},
        "author": USER,
        "committer": None,
    }
    expected = CommitRecord(SHA, TEN, TEN, "Fix", OCTOCAT, "Octo", "o@example.com")
    assert rest.commit_record(data) == expected
    sized = rest.commit_record(data | {"stats": {"additions": 3, "deletions": 1, "total": 4}})
    assert sized is not None
    assert (sized.additions, sized.deletions) == (3, 1)


def test_a_bots_commit_has_its_name_in_git_only():
    signature = {"name": "dependabot[bot]", "email": "d@example.com", "date": "2026-11-02T10:00:00Z"}
    data = {"sha": SHA, "commit": {"author": signature, "committer": signature}, "author": BOT, "committer": BOT}
    record = rest.commit_record(data)
    assert record is not None
    assert (record.author, record.committer, record.author_name) == (None, None, "dependabot[bot]")


@pytest.mark.parametrize(
    ("told", "kind", "subject", "more"),
    [
        ({"event": "convert_to_draft"}, "converted_to_draft", "", {}),
        ({"event": "head_ref_force_pushed", "commit_id": SHA}, "force_pushed", SHA, {"after_sha": SHA}),
        ({"event": "merged", "commit_id": SHA}, "merged", SHA, {"after_sha": SHA, "detail": "main"}),
        ({"event": "closed", "commit_id": SHA}, "closed", "", {}),
        (
            {"event": "review_requested", "requested_team": {"id": 9, "slug": "core"}},
            "review_requested",
            "team/9",
            {"detail": "core"},
        ),
        (
            {"event": "review_request_removed", "requested_reviewer": USER},
            "review_request_removed",
            str(OCTOCAT.id),
            {"subject_account": OCTOCAT},
        ),
        ({"event": "review_requested", "requested_reviewer": None}, "review_requested", "", {}),
        (
            {"event": "review_dismissed", "dismissed_review": {"state": "APPROVED", "review_id": 3}},
            "review_dismissed",
            "3",
            {"previous_state": "approved"},
        ),
        ({"event": "base_ref_changed"}, "base_changed", "", {}),
        ({"event": "added_to_merge_queue"}, "queued", "", {}),
    ],
)
def test_events_are_the_turns_that_graphql_tells(told, kind, subject, more):
    data = {"created_at": "2026-11-02T10:00:00Z", "actor": USER, "node_id": "E", **told}
    expected = EventRecord(kind, TEN, OCTOCAT, subject, node_id="E")
    assert rest.event_record(data, base_ref="main") == replace(expected, **more)


@pytest.mark.parametrize("kind", ["labeled", "commented", "head_ref_deleted", None])
def test_other_events_are_none_of_ours(kind):
    assert rest.event_record({"event": kind, "created_at": "2026-11-02T10:00:00Z"}) is None


def test_a_commit_without_any_date_is_none():
    assert rest.commit_record({"sha": SHA, "commit": {"author": {"date": "0000-00-00"}, "committer": None}}) is None


def test_a_file():
    data = {"filename": "a.py", "status": "removed", "additions": 0, "deletions": 9, "changes": 9}
    assert rest.file_record(data) == FileRecord("a.py", "removed", 0, 9)


def test_a_check_run():
    data = {
        "id": 2**33,
        "name": "tests",
        "head_sha": SHA,
        "status": "completed",
        "conclusion": "failure",
        "started_at": "2026-11-02T10:00:00Z",
        "completed_at": "2026-11-02T10:05:00Z",
        "app": {"slug": "github-actions"},
        "details_url": "https://ci",
    }
    assert rest.check_run_record(data) == CheckRecord(
        2**33, "tests", SHA, "completed", "failure", TEN, FIVE_PAST, "github-actions", "", 1, "https://ci"
    )


def test_a_status_says_when_it_was_decided():
    data = {"context": "ci/old", "state": "error", "target_url": None, **TIMES}
    assert rest.status_record(data, sha=SHA) == CheckRecord(None, "ci/old", SHA, "completed", "error", None, FIVE_PAST)
    pending = rest.status_record(data | {"state": "pending"}, sha=SHA)
    assert (pending.status, pending.conclusion, pending.started_at) == ("pending", "", FIVE_PAST)


def test_deployments_and_their_statuses():
    data = {"id": 1, "environment": "production", "sha": SHA, "node_id": "D", "ref": "main", "task": "deploy", **TIMES}
    record = rest.deployment_record(data | {"production_environment": True, "creator": USER}, state="success")
    assert record == DeploymentRecord(
        1, "production", SHA, "success", TEN, "D", "main", "deploy", "", OCTOCAT, FIVE_PAST, True, None
    )
    status = {"node_id": "DS", "state": "success", "creator": USER, "log_url": "https://log", **TIMES}
    assert rest.deployment_status_record(status) == DeploymentStatusRecord(
        "DS", "success", TEN, OCTOCAT, "", "https://log"
    )

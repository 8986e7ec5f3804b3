"""REST's and the webhooks' spelling of the same things. Their states are lower case, their ids are numbers.

They carry neither threads nor closing issues, and a webhook's pull request carries no child but its labels and
assignees: what is not there stays None.
"""

from __future__ import annotations

from typing import Any

from apps.integrations.github.types import Raw
from apps.integrations.services.mapping.conversation import asked_person, asked_team
from apps.integrations.services.mapping.values import BOT_SUFFIX, GHOST, instant, moment, path, text
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    DeploymentRecord,
    DeploymentStatusRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    MilestoneRecord,
    PullRequestRecord,
    RepositoryRecord,
    ReviewRecord,
)

UNDECIDED = "pending"

PICTURE = 64
"""Pixels; the size of `avatarUrl` in the queries' fragments."""

EVENTS = {
    "ready_for_review": EventKind.READY_FOR_REVIEW,
    "convert_to_draft": EventKind.CONVERTED_TO_DRAFT,
    "converted_to_draft": EventKind.CONVERTED_TO_DRAFT,
    "review_requested": EventKind.REVIEW_REQUESTED,
    "review_request_removed": EventKind.REVIEW_REQUEST_REMOVED,
    "review_dismissed": EventKind.REVIEW_DISMISSED,
    "head_ref_force_pushed": EventKind.FORCE_PUSHED,
    "auto_merge_enabled": EventKind.AUTO_MERGE_ENABLED,
    "auto_squash_enabled": EventKind.AUTO_MERGE_ENABLED,
    "auto_rebase_enabled": EventKind.AUTO_MERGE_ENABLED,
    "auto_merge_disabled": EventKind.AUTO_MERGE_DISABLED,
    "added_to_merge_queue": EventKind.QUEUED,
    "removed_from_merge_queue": EventKind.DEQUEUED,
    "closed": EventKind.CLOSED,
    "reopened": EventKind.REOPENED,
    "merged": EventKind.MERGED,
    "base_ref_changed": EventKind.BASE_CHANGED,
}
"""Of REST's events those that GraphQL is asked for too.

https://docs.github.com/rest/using-the-rest-api/issue-event-types
"""


def account(user: Raw | None) -> Account | None:
    """Who did it, None for a deleted account. Every bot has the suffix, which REST leaves out for some."""
    if not user or not user.get("login") or user["login"].lower() == GHOST:
        return None
    login = user["login"]
    is_bot = user.get("type") == "Bot" or login.endswith(BOT_SUFFIX)
    return Account(
        id=user.get("id"),
        login=login if not is_bot or login.endswith(BOT_SUFFIX) else login + BOT_SUFFIX,
        node_id=user.get("node_id") or "",
        name=text(user.get("name")),
        avatar_url=_picture(user.get("avatar_url") or ""),
        is_bot=is_bot,
    )


def _picture(url: str) -> str:
    """The picture in the size that GraphQL is asked for."""
    address, _, query = url.partition("?")
    return f"{address}?s={PICTURE}" + (f"&{query}" if query else "") if address else ""


def repository_record(data: Raw) -> RepositoryRecord:
    return RepositoryRecord(
        id=data["id"],
        node_id=data.get("node_id") or "",
        full_name=data["full_name"],
        default_branch=text(data.get("default_branch")),
        is_private=bool(data.get("private")),
        is_archived=bool(data.get("archived")),
        is_fork=bool(data.get("fork")),
    )


def pull_request_record(data: Raw) -> PullRequestRecord:
    """A pull request's own facts, labels, milestone and assignees; every other part is None.

    The sizes are None in a list's and some webhooks' pull requests, which leave them out.
    """
    base, head = data["base"], data["head"]
    home, source = base.get("repo") or {}, head.get("repo") or {}
    merged_at = instant(data.get("merged_at"))
    labels = tuple({label["name"]: _label(label) for label in data.get("labels") or ()}.values())
    assigned = (found for found in map(account, data.get("assignees") or ()) if found is not None)
    assignees = tuple({found.login: found for found in assigned}.values())
    return PullRequestRecord(
        id=data["id"],
        number=data["number"],
        node_id=data.get("node_id") or "",
        title=text(data["title"]),
        state="merged" if merged_at else data["state"],
        is_draft=bool(data.get("draft")),
        author=account(data.get("user")),
        created_at=moment(data["created_at"]),
        updated_at=moment(data["updated_at"]),
        body=text(data.get("body")),
        url=data.get("html_url") or "",
        merged_by=account(data.get("merged_by")),
        closed_at=instant(data.get("closed_at")),
        merged_at=merged_at,
        additions=data.get("additions"),
        deletions=data.get("deletions"),
        changed_files=data.get("changed_files"),
        base_ref=text(base["ref"]),
        head_ref=text(head["ref"]),
        head_sha=head["sha"],
        head_repository=source.get("full_name") or "",
        is_cross_repository=home.get("id") != source.get("id"),
        merge_commit_sha=(data.get("merge_commit_sha") or "") if merged_at else "",
        milestone=_milestone(data.get("milestone")),
        labels=labels,
        assignees=assignees,
        linked_issues=None,
        reviews=None,
        threads=None,
        review_comments=None,
        issue_comments=None,
        commits=None,
        files=None,
        events=None,
        checks=None,
        totals={"labels": len(labels), "assignees": len(assignees)},
    )


def review_record(data: Raw) -> ReviewRecord | None:
    """None for a review that was not submitted yet."""
    state = data["state"].lower()
    if state == "pending" or not data.get("submitted_at"):
        return None
    return ReviewRecord(
        id=data["id"],
        state=state,
        submitted_at=moment(data["submitted_at"]),
        author=account(data.get("user")),
        node_id=data.get("node_id") or "",
        body=text(data.get("body")),
        commit_sha=data.get("commit_id") or "",
        updated_at=instant(data.get("updated_at")),
    )


def issue_comment_record(data: Raw) -> CommentRecord:
    return CommentRecord(
        id=data["id"],
        kind="issue",
        created_at=moment(data["created_at"]),
        author=account(data.get("user")),
        node_id=data.get("node_id") or "",
        body=text(data.get("body")),
        updated_at=instant(data.get("updated_at")),
    )


def review_comment_record(data: Raw, *, thread_node_id: str = "") -> CommentRecord:
    """A comment on the diff; REST does not say in which thread."""
    return CommentRecord(
        id=data["id"],
        kind="review",
        created_at=moment(data["created_at"]),
        author=account(data.get("user")),
        node_id=data.get("node_id") or "",
        body=text(data.get("body")),
        updated_at=instant(data.get("updated_at")),
        path=text(data.get("path")),
        line=data.get("line"),
        in_reply_to=data.get("in_reply_to_id"),
        review_id=data.get("pull_request_review_id"),
        thread_node_id=thread_node_id,
    )


def commit_record(data: Raw) -> CommitRecord | None:
    """A commit; its sizes are None unless it was asked for alone. None when neither of its dates is in a calendar."""
    commit = data["commit"]
    author, committer = commit.get("author") or {}, commit.get("committer") or {}
    authored, committed = instant(author.get("date")), instant(committer.get("date"))
    first, second = authored or committed, committed or authored
    if first is None or second is None:
        return None
    return CommitRecord(
        sha=data["sha"],
        authored_at=first,
        committed_at=second,
        message=text(commit.get("message")),
        author=_person(data.get("author")),
        author_name=text(author.get("name")),
        author_email=text(author.get("email")),
        committer=_person(data.get("committer")),
        **commit_sizes(data),
    )


def _person(user: Raw | None) -> Account | None:
    """Whose commit it is. GraphQL connects commits to people only, and a commit is the same by either way."""
    found = account(user)
    return None if found is None or found.is_bot else found


def commit_sizes(data: Raw) -> dict[str, int | None]:
    """The sizes among a commit's fields, from `parts.commit_sizes` or a commit that carries them."""
    stats = data.get("stats") or {}
    return {
        "additions": stats.get("additions"),
        "deletions": stats.get("deletions"),
        "changed_files": data.get("changed_files"),
    }


def event_record(data: Raw, *, base_ref: str = "") -> EventRecord | None:
    """A turn of a pull request's life, None for what is none of ours. `base_ref` is what it is merged into.

    REST tells neither the head before a force push nor the branches of a change of the base, nor why a merge queue or
    an automatic merge was left: those fields stay empty, and what GraphQL told of them before is kept.
    """
    kind = EVENTS.get(data.get("event") or "")
    if kind is None:
        return None
    return EventRecord(
        kind=kind,
        occurred_at=moment(data["created_at"]),
        actor=account(data.get("actor")),
        node_id=data.get("node_id") or "",
        **{"detail": base_ref if kind is EventKind.MERGED else "", **_subject(kind, data)},
    )


def _subject(kind: EventKind, data: Raw) -> dict[str, Any]:
    """What tells it apart from others of its kind in one second, as GraphQL's mapping has it."""
    if kind in {EventKind.FORCE_PUSHED, EventKind.MERGED}:
        after = data.get("commit_id") or ""
        return {"subject": after, "after_sha": after}
    if kind is EventKind.REVIEW_DISMISSED:
        dismissed = data.get("dismissed_review") or {}
        review = dismissed.get("review_id")
        state = (dismissed.get("state") or "").lower()
        return {"subject": "" if review is None else str(review), "previous_state": state}
    if kind in {EventKind.REVIEW_REQUESTED, EventKind.REVIEW_REQUEST_REMOVED}:
        if team := data.get("requested_team"):
            return asked_team(team["id"], team["slug"])
        return asked_person(account(data.get("requested_reviewer")))
    return {}


def file_record(data: Raw) -> FileRecord:
    return FileRecord(path(data["filename"]), data["status"], data["additions"], data["deletions"])


def check_run_record(data: Raw) -> CheckRecord:
    """A check run of REST or a `check_run` event; the workflow's name and the attempt are in neither."""
    return CheckRecord(
        id=data["id"],
        name=text(data["name"]),
        head_sha=data["head_sha"],
        status=data["status"],
        conclusion=data.get("conclusion") or "",
        started_at=instant(data.get("started_at")),
        completed_at=instant(data.get("completed_at")),
        app=text((data.get("app") or {}).get("slug")),
        url=data.get("details_url") or "",
    )


def status_record(data: Raw, *, sha: str) -> CheckRecord:
    """A status context, which says when its state came and never when the work began."""
    is_decided = data["state"] != UNDECIDED
    reported_at = instant(data.get("updated_at") or data.get("created_at"))
    return CheckRecord(
        id=None,
        name=text(data["context"]),
        head_sha=sha,
        status="completed" if is_decided else UNDECIDED,
        conclusion=data["state"] if is_decided else "",
        started_at=None if is_decided else reported_at,
        completed_at=reported_at if is_decided else None,
        url=data.get("target_url") or "",
    )


def deployment_record(data: Raw, *, state: str = "") -> DeploymentRecord:
    """A deployment without its statuses. `state` is the latest status's, which REST does not put into a deployment."""
    return DeploymentRecord(
        id=data["id"],
        environment=text(data.get("environment")),
        sha=data["sha"],
        state=state,
        created_at=moment(data["created_at"]),
        node_id=data.get("node_id") or "",
        ref=text(data.get("ref")),
        task=text(data.get("task")),
        description=text(data.get("description")),
        creator=account(data.get("creator")),
        updated_at=instant(data.get("updated_at")),
        is_production=data.get("production_environment"),
        statuses=None,
    )


def deployment_status_record(data: Raw) -> DeploymentStatusRecord:
    return DeploymentStatusRecord(
        node_id=data["node_id"],
        state=data["state"].lower(),
        created_at=moment(data["created_at"]),
        creator=account(data.get("creator")),
        description=text(data.get("description")),
        url=data.get("log_url") or data.get("environment_url") or data.get("target_url") or "",
    )


def _label(data: Raw) -> LabelRecord:
    return LabelRecord(text(data["name"]), data.get("color") or "", data.get("node_id") or "")


def _milestone(data: Raw | None) -> MilestoneRecord | None:
    if not data:
        return None
    return MilestoneRecord(
        number=data["number"],
        title=text(data["title"]),
        state=data["state"],
        due_at=instant(data.get("due_on")),
        node_id=data.get("node_id") or "",
    )

"""What people said and did: reviews, threads with their comments, comments of the conversation, events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from apps.integrations.github.types import Raw
from apps.integrations.services.mapping.values import Accounts, instant, moment, number, text
from apps.metrics.records import Account, CommentRecord, EventKind, EventRecord, ReviewRecord, ThreadRecord

PENDING = "PENDING"
"""A review or comment that its author has not submitted: only they can see it, so it is nobody's business."""


def reviews(nodes: list[Raw], accounts: Accounts) -> tuple[ReviewRecord, ...]:
    """The submitted reviews, once each."""
    return tuple({node["id"]: _review(node, accounts) for node in nodes if node["state"] != PENDING}.values())


def _review(node: Raw, accounts: Accounts) -> ReviewRecord:
    commit = node["commit"]
    return ReviewRecord(
        id=int(node["fullDatabaseId"]),
        state=node["state"].lower(),
        submitted_at=moment(node["submittedAt"] or node["createdAt"]),
        author=accounts(node["author"]),
        node_id=node["id"],
        body=text(node["body"]),
        commit_sha=commit["oid"] if commit else "",
        updated_at=instant(node["updatedAt"]),
    )


def issue_comments(nodes: list[Raw], accounts: Accounts) -> tuple[CommentRecord, ...]:
    """The comments of the conversation, once each."""
    return tuple({node["id"]: _issue_comment(node, accounts) for node in nodes}.values())


def _issue_comment(node: Raw, accounts: Accounts) -> CommentRecord:
    return CommentRecord(
        id=int(node["fullDatabaseId"]),
        kind="issue",
        created_at=moment(node["createdAt"]),
        author=accounts(node["author"]),
        node_id=node["id"],
        body=text(node["body"]),
        updated_at=instant(node["updatedAt"]),
    )


def threads(nodes: list[Raw], accounts: Accounts) -> tuple[ThreadRecord, ...]:
    """The review threads; one that holds nothing but pending comments is not there yet."""
    return tuple(
        ThreadRecord(
            node_id=node["id"],
            is_resolved=node["isResolved"],
            is_outdated=node["isOutdated"],
            path=text(node["path"]),
            line=node["line"],
            resolved_by=accounts(node["resolvedBy"]),
        )
        for node in nodes
        if not is_pending_thread(node)
    )


def is_pending_thread(node: Raw) -> bool:
    comments = node["comments"]
    return bool(comments and comments["nodes"]) and all(comment["state"] == PENDING for comment in comments["nodes"])


def review_comments(nodes: list[Raw], accounts: Accounts) -> tuple[CommentRecord, ...]:
    """The submitted comments of all threads, once each."""
    found: dict[str, CommentRecord] = {}
    for thread in nodes:
        comments = thread["comments"]
        for node in comments["nodes"] if comments else ():
            if node["state"] != PENDING:
                found[node["id"]] = _review_comment(node, thread["id"], accounts)
    return tuple(found.values())


def _review_comment(node: Raw, thread_id: str, accounts: Accounts) -> CommentRecord:
    reply_to = node["replyTo"]
    given_in = node["pullRequestReview"]
    return CommentRecord(
        id=int(node["fullDatabaseId"]),
        kind="review",
        created_at=moment(node["createdAt"]),
        author=accounts(node["author"]),
        node_id=node["id"],
        body=text(node["body"]),
        updated_at=instant(node["updatedAt"]),
        path=text(node["path"]),
        line=node["line"],
        in_reply_to=number(reply_to["fullDatabaseId"]) if reply_to else None,
        review_id=number(given_in["fullDatabaseId"]) if given_in else None,
        thread_node_id=thread_id,
    )


def events(nodes: list[Raw], accounts: Accounts) -> tuple[EventRecord, ...]:
    """The events, once for each kind, second and subject, which is all that tells them apart."""
    found: dict[tuple[str, datetime, str], EventRecord] = {}
    for node in nodes:
        maker = _EVENTS.get(node.get("__typename", ""))
        if maker is not None:
            record = maker(node, accounts)
            found[(record.kind, record.occurred_at, record.subject)] = record
    return tuple(found.values())


def _event(kind: EventKind, node: Raw, accounts: Accounts, **more: Any) -> EventRecord:
    return EventRecord(
        kind=kind,
        occurred_at=moment(node["createdAt"]),
        actor=accounts(node["actor"]),
        node_id=node["id"],
        **more,
    )


def _plain(kind: EventKind, detail: str = "") -> Callable[[Raw, Accounts], EventRecord]:
    """An event without a subject; `detail` is the field that says more, if any."""

    def make(node: Raw, accounts: Accounts) -> EventRecord:
        return _event(kind, node, accounts, detail=text(node[detail]) if detail else "")

    return make


def _request(kind: EventKind) -> Callable[[Raw, Accounts], EventRecord]:
    def make(node: Raw, accounts: Accounts) -> EventRecord:
        asked = node["requestedReviewer"]
        if asked and asked["__typename"] == "Team":
            return _event(kind, node, accounts, **asked_team(asked["databaseId"], asked["slug"]))
        return _event(kind, node, accounts, **asked_person(accounts(asked)))

    return make


def asked_person(who: Account | None) -> dict[str, Any]:
    """The subject of a request to review: by id, since people change their names."""
    if who is None:
        return {"subject": ""}
    return {"subject": who.login if who.id is None else str(who.id), "subject_account": who}


def asked_team(team_id: int | None, slug: str) -> dict[str, Any]:
    """Where GitHub gives no id, which its schema allows, the team's name has to do."""
    return {"subject": f"team/{slug if team_id is None else team_id}", "detail": slug}


def _dismissed(node: Raw, accounts: Accounts) -> EventRecord:
    review = node["review"]
    return _event(
        EventKind.REVIEW_DISMISSED,
        node,
        accounts,
        subject=str(review["fullDatabaseId"]) if review else "",
        previous_state=node["previousReviewState"].lower(),
    )


def _pushed(node: Raw, accounts: Accounts) -> EventRecord:
    before, after = _oid(node["beforeCommit"]), _oid(node["afterCommit"])
    return _event(EventKind.FORCE_PUSHED, node, accounts, subject=after, before_sha=before, after_sha=after)


def _merged(node: Raw, accounts: Accounts) -> EventRecord:
    after = _oid(node["commit"])
    return _event(EventKind.MERGED, node, accounts, subject=after, after_sha=after, detail=text(node["mergeRefName"]))


def _base_changed(node: Raw, accounts: Accounts) -> EventRecord:
    detail = f"{text(node['previousRefName'])} → {text(node['currentRefName'])}"
    return _event(EventKind.BASE_CHANGED, node, accounts, detail=detail)


def _oid(commit: Raw | None) -> str:
    return commit["oid"] if commit else ""


_EVENTS: dict[str, Callable[[Raw, Accounts], EventRecord]] = {
    "ReadyForReviewEvent": _plain(EventKind.READY_FOR_REVIEW),
    "ConvertToDraftEvent": _plain(EventKind.CONVERTED_TO_DRAFT),
    "ReviewRequestedEvent": _request(EventKind.REVIEW_REQUESTED),
    "ReviewRequestRemovedEvent": _request(EventKind.REVIEW_REQUEST_REMOVED),
    "ReviewDismissedEvent": _dismissed,
    "HeadRefForcePushedEvent": _pushed,
    "AutoMergeEnabledEvent": _plain(EventKind.AUTO_MERGE_ENABLED),
    "AutoSquashEnabledEvent": _plain(EventKind.AUTO_MERGE_ENABLED),
    "AutoRebaseEnabledEvent": _plain(EventKind.AUTO_MERGE_ENABLED),
    "AutoMergeDisabledEvent": _plain(EventKind.AUTO_MERGE_DISABLED, detail="reasonCode"),
    "AddedToMergeQueueEvent": _plain(EventKind.QUEUED),
    "RemovedFromMergeQueueEvent": _plain(EventKind.DEQUEUED, detail="reason"),
    "ClosedEvent": _plain(EventKind.CLOSED),
    "ReopenedEvent": _plain(EventKind.REOPENED),
    "MergedEvent": _merged,
    "BaseRefChangedEvent": _base_changed,
}

"""Short words for the histories of pull requests that the tests of the calculations tell. Times are hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    PullRequestRecord,
    ReviewRecord,
)

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

AUTHOR = Account(1, "ada")
BOB = Account(2, "bob")
CLEO = Account(3, "cleo")
BOT = Account(9, "helper", is_bot=True)
GHOST = Account(10137, "ghost")

_ids = count(1000)


def at(hours: float, seconds: int = 0) -> datetime:
    """So many hours after the opening."""
    return OPENED + timedelta(hours=hours, seconds=seconds)


def pull_request(*, merged: float | None = None, **fields: Any) -> PullRequestRecord:
    """A pull request that was opened at 0 and merged at `merged`, if at all."""
    merged_at = at(merged) if merged is not None else None
    known = {
        "id": 1,
        "number": 7,
        "node_id": "PR_1",
        "title": "Retry webhooks",
        "state": "merged" if merged_at else "open",
        "is_draft": False,
        "author": AUTHOR,
        "created_at": OPENED,
        "updated_at": at(1000),
        "merged_at": merged_at,
        "url": "https://github.com/harbour/api/pull/7",
    }
    return PullRequestRecord(**{**known, **fields})


def review(hours: float, state: str = "commented", author: Account | None = BOB, id: int | None = None) -> ReviewRecord:
    return ReviewRecord(id=id or next(_ids), state=state, submitted_at=at(hours), author=author)


def approved(hours: float, author: Account | None = BOB, id: int | None = None) -> ReviewRecord:
    return review(hours, "approved", author, id)


def asked(hours: float, author: Account | None = BOB, id: int | None = None) -> ReviewRecord:
    """A request for changes."""
    return review(hours, "changes_requested", author, id)


def comment(hours: float, author: Account | None = BOB, kind: str = "issue", id: int | None = None) -> CommentRecord:
    return CommentRecord(id=id or next(_ids), kind=kind, created_at=at(hours), author=author)


def commit(authored: float, committed: float | None = None, **fields: Any) -> CommitRecord:
    when = authored if committed is None else committed
    return CommitRecord(sha=f"{next(_ids):040x}", authored_at=at(authored), committed_at=at(when), **fields)


def event(hours: float, kind: EventKind, **fields: Any) -> EventRecord:
    return EventRecord(kind=kind, occurred_at=at(hours), **fields)


def pushed(hours: float) -> EventRecord:
    """A force push of the head."""
    return event(hours, EventKind.FORCE_PUSHED)


def ready(hours: float) -> EventRecord:
    return event(hours, EventKind.READY_FOR_REVIEW)


def drafted(hours: float) -> EventRecord:
    return event(hours, EventKind.CONVERTED_TO_DRAFT)


def closed(hours: float) -> EventRecord:
    return event(hours, EventKind.CLOSED)


def reopened(hours: float) -> EventRecord:
    return event(hours, EventKind.REOPENED)


def dismissed(hours: float, review_id: int, previous_state: str) -> EventRecord:
    return event(hours, EventKind.REVIEW_DISMISSED, subject=str(review_id), previous_state=previous_state)


def check(name: str, conclusion: str = "success", id: int | None = None, **fields: Any) -> CheckRecord:
    """A check run of the head commit "head"; without a conclusion it is running."""
    known = {
        "id": id or next(_ids),
        "name": name,
        "head_sha": "head",
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "app": "github-actions",
        "workflow": "ci",
    }
    return CheckRecord(**{**known, **fields})


def context(name: str, conclusion: str = "success", **fields: Any) -> CheckRecord:
    """A status context of the head commit "head"; without a conclusion it is pending."""
    return CheckRecord(None, name, "head", "completed" if conclusion else "pending", conclusion, **fields)

"""Recorded reviews, and the threads that recorded review comments form by their `in_reply_to_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devtools.github_sandbox.entities import PullRequest, Review, ReviewComment, ReviewThread
from devtools.github_sandbox.ids import node_id

if TYPE_CHECKING:
    from devtools.github_sandbox.recorded.repository import RecordedRepository


def load_reviews(source: RecordedRepository) -> None:
    for number, rows in source.by_pull("reviews").items():
        pull = source.contents.pulls[number]
        pull.reviews = sorted((_review(source, row, pull) for row in rows), key=_submitted)
        source.remember(pull.reviews)
    for number, rows in source.by_pull("review_comments").items():
        _threads(source, source.contents.pulls[number], rows)


def _submitted(review: Review) -> tuple[str, int]:
    return review.submitted_at or review.created_at, review.database_id


def _review(source: RecordedRepository, data: dict[str, Any], pull: PullRequest) -> Review:
    moment = data.get("submitted_at") or data.get("updated_at") or pull.updated_at
    return Review(
        database_id=data["id"],
        id=data["node_id"],
        author=source.account(data.get("user")),
        state=data["state"],
        body=data.get("body") or "",
        created_at=moment,
        submitted_at=data.get("submitted_at"),
        updated_at=data.get("updated_at") or moment,
        pull_request=pull,
        author_association=data.get("author_association") or "NONE",
        commit_oid=data.get("commit_id"),
    )


def _threads(source: RecordedRepository, pull: PullRequest, rows: list[dict[str, Any]]) -> None:
    """One thread for each comment that answers none of the recorded ones; a lost root's replies share one."""
    reviews = {review.database_id: review for review in pull.reviews}
    roots: dict[int, ReviewThread] = {}
    comments: dict[int, ReviewComment] = {}
    for data in sorted(rows, key=lambda row: (row["created_at"], row["id"])):
        root = data.get("in_reply_to_id") or data["id"]
        thread = roots.get(root)
        if thread is None:
            thread = roots[root] = _thread(source, pull, data, root)
        comment = _comment(source, data, thread)
        comment.reply_to = comments.get(data.get("in_reply_to_id") or 0)
        comment.review = reviews.get(comment.review_database_id or 0)
        if comment.review is not None:
            comment.review.comments.append(comment)
        comments[comment.database_id] = comment
        thread.comments.append(comment)
    pull.threads = list(roots.values())
    source.remember(pull.threads)
    source.remember(list(comments.values()))


def _thread(source: RecordedRepository, pull: PullRequest, data: dict[str, Any], root: int) -> ReviewThread:
    return ReviewThread(
        id=node_id("PRRT", source.repository.database_id, root),
        pull_request=pull,
        path=data["path"],
        line=data.get("line"),
        start_line=data.get("start_line"),
        original_line=data.get("original_line"),
        is_outdated=data.get("line") is None and data.get("position") is None,
        diff_side=data.get("side") or "RIGHT",
        subject_type=(data.get("subject_type") or "line").upper(),
    )


def _comment(source: RecordedRepository, data: dict[str, Any], thread: ReviewThread) -> ReviewComment:
    return ReviewComment(
        database_id=data["id"],
        id=data["node_id"],
        author=source.account(data.get("user")),
        body=data.get("body") or "",
        created_at=data["created_at"],
        updated_at=data.get("updated_at") or data["created_at"],
        thread=thread,
        path=data["path"],
        author_association=data.get("author_association") or "NONE",
        line=data.get("line"),
        original_line=data.get("original_line"),
        start_line=data.get("start_line"),
        diff_hunk=data.get("diff_hunk") or "",
        commit_oid=data.get("commit_id"),
        original_commit_oid=data.get("original_commit_id"),
        review_database_id=data.get("pull_request_review_id"),
    )

"""Reviews, threads, comments and the turns of a pull request's life."""

from __future__ import annotations

from typing import Any

from apps.common.copy_upsert import Pending
from apps.metrics.models import PRComment, PREvent, PRReview, ReviewThread
from apps.metrics.records import CommentRecord, Part, ReviewRecord
from apps.metrics.services.ingest.writing import Page, Row, mark_gone, write_children
from apps.metrics.services.members import Members

# Events come in any order: what the source changed later stays. Rows without the source's time are taken as they come.
_NOT_OLDER = "coalesce(t.source_updated_at <= EXCLUDED.source_updated_at, true)"


def write_reviews(page: Page) -> None:
    rows: dict[Any, Row] = {
        review.id: review_row(page.members, page.ids[record.number], review)
        for record in page.records
        for review in record.reviews or ()
    }
    write_children(
        page,
        "reviews",
        PRReview,
        rows,
        conflict=("github_review_id",),
        update=("reviewer", "state", "body", "submitted_at", "gone_at"),
        keep=("node_id", "commit_sha", "source_updated_at"),
        when=_NOT_OLDER,
        weekly=True,
    )
    key = ("github_review_id",)
    mark_gone(page, "reviews", PRReview, page.complete(Part.REVIEWS), rows.values(), key, instant="submitted_at")


def review_row(members: Members, pull_request: int, review: ReviewRecord) -> Row:
    return {
        "pull_request_id": pull_request,
        "github_review_id": review.id,
        "node_id": review.node_id,
        "reviewer_id": members.id_of(review.author),
        "state": review.state,
        "body": review.body,
        "commit_sha": review.commit_sha,
        "submitted_at": review.submitted_at,
        "source_updated_at": review.updated_at,
    }


def write_threads(page: Page) -> Pending:
    """The answer is for `thread_ids`."""
    rows: dict[Any, Row] = {}
    id_of = page.members.id_of
    for record in page.records:
        pull_request = page.ids[record.number]
        for thread in record.threads or ():
            rows[thread.node_id] = {
                "pull_request_id": pull_request,
                "node_id": thread.node_id,
                "is_resolved": thread.is_resolved,
                "resolved_by_id": id_of(thread.resolved_by),
                "is_outdated": thread.is_outdated,
                "path": thread.path,
                "line": thread.line,
            }
    pending = write_children(
        page,
        "threads",
        ReviewThread,
        rows,
        conflict=("node_id",),
        update=("is_resolved", "resolved_by", "is_outdated", "line", "gone_at"),
        keep=("path",),
        returning=("node_id", "id"),
    )
    mark_gone(page, "threads", ReviewThread, page.complete(Part.THREADS), rows.values(), ("node_id",))
    return pending


def thread_ids(page: Page, threads: Pending) -> dict[str, int]:
    """The primary keys of the page's threads by their node id, for their comments."""
    ids = {node_id: id_ for _, node_id, id_ in threads.result().written}
    mentioned = {comment.thread_node_id for record in page.records for comment in record.review_comments or ()}
    if unwritten := mentioned - ids.keys() - {""}:
        stored = ReviewThread.objects.filter(team_id=page.repository.team_id, node_id__in=list(unwritten))
        ids.update(stored.values_list("node_id", "id"))
    return ids


def write_comments(page: Page, threads: dict[str, int]) -> None:
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for comment in (*(record.issue_comments or ()), *(record.review_comments or ())):
            rows[comment.kind, comment.id] = comment_row(page.members, pull_request, comment, threads)
    write_children(
        page,
        "comments",
        PRComment,
        rows,
        conflict=("comment_type", "github_comment_id"),
        update=("author", "body", "commented_at", "line", "gone_at"),
        keep=("node_id", "path", "in_reply_to", "github_review_id", "thread", "source_updated_at"),
        when=_NOT_OLDER,
        weekly=True,
    )
    for part, kind in ((Part.ISSUE_COMMENTS, "issue"), (Part.REVIEW_COMMENTS, "review")):
        of_kind = [row for row in rows.values() if row["comment_type"] == kind]
        key, only = ("github_comment_id",), {"comment_type": kind}
        mark_gone(page, "comments", PRComment, page.complete(part), of_kind, key, only=only, instant="commented_at")


def comment_row(members: Members, pull_request: int, comment: CommentRecord, threads: dict[str, int]) -> Row:
    return {
        "pull_request_id": pull_request,
        "github_comment_id": comment.id,
        "comment_type": comment.kind,
        "node_id": comment.node_id,
        "author_id": members.id_of(comment.author),
        "body": comment.body,
        "commented_at": comment.created_at,
        "source_updated_at": comment.updated_at,
        "path": comment.path,
        "line": comment.line,
        "in_reply_to": comment.in_reply_to,
        "github_review_id": comment.review_id,
        "thread_id": threads.get(comment.thread_node_id),
    }


def write_events(page: Page) -> None:
    rows: dict[Any, Row] = {}
    id_of = page.members.id_of
    for record in page.records:
        pull_request = page.ids[record.number]
        for event in record.events or ():
            subject = event.subject[:255]
            rows[pull_request, event.kind, event.occurred_at, subject] = {
                "pull_request_id": pull_request,
                "kind": event.kind,
                "occurred_at": event.occurred_at,
                "subject": subject,
                "actor_id": id_of(event.actor),
                "subject_member_id": id_of(event.subject_account),
                "node_id": event.node_id,
                "before_sha": event.before_sha,
                "after_sha": event.after_sha,
                "previous_state": event.previous_state,
                "detail": event.detail[:255],
            }
    key = ("kind", "occurred_at", "subject")
    write_children(
        page,
        "events",
        PREvent,
        rows,
        conflict=("pull_request", *key),
        update=("actor", "subject_member", "gone_at"),
        keep=("node_id", "before_sha", "after_sha", "previous_state", "detail"),
    )
    mark_gone(page, "events", PREvent, page.complete(Part.EVENTS), rows.values(), key)

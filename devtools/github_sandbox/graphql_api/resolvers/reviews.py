"""Reviews, review threads and their comments."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Commit, PullRequest, Review, ReviewComment, ReviewThread
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.graphql_api.resolvers.commits import commit_for
from devtools.github_sandbox.graphql_api.resolvers.pulls import pull_path
from devtools.github_sandbox.world import Repository

_OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def visible_reviews(pull: PullRequest, call: Call) -> list[Review]:
    """A pending review is seen by the one who writes it only."""
    viewer = call.context.session.account
    return [review for review in pull.reviews if review.state != "PENDING" or review.author is viewer]


def latest_reviews(pull: PullRequest, states: tuple[str, ...] | None = None) -> list[Review]:
    """The last review of each person, of those in `states` if given."""
    latest: dict[Any, Review] = {}
    for review in pull.reviews:
        if review.state != "PENDING" and (states is None or review.state in states):
            latest[review.author.login if review.author else None] = review
    return list(latest.values())


@resolves("PullRequest", "reviews")
def reviews(pull: PullRequest, call: Call) -> Page:
    states, author = call.arguments.get("states"), call.arguments.get("author")
    rows = visible_reviews(pull, call)
    if states is not None:
        rows = [review for review in rows if review.state in states]
    if author is not None:
        rows = [review for review in rows if review.author and review.author.login.lower() == author.lower()]
    return page_of(rows, call.arguments)


@resolves("PullRequest", "latestReviews")
def pull_latest_reviews(pull: PullRequest, call: Call) -> Page:
    return page_of(latest_reviews(pull), call.arguments)


@resolves("PullRequest", "latestOpinionatedReviews")
def opinionated_reviews(pull: PullRequest, call: Call) -> Page:
    rows = latest_reviews(pull, _OPINIONS)
    if call.arguments.get("writersOnly"):
        rows = [review for review in rows if review.author_association in ("OWNER", "MEMBER", "COLLABORATOR")]
    return page_of(rows, call.arguments)


@resolves("PullRequest", "reviewDecision")
def review_decision(pull: PullRequest, _call: Call) -> str:
    states = {review.state for review in latest_reviews(pull, _OPINIONS)}
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    return "APPROVED" if "APPROVED" in states else "REVIEW_REQUIRED"


@resolves("PullRequest", "reviewThreads")
def review_threads(pull: PullRequest, call: Call) -> Page:
    return page_of(pull.threads, call.arguments)


@resolves("PullRequestReview", "comments")
def review_comments(review: Review, call: Call) -> Page:
    return page_of(review.comments, call.arguments)


@resolves("PullRequestReview", "commit")
def review_commit(review: Review, _call: Call) -> Commit | None:
    if review.commit_oid is None:
        return None
    return commit_for(review.pull_request.repository, review.commit_oid, review.created_at)


@resolves("PullRequestReview", "onBehalfOf")
def on_behalf_of(_review: Review, call: Call) -> Page:
    return page_of([], call.arguments)


@resolves("PullRequestReview", "repository")
def review_repository(review: Review, _call: Call) -> Repository:
    return review.pull_request.repository


@resolves("PullRequestReview PullRequestReviewComment", "isMinimized")
def is_minimized(_entity: Any, _call: Call) -> bool:
    return False


@resolves("PullRequestReview PullRequestReviewComment", "minimizedReason")
def minimized_reason(_entity: Any, _call: Call) -> None:
    return None


@resolves("PullRequestReview", "resourcePath")
def review_path(review: Review, call: Call) -> str:
    return f"{pull_path(review.pull_request, call)}#pullrequestreview-{review.database_id}"


@resolves("PullRequestReview", "url")
def review_url(review: Review, call: Call) -> str:
    return call.context.web_url + review_path(review, call)


@resolves("PullRequestReviewThread", "comments")
def thread_comments(thread: ReviewThread, call: Call) -> Page:
    rows = thread.comments[call.arguments.get("skip") or 0 :]
    return page_of(rows, call.arguments, len(thread.comments))


@resolves("PullRequestReviewThread", "isCollapsed")
def is_collapsed(thread: ReviewThread, _call: Call) -> bool:
    return thread.is_resolved


@resolves("PullRequestReviewThread", "originalStartLine", "startDiffSide")
def unknown(_thread: ReviewThread, _call: Call) -> None:
    return None


@resolves("PullRequestReviewThread", "repository")
def thread_repository(thread: ReviewThread, _call: Call) -> Repository:
    return thread.pull_request.repository


@resolves("PullRequestReviewComment", "pullRequest")
def comment_pull(comment: ReviewComment, _call: Call) -> PullRequest:
    return comment.thread.pull_request


@resolves("PullRequestReviewComment", "pullRequestReview")
def comment_review(comment: ReviewComment, _call: Call) -> Review | None:
    return comment.review


@resolves("PullRequestReviewComment", "repository")
def comment_repository(comment: ReviewComment, _call: Call) -> Repository:
    return comment.thread.pull_request.repository


@resolves("PullRequestReviewComment", "commit")
def comment_commit(comment: ReviewComment, _call: Call) -> Commit | None:
    oid = comment.commit_oid
    return commit_for(comment_repository(comment, _call), oid, comment.created_at) if oid else None


@resolves("PullRequestReviewComment", "originalCommit")
def comment_original_commit(comment: ReviewComment, _call: Call) -> Commit | None:
    oid = comment.original_commit_oid
    return commit_for(comment_repository(comment, _call), oid, comment.created_at) if oid else None


@resolves("PullRequestReviewComment", "originalStartLine")
def comment_original_start(_comment: ReviewComment, _call: Call) -> None:
    return None


@resolves("PullRequestReviewComment", "outdated")
def outdated(comment: ReviewComment, _call: Call) -> bool:
    return comment.thread.is_outdated


@resolves("PullRequestReviewComment", "state")
def comment_state(_comment: ReviewComment, _call: Call) -> str:
    return "SUBMITTED"


@resolves("PullRequestReviewComment", "subjectType")
def subject_type(comment: ReviewComment, _call: Call) -> str:
    return comment.thread.subject_type


@resolves("PullRequestReviewComment", "resourcePath")
def comment_path(comment: ReviewComment, call: Call) -> str:
    return f"{pull_path(comment.thread.pull_request, call)}#discussion_r{comment.database_id}"


@resolves("PullRequestReviewComment", "url")
def comment_url(comment: ReviewComment, call: Call) -> str:
    return call.context.web_url + comment_path(comment, call)

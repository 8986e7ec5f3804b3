"""Issues, the comments of conversations, and what every object with an author and a text has in common."""

from __future__ import annotations

import html
from typing import Any

from devtools.github_sandbox.entities import Comment, Issue, PullRequest
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.graphql_api.resolvers.repositories import ordered_labels
from devtools.github_sandbox.world import Repository

WRITTEN = "PullRequest IssueComment PullRequestReview PullRequestReviewComment"


@resolves(f"Issue {WRITTEN}", "fullDatabaseId")
def full_database_id(entity: Any, _call: Call) -> str:
    return str(entity.database_id)  # BigInt travels as a string


@resolves(WRITTEN, "bodyText")
def body_text(entity: Any, _call: Call) -> str:
    return str(entity.body)


@resolves(WRITTEN, "bodyHTML")
def body_html(entity: Any, _call: Call) -> str:
    return f"<p>{html.escape(entity.body)}</p>" if entity.body else ""


@resolves(WRITTEN, "publishedAt")
def published_at(entity: Any, _call: Call) -> str:
    return str(entity.created_at)


@resolves(WRITTEN, "lastEditedAt")
def last_edited(_entity: Any, _call: Call) -> None:
    return None


@resolves("PullRequest Issue", "assignees")
def assignees(entity: PullRequest | Issue, call: Call) -> Page:
    return page_of([each for each in entity.assignees if not each.is_deleted], call.arguments)


@resolves("PullRequest Issue", "labels")
def labels(entity: PullRequest | Issue, call: Call) -> Page:
    return page_of(ordered_labels(entity.labels, call.arguments), call.arguments)


@resolves("PullRequest Issue", "comments")
def comments(entity: PullRequest | Issue, call: Call) -> Page:
    rows = entity.comments
    order = call.arguments.get("orderBy")
    if order:
        rows = sorted(rows, key=lambda comment: comment.updated_at, reverse=order["direction"] == "DESC")
    return page_of(rows, call.arguments)


@resolves("PullRequest Issue", "closed")
def closed(entity: PullRequest | Issue, _call: Call) -> bool:
    return entity.state != "OPEN"


@resolves("Issue", "resourcePath")
def issue_path(issue: Issue, _call: Call) -> str:
    return f"/{issue.repository.full_name}/issues/{issue.number}"


@resolves("Issue", "url")
def issue_url(issue: Issue, call: Call) -> str:
    return call.context.web_url + issue_path(issue, call)


@resolves("IssueComment", "issue")
def comment_issue(comment: Comment, _call: Call) -> Any:
    return comment.parent


@resolves("IssueComment", "pullRequest")
def comment_pull(comment: Comment, _call: Call) -> PullRequest | None:
    return comment.parent if isinstance(comment.parent, PullRequest) else None


@resolves("IssueComment", "repository")
def comment_repository(comment: Comment, _call: Call) -> Repository:
    return comment.parent.repository


@resolves("IssueComment", "resourcePath")
def comment_path(comment: Comment, _call: Call) -> str:
    kind = "pull" if isinstance(comment.parent, PullRequest) else "issues"
    parent = comment.parent
    return f"/{parent.repository.full_name}/{kind}/{parent.number}#issuecomment-{comment.database_id}"


@resolves("IssueComment", "url")
def comment_url(comment: Comment, call: Call) -> str:
    return call.context.web_url + comment_path(comment, call)

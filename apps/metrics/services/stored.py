"""Rows back into records: to derive again what was derived, and to complete what was fetched in part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.metrics.models import (
    LinkedIssue,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestAssignee,
    PullRequestCommit,
    PullRequestLabel,
    Repository,
    ReviewThread,
    TeamMember,
)
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventRecord,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    Part,
    PullRequestRecord,
    ReviewRecord,
    ThreadRecord,
)

Row = dict[str, Any]
Who = Callable[[int | None], Account | None]
Parts = dict[Part, dict[int, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a part of pull requests is stored: a queryset's order and fields, and how a row becomes a record."""

    model: type[models.Model]
    fields: tuple[str, ...]
    record: Callable[[Row, Who], Any]
    order: tuple[str, ...] = ("id",)
    people: tuple[str, ...] = ()
    only: Mapping[str, Any] | None = None

    def rows(self, team_id: int, pull_requests: Collection[int]) -> Iterable[Row]:
        rows = self.model._default_manager.filter(team_id=team_id, pull_request_id__in=list(pull_requests))
        if any(field.name == "gone_at" for field in self.model._meta.fields):
            rows = rows.filter(gone_at=None)
        if self.only:
            rows = rows.filter(**self.only)
        return rows.order_by(*self.order).values("pull_request_id", *self.fields, *self.people)


def parts_of(team_id: int, pull_requests: Collection[int], parts: Collection[Part]) -> Parts:
    """The stored rows of `parts`, as records by the pull requests' primary keys. One statement a part and one for
    the people; checks are known by repository and head, see `checks_of`.
    """
    found = {
        part: list(source.rows(team_id, pull_requests))
        for part, source in _SOURCES.items()
        if part in parts and pull_requests
    }
    who = _people({row[name] for part, rows in found.items() for row in rows for name in _SOURCES[part].people})
    result: Parts = {}
    for part, rows in found.items():
        of: defaultdict[int, list[Any]] = defaultdict(list)
        for row in rows:
            of[row["pull_request_id"]].append(_SOURCES[part].record(row, who))
        result[part] = {pull_request: tuple(records) for pull_request, records in of.items()}
    return result


def checks_of(repository: Repository, shas: Collection[str]) -> dict[str, tuple[CheckRecord, ...]]:
    """Every stored check of some commits, by sha. One statement, served by check_run_head."""
    of: defaultdict[str, list[CheckRecord]] = defaultdict(list)
    if shas:
        checks = PRCheckRun.objects.filter(
            team_id=repository.team_id, repository_id=repository.pk, head_sha__in=list(shas), gone_at=None
        )
        for check in checks.order_by("id"):
            of[check.head_sha].append(
                CheckRecord(
                    id=check.github_check_run_id,
                    name=check.name,
                    head_sha=check.head_sha,
                    status=check.status,
                    conclusion=check.conclusion,
                    started_at=check.started_at,
                    completed_at=check.completed_at,
                    app=check.app,
                    workflow=check.workflow,
                    attempt=check.attempt,
                    url=check.url,
                )
            )
    return {sha: tuple(checks) for sha, checks in of.items()}


def records_of(repository: Repository, pull_requests: Iterable[PullRequest]) -> dict[int, PullRequestRecord]:
    """Pull requests of a repository (with their milestones) as records, by primary key, in the order given.
    Fourteen statements.
    """
    rows = list(pull_requests)
    ids = [row.pk for row in rows]
    parts = parts_of(repository.team_id, ids, list(Part))
    checks = checks_of(repository, {row.head_sha for row in rows} - {""})
    who = _people({row.author_id for row in rows} | {row.merged_by_id for row in rows})
    return {row.pk: _pull_request(row, parts, checks.get(row.head_sha, ()), who) for row in rows}


def _people(ids: set[int | None]) -> Who:
    members = TeamMember.objects.in_bulk([id_ for id_ in ids if id_ is not None])
    accounts: dict[int | None, Account] = {
        pk: Account(member.github_user_id, member.login, member.node_id, member.name, member.avatar_url, member.is_bot)
        for pk, member in members.items()
    }
    return accounts.get


def _pull_request(row: PullRequest, parts: Parts, checks: tuple[CheckRecord, ...], who: Who) -> PullRequestRecord:
    milestone = row.milestone
    return PullRequestRecord(
        id=row.github_pr_id,
        number=row.number,
        node_id=row.node_id,
        title=row.title,
        state=row.state,
        is_draft=row.is_draft,
        author=who(row.author_id),
        created_at=row.pr_created_at,
        updated_at=row.pr_updated_at,
        body=row.body,
        url=row.url,
        merged_by=who(row.merged_by_id),
        closed_at=row.closed_at,
        merged_at=row.merged_at,
        additions=row.additions,
        deletions=row.deletions,
        changed_files=row.changed_files,
        base_ref=row.base_ref,
        head_ref=row.head_ref,
        head_sha=row.head_sha,
        head_repository=row.head_repository,
        is_cross_repository=row.is_cross_repository,
        merge_commit_sha=row.merge_commit_sha,
        milestone=MilestoneRecord(
            milestone.number, milestone.title, milestone.state, milestone.due_at, milestone.node_id
        )
        if milestone
        else None,
        checks=checks,
        totals=row.totals,
        partial=row.partial,
        capped=row.capped,
        **{part.value: of.get(row.pk, ()) for part, of in parts.items()},
    )


def _comment(row: Row, who: Who) -> CommentRecord:
    return CommentRecord(
        id=row["github_comment_id"],
        kind=row["comment_type"],
        created_at=row["commented_at"],
        author=who(row["author_id"]),
        node_id=row["node_id"],
        body=row["body"],
        updated_at=row["source_updated_at"],
        path=row["path"],
        line=row["line"],
        in_reply_to=row["in_reply_to"],
        review_id=row["github_review_id"],
        thread_node_id=row["thread__node_id"] or "",
    )


def _commit(row: Row, who: Who) -> CommitRecord:
    return CommitRecord(
        sha=row["commit__github_sha"],
        authored_at=row["commit__authored_at"],
        committed_at=row["commit__committed_at"],
        message=row["commit__message"],
        author=who(row["commit__author_id"]),
        author_name=row["commit__author_name"],
        author_email=row["commit__author_email"],
        committer=who(row["commit__committer_id"]),
        additions=row["commit__additions"],
        deletions=row["commit__deletions"],
        changed_files=row["commit__changed_files"],
    )


def _event(row: Row, who: Who) -> EventRecord:
    return EventRecord(
        kind=row["kind"],
        occurred_at=row["occurred_at"],
        actor=who(row["actor_id"]),
        subject=row["subject"],
        subject_account=who(row["subject_member_id"]),
        node_id=row["node_id"],
        before_sha=row["before_sha"],
        after_sha=row["after_sha"],
        previous_state=row["previous_state"],
        detail=row["detail"],
    )


def _review(row: Row, who: Who) -> ReviewRecord:
    return ReviewRecord(
        id=row["github_review_id"],
        state=row["state"],
        submitted_at=row["submitted_at"],
        author=who(row["reviewer_id"]),
        node_id=row["node_id"],
        body=row["body"],
        commit_sha=row["commit_sha"],
        updated_at=row["source_updated_at"],
    )


def _thread(row: Row, who: Who) -> ThreadRecord:
    return ThreadRecord(
        node_id=row["node_id"],
        is_resolved=row["is_resolved"],
        is_outdated=row["is_outdated"],
        path=row["path"],
        line=row["line"],
        resolved_by=who(row["resolved_by_id"]),
    )


_COMMENT = (
    *("github_comment_id", "comment_type", "commented_at", "node_id", "body", "source_updated_at", "path", "line"),
    *("in_reply_to", "github_review_id", "thread__node_id"),
)
_IN_TIME = ("commented_at", "github_comment_id")
_SOURCES: dict[Part, _Source] = {
    Part.LABELS: _Source(
        PullRequestLabel,
        ("label__name", "label__color", "label__node_id"),
        lambda row, who: LabelRecord(row["label__name"], row["label__color"], row["label__node_id"]),
    ),
    Part.ASSIGNEES: _Source(PullRequestAssignee, (), lambda row, who: who(row["member_id"]), people=("member_id",)),
    Part.LINKED_ISSUES: _Source(
        LinkedIssue,
        ("issue_repository", "issue_number", "title", "url"),
        lambda row, who: LinkedIssueRecord(row["issue_repository"], row["issue_number"], row["title"], row["url"]),
    ),
    Part.REVIEWS: _Source(
        PRReview,
        ("github_review_id", "state", "submitted_at", "node_id", "body", "commit_sha", "source_updated_at"),
        _review,
        ("submitted_at", "github_review_id"),
        ("reviewer_id",),
    ),
    Part.THREADS: _Source(
        ReviewThread,
        ("node_id", "is_resolved", "is_outdated", "path", "line"),
        _thread,
        people=("resolved_by_id",),
    ),
    Part.REVIEW_COMMENTS: _Source(
        PRComment, _COMMENT, _comment, _IN_TIME, ("author_id",), {"comment_type": PRComment.Type.REVIEW}
    ),
    Part.ISSUE_COMMENTS: _Source(
        PRComment, _COMMENT, _comment, _IN_TIME, ("author_id",), {"comment_type": PRComment.Type.ISSUE}
    ),
    Part.COMMITS: _Source(
        PullRequestCommit,
        (
            *("commit__github_sha", "commit__authored_at", "commit__committed_at", "commit__message"),
            *("commit__author_name", "commit__author_email"),
            *("commit__additions", "commit__deletions", "commit__changed_files"),
        ),
        _commit,
        ("position", "id"),
        ("commit__author_id", "commit__committer_id"),
    ),
    Part.FILES: _Source(
        PRFile,
        ("filename", "status", "additions", "deletions"),
        lambda row, who: FileRecord(row["filename"], row["status"], row["additions"], row["deletions"]),
    ),
    Part.EVENTS: _Source(
        PREvent,
        (
            *("kind", "occurred_at", "subject", "node_id"),
            *("before_sha", "after_sha", "previous_state", "detail"),
        ),
        _event,
        ("occurred_at", "id"),
        ("actor_id", "subject_member_id"),
    ),
}

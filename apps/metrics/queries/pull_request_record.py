"""A stored pull request as the record that the calculations take: what is drawn and what was counted agree."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.metrics.models import (
    PRCheckRun,
    PRComment,
    PREvent,
    PRReview,
    PullRequest,
    PullRequestCommit,
    TeamMember,
)
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventRecord,
    PullRequestRecord,
    ReviewRecord,
)


def counts_as_bot(account: Account | None) -> bool:
    """The bot rule for records made here: the accounts carry the team's mark already."""
    return account is not None and account.is_bot


def record_of(pull_request: PullRequest) -> PullRequestRecord:
    """Its life: reviews, comments (without their text), commits, events, and the checks of all its commits.

    `pull_request.author` should be loaded. Labels, files and issues are left out. Five SQL statements.
    """
    pr = pull_request
    commits = tuple(_commit(row) for row in _commits(pr))
    comments = tuple(_comment(row) for row in _comments(pr))
    return PullRequestRecord(
        id=pr.github_pr_id,
        number=pr.number,
        node_id=pr.node_id,
        title=pr.title,
        state=pr.state,
        is_draft=pr.is_draft,
        author=account_of(pr.author),
        created_at=pr.pr_created_at,
        updated_at=pr.pr_updated_at,
        url=pr.url,
        merged_by=account_of(pr.merged_by),
        closed_at=pr.closed_at,
        merged_at=pr.merged_at,
        head_sha=pr.head_sha,
        merge_commit_sha=pr.merge_commit_sha,
        reviews=tuple(_review(row) for row in _reviews(pr)),
        review_comments=tuple(c for c in comments if c.kind == PRComment.Type.REVIEW),
        issue_comments=tuple(c for c in comments if c.kind == PRComment.Type.ISSUE),
        commits=commits,
        events=tuple(_event(row) for row in _events(pr)),
        checks=tuple(_check(row) for row in _checks(pr, {pr.head_sha, *(commit.sha for commit in commits)})),
    )


def account_of(member: TeamMember | None) -> Account | None:
    if member is None:
        return None
    return Account(member.github_user_id, member.login, name=member.name, is_bot=member.counts_as_bot)


def _reviews(pr: PullRequest) -> QuerySet[PRReview]:
    rows: QuerySet[PRReview] = (
        PRReview.objects.filter(pull_request=pr, gone_at=None).select_related("reviewer").defer("body")
    )
    return rows.order_by("submitted_at", "id")


def _review(row: PRReview) -> ReviewRecord:
    return ReviewRecord(
        id=row.github_review_id, state=row.state, submitted_at=row.submitted_at, author=account_of(row.reviewer)
    )


def _comments(pr: PullRequest) -> QuerySet[PRComment]:
    rows: QuerySet[PRComment] = (
        PRComment.objects.filter(pull_request=pr, gone_at=None).select_related("author").defer("body")
    )
    return rows.order_by("commented_at", "id")


def _comment(row: PRComment) -> CommentRecord:
    return CommentRecord(
        id=row.github_comment_id,
        kind=row.comment_type,
        created_at=row.commented_at,
        author=account_of(row.author),
        path=row.path,
        review_id=row.github_review_id,
    )


def _commits(pr: PullRequest) -> QuerySet[PullRequestCommit]:
    rows: QuerySet[PullRequestCommit] = PullRequestCommit.objects.filter(
        pull_request=pr, gone_at=None, commit__gone_at=None
    )
    return rows.select_related("commit__author").order_by("position", "id")


def _commit(row: PullRequestCommit) -> CommitRecord:
    commit = row.commit
    return CommitRecord(
        sha=commit.github_sha,
        authored_at=commit.authored_at,
        committed_at=commit.committed_at,
        message=commit.message,
        author=account_of(commit.author),
        author_name=commit.author_name,
        additions=commit.additions,
        deletions=commit.deletions,
    )


def _events(pr: PullRequest) -> QuerySet[PREvent]:
    rows: QuerySet[PREvent] = PREvent.objects.filter(pull_request=pr, gone_at=None).select_related(
        "actor", "subject_member"
    )
    return rows.order_by("occurred_at", "id")


def _event(row: PREvent) -> EventRecord:
    return EventRecord(
        kind=row.kind,
        occurred_at=row.occurred_at,
        actor=account_of(row.actor),
        subject=row.subject,
        subject_account=account_of(row.subject_member),
        after_sha=row.after_sha,
        previous_state=row.previous_state,
        detail=row.detail,
    )


def _checks(pr: PullRequest, shas: set[str]) -> QuerySet[PRCheckRun]:
    """Served by check_run_head (team, repository, head_sha)."""
    rows: QuerySet[PRCheckRun] = PRCheckRun.objects.filter(
        repository=pr.repository_id, head_sha__in=sorted(shas - {""}), gone_at=None
    )
    return rows.order_by("started_at", "id")


def _check(row: PRCheckRun) -> CheckRecord:
    return CheckRecord(
        id=row.github_check_run_id,
        name=row.name,
        head_sha=row.head_sha,
        status=row.status,
        conclusion=row.conclusion,
        started_at=row.started_at,
        completed_at=row.completed_at,
        app=row.app,
        workflow=row.workflow,
        attempt=row.attempt,
        url=row.url,
    )

"""Rows back into records: to derive again what was derived, to complete what was fetched in part, and to show a life
with the very calculations that counted it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
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

LIFE = (Part.REVIEWS, Part.REVIEW_COMMENTS, Part.ISSUE_COMMENTS, Part.COMMITS, Part.EVENTS)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where parts of pull requests are stored: a queryset's order and fields, and how a row becomes a record.

    Two parts may share a table: `parts` is by the value of the column `kind`. `people` are keys of members; `texts` are
    long and left out where nobody reads them.
    """

    model: type[models.Model]
    parts: Mapping[str, Part]
    fields: tuple[str, ...]
    record: Callable[[Row, Who], Any]
    order: tuple[str, ...] = ("id",)
    people: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    kind: str = ""

    def rows(self, team_id: int, pull_requests: Collection[int], parts: Collection[Part], *, texts: bool) -> list[Row]:
        rows = self.model._default_manager.filter(team_id=team_id, pull_request_id__in=list(pull_requests))
        if any(field.name == "gone_at" for field in self.model._meta.fields):
            rows = rows.filter(gone_at=None)
        kinds = [kind for kind, part in self.parts.items() if part in parts]
        if len(kinds) < len(self.parts):
            rows = rows.filter(**{f"{self.kind}__in": kinds})
        fields = (*self.fields, *self.people, *(self.texts if texts else ()))
        return list(rows.order_by(*self.order).values("pull_request_id", *fields))

    def part_of(self, row: Row) -> Part:
        return self.parts[row[self.kind] if self.kind else ""]


Found = list[tuple[_Source, list[Row]]]


def parts_of(team_id: int, pull_requests: Collection[int], parts: Collection[Part]) -> Parts:
    """The stored rows of `parts`, as records by the pull requests' primary keys. One statement a part (both kinds of
    comments are one) and one for the people; checks are known by repository and head, see `checks_of`.
    """
    found = _found(team_id, pull_requests, parts)
    return _as_records(found, parts, _people(found))


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
    """Pull requests of a repository (with their milestones) as records, by primary key, in the order given. `checks`
    are those of the head. What counts as a bot is the source's word, as it was when they arrived: traces of coding
    agents rest on it, and the team's marks enter where it is derived. Eleven statements.
    """
    rows = list(pull_requests)
    found = _found(repository.team_id, [row.pk for row in rows], list(Part))
    checks = checks_of(repository, {row.head_sha for row in rows} - {""})
    who = _people(found, rows)
    parts = _as_records(found, [part for part in Part if part is not Part.CHECKS], who)
    return {row.pk: _pull_request(row, parts, checks.get(row.head_sha, ()), who) for row in rows}


def core_record_of(pull_request: PullRequest) -> PullRequestRecord:
    """A pull request's own facts (with its milestone); every part is None. One statement."""
    nothing: dict[str, Any] = {part.value: None for part in Part}
    facts = _pull_request(pull_request, {}, (), _people([], [pull_request]))
    return replace(facts, **nothing, totals={}, partial={}, capped={})


def life_record_of(pull_request: PullRequest) -> PullRequestRecord:
    """What a page tells of a pull request (with its repository and milestone): reviews and comments without their
    texts, commits, events, and the checks of all its commits. The other parts are None. `is_bot` of its accounts is
    what counts here: the team's mark, else the source's word. Six statements.
    """
    pr = pull_request
    found = _found(pr.team_id, [pr.pk], LIFE, texts=False)
    who = _people(found, [pr], marked=True)
    parts = _as_records(found, LIFE, who)
    shas = {pr.head_sha, *(commit.sha for commit in parts[Part.COMMITS].get(pr.pk, ()))}
    checks = checks_of(pr.repository, shas - {""})
    return _pull_request(pr, parts, tuple(chain.from_iterable(checks.values())), who)


def counts_as_bot(account: Account | None) -> bool:
    """The bot rule for the accounts of `life_record_of`."""
    return account is not None and account.is_bot


def _found(team_id: int, pull_requests: Collection[int], parts: Collection[Part], *, texts: bool = True) -> Found:
    return [
        (source, source.rows(team_id, pull_requests, parts, texts=texts))
        for source in _SOURCES
        if pull_requests and not set(parts).isdisjoint(source.parts.values())
    ]


def _people(found: Found, pull_requests: Iterable[PullRequest] = (), *, marked: bool = False) -> Who:
    """The accounts by primary key. One statement. `marked`: the team's word on who is a bot, else the source's."""
    ids = {row[name] for source, rows in found for row in rows for name in source.people}
    for row in pull_requests:
        ids |= {row.author_id, row.merged_by_id}
    accounts: dict[int | None, Account] = {
        pk: Account(
            id=member.github_user_id,
            login=member.login,
            node_id=member.node_id,
            name=member.name,
            avatar_url=member.avatar_url,
            is_bot=member.counts_as_bot if marked else member.is_bot,
        )
        for pk, member in TeamMember.objects.in_bulk([id_ for id_ in ids if id_ is not None]).items()
    }
    return accounts.get


def _as_records(found: Found, parts: Collection[Part], who: Who) -> Parts:
    of: dict[Part, defaultdict[int, list[Any]]] = {part: defaultdict(list) for part in parts}
    for source, rows in found:
        for row in rows:
            of[source.part_of(row)][row["pull_request_id"]].append(source.record(row, who))
    return {part: {pk: tuple(records) for pk, records in by_key.items()} for part, by_key in of.items()}


def _pull_request(row: PullRequest, parts: Parts, checks: tuple[CheckRecord, ...], who: Who) -> PullRequestRecord:
    milestone = row.milestone
    of_parts: dict[str, Any] = {part.value: parts[part].get(row.pk, ()) if part in parts else None for part in Part}
    of_parts[Part.CHECKS.value] = checks
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
        totals=row.totals,
        partial=row.partial,
        capped=row.capped,
        **of_parts,
    )


def _comment(row: Row, who: Who) -> CommentRecord:
    return CommentRecord(
        id=row["github_comment_id"],
        kind=row["comment_type"],
        created_at=row["commented_at"],
        author=who(row["author_id"]),
        node_id=row["node_id"],
        body=row.get("body", ""),
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
        body=row.get("body", ""),
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


_SOURCES = (
    _Source(
        PullRequestLabel,
        {"": Part.LABELS},
        ("label__name", "label__color", "label__node_id"),
        lambda row, who: LabelRecord(row["label__name"], row["label__color"], row["label__node_id"]),
    ),
    _Source(
        PullRequestAssignee, {"": Part.ASSIGNEES}, (), lambda row, who: who(row["member_id"]), people=("member_id",)
    ),
    _Source(
        LinkedIssue,
        {"": Part.LINKED_ISSUES},
        ("issue_repository", "issue_number", "title", "url"),
        lambda row, who: LinkedIssueRecord(row["issue_repository"], row["issue_number"], row["title"], row["url"]),
    ),
    _Source(
        PRReview,
        {"": Part.REVIEWS},
        ("github_review_id", "state", "submitted_at", "node_id", "commit_sha", "source_updated_at"),
        _review,
        order=("submitted_at", "github_review_id"),
        people=("reviewer_id",),
        texts=("body",),
    ),
    _Source(
        ReviewThread,
        {"": Part.THREADS},
        ("node_id", "is_resolved", "is_outdated", "path", "line"),
        _thread,
        people=("resolved_by_id",),
    ),
    _Source(
        PRComment,
        {PRComment.Type.REVIEW: Part.REVIEW_COMMENTS, PRComment.Type.ISSUE: Part.ISSUE_COMMENTS},
        (
            *("github_comment_id", "comment_type", "commented_at", "node_id", "source_updated_at", "path", "line"),
            *("in_reply_to", "github_review_id", "thread__node_id"),
        ),
        _comment,
        order=("commented_at", "github_comment_id"),
        people=("author_id",),
        texts=("body",),
        kind="comment_type",
    ),
    _Source(
        PullRequestCommit,
        {"": Part.COMMITS},
        (
            *("commit__github_sha", "commit__authored_at", "commit__committed_at", "commit__message"),
            *("commit__author_name", "commit__author_email"),
            *("commit__additions", "commit__deletions", "commit__changed_files"),
        ),
        _commit,
        order=("position", "id"),
        people=("commit__author_id", "commit__committer_id"),
    ),
    _Source(
        PRFile,
        {"": Part.FILES},
        ("filename", "status", "additions", "deletions"),
        lambda row, who: FileRecord(row["filename"], row["status"], row["additions"], row["deletions"]),
    ),
    _Source(
        PREvent,
        {"": Part.EVENTS},
        (
            *("kind", "occurred_at", "subject", "node_id"),
            *("before_sha", "after_sha", "previous_state", "detail"),
        ),
        _event,
        order=("occurred_at", "id"),
        people=("actor_id", "subject_member_id"),
    ),
)

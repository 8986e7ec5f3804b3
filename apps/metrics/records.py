"""The seam: what was learned about pull requests, in the field's words and in no source's shape.

`integrations` makes these records from what a source answered; `services.ingest` turns them into rows, `calculations`
into derived fields. Instants are aware UTC datetimes. A part that is `None` was not fetched (which is not "empty");
an account that is `None` was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """The parts of a pull request that are fetched, counted and possibly missing each on its own."""

    LABELS = "labels"
    ASSIGNEES = "assignees"
    LINKED_ISSUES = "linked_issues"
    REVIEWS = "reviews"
    THREADS = "threads"
    REVIEW_COMMENTS = "review_comments"
    ISSUE_COMMENTS = "issue_comments"
    COMMITS = "commits"
    FILES = "files"
    EVENTS = "events"
    CHECKS = "checks"


OUTDATED = "pull_request"
"""Beside the parts, a key of `partial`: the pull request could not be read again, and what is stored may be older."""


class OverallTotal(StrEnum):
    """What a source states beside the total of each part: cheap to ask again, so that a change is noticed by it."""

    COMMENTS = "comments"  # of both kinds, as the source counts them
    EVERY_REVIEW = "every_review"  # pending ones too, which are not kept


class EventKind(StrEnum):
    """What can happen to a pull request; the values of `PREvent.Kind`."""

    READY_FOR_REVIEW = "ready_for_review"
    CONVERTED_TO_DRAFT = "converted_to_draft"
    REVIEW_REQUESTED = "review_requested"
    REVIEW_REQUEST_REMOVED = "review_request_removed"
    REVIEW_DISMISSED = "review_dismissed"
    FORCE_PUSHED = "force_pushed"
    AUTO_MERGE_ENABLED = "auto_merge_enabled"
    AUTO_MERGE_DISABLED = "auto_merge_disabled"
    QUEUED = "queued"
    DEQUEUED = "dequeued"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    BASE_CHANGED = "base_changed"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at the source, a person or a bot. `id` is the source's number, None where only a name is known."""

    id: int | None
    login: str
    node_id: str = ""
    name: str = ""
    avatar_url: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class RepositoryRecord:
    id: int
    node_id: str
    full_name: str
    default_branch: str = ""
    is_private: bool = False
    is_archived: bool = False
    is_fork: bool = False


@dataclass(frozen=True, slots=True)
class LabelRecord:
    name: str
    color: str = ""
    node_id: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneRecord:
    """`state` is open or closed."""

    number: int
    title: str
    state: str = "open"
    due_at: datetime | None = None
    node_id: str = ""


@dataclass(frozen=True, slots=True)
class LinkedIssueRecord:
    """An issue that merging the pull request closes; it may live in another repository."""

    repository: str
    number: int
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """A submitted review; `state` is approved, changes_requested, commented or dismissed (a dismissal overwrites it:
    what it was before stands in the `review_dismissed` event)."""

    id: int
    state: str
    submitted_at: datetime
    author: Account | None
    node_id: str = ""
    body: str = ""
    commit_sha: str = ""
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    node_id: str
    is_resolved: bool = False
    is_outdated: bool = False
    path: str = ""
    line: int | None = None
    resolved_by: Account | None = None


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """`kind` is issue (the conversation) or review (a line of the diff, in a thread)."""

    id: int
    kind: str
    created_at: datetime
    author: Account | None
    node_id: str = ""
    body: str = ""
    updated_at: datetime | None = None
    path: str = ""
    line: int | None = None
    in_reply_to: int | None = None
    review_id: int | None = None
    thread_node_id: str = ""


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """`author` is the account that the source connects to the e-mail, if any; the names and e-mails are git's."""

    sha: str
    authored_at: datetime
    committed_at: datetime
    message: str = ""
    author: Account | None = None
    author_name: str = ""
    author_email: str = ""
    committer: Account | None = None
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None


@dataclass(frozen=True, slots=True)
class FileRecord:
    """`status` is added, removed, modified, renamed, copied or changed."""

    filename: str
    status: str
    additions: int
    deletions: int


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One turn in a pull request's life. `kind` is a value of `EventKind`.

    `subject` tells apart events of one kind in one second: the asked reviewer's id (or `team/<id>`, whose name is the
    `detail`), the dismissed review's id, the head after a force push or merge; else "". `previous_state`: of a
    dismissed review.
    """

    kind: str
    occurred_at: datetime
    actor: Account | None = None
    subject: str = ""
    subject_account: Account | None = None
    node_id: str = ""
    before_sha: str = ""
    after_sha: str = ""
    previous_state: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A check run (`id` set) or a status context (`id` None, known by its name alone).

    `status` is queued, in_progress, completed, waiting, requested or pending; `conclusion` is "" until
    completed, then success, failure, neutral, cancelled, skipped, timed_out, action_required, stale,
    startup_failure, or error (contexts only).
    A status context that is pending or expected has status "pending" and conclusion "".
    """

    id: int | None
    name: str
    head_sha: str
    status: str
    conclusion: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    app: str = ""
    workflow: str = ""
    attempt: int = 1
    url: str = ""

    @property
    def is_context(self) -> bool:
        return self.id is None


@dataclass(frozen=True, slots=True)
class DeploymentStatusRecord:
    node_id: str
    state: str
    created_at: datetime
    creator: Account | None = None
    description: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """States are the source's, in lower case; "" is unknown. `is_production` is None where the source did not say,
    `statuses_total` where the statuses are some of which nobody said how many there are.
    """

    id: int
    environment: str
    sha: str
    state: str
    created_at: datetime
    node_id: str = ""
    ref: str = ""
    task: str = ""
    description: str = ""
    creator: Account | None = None
    updated_at: datetime | None = None
    is_production: bool | None = None
    statuses: tuple[DeploymentStatusRecord, ...] | None = ()
    statuses_total: int | None = 0


@dataclass(frozen=True, slots=True)
class PullRequestRecord:
    """One pull request with everything that was learned of it.

    `state` is open, merged or closed. `totals` is what the source says exists of each part (and each `OverallTotal`);
    `partial` names the parts that are missing or short, with the reason; `capped` those of which the source itself
    yields fewer than it states; `excerpts` those of which single entries came by themselves: they add to what is known,
    and say nothing of the rest.
    """

    id: int
    number: int
    node_id: str
    title: str
    state: str
    is_draft: bool
    author: Account | None
    created_at: datetime
    updated_at: datetime
    body: str = ""
    url: str = ""
    merged_by: Account | None = None
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None
    base_ref: str = ""
    head_ref: str = ""
    head_sha: str = ""
    head_repository: str = ""
    is_cross_repository: bool = False
    merge_commit_sha: str = ""
    milestone: MilestoneRecord | None = None
    labels: tuple[LabelRecord, ...] | None = ()
    assignees: tuple[Account, ...] | None = ()
    linked_issues: tuple[LinkedIssueRecord, ...] | None = ()
    reviews: tuple[ReviewRecord, ...] | None = ()
    threads: tuple[ThreadRecord, ...] | None = ()
    review_comments: tuple[CommentRecord, ...] | None = ()
    issue_comments: tuple[CommentRecord, ...] | None = ()
    commits: tuple[CommitRecord, ...] | None = ()
    files: tuple[FileRecord, ...] | None = ()
    events: tuple[EventRecord, ...] | None = ()
    checks: tuple[CheckRecord, ...] | None = ()
    totals: Mapping[str, int] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    capped: Mapping[str, str] = field(default_factory=dict)
    excerpts: frozenset[Part] = frozenset()

    @property
    def missing(self) -> frozenset[Part]:
        """The parts that were not fetched: nothing may be concluded from their absence."""
        return frozenset(part for part in Part if getattr(self, part.value) is None)


@dataclass(frozen=True, slots=True)
class PullRequestNews:
    """What one event told of a pull request: its own facts (`core`, every other part of which is None), where the event
    has them, and entries of its parts, mostly one. `updated_at`: when it was last changed, the event's change included.
    `gone`: those entries no longer exist.
    """

    number: int
    updated_at: datetime
    core: PullRequestRecord | None = None
    reviews: tuple[ReviewRecord, ...] = ()
    threads: tuple[ThreadRecord, ...] = ()
    review_comments: tuple[CommentRecord, ...] = ()
    issue_comments: tuple[CommentRecord, ...] = ()
    gone: bool = False

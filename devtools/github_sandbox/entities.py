"""The things of the sandbox's world. Attributes carry GraphQL's names in snake case; times are ISO 8601 strings in UTC.

An attribute that is None is null in both APIs: a deleted author, a head repository that is gone, a diff given up on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devtools.github_sandbox.world import Repository


@dataclass(slots=True, eq=False)
class Account:
    """A user, bot, mannequin or organization: `typename` says which."""

    typename: str
    database_id: int
    login: str
    id: str
    name: str | None = None
    email: str = ""
    created_at: str = "2019-01-01T00:00:00Z"
    description: str | None = None
    members: list[Membership] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    is_deleted: bool = False
    """A deleted account is null, or REST's `ghost`, wherever it did something."""

    def role_of(self, account: Account) -> str | None:
        """ADMIN or MEMBER, None for an outsider (always None unless this is an organization)."""
        return next((member.role for member in self.members if member.account is account), None)


GHOST = Account("User", 10_137, "ghost", "MDQ6VXNlcjEwMTM3", name="Deleted user")
"""Whom GitHub shows where a deleted account did something that cannot have been done by nobody."""


@dataclass(slots=True, eq=False)
class Membership:
    account: Account
    role: str


@dataclass(slots=True, eq=False)
class Team:
    database_id: int
    id: str
    organization: Account
    slug: str
    name: str
    members: list[Membership]
    privacy: str = "VISIBLE"
    description: str | None = None
    parent_team: Team | None = None
    created_at: str = "2020-01-01T00:00:00Z"
    typename: str = "Team"


@dataclass(slots=True, eq=False)
class Label:
    database_id: int
    id: str
    name: str
    color: str
    repository: Repository
    description: str | None = None
    is_default: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    typename: str = "Label"


@dataclass(slots=True, eq=False)
class Milestone:
    database_id: int
    id: str
    number: int
    title: str
    state: str
    created_at: str
    updated_at: str
    repository: Repository
    description: str | None = None
    creator: Account | None = None
    due_on: str | None = None
    closed_at: str | None = None
    typename: str = "Milestone"


@dataclass(slots=True, eq=False)
class Commit:
    """A commit; `additions` is None where nobody recorded the size (GraphQL answers 0, REST leaves the figure out)."""

    oid: str
    id: str
    repository: Repository
    message: str
    authored_date: str
    committed_date: str
    author_name: str
    author_email: str
    committer_name: str
    committer_email: str
    author_user: Account | None = None
    committer_user: Account | None = None
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None
    typename: str = "Commit"


@dataclass(slots=True, eq=False)
class ChangedFile:
    path: str
    additions: int
    deletions: int
    change_type: str = "MODIFIED"
    sha: str = ""
    previous_path: str | None = None
    patch: str | None = None


@dataclass(slots=True, eq=False)
class Comment:
    """A comment in the conversation of a pull request or an issue."""

    database_id: int
    id: str
    author: Account | None
    body: str
    created_at: str
    updated_at: str
    parent: PullRequest | Issue
    author_association: str = "NONE"
    is_minimized: bool = False
    minimized_reason: str | None = None
    typename: str = "IssueComment"


@dataclass(slots=True, eq=False)
class Review:
    database_id: int
    id: str
    author: Account | None
    state: str
    body: str
    created_at: str
    submitted_at: str | None
    updated_at: str
    pull_request: PullRequest
    author_association: str = "NONE"
    commit_oid: str | None = None
    comments: list[ReviewComment] = field(default_factory=list)
    typename: str = "PullRequestReview"


@dataclass(slots=True, eq=False)
class ReviewComment:
    database_id: int
    id: str
    author: Account | None
    body: str
    created_at: str
    updated_at: str
    thread: ReviewThread
    path: str
    author_association: str = "NONE"
    line: int | None = None
    original_line: int | None = None
    start_line: int | None = None
    diff_hunk: str = ""
    commit_oid: str | None = None
    original_commit_oid: str | None = None
    review: Review | None = None
    review_database_id: int | None = None
    reply_to: ReviewComment | None = None
    typename: str = "PullRequestReviewComment"


@dataclass(slots=True, eq=False)
class ReviewThread:
    id: str
    pull_request: PullRequest
    path: str
    line: int | None = None
    start_line: int | None = None
    original_line: int | None = None
    is_resolved: bool = False
    is_outdated: bool = False
    resolved_by: Account | None = None
    diff_side: str = "RIGHT"
    subject_type: str = "LINE"
    comments: list[ReviewComment] = field(default_factory=list)
    typename: str = "PullRequestReviewThread"


@dataclass(slots=True, eq=False)
class TimelineEvent:
    """An event of a pull request. `kind` is REST's name; the rest of it is in `details`, by GraphQL's names."""

    typename: str
    kind: str
    database_id: int
    id: str
    created_at: str
    actor: Account | None
    pull_request: PullRequest
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class App:
    database_id: int
    id: str
    slug: str
    name: str
    description: str | None = None
    created_at: str = "2019-01-01T00:00:00Z"
    updated_at: str = "2019-01-01T00:00:00Z"


@dataclass(slots=True, eq=False)
class CheckSuite:
    database_id: int
    id: str
    repository: Repository
    head_sha: str
    app: App | None
    created_at: str
    updated_at: str
    workflow_name: str | None = None
    run_number: int = 1
    branch: str | None = None
    runs: list[CheckRun] = field(default_factory=list)
    typename: str = "CheckSuite"


@dataclass(slots=True, eq=False)
class CheckRun:
    """One attempt of one check."""

    database_id: int
    id: str
    name: str
    status: str
    conclusion: str | None
    started_at: str | None
    completed_at: str | None
    suite: CheckSuite
    attempt: int = 1
    details_url: str | None = None
    external_id: str | None = None
    title: str | None = None
    summary: str | None = None
    typename: str = "CheckRun"


@dataclass(slots=True, eq=False)
class StatusContext:
    database_id: int
    id: str
    repository: Repository
    sha: str
    context: str
    state: str
    created_at: str
    creator: Account | None = None
    target_url: str | None = None
    description: str | None = None
    typename: str = "StatusContext"


@dataclass(slots=True, eq=False)
class DeploymentStatus:
    database_id: int
    id: str
    deployment: Deployment
    state: str
    created_at: str
    updated_at: str
    creator: Account | None = None
    description: str | None = None
    environment: str | None = None
    environment_url: str | None = None
    log_url: str | None = None
    typename: str = "DeploymentStatus"


@dataclass(slots=True, eq=False)
class Deployment:
    database_id: int
    id: str
    repository: Repository
    commit_oid: str
    environment: str
    created_at: str
    updated_at: str
    ref_name: str | None = None
    creator: Account | None = None
    task: str = "deploy"
    description: str | None = None
    production: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)
    typename: str = "Deployment"


@dataclass(slots=True, eq=False)
class Issue:
    database_id: int
    id: str
    number: int
    repository: Repository
    title: str
    body: str
    author: Account | None
    state: str
    created_at: str
    updated_at: str
    closed_at: str | None = None
    state_reason: str | None = None
    locked: bool = False
    author_association: str = "NONE"
    milestone: Milestone | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    typename: str = "Issue"


@dataclass(slots=True, eq=False)
class PullRequest:
    database_id: int
    id: str
    number: int
    repository: Repository
    title: str
    body: str
    author: Account | None
    state: str
    created_at: str
    updated_at: str
    base_ref_name: str
    base_ref_oid: str
    head_ref_name: str
    head_ref_oid: str
    head_repository: Repository | None
    is_draft: bool = False
    locked: bool = False
    active_lock_reason: str | None = None
    closed_at: str | None = None
    merged_at: str | None = None
    merged_by: Account | None = None
    merge_commit_oid: str | None = None
    additions: int = 0
    deletions: int = 0
    changed_files: int = 0
    author_association: str = "CONTRIBUTOR"
    maintainer_can_modify: bool = False
    milestone: Milestone | None = None
    auto_merge: dict[str, Any] | None = None
    is_in_merge_queue: bool = False
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    requested_reviewers: list[Account | Team] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    files: list[ChangedFile] | None = field(default_factory=list)
    diff_unavailable: bool = False
    """GraphQL has given up on the diff: no files, and all its sizes 0. REST still has them."""
    threads: list[ReviewThread] = field(default_factory=list)
    events: list[TimelineEvent] = field(default_factory=list)
    closing_issues: list[Issue] = field(default_factory=list)
    stated: dict[str, int] = field(default_factory=dict)
    """Counters of the pull request itself that differ from what the API yields (caps, hidden comments)."""
    typename: str = "PullRequest"

    def review_comments(self) -> list[ReviewComment]:
        """The review comments of all threads, oldest first."""
        return sorted(
            (comment for thread in self.threads for comment in thread.comments),
            key=lambda comment: (comment.created_at, comment.database_id),
        )

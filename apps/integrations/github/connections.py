"""The connections that are followed: where each stands in a node, and how to ask for a further page of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.github.types import NO_DIFF, Raw
from apps.metrics.records import Part

EVENT_TYPES = (
    "READY_FOR_REVIEW_EVENT",
    "CONVERT_TO_DRAFT_EVENT",
    "REVIEW_REQUESTED_EVENT",
    "REVIEW_REQUEST_REMOVED_EVENT",
    "REVIEW_DISMISSED_EVENT",
    "HEAD_REF_FORCE_PUSHED_EVENT",
    "AUTO_MERGE_ENABLED_EVENT",
    "AUTO_SQUASH_ENABLED_EVENT",
    "AUTO_REBASE_ENABLED_EVENT",
    "AUTO_MERGE_DISABLED_EVENT",
    "ADDED_TO_MERGE_QUEUE_EVENT",
    "REMOVED_FROM_MERGE_QUEUE_EVENT",
    "CLOSED_EVENT",
    "REOPENED_EVENT",
    "MERGED_EVENT",
    "BASE_REF_CHANGED_EVENT",
)
"""The turns in a pull request's life that are asked of its timeline, for every query's `$event_types`."""


PERMISSION_MISSING = "permission missing: "


def without_permission(permission: str) -> str:
    """Why a part is missing where the connection may not read it: the same before and after it is asked no more."""
    return f"{PERMISSION_MISSING}{permission}"


def is_without_permission(reason: str) -> bool:
    return reason.startswith(PERMISSION_MISSING)


def permissions_in(reasons: Mapping[str, str]) -> dict[str, str]:
    """Of why parts are missing, those for a missing permission: {part: permission}, as GitHub refuses them."""
    found = {
        part: reason.removeprefix(PERMISSION_MISSING)
        for part, reason in reasons.items()
        if is_without_permission(reason)
    }
    if Part.THREADS in found:
        found.pop(Part.REVIEW_COMMENTS, None)  # they come with their threads
    return found


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of an object of type `on`; `fragment` is what is asked of it (queries/fragments.graphql).

    `under` is the field between the object and the connection, if any. `besides` is asked of the object itself together
    with the first page. `key` tells two nodes apart. `permission` is what GitHub wants a token to have for it.
    """

    part: str
    on: str
    field: str
    fragment: str
    under: str = ""
    arguments: str = ""
    besides: str = ""
    key: str = "id"
    identity: str = ""
    """The field with a node's database id, which its row is kept by. GitHub's schema lets it be null: no row then."""
    without_identity: str = ""
    """The type of the nodes that have no such field."""
    counter: str = "totalCount"
    permission: str = "pull_requests"
    when_null: str = "GitHub returned nothing"
    """Why it is missing where GitHub gives null and no error."""

    def selection(self, after: str = "") -> str:
        """The GraphQL that asks an object for a page: the first, or the one after the variable `after`."""
        position = f", after: ${after}" if after else ""
        call = f"{self.field}(first: 100{position}{self.arguments}) {{ ...{self.fragment} }}"
        if self.under:
            call = f"{self.under} {{ {call} }}"
        besides = "" if after else self.besides
        return f"... on {self.on} {{ {besides} {call} }}"

    def is_readable(self, entry: Raw | None) -> bool:
        """Whether one of the connection's nodes is there and can be told from the others."""
        if entry is None or entry.get(self.identity, "") is not None:
            return entry is not None
        return entry.get("__typename") == self.without_identity

    def read(self, node: Raw) -> Raw | None:
        """The connection in an answered object, None where GitHub gave null."""
        holder = node.get(self.under) if self.under else node
        page: Raw | None = holder.get(self.field) if holder else None
        return page

    def write(self, node: Raw, value: Raw | None) -> None:
        if not self.under:
            node[self.field] = value
        elif value is None:
            node[self.under] = None
        else:
            node[self.under] = {**(node.get(self.under) or {}), self.field: value}

    @property
    def may_be_null(self) -> bool:
        """A head commit without any check has no rollup at all; every other connection is there even when empty."""
        return bool(self.under)

    @property
    def root(self) -> str:
        """The field of the object under which errors of this connection are reported."""
        return self.under or self.field


def _of_pull_request(
    part: Part, field: str, fragment: str, *, permission: str = "pull_requests", identity: str = ""
) -> Connection:
    return Connection(part, "PullRequest", field, fragment, permission=permission, identity=identity)


THREADS = _of_pull_request(Part.THREADS, "reviewThreads", "ThreadConnection")
FILES = Connection(
    Part.FILES,
    "PullRequest",
    "files",
    "FileConnection",
    besides="changedFiles",
    key="path",
    permission="contents",
    when_null=NO_DIFF,
)
CHECKS = Connection(
    Part.CHECKS,
    "PullRequest",
    "contexts",
    "CheckConnection",
    under="statusCheckRollup",
    identity="databaseId",
    without_identity="StatusContext",
    permission="checks",
)
PULL_REQUEST = (
    _of_pull_request(Part.LABELS, "labels", "LabelConnection"),
    _of_pull_request(Part.ASSIGNEES, "assignees", "AssigneeConnection"),
    _of_pull_request(Part.LINKED_ISSUES, "closingIssuesReferences", "LinkedIssueConnection", permission="issues"),
    _of_pull_request(Part.REVIEWS, "reviews", "ReviewConnection", identity="fullDatabaseId"),
    THREADS,
    _of_pull_request(Part.ISSUE_COMMENTS, "comments", "IssueCommentConnection", identity="fullDatabaseId"),
    _of_pull_request(Part.COMMITS, "commits", "CommitConnection", permission="contents"),
    FILES,
    Connection(
        Part.EVENTS,
        "PullRequest",
        "timelineItems",
        "EventConnection",
        arguments=", itemTypes: $event_types",
        counter="filteredCount",
    ),
    CHECKS,
)
THREAD_COMMENTS = Connection(
    Part.REVIEW_COMMENTS,
    "PullRequestReviewThread",
    "comments",
    "ReviewCommentConnection",
    besides="...ThreadBits",
    identity="fullDatabaseId",
)
DEPLOYMENT_STATUSES = Connection(
    "statuses", "Deployment", "statuses", "DeploymentStatusConnection", permission="deployments"
)
TEAM_MEMBERS = Connection("members", "Team", "members", "TeamMemberConnection", permission="members")

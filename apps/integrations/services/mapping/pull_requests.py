"""A pull request with its parts, from a node as `github.pull_requests` hands it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.integrations.github.connections import CHECKS, PULL_REQUEST, THREADS
from apps.integrations.github.types import NO_DIFF, Raw
from apps.integrations.services.mapping import code, conversation
from apps.integrations.services.mapping.values import Accounts, instant, moment, text
from apps.metrics.records import (
    Account,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    OverallTotal,
    Part,
    PullRequestRecord,
    RepositoryRecord,
)


def repository_record(node: Raw) -> RepositoryRecord:
    """A repository, from `PullRequestPage.repository`."""
    return RepositoryRecord(
        id=int(node["databaseId"]),
        node_id=node["id"],
        full_name=node["nameWithOwner"],
        default_branch=text((node["defaultBranchRef"] or {}).get("name")),
        is_private=node["isPrivate"],
        is_archived=node["isArchived"],
        is_fork=node["isFork"],
    )


def pull_request_record(node: Raw) -> PullRequestRecord:
    """A pull request, from one of `PullRequestPage.nodes`. A part that was not fetched stays None."""
    accounts = Accounts()
    partial = node.get("partial") or {}
    repository = node["headRepository"]
    has_diff = not (partial.get(Part.FILES) == NO_DIFF and not node["changedFiles"])
    return PullRequestRecord(
        id=int(node["fullDatabaseId"]),
        number=node["number"],
        node_id=node["id"],
        title=text(node["title"]),
        state=node["state"].lower(),
        is_draft=node["isDraft"],
        author=accounts(node["author"]),
        created_at=moment(node["createdAt"]),
        updated_at=moment(node["updatedAt"]),
        body=text(node["body"]),
        url=node["url"],
        merged_by=accounts(node["mergedBy"]),
        closed_at=instant(node["closedAt"]),
        merged_at=instant(node["mergedAt"]),
        additions=node["additions"] if has_diff else None,
        deletions=node["deletions"] if has_diff else None,
        changed_files=node["changedFiles"] if has_diff else None,
        base_ref=text(node["baseRefName"]),
        head_ref=text(node["headRefName"]),
        head_sha=node["headRefOid"],
        head_repository=repository["nameWithOwner"] if repository else "",
        is_cross_repository=node["isCrossRepository"],
        merge_commit_sha=node["mergeCommit"]["oid"] if node["mergeCommit"] else "",
        milestone=_milestone(node["milestone"]),
        partial=dict(partial),
        capped=dict(node.get("capped") or {}),
        **_parts(node, accounts),
    )


def checks_record(node: Raw) -> code.HeadChecks:
    """The checks alone, from one of the nodes of `fetch_checks`."""
    page = CHECKS.read(node)
    sha = node["headRefOid"]
    return code.HeadChecks(
        pull_request_id=int(node["fullDatabaseId"]),
        head_sha=sha,
        checks=None if page is None else code.checks(page["nodes"], sha),
        total=0 if page is None else page[CHECKS.counter],
        partial=node["partial"].get(Part.CHECKS, ""),
        capped=node["capped"].get(Part.CHECKS, ""),
    )


def _parts(node: Raw, accounts: Accounts) -> dict[str, Any]:
    """Every part that was fetched, None for the others, and `totals`: what GitHub states of each.

    What is left out on purpose (pending reviews, what came twice) is left out of the total as well.
    """
    totals: dict[str, int] = {}
    parts: dict[str, Any] = {"totals": totals}
    for connection in PULL_REQUEST:
        page = connection.read(node)
        if page is None:
            parts[connection.part] = None
            continue
        nodes = page["nodes"]
        if connection is CHECKS:
            found: tuple[Any, ...] = code.checks(nodes, node["headRefOid"])
        else:
            found = _MAKERS[connection.part](nodes, accounts)
        parts[connection.part] = found
        totals[connection.part] = page[connection.counter] - (len(nodes) - len(found))
        if connection.part == Part.REVIEWS:
            totals[OverallTotal.EVERY_REVIEW] = page[connection.counter]
    if (comments := node.get("totalCommentsCount")) is not None:
        totals[OverallTotal.COMMENTS] = comments
    _review_comments(node, accounts, parts)
    return parts


def _review_comments(node: Raw, accounts: Accounts, parts: dict[str, Any]) -> None:
    threads = THREADS.read(node)
    if threads is None:
        parts[Part.REVIEW_COMMENTS] = None
        return
    pages = [thread["comments"] for thread in threads["nodes"]]
    if pages and not any(pages):
        parts[Part.REVIEW_COMMENTS] = None
        return
    found = conversation.review_comments(threads["nodes"], accounts)
    given = sum(len(page["nodes"]) for page in pages if page)
    stated = sum(page["totalCount"] for page in pages if page)
    parts[Part.REVIEW_COMMENTS] = found
    parts["totals"][Part.REVIEW_COMMENTS] = stated - (given - len(found))


def _milestone(node: Raw | None) -> MilestoneRecord | None:
    if node is None:
        return None
    return MilestoneRecord(
        number=node["number"],
        title=text(node["title"]),
        state=node["state"].lower(),
        due_at=instant(node["dueOn"]),
        node_id=node["id"],
    )


def _labels(nodes: list[Raw], accounts: Accounts) -> tuple[LabelRecord, ...]:
    found = {node["name"]: LabelRecord(text(node["name"]), node["color"] or "", node["id"]) for node in nodes}
    return tuple(found.values())


def _assignees(nodes: list[Raw], accounts: Accounts) -> tuple[Account, ...]:
    found = {who.login: who for who in map(accounts, nodes) if who is not None}
    return tuple(found.values())


def _linked_issues(nodes: list[Raw], accounts: Accounts) -> tuple[LinkedIssueRecord, ...]:
    found = {
        (repository["nameWithOwner"], node["number"]): LinkedIssueRecord(
            repository=repository["nameWithOwner"],
            number=node["number"],
            title=text(node["title"]),
            url=node["url"],
        )
        for node in nodes
        if (repository := node["repository"])
    }
    return tuple(found.values())


def _files(nodes: list[Raw], accounts: Accounts) -> tuple[FileRecord, ...]:
    return code.files(nodes)


_MAKERS: dict[str, Callable[[list[Raw], Accounts], tuple[Any, ...]]] = {
    Part.LABELS: _labels,
    Part.ASSIGNEES: _assignees,
    Part.LINKED_ISSUES: _linked_issues,
    Part.REVIEWS: conversation.reviews,
    Part.THREADS: conversation.threads,
    Part.ISSUE_COMMENTS: conversation.issue_comments,
    Part.COMMITS: code.commits,
    Part.FILES: _files,
    Part.EVENTS: conversation.events,
}

"""What was changed and what machines said of it: commits, files, checks."""

from __future__ import annotations

from dataclasses import dataclass

from apps.integrations.github.types import Raw
from apps.integrations.services.mapping.values import Accounts, instant, number, path, text
from apps.metrics.records import CheckRecord, CommitRecord, FileRecord

FILE_STATUS = {"DELETED": "removed"}
"""Where REST's spelling, which is ours, is not GraphQL's in lower case."""

UNDECIDED = frozenset({"PENDING", "EXPECTED"})


@dataclass(frozen=True, slots=True)
class HeadChecks:
    """The checks of a head commit; None where they could not be fetched. `total` is what GitHub states."""

    pull_request_id: int
    head_sha: str
    checks: tuple[CheckRecord, ...] | None
    total: int
    partial: str = ""
    capped: str = ""


def commits(nodes: list[Raw], accounts: Accounts) -> tuple[CommitRecord, ...]:
    """The commits, once each. Git takes any date; one that no calendar has becomes the commit's other date."""
    found: dict[str, CommitRecord] = {}
    for node in nodes:
        commit = node["commit"]
        if commit is None:
            continue
        authored, committed = instant(commit["authoredDate"]), instant(commit["committedDate"])
        first, second = authored or committed, committed or authored
        if first is None or second is None:
            continue
        author, committer = commit["author"] or {}, commit["committer"] or {}
        found[commit["oid"]] = CommitRecord(
            sha=commit["oid"],
            authored_at=first,
            committed_at=second,
            message=text(commit["message"]),
            author=accounts(author.get("user")),
            author_name=text(author.get("name")),
            author_email=text(author.get("email")),
            committer=accounts(committer.get("user")),
            additions=commit["additions"],
            deletions=commit["deletions"],
            changed_files=commit["changedFilesIfAvailable"],
        )
    return tuple(found.values())


def files(nodes: list[Raw]) -> tuple[FileRecord, ...]:
    """The changed files, once each."""
    found = {
        (name := path(node["path"])): FileRecord(
            filename=name,
            status=FILE_STATUS.get(node["changeType"]) or node["changeType"].lower(),
            additions=node["additions"],
            deletions=node["deletions"],
        )
        for node in nodes
    }
    return tuple(found.values())


def checks(nodes: list[Raw], head_sha: str) -> tuple[CheckRecord, ...]:
    """Check runs (by id) and status contexts (by name) of the head commit, once each."""
    found: dict[object, CheckRecord] = {}
    for node in nodes:
        if node["__typename"] == "CheckRun":
            found[node["databaseId"]] = _check_run(node, head_sha)
        else:
            found[node["context"]] = _context(node, head_sha)
    return tuple(found.values())


def _check_run(node: Raw, head_sha: str) -> CheckRecord:
    suite = node["checkSuite"] or {}
    app = suite.get("app")
    run = suite.get("workflowRun")
    workflow = run["workflow"] if run else None
    return CheckRecord(
        id=number(node["databaseId"]),
        name=text(node["name"]),
        head_sha=head_sha,
        status=node["status"].lower(),
        conclusion=(node["conclusion"] or "").lower(),
        started_at=instant(node["startedAt"]),
        completed_at=instant(node["completedAt"]),
        app=text(app["slug"]) if app else "",
        workflow=text(workflow["name"]) if workflow else "",
        url=node["detailsUrl"] or "",
    )


def _context(node: Raw, head_sha: str) -> CheckRecord:
    """A status context says when its state came, never when the work began."""
    state = node["state"]
    reported_at = instant(node["createdAt"])
    is_decided = state not in UNDECIDED
    return CheckRecord(
        id=None,
        name=text(node["context"]),
        head_sha=head_sha,
        status="completed" if is_decided else "pending",
        conclusion=state.lower() if is_decided else "",
        started_at=None if is_decided else reported_at,
        completed_at=reported_at if is_decided else None,
        url=node["targetUrl"] or "",
    )

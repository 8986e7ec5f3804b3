"""Recorded pull requests (REST objects) as records, for tests only. The data is not part of the project."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.metrics.records import (
    Account,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    PullRequestRecord,
    ReviewRecord,
)

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
GUI = DATA / "github" / "bitcoin-core" / "gui"
EXPECTED = DATA / "expected" / "bitcoin-core-gui.metrics.jsonl"

EVENT_KINDS = {
    "ready_for_review": EventKind.READY_FOR_REVIEW,
    "convert_to_draft": EventKind.CONVERTED_TO_DRAFT,
    "review_requested": EventKind.REVIEW_REQUESTED,
    "review_request_removed": EventKind.REVIEW_REQUEST_REMOVED,
    "review_dismissed": EventKind.REVIEW_DISMISSED,
    "head_ref_force_pushed": EventKind.FORCE_PUSHED,
    "closed": EventKind.CLOSED,
    "reopened": EventKind.REOPENED,
    "merged": EventKind.MERGED,
}


def pull_requests(folder: Path = GUI) -> Iterator[PullRequestRecord]:
    """Every recorded pull request of a repository, by number."""
    children = {
        kind: _by_number(folder / f"{kind}.jsonl.gz")
        for kind in ("reviews", "review_comments", "issue_comments", "commits", "files.from_git", "issue_events")
    }
    for pull in sorted(_lines(folder / "pulls.jsonl.gz"), key=lambda pull: pull["number"]):
        yield _pull_request(pull, {kind: of.get(pull["number"], []) for kind, of in children.items()})


def expected() -> dict[int, dict[str, Any]]:
    """What the numbers of each recorded pull request are, by its number."""
    return {row.pop("number"): row for row in map(json.loads, EXPECTED.read_text().splitlines())}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _by_number(path: Path) -> dict[int, list[dict[str, Any]]]:
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in _lines(path):
        found[line["pr"]].append(line["data"])
    return found


def _pull_request(pull: dict[str, Any], of: dict[str, list[dict[str, Any]]]) -> PullRequestRecord:
    merged_at = _time(pull.get("merged_at"))
    return PullRequestRecord(
        id=pull["id"],
        number=pull["number"],
        node_id=pull["node_id"],
        title=pull["title"],
        state="merged" if merged_at else pull["state"],
        is_draft=pull.get("draft", False),
        author=_account(pull.get("user")),
        created_at=_at(pull["created_at"]),
        updated_at=_at(pull["updated_at"]),
        body=pull.get("body") or "",
        url=pull["html_url"],
        closed_at=_time(pull.get("closed_at")),
        merged_at=merged_at,
        additions=pull["additions"],
        deletions=pull["deletions"],
        changed_files=pull["changed_files"],
        base_ref=pull["base"]["ref"],
        head_ref=pull["head"]["ref"],
        head_sha=pull["head"]["sha"],
        labels=tuple(LabelRecord(label["name"], label["color"]) for label in pull.get("labels", [])),
        reviews=tuple(_review(review) for review in of["reviews"]),
        review_comments=tuple(_comment(comment, "review") for comment in of["review_comments"]),
        issue_comments=tuple(_comment(comment, "issue") for comment in of["issue_comments"]),
        commits=tuple(_commit(commit) for commit in of["commits"]),
        files=tuple(
            FileRecord(file["filename"], file["status"], file["additions"], file["deletions"])
            for file in of["files.from_git"]
        ),
        events=tuple(_event(event) for event in of["issue_events"] if event["event"] in EVENT_KINDS),
    )


def _review(review: dict[str, Any]) -> ReviewRecord:
    return ReviewRecord(
        id=review["id"],
        state=review["state"].lower(),
        submitted_at=_at(review["submitted_at"]),
        author=_account(review.get("user")),
        body=review.get("body") or "",
    )


def _comment(comment: dict[str, Any], kind: str) -> CommentRecord:
    return CommentRecord(
        id=comment["id"],
        kind=kind,
        created_at=_at(comment["created_at"]),
        author=_account(comment.get("user")),
        body=comment.get("body") or "",
    )


def _commit(commit: dict[str, Any]) -> CommitRecord:
    git = commit["commit"]
    return CommitRecord(
        sha=commit["sha"],
        authored_at=_at(git["author"]["date"]),
        committed_at=_at(git["committer"]["date"]),
        message=git["message"],
        author=_account(commit.get("author")),
        author_name=git["author"].get("name", ""),
        author_email=git["author"].get("email", ""),
    )


def _event(event: dict[str, Any]) -> EventRecord:
    dismissed = event.get("dismissed_review", {})
    return EventRecord(
        kind=EVENT_KINDS[event["event"]],
        occurred_at=_at(event["created_at"]),
        actor=_account(event.get("actor")),
        subject=str(dismissed.get("review_id", "")),
        previous_state=dismissed.get("state", "").lower(),
    )


def _account(user: dict[str, Any] | None) -> Account | None:
    return Account(user["id"], user["login"], is_bot=user["type"] == "Bot") if user else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)

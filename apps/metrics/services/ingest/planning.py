"""Labels, milestones, assignees and linked issues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from apps.common.copy_upsert import copy_upsert
from apps.metrics.models import Label, LinkedIssue, Milestone, PullRequestAssignee, PullRequestLabel, Repository
from apps.metrics.records import LabelRecord, MilestoneRecord, Part, PullRequestRecord
from apps.metrics.services.ingest.writing import Page, Row, mark_gone, write_children


def label_ids(repository: Repository, records: Iterable[PullRequestRecord]) -> dict[str, int]:
    """The repository's labels that the records have, by name. One statement where they are known and unchanged."""
    labels: dict[str, LabelRecord] = {label.name: label for record in records for label in record.labels or ()}
    rows = {
        name: {"name": name, "color": label.color[:6], "node_id": label.node_id, "gone_at": None}
        for name, label in labels.items()
    }
    return _ensure(Label, repository, "name", rows, keep=("color", "node_id"), update=())


def milestone_ids(repository: Repository, records: Iterable[PullRequestRecord]) -> dict[int, int]:
    """The repository's milestones that the records have, by number."""
    milestones: dict[int, MilestoneRecord] = {r.milestone.number: r.milestone for r in records if r.milestone}
    rows = {
        number: {
            "number": number,
            "title": milestone.title,
            "state": milestone.state,
            "due_at": milestone.due_at,
            "node_id": milestone.node_id,
            "gone_at": None,
        }
        for number, milestone in milestones.items()
    }
    return _ensure(Milestone, repository, "number", rows, keep=("node_id",), update=("title", "state", "due_at"))


def write_labels(page: Page, labels: dict[str, int]) -> None:
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for label in record.labels or ():
            rows[pull_request, label.name] = {"pull_request_id": pull_request, "label_id": labels[label.name]}
    key = ("pull_request", "label")
    write_children(page, "labels", PullRequestLabel, rows, conflict=key, update=())
    mark_gone(page, "labels", PullRequestLabel, page.complete(Part.LABELS), rows.values(), ("label_id",))


def write_assignees(page: Page) -> None:
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for account in record.assignees or ():
            if (member := page.members.id_of(account)) is not None:
                rows[pull_request, member] = {"pull_request_id": pull_request, "member_id": member}
    key = ("pull_request", "member")
    write_children(page, "assignees", PullRequestAssignee, rows, conflict=key, update=())
    mark_gone(page, "assignees", PullRequestAssignee, page.complete(Part.ASSIGNEES), rows.values(), ("member_id",))


def write_linked_issues(page: Page) -> None:
    rows: dict[Any, Row] = {}
    for record in page.records:
        pull_request = page.ids[record.number]
        for issue in record.linked_issues or ():
            rows[pull_request, issue.repository, issue.number] = {
                "pull_request_id": pull_request,
                "issue_repository": issue.repository,
                "issue_number": issue.number,
                "title": issue.title,
                "url": issue.url[:500],
            }
    key = ("issue_repository", "issue_number")
    write_children(
        page,
        "linked_issues",
        LinkedIssue,
        rows,
        conflict=("pull_request", *key),
        update=("gone_at",),
        keep=("title", "url"),
    )
    mark_gone(page, "linked_issues", LinkedIssue, page.complete(Part.LINKED_ISSUES), rows.values(), key)


def _ensure(
    model: type[models.Model],
    repository: Repository,
    key: str,
    wanted: dict[Any, Row],
    *,
    update: tuple[str, ...],
    keep: tuple[str, ...],
) -> dict[Any, int]:
    """Write what is new or differs, answer the primary keys. A page mostly brings what is stored already."""
    if not wanted:
        return {}
    of_repository = model._default_manager.filter(
        team_id=repository.team_id, repository_id=repository.pk, **{f"{key}__in": list(wanted)}
    )

    def stored() -> dict[Any, Row]:
        return {row[key]: row for row in of_repository.values("id", key, "gone_at", *update, *keep)}

    found = stored()
    rows = [row for value, row in wanted.items() if _differs(row, found.get(value), update, keep)]
    if rows:
        copy_upsert(
            model,
            [{**row, "repository_id": repository.pk} for row in rows],
            conflict=["team", "repository", key],
            update=(*update, "gone_at"),
            keep=keep,
        )
        found = stored()
    return {value: row["id"] for value, row in found.items()}


def _differs(row: Row, stored: Row | None, update: tuple[str, ...], keep: tuple[str, ...]) -> bool:
    if stored is None or stored["gone_at"] is not None:
        return True
    return any(row[name] != stored[name] for name in update) or any(
        row[name] and row[name] != stored[name] for name in keep
    )

"""What is stored of pull requests against what GitHub states: which of them differ. Pure, but for reading the rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Mod

from apps.integrations.github.types import Raw, Touched
from apps.integrations.services.github_sync.coverage import may_come
from apps.integrations.services.mapping.values import instant, text
from apps.metrics.models import PullRequest, Repository
from apps.metrics.records import OverallTotal, Part

Row = dict[str, Any]

BIG = 2_000
"""Pull requests from which on not every one is compared every night."""

FRESH = timedelta(days=90)
NIGHTS = 7
"""In a big repository, what is neither open nor fresh has its turn once in so many nights."""

A_LOOKUP = 100
"""Pull requests that are compared in one step: as many as GitHub takes ids."""

_COLUMNS = (
    *("id", "number", "node_id", "pr_updated_at", "state", "is_draft", "title", "head_sha", "base_ref", "head_ref"),
    *("pr_created_at", "closed_at", "merged_at", "additions", "deletions", "changed_files"),
    *("totals", "partial", "is_partial"),
)
_STATED = {
    OverallTotal.COMMENTS.value: ("totalCommentsCount",),
    OverallTotal.EVERY_REVIEW.value: ("reviews", "totalCount"),
    Part.LABELS.value: ("labels", "totalCount"),
}
"""What was stated when it was fetched, and where it stands now. Not the rows: GitHub itself may yield fewer."""


def rows_to_compare(repository: Repository, *, after: int, now: datetime, big: int = BIG) -> list[Row]:
    """The next pull requests whose turn it is tonight, by number. Two statements, served by pull_request_key."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    due = here.filter(number__gt=after).exclude(node_id="")
    if here.count() > big:
        tonight = now.toordinal() % NIGHTS
        due = due.annotate(night=Mod(F("number"), NIGHTS)).filter(
            Q(state=PullRequest.State.OPEN) | Q(pr_updated_at__gte=now - FRESH) | Q(night=tonight)
        )
    return list(due.order_by("number").values(*_COLUMNS)[:A_LOOKUP])


def rows_by_number(repository: Repository, numbers: Collection[int]) -> dict[int, Row]:
    """Those of these pull requests that are here. One statement."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    return {row["number"]: row for row in here.filter(number__in=list(numbers)).values(*_COLUMNS)}


def differs(row: Row, stated: Raw) -> bool:
    """Whether GitHub states something else than what was stored, or what is missing may come this time."""
    if any(may_come(part, reason) for part, reason in row["partial"].items()):
        return True
    if any(row[name] is not None and row[name] != stated[field] for name, field in _SIZES.items()):
        return True
    return _facts(row) != _facts_stated(stated) or any(
        name in row["totals"] and row["totals"][name] != _at(stated, path) for name, path in _STATED.items()
    )


def differs_listed(row: Row | None, listed: Touched) -> bool:
    """The same with what a list of ids tells; None: it is not stored at all."""
    if row is None:
        return True
    said = (listed.updated_at, listed.state.lower(), listed.head_sha, listed.id)
    return said != (row["pr_updated_at"], row["state"], row["head_sha"], row["node_id"])


def is_ahead(row: Row, stated: Raw, *, now: datetime, settled: timedelta) -> bool:
    """Whether what is stored claims to be newer than GitHub's, and not because one of its replicas lags."""
    stored: datetime = row["pr_updated_at"]
    updated = instant(stated["updatedAt"])
    return updated is not None and stored > updated and (stored > now or stored < now - settled)


_SIZES = {"additions": "additions", "deletions": "deletions", "changed_files": "changedFiles"}


def _facts(row: Row) -> tuple[Any, ...]:
    names = ("number", "title", "state", "is_draft", "head_sha", "base_ref", "head_ref")
    times = ("pr_created_at", "pr_updated_at", "closed_at", "merged_at")
    return tuple(row[name] for name in (*names, *times))


def _facts_stated(stated: Raw) -> tuple[Any, ...]:
    return (
        stated["number"],
        text(stated["title"]),
        stated["state"].lower(),
        stated["isDraft"],
        stated["headRefOid"],
        text(stated["baseRefName"])[:255],
        text(stated["headRefName"])[:255],
        *(instant(stated[name]) for name in ("createdAt", "updatedAt", "closedAt", "mergedAt")),
    )


def _at(stated: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = stated
    for name in path:
        found = found[name] if found is not None else None
    return found

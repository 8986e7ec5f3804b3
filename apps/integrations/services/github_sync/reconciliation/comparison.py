"""What is stored of pull requests against what GitHub states: which of them differ. Pure, but for reading the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Mod

from apps.integrations.github.types import Raw, Touched
from apps.integrations.services.github_sync.coverage import may_come
from apps.integrations.services.mapping.values import instant, text
from apps.metrics.calculations.checks import FAILING, latest_of
from apps.metrics.models import PRReview, PullRequest, Repository, ReviewThread
from apps.metrics.queries.stored_records import checks_of
from apps.metrics.records import CheckRecord, OverallTotal, Part

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


def rows_to_compare(
    repository: Repository, *, after: int, now: datetime, big: int = BIG, every: bool = False
) -> list[Row]:
    """The next pull requests whose turn it is tonight, or of `every` one, by number. Two statements, served by
    pull_request_key."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    due = here.filter(number__gt=after).exclude(node_id="")
    if not every and here.count() > big:
        tonight = now.toordinal() % NIGHTS
        due = due.annotate(night=Mod(F("number"), NIGHTS)).filter(
            Q(state=PullRequest.State.OPEN) | Q(pr_updated_at__gte=now - FRESH) | Q(night=tonight)
        )
    return list(due.order_by("number").values(*_COLUMNS)[:A_LOOKUP])


def with_parts(repository: Repository, rows: Sequence[Row]) -> list[Row]:
    """The rows with what GitHub changes without a word: `reviews` (states by id), `threads` (whether resolved, by node
    id) and `checks` (of the head). Three statements, served by the indexes on the parts' pull request and
    check_run_head.
    """
    ids = [row["id"] for row in rows]
    reviews: defaultdict[int, dict[int, str]] = defaultdict(dict)
    threads: defaultdict[int, dict[str, bool]] = defaultdict(dict)
    of_rows = {"team_id": repository.team_id, "pull_request_id__in": ids, "gone_at": None}
    for pk, review, state in PRReview.objects.filter(**of_rows).values_list(
        "pull_request_id", "github_review_id", "state"
    ):
        reviews[pk][review] = state
    for pk, thread, is_resolved in ReviewThread.objects.filter(**of_rows).values_list(
        "pull_request_id", "node_id", "is_resolved"
    ):
        threads[pk][thread] = is_resolved
    checks = checks_of(repository, {row["head_sha"] for row in rows} - {""})
    return [
        {**row, "reviews": reviews[row["id"]], "threads": threads[row["id"]], "checks": checks.get(row["head_sha"], ())}
        for row in rows
    ]


def rows_by_number(repository: Repository, numbers: Collection[int]) -> dict[int, Row]:
    """Those of these pull requests that are here. One statement."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    return {row["number"]: row for row in here.filter(number__in=list(numbers)).values(*_COLUMNS)}


def differs(row: Row, stated: Raw, *, not_readable: Collection[str] = ()) -> bool:
    """Whether GitHub states something else than what was stored, or what is missing may come this time, now that only
    `not_readable` parts may not be read. The row is one `with_parts`.
    """
    if any(may_come(part, reason, not_readable) for part, reason in row["partial"].items()):
        return True
    if any(row[name] is not None and row[name] != stated[field] for name, field in _SIZES.items()):
        return True
    if _facts(row) != _facts_stated(stated) or _parts_differ(row, stated):
        return True
    return any(name in row["totals"] and row["totals"][name] != _at(stated, path) for name, path in _STATED.items())


def _parts_differ(row: Row, stated: Raw) -> bool:
    """Whether a review, a thread or the checks are in another state. Parts that are not whole here have no say, and of
    each the first hundred are compared.
    """
    reviews = _of(stated, "reviews", "fullDatabaseId")
    if Part.REVIEWS not in row["partial"] and any(
        row["reviews"].get(int(id_), "") not in {"", review["state"].lower()} for id_, review in reviews.items()
    ):
        return True
    threads = _of(stated, "reviewThreads", "id")
    if Part.THREADS not in row["partial"] and any(
        row["threads"].get(id_, thread["isResolved"]) != thread["isResolved"] for id_, thread in threads.items()
    ):
        return True
    rollup = (stated.get("statusCheckRollup") or {}).get("state")
    return Part.CHECKS not in row["partial"] and not _may_be(rollup, latest_of(row["checks"], row["head_sha"]))


def _of(stated: Raw, connection: str, key: str) -> dict[str, Raw]:
    nodes = (stated.get(connection) or {}).get("nodes") or ()
    return {node[key]: node for node in nodes if node is not None and node[key] is not None}


_NOT_WELL = FAILING | {"cancelled", "stale"}
"""What GitHub may count as a failure of the whole; its documentation does not say it of all."""


def _may_be(rollup: str | None, checks: Collection[CheckRecord]) -> bool:
    """Whether GitHub may say so of a head with these checks. Where it says nothing, or waits for a check that is not
    there yet, everything may be.
    """
    ended = {check.conclusion for check in checks if check.status == "completed"}
    is_under_way = any(check.status != "completed" for check in checks)
    if rollup in {"FAILURE", "ERROR"}:
        return bool(ended & _NOT_WELL)
    if rollup == "PENDING":
        return is_under_way
    if rollup == "SUCCESS":
        return not is_under_way and not ended & FAILING
    return True


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

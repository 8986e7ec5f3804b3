"""The pull requests themselves: what is stored of them, what a thin record leaves open, and their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from apps.common.copy_upsert import Upserted, copy_upsert
from apps.metrics.calculations import DERIVED_FROM, derive
from apps.metrics.calculations.derived import Derived
from apps.metrics.models import PullRequest, Repository
from apps.metrics.queries.stored_records import checks_of, parts_of
from apps.metrics.records import OUTDATED, OverallTotal, Part, PullRequestRecord
from apps.metrics.services.ingest.writing import Page, Row, is_complete
from apps.metrics.services.members import Members, marked_bots

SETTLED = timedelta(seconds=30)
"""GitHub tells seconds, and its replicas lag a little: what was asked for this soon after its last change may lack
another change of the same second.
"""

NOT_FETCHED = "not fetched yet"
OVERALL = frozenset(OverallTotal)

# The stored columns that `derive` gives; what is reverted is found by ingest.reverts.
DERIVED = tuple(field.name for field in fields(Derived) if not field.name.startswith("reverts_"))
_derived_values = attrgetter(*DERIVED)

_CORE = (
    *("github_repo", "github_pr_id", "node_id", "title", "body", "url", "state", "is_draft", "author", "merged_by"),
    *("pr_created_at", "pr_updated_at", "merged_at", "closed_at", "additions", "deletions", "changed_files"),
    *("base_ref", "head_ref", "head_sha", "head_repository", "is_cross_repository", "merge_commit_sha", "milestone"),
    *("totals", "partial", "capped", "is_partial", "gone_at"),
)
_STORED = (
    *("id", "number", "pr_updated_at", "merged_by_id", "additions", "deletions", "changed_files"),
    *("merge_commit_sha", "totals", "partial", "capped", "whole_at"),
)
_KEYS = {
    Part.LABELS: attrgetter("name"),
    Part.REVIEWS: attrgetter("id"),
    Part.REVIEW_COMMENTS: attrgetter("id"),
    Part.ISSUE_COMMENTS: attrgetter("id"),
    Part.COMMITS: attrgetter("sha"),
    Part.EVENTS: attrgetter("kind", "occurred_at", "subject"),
    Part.CHECKS: attrgetter("id", "name", "head_sha"),
}


def lock_stored(repository: Repository, numbers: Sequence[int]) -> dict[int, Row]:
    """What is known of these pull requests, by number; locked, in one order, so that two writers of one pull request
    do not mix their rows. Served by pull_request_key.
    """
    pull_requests = PullRequest.objects.filter(
        team_id=repository.team_id, repository_id=repository.pk, number__in=list(numbers)
    )
    locked = pull_requests.order_by("number").select_for_update(no_key=True)
    return {row["number"]: row for row in locked.values(*_STORED)}


def settled(record: PullRequestRecord, stored: Row | None) -> PullRequestRecord:
    """`record` with what it leaves open and an earlier one told; a part that nobody fetched yet is called so, and one
    of which fewer came than the source states is partial even where nobody said why.
    """
    if short := _short(record):
        record = replace(record, partial={**record.partial, **short})
    open_parts = untold(record)
    if stored is None:
        if not open_parts:
            return record
        return replace(record, partial={**record.partial, **dict.fromkeys(open_parts, NOT_FETCHED)})
    known: dict[str, Any] = {
        name: stored[name]
        for name in ("additions", "deletions", "changed_files")
        if getattr(record, name) is None and stored[name] is not None
    }
    if not record.merge_commit_sha and stored["merge_commit_sha"]:
        known["merge_commit_sha"] = stored["merge_commit_sha"]
    for name in ("totals", "partial", "capped") if open_parts else ():
        kept = {part: stored[name][part] for part in (*open_parts, *OverallTotal, OUTDATED) if part in stored[name]}
        known[name] = {**kept, **getattr(record, name)}
    return replace(record, **known) if known else record


def untold(record: PullRequestRecord) -> frozenset[Part]:
    """The parts that nobody tried to fetch: it is an event that tells of the pull request, or one of its parts."""
    return frozenset(part for part in record.missing | record.excerpts if part not in record.partial)


def _short(record: PullRequestRecord) -> dict[str, str]:
    """The parts that lack entries without a word about it."""
    short = {}
    for part, stated in record.totals.items():
        if stated and part not in record.partial and part not in record.capped and part not in OVERALL:
            came = getattr(record, part)
            if came is not None and len(came) < stated:
                short[str(part)] = f"{len(came):,} of {stated:,} came"
    return short


def completed(
    repository: Repository, records: Sequence[PullRequestRecord], stored: Mapping[int, Row]
) -> list[PullRequestRecord]:
    """The records with all that is stored of those parts to derive from that are missing or short. No statement where
    all are complete, else one a part.
    """
    short = {
        record.number: [part for part in Part if part in DERIVED_FROM and not is_complete(record, part)]
        for record in records
        if record.number in stored
    }
    short = {number: parts for number, parts in short.items() if parts}
    if not short:
        return list(records)
    wanted = {part for parts in short.values() for part in parts}
    found = parts_of(repository.team_id, [stored[number]["id"] for number in short], wanted)
    heads = {r.head_sha for r in records if Part.CHECKS in short.get(r.number, ())} - {""}
    checks = checks_of(repository, heads)

    def whole(record: PullRequestRecord) -> PullRequestRecord:
        parts: dict[str, Any] = {}
        for part in short.get(record.number, ()):
            pull_request = stored[record.number]["id"]
            old = checks.get(record.head_sha, ()) if part is Part.CHECKS else found[part].get(pull_request, ())
            key = _KEYS[part]
            new = getattr(record, part.value) or ()
            parts[part.value] = tuple({key(each): each for each in (*old, *new)}.values())
        return replace(record, **parts) if parts else record

    return [whole(record) for record in records]


def write_pull_requests(page: Page, whole: Sequence[PullRequestRecord], milestones: dict[int, int]) -> Upserted:
    """Write the rows with their derived fields (from `whole`, the records with all that is stored), fill `page.ids`."""
    is_bot = _bot_rule(page, whole)
    rows = [
        {**_core(page, record, milestones), **derived_row(derive(complete, is_bot=is_bot))}
        for record, complete in zip(page.records, whole, strict=True)
    ]
    written = copy_upsert(
        PullRequest,
        rows,
        conflict=["team", "repository", "number"],
        update=[name for name in _CORE if name != "merged_by"] + list(DERIVED),
        keep=["merged_by"],
        touch=["synced_at"] if page.told else ["synced_at", "whole_at"],
        when="t.pr_updated_at <= EXCLUDED.pr_updated_at",
        returning=["number", "id"],
    )
    page.count("pull_requests", rows, written)
    page.ids.update(written.written)
    page.changed.update(id_ for _, id_ in written.written)
    if lost := [record.number for record in page.records if record.number not in page.ids]:
        # Another writer inserted the very same in between, which RETURNING does not tell.
        page.ids.update((number, row["id"]) for number, row in lock_stored(page.repository, lost).items())
    return written


def note_whole(page: Page, stored: Mapping[int, Row], written: Upserted) -> None:
    """Of those that were fetched whole and are as they were: since when they are known to be, where that was not
    certain. At most one statement.
    """
    noted = frozenset() if page.told else frozenset(number for number, _ in written.written)
    fetched = (record for record in page.records if record.number not in page.told | noted)
    confirmed = [stored[record.number]["id"] for record in fetched if _is_unsettled(record, stored.get(record.number))]
    if confirmed:
        rows = PullRequest.objects.filter(team_id=page.repository.team_id, pk__in=confirmed)
        rows.update(synced_at=page.synced_at, whole_at=page.asked_at)


def _is_unsettled(record: PullRequestRecord, stored: Row | None) -> bool:
    return stored is not None and (stored["whole_at"] is None or stored["whole_at"] - record.updated_at < SETTLED)


def _core(page: Page, record: PullRequestRecord, milestones: dict[int, int]) -> Row:
    return {
        "repository_id": page.repository.pk,
        "github_repo": page.repository.full_name,
        "number": record.number,
        "github_pr_id": record.id,
        "node_id": record.node_id,
        "title": record.title,
        "body": record.body,
        "url": record.url[:500],
        "state": record.state,
        "is_draft": record.is_draft,
        "author_id": page.members.id_of(record.author),
        "merged_by_id": page.members.id_of(record.merged_by),
        "pr_created_at": record.created_at,
        "pr_updated_at": record.updated_at,
        "merged_at": record.merged_at,
        "closed_at": record.closed_at,
        "additions": record.additions,
        "deletions": record.deletions,
        "changed_files": record.changed_files,
        "base_ref": record.base_ref[:255],
        "head_ref": record.head_ref[:255],
        "head_sha": record.head_sha,
        "head_repository": record.head_repository[:255],
        "is_cross_repository": record.is_cross_repository,
        "merge_commit_sha": record.merge_commit_sha,
        "milestone_id": milestones.get(record.milestone.number) if record.milestone else None,
        "totals": _plain(record.totals),
        "partial": _plain(record.partial),
        "capped": _plain(record.capped),
        "is_partial": bool(record.partial),
        "synced_at": page.synced_at,
        "whole_at": None if record.number in page.told else page.asked_at,
    }


def _bot_rule(page: Page, whole: Sequence[PullRequestRecord]) -> Members:
    """Parts that were stored before bring people whom the page does not name: of them the team's marks, in one
    statement.
    """
    if all(complete is record for complete, record in zip(whole, page.records, strict=True)):
        return page.members
    return replace(page.members, bots={**marked_bots().bots, **page.members.bots})


def derived_row(derived: Derived) -> Row:
    """The derived columns of a pull request."""
    row = dict(zip(DERIVED, _derived_values(derived), strict=True))
    row["size"] = derived.size or ""
    return row


def _plain(by_part: Any) -> dict[str, Any]:
    """Keys as JSON has them: not the enum's members."""
    return {str(part): value for part, value in by_part.items()}


def is_stale(record: PullRequestRecord, stored: Row | None) -> bool:
    updated: datetime | None = stored["pr_updated_at"] if stored else None
    return updated is not None and record.updated_at < updated

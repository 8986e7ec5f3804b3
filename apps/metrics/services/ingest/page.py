"""A page of pull requests, from records to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from apps.common.copy_upsert import Upserted, pipelined
from apps.metrics.models import Repository
from apps.metrics.records import PullRequestRecord
from apps.metrics.services.ingest import code, conversation, planning, pull_requests
from apps.metrics.services.ingest.reverts import resolve_reverts
from apps.metrics.services.ingest.weeks import instants_of, weeks_of
from apps.metrics.services.ingest.writing import Page, Row, find_by_index
from apps.metrics.services.members import accounts_of, resolve_members


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a page. `rows`: how many rows of each kind the records hold, `changes`: how many were written or
    marked as gone (kinds: pull_requests, labels, assignees, linked_issues, reviews, threads, comments, commits,
    pull_request_commits, files, events, check_runs). `stale`: records older than what is stored, which were left out.
    `touched_weeks`: Mondays, in the team's time zone, whose aggregates may have changed.
    """

    inserted: int
    updated: int
    unchanged: int
    stale: int
    rows: Mapping[str, int]
    changes: Mapping[str, int]
    touched_weeks: frozenset[date]

    @property
    def changed(self) -> int:
        """Rows of all kinds that were written or marked as gone; 0 for a page that told nothing new."""
        return sum(self.changes.values())


def ingest_pull_requests(
    repository: Repository,
    records: Sequence[PullRequestRecord],
    *,
    synced_at: datetime,
    asked_at: datetime | None = None,
) -> Ingested:
    """Store a page of pull requests of one repository, with everything that the records hold. `asked_at`: when the
    source was asked for them, where that is a while before `synced_at`.

    In the caller's `team_scope`: one transaction with the caller's checkpoint. What a part that was fetched whole no
    longer contains is marked as gone, and comes back when it reappears; a part that is None, partial or capped takes
    nothing away. Rows that are as they were are not written.
    """
    find_by_index()
    latest = {r.number: r for r in sorted(records, key=lambda r: r.updated_at)}
    stored = pull_requests.lock_stored(repository, sorted(latest))
    new = [r for number, r in latest.items() if not pull_requests.is_stale(r, stored.get(number))]
    fresh = [pull_requests.settled(record, stored.get(record.number)) for record in new]
    page = Page(
        repository=repository,
        records=fresh,
        synced_at=synced_at,
        asked_at=asked_at or synced_at,
        members=resolve_members(account for record in fresh for account in accounts_of(record)),
        ids={number: row["id"] for number, row in stored.items()},
        known=frozenset(stored),
        told=frozenset(record.number for record in new if pull_requests.untold(record)),
    )
    written = _write(page, stored)
    if written.changed:
        arrived = {number for number, _ in written.written}
        resolve_reverts(repository, {r.number: r.title for r in fresh if r.number in arrived})
    return Ingested(
        inserted=written.inserted,
        updated=written.updated,
        unchanged=written.unchanged,
        stale=len(latest) - len(fresh),
        rows=dict(page.rows),
        changes=dict(page.changes),
        touched_weeks=_touched_weeks(page),
    )


def _write(page: Page, stored: Mapping[int, Row]) -> Upserted:
    """The rows, parents before children; what became of the pull requests themselves."""
    labels = planning.label_ids(page.repository, page.records)
    milestones = planning.milestone_ids(page.repository, page.records)
    whole = pull_requests.completed(page.repository, page.records, stored)
    written = pull_requests.write_pull_requests(page, whole, milestones)
    pull_requests.note_whole(page, stored, written)
    with pipelined():
        commits = code.write_commits(page)
        threads = conversation.write_threads(page)
        conversation.write_events(page)
        code.write_files(page)
        code.write_checks(page)
        conversation.write_reviews(page)
        planning.write_labels(page, labels)
        planning.write_assignees(page)
        planning.write_linked_issues(page)
        conversation.write_comments(page, conversation.thread_ids(page, threads))
        code.write_positions(page, commits)
        page.finish()
    return written


def _touched_weeks(page: Page) -> frozenset[date]:
    if not page.changed and not page.instants:
        return frozenset()
    instants = page.instants | {
        at for record in page.records if page.ids[record.number] in page.changed for at in instants_of(record)
    }
    return frozenset(weeks_of(instants, page.repository.team.time_zone))

"""How what a step learned becomes rows: one transaction, with the checkpoint and the fence in it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from django.db import DataError, IntegrityError, connection
from django.utils import timezone

from apps.integrations.github.connections import is_without_permission, permissions_in
from apps.integrations.github.types import Lost
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import connection_state
from apps.integrations.services.github_sync import coverage, permissions, runs
from apps.integrations.services.github_sync.following import follow
from apps.integrations.services.github_sync.steps import Figures, Learned
from apps.metrics.models import Repository
from apps.metrics.services.gone import mark_gone
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

UNWRITABLE = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""What a pull request may come to that no column takes: a number beyond all bounds, a time that is none."""


MOST_NAMED = 2_000
"""Partial pull requests that a run names, since it is written with each page. The others say it themselves, in their
rows, by which the repository counts them.
"""


def write_step(run: SyncRun, learned: Learned) -> None:
    """Rows, checkpoint and progress together, or nothing. Raises Fenced when the run is no longer ours.

    A pull request that cannot be stored is left out and noted: the others are not kept back by it.
    """
    try:
        _write(run, learned)
    except UNWRITABLE:
        storable = _storable(run, learned)
        if len(storable.unreadable) == len(learned.unreadable):  # it was none of them
            raise
        _write(run, storable)


def _storable(run: SyncRun, learned: Learned) -> Learned:
    """The step without what cannot be stored, found by storing each pull request by itself."""
    repository = run.tracked_repository.repository
    kept, lost = [], []
    for record in learned.pull_requests:
        try:
            with team_scope(run.team_id):
                runs.beat(run)
                ingest_pull_requests(repository, [record], synced_at=timezone.now(), asked_at=learned.asked_at)
        except UNWRITABLE as error:
            logger.error("pull request %s of %s cannot be stored", record.number, repository.full_name, exc_info=error)
            lost.append(Lost(f"what GitHub says of it cannot be stored ({type(error).__name__})", record.number))
        else:
            kept.append(record)
    with team_scope(run.team_id):
        repository.refresh_from_db()  # what was followed and not committed is followed again
    return replace(learned, pull_requests=kept, unreadable=(*learned.unreadable, *lost))


def _write(run: SyncRun, learned: Learned) -> None:
    with team_scope(run.team_id):
        _do_not_wait_for_the_disk()
        runs.beat(run)  # first: it locks the run until the end of this transaction
        repository = run.tracked_repository.repository
        _follow_name(repository, learned)
        _keep_stated(run, repository, learned)
        counts, weeks = Counter(run.counts), set(run.touched_weeks)
        if learned.pull_requests:
            page = ingest_pull_requests(
                repository, learned.pull_requests, synced_at=timezone.now(), asked_at=learned.asked_at
            )
            if learned.recount:
                counts.update({**page.rows, "commits": page.rows.get("pull_request_commits", 0)})
            weeks.update(week.isoformat() for week in page.touched_weeks)
        if learned.deployments:
            deployed = ingest_deployments(repository, learned.deployments, synced_at=timezone.now())
            counts["deployments"] += len(learned.deployments)
            weeks.update(week.isoformat() for week in deployed.touched_weeks)
        coverage.note_outdated(repository, learned)
        if learned.gone:
            marked = mark_gone(repository, learned.gone, at=timezone.now())
            weeks.update(week.isoformat() for week in marked.touched_weeks)
        connection_state.was_read(run.tracked_repository.integration)
        permissions.note(run.tracked_repository.integration, learned)
        runs.hold(
            run,
            checkpoint=learned.next or {"phase": "done"},
            counts=dict(counts),
            touched_weeks=sorted(weeks),
            points=run.points + learned.points,
            requests=run.requests + learned.requests,
            rest_requests=run.rest_requests + learned.rest_requests,
            pages=_pages(run, learned),
            partial=_partial(run, learned),
        )
        _show_progress(run, learned)


def _pages(run: SyncRun, learned: Learned) -> dict[str, dict[str, float]]:
    """`SyncRun.pages`: figures of the pages that worked, by their size."""
    pages = dict(run.pages)
    for size, figures in learned.pages.items():
        known = pages.get(str(size))
        pages[str(size)] = asdict(figures + Figures(**known) if known else figures)
    return pages


def _do_not_wait_for_the_disk() -> None:
    """Should PostgreSQL's machine lose its power, the last pages are lost with their checkpoint, and fetched again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def _follow_name(repository: Repository, learned: Learned) -> None:
    """A rename or a transfer shows in the answer: the id is the same, the name is not."""
    seen = learned.repository
    if not seen or seen.get("databaseId") != repository.github_repo_id:
        return
    follow(
        repository,
        full_name=seen["nameWithOwner"],
        node_id=seen["id"],
        default_branch=(seen.get("defaultBranchRef") or {}).get("name", ""),
        is_private=seen["isPrivate"],
        is_archived=seen["isArchived"],
        is_fork=seen["isFork"],
    )


def _keep_stated(run: SyncRun, repository: Repository, learned: Learned) -> None:
    """How many pull requests GitHub states, where the full history is wanted: of a window that says nothing."""
    is_full = run.cutoff is None or repository.covered_from == runs.EVERYTHING
    if is_full and learned.stated not in {None, repository.prs_stated}:
        repository.prs_stated = learned.stated
        Repository.objects.filter(pk=repository.pk).update(prs_stated=learned.stated)


def _partial(run: SyncRun, learned: Learned) -> dict[str, Any]:
    """What this run could not fetch, by pull request number; a later complete fetch takes it off again."""
    partial = dict(run.partial)
    for record in learned.pull_requests:
        number = str(record.number)
        reasons = {part: reason for part, reason in record.partial.items() if not is_without_permission(reason)}
        if not reasons:
            partial.pop(number, None)
        elif number in partial or len(partial) < MOST_NAMED:
            partial[number] = reasons
    if unreadable := _unreadable(partial.pop("unreadable", {}), learned):
        partial["unreadable"] = unreadable
    lacking = {part: name for record in learned.pull_requests for part, name in permissions_in(record.partial).items()}
    if lacking := {**lacking, **learned.not_permitted, **learned.permissions}:
        partial[NOT_PERMITTED] = {**partial.get(NOT_PERMITTED, {}), **lacking}
    return partial


NOT_PERMITTED = "permissions"
"""The key of `SyncRun.partial` for what the connection may not read: once, not for each pull request; in the run that
was refused it and in those that did not ask any more.
"""


def _unreadable(before: dict[str, str], learned: Learned) -> dict[str, str]:
    """What could not be had at all, by pull request number, or by place where even that is not known."""
    unreadable = dict(before)
    for record in learned.pull_requests:
        unreadable.pop(str(record.number), None)
    for lost in learned.unreadable:
        place = len(unreadable) + 1
        unreadable[f"-{place}" if lost.number is None else str(lost.number)] = str(lost)
    return unreadable


def _show_progress(run: SyncRun, learned: Learned) -> None:
    tracked = run.tracked_repository
    completed: int = run.counts.get("pull_requests", 0)
    total = learned.total if learned.total is not None else tracked.sync_prs_total
    if total is not None:
        total = max(total, completed)  # a window's total is an estimate, and pull requests are opened meanwhile
    percent = 99 if learned.next is None else min(99, completed * 100 // total) if total else 0
    tracked.sync_prs_total, tracked.sync_prs_completed = total, completed
    changes: dict[str, Any] = {
        "sync_prs_total": total,
        "sync_prs_completed": completed,
        "sync_progress": max(percent, tracked.sync_progress),
        "sync_activity": learned.activity,
    }
    tracked.sync_progress = changes["sync_progress"]
    if learned.remaining is not None:
        changes["rate_limit_remaining"] = learned.remaining
    if learned.page_size not in {None, tracked.page_size}:
        changes["page_size"] = tracked.page_size = learned.page_size
    TrackedRepository.objects.filter(pk=tracked.pk).update(**changes)


def weeks_touched(run: SyncRun) -> list[date]:
    """Mondays whose aggregates the run made stale."""
    return [date.fromisoformat(week) for week in run.touched_weeks]

"""A run's life. Everything here works inside the team's scope, and nothing here knows GitHub.

The fence: whoever works on a run holds its `token`. Taking it up, handing it on and resuming it change the token by a
conditional UPDATE, and each page's commit asks for it, so of two workers only one can write.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository

STALE = timedelta(seconds=60)
"""A run in hand beats at least before each request, so this long without a beat means that its worker is gone."""

EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)
"""`covered_from` of a repository whose full history is stored."""

WATERMARK_OVERLAP = timedelta(minutes=5)
"""GitHub's replicas lag and clocks differ; what is asked for twice costs little, what is missed is lost."""

MOST_CRASHES = 30
"""Workers that may be lost in a row before a page is written: half an hour of trying. More is no accident."""

Status = SyncRun.Status
Sync = TrackedRepository.SyncStatus


class Fenced(Exception):
    """Somebody else took the run, or it was cancelled: stop without writing."""


class SyncBusy(Exception):
    """A sync of this repository is being worked on right now."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What a task needs to go on with a run."""

    team_id: int
    run_id: int
    token: str


def begin_run(*, tracked: TrackedRepository, kind: str, days_back: int | None) -> SyncRun:
    """The unfinished run of this depth, or a new one; an unfinished one of another depth is cancelled.

    `days_back` None means the full history. An incremental run needs no depth: it begins at the watermark.
    """
    for _ in range(2):
        found: SyncRun | None = _unfinished(tracked).first()
        if found is not None and (found.days_back == days_back or kind == SyncRun.Kind.INCREMENTAL):
            return found
        if found is not None:
            cancel_runs(tracked=tracked)
        try:
            with transaction.atomic():
                return _create(tracked, kind, days_back)
        except IntegrityError:  # another process began one in the same moment: take that one
            continue
    run: SyncRun = _unfinished(tracked).get()
    return run


def begin_asked(tracked: TrackedRepository) -> SyncRun:
    """What "sync now" means: what changed since the last sync, or the whole depth where that is not covered yet."""
    kind = SyncRun.Kind.INCREMENTAL if is_covered(tracked) else SyncRun.Kind.INITIAL
    return begin_run(tracked=tracked, kind=kind, days_back=tracked.days_back)


def is_covered(tracked: TrackedRepository) -> bool:
    """Whether everything of the wanted depth was synced once, so that only changes are missing."""
    covered_from = tracked.repository.covered_from
    if tracked.watermark is None or covered_from is None:
        return False
    if tracked.days_back is None:
        return covered_from == EVERYTHING
    return covered_from <= timezone.now() - timedelta(days=tracked.days_back)


def handle_of(run: SyncRun) -> Handle:
    return Handle(run.team_id, run.pk, str(run.token))


def _unfinished(tracked: TrackedRepository) -> Any:
    return SyncRun.objects.filter(tracked_repository=tracked, status__in=SyncRun.UNFINISHED)


def _create(tracked: TrackedRepository, kind: str, days_back: int | None) -> SyncRun:
    now = timezone.now()
    cutoff = now - timedelta(days=days_back) if days_back is not None else None
    if kind == SyncRun.Kind.INCREMENTAL:
        cutoff = tracked.watermark
    run: SyncRun = SyncRun.objects.create(tracked_repository=tracked, kind=kind, days_back=days_back, cutoff=cutoff)
    TrackedRepository.objects.filter(pk=tracked.pk).update(
        sync_status=Sync.SYNCING,
        sync_progress=0,
        sync_prs_total=None,
        sync_prs_completed=0,
        sync_started_at=now,
        sync_requested_at=None,
        sync_activity="Waiting for a worker",
        last_sync_error="",
        rate_limited=False,
    )
    return run


def take(*, run_id: int, token: str) -> SyncRun:
    """Take up a run that `token` opens, under a new token. Raises Fenced when it does not open it (any more)."""
    now = timezone.now()
    new = uuid.uuid4()
    won = SyncRun.objects.filter(pk=run_id, token=token, status__in=SyncRun.UNFINISHED).update(
        token=new,
        status=Status.RUNNING,
        heartbeat_at=now,
        resume_at=None,
        started_at=Coalesce("started_at", Value(now)),
    )
    if not won:
        raise Fenced
    related = ("tracked_repository__repository", "tracked_repository__integration")
    run: SyncRun = SyncRun.objects.select_related(*related).get(pk=run_id)
    TrackedRepository.objects.filter(pk=run.tracked_repository_id).update(
        sync_status=Sync.SYNCING, rate_limited=False, rate_limit_reset_at=None, last_sync_error=""
    )
    return run


def beat(run: SyncRun) -> None:
    """Say that the run is being worked on. Raises Fenced."""
    hold(run, heartbeat_at=timezone.now())


def hold(run: SyncRun, **changes: Any) -> None:
    """Write to the run if we still hold it; the row stays locked until the caller's transaction ends. Raises Fenced."""
    if not SyncRun.objects.filter(pk=run.pk, token=run.token, status=Status.RUNNING).update(**changes):
        raise Fenced
    for name, value in changes.items():
        setattr(run, name, value)


def hand_on(run: SyncRun) -> Handle:
    """Leave the run for the next task, which the returned handle lets in."""
    hold(run, status=Status.PENDING, heartbeat_at=timezone.now(), token=uuid.uuid4())
    return handle_of(run)


def pause(run: SyncRun, *, until: datetime, reason: str, rate_limited: bool) -> None:
    """Keep the checkpoint and go on after `until`: the reaper sees to it."""
    hold(
        run,
        status=Status.PAUSED,
        resume_at=until,
        heartbeat_at=timezone.now(),
        rate_limited=run.rate_limited or rate_limited,
        checkpoint=run.checkpoint,
        errors=[*run.errors, reason][-20:],
    )
    TrackedRepository.objects.filter(pk=run.tracked_repository_id).update(
        sync_status=Sync.PAUSED,
        sync_activity="",
        last_sync_error=reason,
        rate_limited=rate_limited,
        rate_limit_reset_at=until if rate_limited else None,
    )


def fail(run: SyncRun, reason: str) -> None:
    """End the run: only a person can help. What is stored stays."""
    now = timezone.now()
    hold(run, status=Status.ERROR, finished_at=now, heartbeat_at=now, errors=[*run.errors, reason][-20:])
    TrackedRepository.objects.filter(pk=run.tracked_repository_id).update(
        sync_status=Sync.ERROR, sync_activity="", last_sync_error=reason
    )


def cancel_runs(*, tracked: TrackedRepository) -> int:
    """Stop what runs for this repository; a worker notices at its next page. How many were stopped."""
    now = timezone.now()
    cancelled: int = _unfinished(tracked).update(
        status=Status.CANCELLED, finished_at=now, token=uuid.uuid4(), heartbeat_at=now
    )
    if cancelled:
        TrackedRepository.objects.filter(pk=tracked.pk).update(sync_status=Sync.PENDING, sync_activity="")
    return cancelled


def renew(run: SyncRun) -> Handle | None:
    """Take a run away from whoever held it, for a new task; None when it ended or moved on meanwhile, and when worker
    after worker was lost before it wrote anything: then it ends here, with an error.
    """
    now, new, checkpoint = timezone.now(), uuid.uuid4(), run.checkpoint
    untouched = SyncRun.objects.filter(
        pk=run.pk, token=run.token, heartbeat_at=run.heartbeat_at, status__in=SyncRun.UNFINISHED
    )
    if run.status == Status.RUNNING:
        checkpoint = {**checkpoint, "crashes": checkpoint.get("crashes", 0) + 1}  # a page that is written clears it
        if checkpoint["crashes"] > MOST_CRASHES:
            if untouched.update(status=Status.RUNNING, heartbeat_at=now, token=new):
                run.token = new
                fail(run, f"The sync broke off {MOST_CRASHES} times in a row. The reason is in the worker's log.")
            return None
    won = untouched.update(token=new, status=Status.PENDING, heartbeat_at=now, checkpoint=checkpoint)
    return Handle(run.team_id, run.pk, str(new)) if won else None


def is_in_hand(run: SyncRun) -> bool:
    """Whether a worker is on it right now."""
    return run.status == Status.RUNNING and run.heartbeat_at is not None and run.heartbeat_at > timezone.now() - STALE

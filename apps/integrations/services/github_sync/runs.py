"""A run's life. Everything here works inside the team's scope, and nothing here knows GitHub.

The fence: whoever works on a run holds its `token`. Taking it up, handing it on and resuming it change the token by a
conditional UPDATE, and each page's commit asks for it, so of two workers only one can write.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.metrics.queries.completeness import unread_of

STALE = timedelta(seconds=60)
"""A run in hand beats at least before each request, so this long without a beat means that its worker is gone."""

EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)
"""`covered_from` of a repository whose full history is stored."""

WATERMARK_OVERLAP = timedelta(minutes=5)
"""GitHub's replicas lag and clocks differ; what is asked for twice costs little, what is missed is lost."""

WHOLE = (SyncRun.Kind.INITIAL, SyncRun.Kind.MANUAL)
"""The kinds that fetch a window and cover it; the others fetch what is known to have changed."""

SLACK = timedelta(days=1)
"""A window that was synced is not a deeper one because the clock went on meanwhile."""

WAITS_KEPT = 50

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
        is_same = found is not None and found.kind in WHOLE and found.days_back == days_back
        if found is not None and (is_same or kind == SyncRun.Kind.INCREMENTAL):
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


def begin_found(
    tracked: TrackedRepository,
    *,
    kind: str,
    ids: Sequence[tuple[str, int]] | None,
    horizon: datetime | None = None,
    deployments: bool = True,
) -> SyncRun:
    """A run for pull requests that are known to have changed, as (node id, number); None: it lists them by itself.

    `horizon` is when GitHub was asked: what changed later is for the next run, and the watermark moves up to it. Runs
    of the kinds PR and RECONCILE move no watermark: they say nothing about the other pull requests. Where a run is
    unfinished already, that one.
    """
    found: SyncRun | None = _unfinished(tracked).first()
    if found is not None:
        return found
    phases = ["updated", "deployments"] if deployments else ["updated"]
    checkpoint: dict[str, Any] = {"phase": "updated", "cursor": None, "phases": phases}
    if ids is not None:
        checkpoint["ids"] = [list(each) for each in ids]
    try:
        with transaction.atomic():
            return _create(tracked, kind, tracked.days_back, checkpoint=checkpoint, horizon=horizon)
    except IntegrityError:  # another process began one in the same moment
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


def _create(tracked: TrackedRepository, kind: str, days_back: int | None, **fields: Any) -> SyncRun:
    now = timezone.now()
    cutoff = now - timedelta(days=days_back) if days_back is not None else None
    if kind in WHOLE:
        fields["known_from"] = _known_from(tracked, cutoff)
    else:
        cutoff = tracked.watermark
    run: SyncRun = SyncRun.objects.create(
        tracked_repository=tracked, kind=kind, days_back=days_back, cutoff=cutoff, **fields
    )
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


def _known_from(tracked: TrackedRepository, cutoff: datetime | None) -> datetime | None:
    """Where a deeper window begins to be known: all from then on is stored or changed since the watermark. None where
    the window is to be fetched whole.
    """
    covered_from = tracked.repository.covered_from
    if covered_from is None or tracked.watermark is None:
        return None
    is_deeper = covered_from > (cutoff or EVERYTHING) + SLACK
    return covered_from if is_deeper else None


def take(*, run_id: int, token: str) -> SyncRun:
    """Take up a run that `token` opens, under a new token. Raises Fenced when it does not open it (any more)."""
    now = timezone.now()
    new = uuid.uuid4()
    won = SyncRun.objects.filter(pk=run_id, token=token, status__in=SyncRun.UNFINISHED).update(
        token=new,
        status=Status.RUNNING,
        heartbeat_at=now,
        queued_at=None,
        resume_at=None,
        started_at=Coalesce("started_at", Value(now)),
    )
    if not won:
        raise Fenced
    related = ("tracked_repository__repository", "tracked_repository__integration")
    run: SyncRun = SyncRun.objects.select_related(*related).get(pk=run_id)
    if (waits := _waited(run, now)) != run.waits:
        hold(run, waits=waits)
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


def hand_on(run: SyncRun) -> None:
    """Leave the run to whoever gets it when its turn comes again."""
    hold(run, status=Status.PENDING, heartbeat_at=timezone.now(), queued_at=None, token=uuid.uuid4())


def pause(run: SyncRun, *, until: datetime | None, reason: str, rate_limited: bool) -> None:
    """Keep the checkpoint and go on after `until`: the reaper sees to it. None: when a person has seen to it."""
    hold(
        run,
        status=Status.PAUSED,
        resume_at=until,
        heartbeat_at=timezone.now(),
        rate_limited=run.rate_limited or rate_limited,
        checkpoint=run.checkpoint,
        waits=waiting(run, timezone.now(), reason),
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


def give_up_comparison(run: SyncRun, reason: str) -> None:
    """End a comparison that could not be made: the repository is what it was, and nobody is written to."""
    now = timezone.now()
    errors = [*run.errors, reason][-20:]
    hold(run, status=Status.ERROR, finished_at=now, heartbeat_at=now, errors=errors, notified_at=now)
    TrackedRepository.objects.filter(pk=run.tracked_repository_id).update(
        sync_status=_status_after(run.tracked_repository, {run.kind}), sync_activity="", last_sync_error=""
    )


def cancel_runs(*, tracked: TrackedRepository) -> int:
    """Stop what runs for this repository; a worker notices at its next page. How many were stopped.

    After an update or a comparison the repository is what it was, and looks go on; after a history it waits for one.
    """
    now = timezone.now()
    kinds = set(_unfinished(tracked).values_list("kind", flat=True))
    cancelled: int = _unfinished(tracked).update(
        status=Status.CANCELLED, finished_at=now, token=uuid.uuid4(), heartbeat_at=now
    )
    if cancelled:
        TrackedRepository.objects.filter(pk=tracked.pk).update(
            sync_status=_status_after(tracked, kinds), sync_activity="", rate_limited=False, rate_limit_reset_at=None
        )
    return cancelled


def _status_after(tracked: TrackedRepository, cancelled: Set[str]) -> str:
    repository = tracked.repository
    if repository.covered_from is None or tracked.watermark is None or not cancelled.isdisjoint(WHOLE):
        return Sync.PENDING
    known = repository.completeness
    return Sync.PARTIAL if known.get("partial") or unread_of(known) else Sync.COMPLETE


def pause_by_person(tracked: TrackedRepository, who: str) -> bool:
    """Hold the unfinished run until somebody resumes it; its worker notices at its next page. False without one."""
    now, reason = timezone.now(), f"Paused by {who}."
    run: SyncRun | None = _unfinished(tracked).select_for_update(no_key=True).first()
    if run is None:
        return False
    SyncRun.objects.filter(pk=run.pk).update(
        status=Status.PAUSED, token=uuid.uuid4(), resume_at=None, queued_at=None, waits=waiting(run, now, reason)
    )
    TrackedRepository.objects.filter(pk=tracked.pk).update(
        sync_status=Sync.PAUSED, sync_activity="", last_sync_error=reason, rate_limited=False, rate_limit_reset_at=None
    )
    return True


def resume(tracked: TrackedRepository) -> bool:
    """Let a paused run wait for its turn, whatever it was paused for. False when none is paused."""
    paused = SyncRun.objects.filter(tracked_repository=tracked, status=Status.PAUSED)
    if not paused.update(status=Status.PENDING, token=uuid.uuid4(), resume_at=None, queued_at=None):
        return False
    TrackedRepository.objects.filter(pk=tracked.pk).update(
        sync_status=Sync.SYNCING,
        sync_activity="Waiting for a worker",
        last_sync_error="",
        rate_limited=False,
        rate_limit_reset_at=None,
    )
    return True


def waiting(run: SyncRun, now: datetime, reason: str) -> list[dict[str, str | None]]:
    """The run's waits with one that begins now; a wait that still lasts goes on."""
    if run.waits and run.waits[-1]["until"] is None:
        return [*run.waits[:-1], {**run.waits[-1], "reason": reason}]
    return [*run.waits, {"from": now.isoformat(), "until": None, "reason": reason}][-WAITS_KEPT:]


def _waited(run: SyncRun, now: datetime) -> list[dict[str, str | None]]:
    """The run's waits, none of which lasts any more."""
    if run.waits and run.waits[-1]["until"] is None:
        return [*run.waits[:-1], {**run.waits[-1], "until": now.isoformat()}]
    return list(run.waits)


def renew(run: SyncRun) -> bool:
    """Take a run away from whoever held it and let it wait for its turn. False when it ended or moved on meanwhile, and
    when worker after worker was lost before it wrote anything: then it ends here, with an error.
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
            return False
    return bool(
        untouched.update(token=new, status=Status.PENDING, heartbeat_at=now, queued_at=None, checkpoint=checkpoint)
    )


def is_in_hand(run: SyncRun) -> bool:
    """Whether a worker is on it right now."""
    return run.status == Status.RUNNING and run.heartbeat_at is not None and run.heartbeat_at > timezone.now() - STALE

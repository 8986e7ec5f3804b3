"""The loop: fetch the next steps while this one is written, until the run is done, paused, failed or out of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import partial

from django.utils import timezone

from apps.integrations.github.errors import BadCredentials, GitHubError, RateLimited, Unavailable
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import connection_state, oauth_tokens
from apps.integrations.services.github_client import graphql_of
from apps.integrations.services.github_sync import coverage, pages, runs, steps
from apps.integrations.services.github_sync.ahead import Ahead
from apps.integrations.services.github_sync.runs import Handle, SyncBusy
from apps.teams.scope import team_scope

UNAVAILABLE_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)


class Ended(StrEnum):
    HANDED_ON = "handed_on"
    FINISHED = "finished"
    PAUSED = "paused"
    FAILED = "failed"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How working on a run ended. `handle` lets the next task in; `weeks` want their aggregates rebuilt."""

    ended: Ended
    run_id: int
    handle: Handle | None = None
    weeks: tuple[date, ...] = ()
    message: str = ""


def advance(
    handle: Handle, *, seconds: float | None = 50.0, on_page: Callable[[SyncRun], None] = lambda run: None
) -> Outcome:
    """Work on a run for about `seconds` (None: to its end). Never raises for what GitHub does; a broken database or a
    killed process leaves the last committed checkpoint, from which the reaper has the run continued.
    """
    try:
        with team_scope(handle.team_id):
            run = runs.take(run_id=handle.run_id, token=handle.token)
        return _work(run, seconds, on_page)
    except runs.Fenced:
        return Outcome(Ended.FENCED, handle.run_id)


def _work(run: SyncRun, seconds: float | None, on_page: Callable[[SyncRun], None]) -> Outcome:
    try:
        if not _walk(run, seconds, on_page):
            with team_scope(run.team_id):
                return Outcome(Ended.HANDED_ON, run.pk, handle=runs.hand_on(run))
        coverage.finish(run)
        return Outcome(Ended.FINISHED, run.pk, weeks=tuple(pages.weeks_touched(run)))
    except RateLimited as limited:
        with team_scope(run.team_id):
            runs.pause(run, until=limited.reset_at, reason=str(limited), rate_limited=not limited.secondary)
        return Outcome(Ended.PAUSED, run.pk, message=str(limited), weeks=tuple(pages.weeks_touched(run)))
    except Unavailable as unavailable:
        return _pause_and_retry(run, str(unavailable))
    except BadCredentials as refused:
        with team_scope(run.team_id):
            connection_state.disconnect(run.tracked_repository.integration_id, reason=str(refused))
            runs.fail(run, str(refused))
        return Outcome(Ended.FAILED, run.pk, message=str(refused))
    except GitHubError as error:
        with team_scope(run.team_id):
            runs.fail(run, str(error))
        return Outcome(Ended.FAILED, run.pk, message=str(error))


def _pause_and_retry(run: SyncRun, reason: str) -> Outcome:
    """Longer each time in a row that GitHub is away; a page that comes through starts the count anew."""
    failures = run.checkpoint.get("failures", 0) + 1
    run.checkpoint = {**run.checkpoint, "failures": failures}
    wait = min(UNAVAILABLE_PAUSE * 2 ** min(failures - 1, 5), LONGEST_PAUSE)
    with team_scope(run.team_id):
        runs.pause(run, until=timezone.now() + wait, reason=reason, rate_limited=False)
    return Outcome(Ended.PAUSED, run.pk, message=reason)


def _walk(run: SyncRun, seconds: float | None, on_page: Callable[[SyncRun], None]) -> bool:
    """Step after step; True when there is none left, False when the time is up."""
    deadline = None if seconds is None else time.monotonic() + seconds
    plan = plan_of(run)
    checkpoint = {key: value for key, value in run.checkpoint.items() if key not in {"failures", "crashes"}}
    checkpoint = checkpoint or steps.first_checkpoint(plan)
    if checkpoint["phase"] == "done":
        return True
    oauth_tokens.renew_expiring(team_id=run.team_id, integration_id=run.tracked_repository.integration_id)
    graphql = graphql_of(team_id=run.team_id, integration_id=run.tracked_repository.integration_id)
    with Ahead(partial(steps.fetch, graphql, plan), checkpoint, deadline) as coming:
        is_first = True  # alone, so that the first numbers are not kept waiting
        while True:
            learned = coming.take(
                patience=runs.STALE.total_seconds() / 4, while_waiting=partial(_beat, run), together=not is_first
            )
            if learned is None:
                return False
            pages.write_step(run, learned)
            is_first = False
            on_page(run)
            if learned.next is None:
                return True


def _beat(run: SyncRun) -> None:
    """While GitHub takes its time the run goes on beating."""
    with team_scope(run.team_id):
        runs.beat(run)


def plan_of(run: SyncRun) -> steps.Plan:
    """A run's plan follows from its row alone, so whoever takes it up makes the same one."""
    owner, _, name = run.tracked_repository.repository.full_name.partition("/")
    is_incremental = run.kind == SyncRun.Kind.INCREMENTAL
    phases = steps.UPDATES if is_incremental else steps.HISTORY if run.cutoff is None else steps.WINDOW
    assert run.started_at is not None  # set when it was taken up
    since = run.cutoff if is_incremental and run.cutoff is not None else run.started_at - runs.WATERMARK_OVERLAP
    return steps.Plan(owner, name, phases, run.cutoff, since, run.tracked_repository.page_size)


def sync_repository_history(
    tracked_repo: TrackedRepository,
    days_back: int | None = 30,
    *,
    on_page: Callable[[SyncRun], None] = lambda run: None,
) -> Outcome:
    """Sync a repository in the foreground: `days_back` days (None: the full history), or on from where it stopped.

    Raises SyncBusy while a worker is on it. Not to be called inside a scope: it speaks to GitHub.
    """
    with team_scope(tracked_repo.team_id):
        run = runs.begin_run(tracked=tracked_repo, kind=SyncRun.Kind.MANUAL, days_back=days_back)
        if runs.is_in_hand(run):
            raise SyncBusy(f"A sync of this repository runs already, since {run.started_at:%Y-%m-%d %H:%M} UTC.")
        handle = runs.handle_of(run)
    return advance(handle, seconds=None, on_page=on_page)

"""The loop: fetch the next steps while this one is written, until the run is done, paused, failed or out of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from apps.integrations.github.errors import GitHubError
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import oauth_tokens
from apps.integrations.services.github_client import graphql_of
from apps.integrations.services.github_rate_limit import tokens_of
from apps.integrations.services.github_rest import rest_over
from apps.integrations.services.github_sync import coverage, pages, permissions, runs, steps, trouble
from apps.integrations.services.github_sync.ahead import Ahead
from apps.integrations.services.github_sync.reconciliation import reconcile
from apps.integrations.services.github_sync.runs import Handle, SyncBusy
from apps.teams.scope import team_scope

GIVE_WAY_AFTER = 10.0
"""Seconds that a run works at least before it lets others have the worker."""


class Ended(StrEnum):
    HANDED_ON = "handed_on"
    FINISHED = "finished"
    PAUSED = "paused"
    FAILED = "failed"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How working on a run ended; `weeks` want their aggregates rebuilt. `integration_id` is whose next run may have
    its turn; None where the run was never ours.
    """

    ended: Ended
    run_id: int
    integration_id: int | None = None
    weeks: tuple[date, ...] = ()
    message: str = ""


def advance(
    handle: Handle,
    *,
    seconds: float | None = 50.0,
    others_wait: Callable[[], bool] = lambda: False,
    on_page: Callable[[SyncRun], None] = lambda run: None,
) -> Outcome:
    """Work on a run for about `seconds` (None: to its end), or less when `others_wait` for the worker. Never raises for
    what GitHub does; a broken database or a killed process leaves the last committed checkpoint, from which the reaper
    has the run continued.
    """
    try:
        with team_scope(handle.team_id):
            run = runs.take(run_id=handle.run_id, token=handle.token)
    except runs.Fenced:
        return Outcome(Ended.FENCED, handle.run_id)
    try:
        outcome = _work(run, _turn(seconds, others_wait), on_page)
    except runs.Fenced:
        outcome = Outcome(Ended.FENCED, run.pk)
    return replace(outcome, integration_id=run.tracked_repository.integration_id)


def _turn(seconds: float | None, others_wait: Callable[[], bool]) -> Callable[[], bool]:
    """Says when the turn is over."""
    began = time.monotonic()

    def is_over() -> bool:
        worked = time.monotonic() - began
        return seconds is not None and (worked >= seconds or (worked >= GIVE_WAY_AFTER and others_wait()))

    return is_over


def _work(run: SyncRun, is_over: Callable[[], bool], on_page: Callable[[SyncRun], None]) -> Outcome:
    while True:
        try:
            if not _walk(run, is_over, on_page):
                with team_scope(run.team_id):
                    runs.hand_on(run)
                return Outcome(Ended.HANDED_ON, run.pk)
            coverage.finish(run)
            return Outcome(Ended.FINISHED, run.pk, weeks=tuple(pages.weeks_touched(run)))
        except GitHubError as error:
            settled = trouble.settle_run(run, error)
        except (runs.Fenced, OperationalError, InterfaceError):  # not ours, or no database: the reaper sees to it
            raise
        except Exception as surprise:  # noqa: BLE001 - the edge of a run: no page may hold a repository up for ever
            settled = trouble.settle_surprise(run, surprise)
        if settled.ended is not None:
            weeks = tuple(pages.weeks_touched(run))
            return Outcome(Ended(settled.ended), run.pk, message=settled.message, weeks=weeks)


def _walk(run: SyncRun, is_over: Callable[[], bool], on_page: Callable[[SyncRun], None]) -> bool:
    """Step after step; True when there is none left, False when the turn is over."""
    plan = plan_of(run)
    checkpoint = {key: value for key, value in run.checkpoint.items() if key not in {"crashes", *trouble.COUNTERS}}
    checkpoint = checkpoint or steps.first_checkpoint(plan)
    checkpoint = steps.eased(plan, checkpoint, run.checkpoint.get("failures", 0))
    if checkpoint["phase"] == "done":
        return True
    oauth_tokens.renew_expiring(team_id=run.team_id, integration_id=run.tracked_repository.integration_id)
    with closing(clients_of(run)) as clients:
        fetch = partial(steps.fetch, clients)
        if run.kind == SyncRun.Kind.RECONCILE:
            return _reconcile(run, partial(reconcile.advance, run, clients.graphql, plan, fetch), is_over, on_page)
        return _step_by_step(run, partial(fetch, plan), checkpoint, is_over, on_page)


def _step_by_step(
    run: SyncRun,
    fetch: Callable[[steps.Checkpoint], steps.Learned],
    checkpoint: steps.Checkpoint,
    is_over: Callable[[], bool],
    on_page: Callable[[SyncRun], None],
) -> bool:
    with Ahead(fetch, checkpoint, is_over) as coming:
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


def _reconcile(
    run: SyncRun, step: Callable[[], bool], is_over: Callable[[], bool], on_page: Callable[[SyncRun], None]
) -> bool:
    """Nothing is fetched ahead here: what is asked depends on what was just compared."""
    while not step():
        on_page(run)
        if is_over():
            return False
    return True


def _beat(run: SyncRun) -> None:
    """While GitHub takes its time the run goes on beating."""
    with team_scope(run.team_id):
        runs.beat(run)


def clients_of(run: SyncRun) -> steps.Clients:
    """The credentials are read here, outside every scope; the thread that speaks to GitHub needs no database."""
    whose = {"team_id": run.team_id, "integration_id": run.tracked_repository.integration_id}
    repository_id = run.tracked_repository.repository.github_repo_id
    return steps.Clients(graphql_of(**whose, repository_id=repository_id), partial(rest_over, tokens_of(**whose)))


def plan_of(run: SyncRun) -> steps.Plan:
    """A run's plan follows from its row alone, so whoever takes it up makes the same one."""
    owner, _, name = run.tracked_repository.repository.full_name.partition("/")
    is_incremental = run.kind == SyncRun.Kind.INCREMENTAL
    phases = tuple(run.checkpoint.get("phases", ())) or (steps.UPDATES if is_incremental else _whole(run))
    assert run.started_at is not None  # set when it was taken up
    since = run.started_at - runs.WATERMARK_OVERLAP
    if is_incremental and run.cutoff is not None:
        since = run.cutoff
    elif run.known_from is not None and run.tracked_repository.watermark is not None:
        since = run.tracked_repository.watermark  # what is known is known up to then
    return steps.Plan(
        owner,
        name,
        phases,
        run.cutoff,
        since,
        run.tracked_repository.page_size,
        known_from=run.known_from,
        outdated=coverage.outdated(run.tracked_repository.repository, now=timezone.now()),
        skip=permissions.not_asked_for(run.tracked_repository.integration),
    )


def _whole(run: SyncRun) -> tuple[str, ...]:
    if run.known_from is not None:
        return steps.WIDENING
    return steps.HISTORY if run.cutoff is None else steps.WINDOW


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

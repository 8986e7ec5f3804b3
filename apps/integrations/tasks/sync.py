"""The sync's tasks: thin, short, idempotent. A run is a chain of them, each about a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import Handle, Outcome
from apps.integrations.services.github_sync.engine import Ended
from apps.metrics.tasks import aggregate_team_weekly_metrics_task
from apps.teams.models import Team
from apps.teams.scope import team_scope

RETRIED: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError, OSError),
    "max_retries": 3,
    "retry_backoff": 2,
    "retry_jitter": True,
}


@shared_task(name="apps.integrations.tasks.sync_repository_initial_task", **RETRIED)
def sync_repository_initial_task(team_id: int, repo_id: int, days_back: int | None) -> None:
    """The first sync of a tracked repository (`repo_id`: its row), or one of another depth. None: full history."""
    kind = SyncRun.Kind.INITIAL
    _begin(team_id, repo_id, lambda tracked: github_sync.begin_run(tracked=tracked, kind=kind, days_back=days_back))


@shared_task(name="apps.integrations.tasks.sync_repository_task", **RETRIED)
def sync_repository_task(team_id: int, repo_id: int) -> None:
    """What changed since the last sync; the whole depth where there was none."""
    _begin(team_id, repo_id, github_sync.begin_asked)


def _begin(team_id: int, repo_id: int, begin: Callable[[TrackedRepository], SyncRun]) -> None:
    with team_scope(team_id):
        followed = TrackedRepository.objects.filter(
            is_active=True, integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED
        )
        tracked = followed.select_related("repository").filter(pk=repo_id).first()
        if tracked is None:  # untracked or disconnected meanwhile
            return
        run = begin(tracked)
        if run.status == SyncRun.Status.RUNNING or tracked.rate_limited:  # a worker has it, or its budget is used up
            return
        handle = github_sync.handle_of(run)
    _settle(team_id, github_sync.advance(handle))


@shared_task(name="apps.integrations.tasks.sync_advance_task", **RETRIED)
def sync_advance_task(team_id: int, run_id: int, token: str) -> None:
    """Go on with a run for about a minute, if `token` still opens it."""
    _settle(team_id, github_sync.advance(Handle(team_id, run_id, token)))


def _settle(team_id: int, outcome: Outcome) -> None:
    if outcome.handle is not None:
        enqueue(outcome.handle)
    if outcome.weeks:
        aggregate_team_weekly_metrics_task.delay(team_id, [week.isoformat() for week in outcome.weeks])
    if outcome.ended in {Ended.FINISHED, Ended.FAILED}:
        notify_sync_ended_task.delay(team_id, outcome.run_id)


def enqueue(handle: Handle) -> None:
    sync_advance_task.delay(handle.team_id, handle.run_id, handle.token)


@shared_task(name="apps.integrations.tasks.notify_sync_ended_task", **RETRIED)
def notify_sync_ended_task(team_id: int, run_id: int) -> None:
    """E-mail the admins that a sync is complete, or needs them."""
    sync_notifications.notify_about(team_id=team_id, run_id=run_id)


@shared_task(name="apps.integrations.tasks.reap_sync_runs_task")
def reap_sync_runs_task() -> None:
    """Every minute: continue the runs whose worker is gone, whose message was lost, or whose pause is over, and write
    the e-mails that a crash left unwritten.
    """
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        for handle in github_sync.reap_team(team_id):
            enqueue(handle)
        for run_id in sync_notifications.unwritten(team_id):
            notify_sync_ended_task.delay(team_id, run_id)


@shared_task(name="apps.integrations.tasks.ask_for_due_syncs_task")
def ask_for_due_syncs_task() -> None:
    """Every minute: sync what was last synced an hour ago."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        for tracked_id in github_sync.ask_for_due_syncs(team_id):
            sync_repository_task.delay(team_id, tracked_id)

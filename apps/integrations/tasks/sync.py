"""The sync's tasks: thin, short, idempotent. A run is a chain of them, each about a minute."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import redis
from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import Handle
from apps.integrations.services.github_sync.engine import Ended
from apps.metrics.tasks import aggregate_team_weekly_metrics_task
from apps.teams.models import Team
from apps.teams.scope import team_scope

SYNC_QUEUE = "sync"
"""The list in Redis in which the messages of this queue wait; CELERY_TASK_ROUTES has the tasks."""

RETRIED: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError, OSError),
    "max_retries": 3,
    "retry_backoff": 2,
    "retry_jitter": True,
}


@shared_task(name="apps.integrations.tasks.sync_repository_initial_task", **RETRIED)
def sync_repository_initial_task(team_id: int, repo_id: int, days_back: int | None) -> None:
    """The first sync of a tracked repository (`repo_id`: its row), or one of another depth. None: full history.

    A message that was overtaken by one of another depth, or comes twice or late, does nothing of its own: the row says
    what is wanted.
    """

    def begin(tracked: TrackedRepository) -> SyncRun | None:
        if github_sync.nobody_waits_for(tracked):
            return None
        if tracked.days_back != days_back:
            return github_sync.begin_asked(tracked)
        return github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=days_back)

    _begin(team_id, repo_id, begin)


@shared_task(name="apps.integrations.tasks.sync_repository_task", **RETRIED)
def sync_repository_task(team_id: int, repo_id: int) -> None:
    """What changed since the last sync; the whole depth where there was none. A message that comes late restarts
    nothing that somebody cancelled.
    """

    def begin(tracked: TrackedRepository) -> SyncRun | None:
        if not github_sync.is_covered(tracked) and github_sync.nobody_waits_for(tracked):
            return None
        return github_sync.begin_asked(tracked)

    _begin(team_id, repo_id, begin)


def _begin(team_id: int, repo_id: int, begin: Callable[[TrackedRepository], SyncRun | None]) -> None:
    with team_scope(team_id):
        followed = TrackedRepository.objects.filter(
            is_active=True, integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED
        )
        tracked = followed.select_related("repository").filter(pk=repo_id).first()
        if tracked is None:  # untracked or disconnected meanwhile
            return
        run = begin(tracked)
    if run is None:
        return
    handles = github_sync.next_turns(team_id=team_id, integration_id=tracked.integration_id)
    ours = [handle for handle in handles if handle.run_id == run.pk and not others_wait()]
    for handle in handles:
        if handle not in ours:
            enqueue(handle)
    for handle in ours:  # its turn has come and nobody stands in the queue: no need to go there
        _work(handle)


@shared_task(name="apps.integrations.tasks.sync_advance_task", **RETRIED)
def sync_advance_task(team_id: int, run_id: int, token: str) -> None:
    """Go on with a run for about a minute, if `token` still opens it."""
    _work(Handle(team_id, run_id, token))


def _work(handle: Handle) -> None:
    outcome = github_sync.advance(handle, others_wait=others_wait)
    if outcome.weeks:
        aggregate_team_weekly_metrics_task.delay(handle.team_id, [week.isoformat() for week in outcome.weeks])
    if outcome.ended in {Ended.FINISHED, Ended.FAILED}:
        notify_sync_ended_task.delay(handle.team_id, outcome.run_id)
    if outcome.integration_id is not None:
        give_turns(handle.team_id, outcome.integration_id)


def give_turns(team_id: int, integration_id: int) -> None:
    """Enqueue the connection's runs whose turn has come."""
    for handle in github_sync.next_turns(team_id=team_id, integration_id=integration_id):
        enqueue(handle)


def enqueue(handle: Handle) -> None:
    sync_advance_task.delay(handle.team_id, handle.run_id, handle.token)


def others_wait() -> bool:
    """Whether some message waits for a worker of syncs. A queue that is away has none."""
    try:
        return bool(_queue().llen(SYNC_QUEUE))
    except redis.RedisError:
        return False


@lru_cache(maxsize=1)
def _queue() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0)


@shared_task(name="apps.integrations.tasks.notify_sync_ended_task", **RETRIED)
def notify_sync_ended_task(team_id: int, run_id: int) -> None:
    """E-mail the admins that a sync is complete, or needs them."""
    sync_notifications.notify_about(team_id=team_id, run_id=run_id)


@shared_task(name="apps.integrations.tasks.notify_connection_task", **RETRIED)
def notify_connection_task(team_id: int, integration_id: int) -> None:
    """E-mail the admins what of a connection needs them."""
    sync_notifications.notify_about_connection(team_id=team_id, integration_id=integration_id)


@shared_task(name="apps.integrations.tasks.reap_sync_runs_task")
def reap_sync_runs_task() -> None:
    """Every minute: continue the runs whose worker is gone, whose message was lost, or whose pause is over, and write
    the e-mails about connections, and those that a crash left unwritten.
    """
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        with team_scope(team_id):  # one transaction: what is asked of every team each minute has to be little
            if github_sync.is_quiet(team_id):
                continue
            github_sync.reap_team(team_id)
            waiting = github_sync.connections_in_waiting(team_id)
            unwritten = sync_notifications.unwritten(team_id)
            untold = sync_notifications.connections_untold(team_id)
        for integration_id in waiting:
            give_turns(team_id, integration_id)
        for run_id in unwritten:
            notify_sync_ended_task.delay(team_id, run_id)
        for integration_id in untold:
            notify_connection_task.delay(team_id, integration_id)

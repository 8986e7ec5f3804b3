"""The connection's tasks: what it sees, its webhooks, its end. Thin, short, idempotent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, transaction
from kombu.exceptions import OperationalError as BrokerUnreachable

from apps.integrations.github.errors import RateLimited, Unavailable
from apps.integrations.services import connections, discovery, github_webhooks, upkeep
from apps.integrations.services.github_sync import trouble
from apps.integrations.tasks.sync import give_turns
from apps.teams.models import Team

logger = logging.getLogger(__name__)

RETRIED: dict[str, Any] = {
    "autoretry_for": (Unavailable, OperationalError, InterfaceError, OSError),
    "max_retries": 3,
    "retry_backoff": 2,
    "retry_jitter": True,
}
LONGEST_COUNTDOWN = 600
"""Seconds. What is later stays a row: the queue delivers again what waits for more than a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A task that is enqueued when it is called. A queue that is away fails nobody: the rows say what is due, and
    `tidy_connections_task` and the reaper of syncs read them.
    """

    task: Task
    args: tuple[Any, ...]

    def __call__(self) -> None:
        try:
            self.task.apply_async(self.args, retry_policy={"max_retries": 1, "interval_start": 0})
        except BrokerUnreachable as error:
            logger.warning("the queue is away, %s%r is made up for later: %s", self.task.name, self.args, error)


def after_commit(task: Task, *args: Any) -> None:
    """Enqueue once the transaction is committed."""
    transaction.on_commit(Sending(task, args))


@shared_task(name="apps.integrations.tasks.discover_repositories_task", **RETRIED)
def discover_repositories_task(team_id: int, integration_id: int) -> None:
    """Refresh what a connection sees. Without budget it stays pending, and is tried again in some minutes."""
    try:
        discovery.discover(team_id=team_id, integration_id=integration_id)
    except RateLimited as limited:
        logger.info("discovery of integration %s waits: %s", integration_id, limited)


@shared_task(name="apps.integrations.tasks.register_webhook_task", **RETRIED)
def register_webhook_task(team_id: int, repo_id: int, reserved: bool = False) -> None:
    """Have GitHub tell us of a tracked repository's events (`repo_id`: its row), one a second and connection."""
    if reserved or _may_write_now(register_webhook_task, team_id, repo_id):
        _unless_limited(partial(github_webhooks.register, team_id=team_id, tracked_id=repo_id))


@shared_task(name="apps.integrations.tasks.remove_webhook_task", **RETRIED)
def remove_webhook_task(team_id: int, repo_id: int, reserved: bool = False) -> None:
    """Take our hook away from a repository that is no longer followed."""
    if reserved or _may_write_now(remove_webhook_task, team_id, repo_id):
        _unless_limited(partial(github_webhooks.remove, team_id=team_id, tracked_id=repo_id))


@shared_task(name="apps.integrations.tasks.disconnect_task", **RETRIED)
def disconnect_task(team_id: int, integration_id: int) -> None:
    """Remove the hooks of a connection that was given up, one a second, then forget its token."""
    try:
        more = github_webhooks.remove_of_disconnected(team_id=team_id, integration_id=integration_id)
    except RateLimited as limited:
        logger.info("webhooks of integration %s wait: %s", integration_id, limited)
        return
    if more:
        disconnect_task.apply_async((team_id, integration_id), countdown=1)
    else:
        connections.forget(team_id=team_id, integration_id=integration_id)


@shared_task(name="apps.integrations.tasks.try_connection_again_task", **RETRIED)
def try_connection_again_task(team_id: int, integration_id: int) -> None:
    """Whether a held connection opens again; its syncs go on then."""
    if trouble.try_again(team_id=team_id, integration_id=integration_id):
        give_turns(team_id, integration_id)
        discover_repositories_task.delay(team_id, integration_id)


@shared_task(name="apps.integrations.tasks.tidy_connections_task")
def tidy_connections_task() -> None:
    """Every five minutes: enqueue again what was lost or could not be done."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        due = upkeep.due(team_id)
        for task, keys in (
            (discover_repositories_task, due.discover),
            (disconnect_task, due.give_up),
            (try_connection_again_task, due.try_again),
            (register_webhook_task, due.register),
            (remove_webhook_task, due.remove),
        ):
            for key in keys:
                task.delay(team_id, key)


def _may_write_now(task: Task, team_id: int, repo_id: int) -> bool:
    wait = github_webhooks.reserve_write(team_id=team_id, tracked_id=repo_id)
    if 0 < wait <= LONGEST_COUNTDOWN:
        task.apply_async((team_id, repo_id, True), countdown=wait)
    return wait == 0


def _unless_limited(work: partial[bool]) -> None:
    """Without budget the row stays as it is, and is tried again in some minutes."""
    try:
        work()
    except RateLimited as limited:
        logger.info("webhooks wait: %s", limited)

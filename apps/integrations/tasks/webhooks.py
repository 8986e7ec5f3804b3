"""What follows from webhooks: deliveries processed, pull requests fetched, aggregates rebuilt. Rows say what is due,
and the tasks of the minute make up for every message that was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnreachable

from apps.integrations.services.webhooks import deliveries, due_fetches, fetching, inbox, rotation, touched
from apps.integrations.services.webhooks.fetching import Fetched
from apps.integrations.services.webhooks.gathering import GATHERED_FOR, MERGED_AFTER, Gathered
from apps.integrations.tasks.sync import RETRIED
from apps.teams.models import Team
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

MOMENT = 1.0
"""Seconds after something is due until it is looked at: what is looked at too soon is looked at a minute later."""

SOON = GATHERED_FOR.total_seconds() + 2 * MOMENT
"""Seconds. What is due later is left to the task of the minute."""

CALM = 3.0
"""Seconds for which touched weeks are gathered."""


@shared_task(name="apps.integrations.tasks.process_webhook_deliveries_task", **RETRIED)
def process_webhook_deliveries_task(endpoint_id: int) -> None:
    """Process what waits in an endpoint's inbox. A second message finds nothing."""
    emptied = inbox.empty(endpoint_id)
    if emptied is None:
        return
    _have_fetched(emptied.team_id, emptied.gathered)
    if emptied.touched:
        _send(aggregate_touched_weeks_task, emptied.team_id, countdown=CALM)
    if emptied.is_unfinished:
        _send(process_webhook_deliveries_task, endpoint_id)


@shared_task(name="apps.integrations.tasks.fetch_pr_complete_data_task", **RETRIED)
def fetch_pr_complete_data_task(team_id: int, pr_id: int, noted: bool = False) -> None:
    """Everything of a pull request, at once: commits, files, checks, comments, reviews, and what is derived from them.
    A merged one again in ten minutes and in a day. `noted`: only if it still waits to be fetched.
    """
    for integration_id, fetched in fetching.complete_pull_request(team_id, pr_id, is_noted=noted).items():
        _follow_up(team_id, integration_id, fetched)


@shared_task(name="apps.integrations.tasks.fetch_due_pull_requests_task", **RETRIED)
def fetch_due_pull_requests_task(team_id: int, integration_id: int) -> None:
    """Fetch what is due of a connection."""
    due_fetches.has_come(integration_id)  # first: what is noted from now on has another one come
    _follow_up(team_id, integration_id, fetching.fetch_due(team_id, integration_id))


@shared_task(name="apps.integrations.tasks.aggregate_touched_weeks_task", **RETRIED)
def aggregate_touched_weeks_task(team_id: int) -> None:
    """Rebuild the weekly aggregates that events made stale."""
    touched.rebuild(team_id)


@shared_task(name="apps.integrations.tasks.catch_up_with_webhooks_task")
def catch_up_with_webhooks_task() -> None:
    """Every minute: what waits in an inbox and nobody is at, fetches that are due, aggregates that are stale."""
    for endpoint_id in inbox.overlooked():
        _send(process_webhook_deliveries_task, endpoint_id)
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        with team_scope(team_id):
            connections = due_fetches.connections_due()
        for integration_id in connections:
            _send(fetch_due_pull_requests_task, team_id, integration_id)
        if touched.is_any(team_id):
            _send(aggregate_touched_weeks_task, team_id)


@shared_task(name="apps.integrations.tasks.see_to_webhooks_task")
def see_to_webhooks_task() -> None:
    """Every five minutes: have what did not arrive delivered again, see how the hooks do, end rotations of secrets."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        rotation.end_rotations(team_id)
        for integration_id in deliveries.connections_due(team_id):
            _send(redeliver_webhooks_task, team_id, integration_id)


@shared_task(name="apps.integrations.tasks.redeliver_webhooks_task", **RETRIED)
def redeliver_webhooks_task(team_id: int, integration_id: int) -> None:
    """Ask GitHub for a connection's events that did not arrive."""
    deliveries.see_to(team_id, integration_id)


@shared_task(name="apps.integrations.tasks.tidy_webhooks_task", **RETRIED)
def tidy_webhooks_task() -> None:
    """Nightly: deliveries of more than thirty days ago go, and fetches that nobody waits for any more."""
    inbox.delete_old()
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        with team_scope(team_id):
            due_fetches.tidy(timezone.now())


def _have_fetched(team_id: int, gathered: Gathered) -> None:
    for pr_id in sorted(gathered.merged):
        _send(fetch_pr_complete_data_task, team_id, pr_id, True, countdown=MERGED_AFTER.total_seconds())
    if gathered.others:
        for integration_id in _connections(team_id, gathered.repositories):
            _fetch_soon(team_id, integration_id, GATHERED_FOR.total_seconds() + MOMENT)


def _fetch_soon(team_id: int, integration_id: int, countdown: float) -> None:
    if due_fetches.is_first_to_come(integration_id):
        _send(fetch_due_pull_requests_task, team_id, integration_id, countdown=countdown)


def _connections(team_id: int, repositories: Iterable[int]) -> list[int]:
    with team_scope(team_id):
        return due_fetches.connections_of(sorted(repositories))


def _follow_up(team_id: int, integration_id: int, fetched: Fetched) -> None:
    """Also come back for what is due soon: what failed, or was asked for again while it was being fetched."""
    if fetched.touched:
        _send(aggregate_touched_weeks_task, team_id, countdown=CALM)
    if fetched.next_due is not None:
        wait = (fetched.next_due - timezone.now()).total_seconds() + MOMENT
        if wait <= SOON:
            _fetch_soon(team_id, integration_id, max(wait, MOMENT))


def _send(task: Task, *args: Any, countdown: float | None = None) -> None:
    """A queue that is away fails nobody."""
    try:
        task.apply_async(args, countdown=countdown, retry_policy={"max_retries": 1, "interval_start": 0})
    except BrokerUnreachable as error:
        logger.warning("the queue is away, %s%r is made up for later: %s", task.name, args, error)

"""Whose turn it is. Runs wait as rows, and a connection has a few in hand or in the queue at a time: the queue stays
short, and a team with five hundred repositories stands in it no more often than a team with one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, IntegrationCredential, SyncRun
from apps.integrations.services.github_sync import runs
from apps.integrations.services.github_sync.runs import Handle
from apps.teams.scope import team_scope

AT_ONCE = 2
"""Runs of one credential that are worked on: GitHub wants no more heavy requests in flight, and each run sends one."""

LOST_IN_QUEUE = timedelta(minutes=2)
"""A message that may be lost with Redis. Sending it again is harmless: the second of them opens nothing."""

Status = SyncRun.Status


def next_turns(*, team_id: int, integration_id: int) -> list[Handle]:
    """Handles of the connection's runs whose turn has come, noted as queued: those that were never worked on first,
    then those that rested longest. Four statements and one for each of them.
    """
    with team_scope(team_id):
        _one_at_a_time(integration_id)
        now = timezone.now()
        of_connection = SyncRun.objects.filter(
            tracked_repository__is_active=True,
            tracked_repository__integration_id=integration_id,
            tracked_repository__integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
        )
        queued = Q(status=Status.PENDING, queued_at__gte=now - LOST_IN_QUEUE)
        in_hand = of_connection.filter(queued | Q(status=Status.RUNNING, heartbeat_at__gte=now - runs.STALE)).count()
        credentials = IntegrationCredential.objects.filter(integration_id=integration_id, is_valid=True).count()
        free = AT_ONCE * max(credentials, 1) - in_hand
        if free <= 0:
            return []
        waiting = of_connection.filter(
            Q(queued_at=None) | Q(queued_at__lt=now - LOST_IN_QUEUE), status=Status.PENDING
        ).order_by(F("heartbeat_at").asc(nulls_first=True), "pk")
        chosen = list(waiting[:free])
        SyncRun.objects.filter(pk__in=[run.pk for run in chosen], status=Status.PENDING).update(queued_at=now)
        return [runs.handle_of(run) for run in chosen]


def connections_in_waiting(team_id: int) -> list[int]:
    """The team's connections some run of which waits for its turn, or for a message that may be lost. One statement."""
    with team_scope(team_id):
        waiting = SyncRun.objects.filter(status=Status.PENDING, tracked_repository__is_active=True)
        ids = waiting.values_list("tracked_repository__integration_id", flat=True).distinct()
        return list(ids.order_by("tracked_repository__integration_id"))


def _one_at_a_time(integration_id: int) -> None:
    """Until COMMIT nobody else gives turns of this connection. No row is locked for it: pages are written meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"turns of {integration_id}"])

"""Repositories whose syncs stand in the log, and what its pages say of them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.common.roles import as_owner
from apps.integrations.factories import SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.models import SyncRun, TrackedRepository
from apps.metrics.factories import RepositoryFactory
from apps.teams.scope import team_scope

Kind, Status = SyncRun.Kind, SyncRun.Status
THEN = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
HTMX = {"HX-Request": "true"}


def run(tracked, kind=Kind.INITIAL, status=Status.COMPLETE, **fields) -> SyncRun:
    return SyncRunFactory.create(
        team=tracked.team, tracked_repository=tracked, kind=kind, status=status, **{"started_at": THEN} | fields
    )


def very_many_updates(tracked, count=3_000) -> None:
    """So many updates that went well and were told; PostgreSQL knows of them, and its plans are those of a large log.

    In a transactional test.
    """
    routine = {"kind": Kind.INCREMENTAL, "status": Status.COMPLETE, "started_at": THEN, "notified_at": THEN}
    with team_scope(tracked.team_id):
        SyncRun.objects.bulk_create(SyncRun(tracked_repository=tracked, **routine) for _ in range(count))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE integrations_syncrun")


def followed(integration, full_name) -> TrackedRepository:
    """A repository of the connection; another call with the same name is its successor."""
    repository = RepositoryFactory.create(team=integration.team, full_name=full_name)
    return TrackedRepositoryFactory.create(team=integration.team, integration=integration, repository=repository)


def run_url(one) -> str:
    return reverse("integrations:sync_run", args=[one.team.slug, one.pk])


def text(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def statements(client, address, query=None) -> int:
    """How many SQL statements the page takes."""
    with CaptureQueriesContext(connection) as seen:
        text(client.get(address, query))
    return len(seen)

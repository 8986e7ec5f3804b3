"""Deployments and their statuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from apps.common.copy_upsert import copy_upsert
from apps.metrics.models import Deployment, DeploymentStatus, Repository
from apps.metrics.records import DeploymentRecord
from apps.metrics.services.ingest.weeks import weeks_of
from apps.metrics.services.ingest.writing import Row, find_by_index
from apps.metrics.services.members import Members, resolve_members


@dataclass(frozen=True, slots=True)
class IngestedDeployments:
    """`statuses`: how many rows of them were written or marked as gone."""

    inserted: int
    updated: int
    unchanged: int
    statuses: int
    touched_weeks: frozenset[date]


def ingest_deployments(
    repository: Repository, records: Sequence[DeploymentRecord], *, synced_at: datetime
) -> IngestedDeployments:
    """Store deployments of one repository with their statuses, in the caller's `team_scope`.

    A deployment is finished at its first `success` status. Statuses that were fetched whole (as many as stated) and
    lack stored ones mark those as gone.
    """
    find_by_index()
    latest = {record.id: record for record in records}
    members = _members(latest.values())
    written = copy_upsert(
        Deployment,
        [_row(repository, record, members) for record in latest.values()],
        conflict=["team", "github_deployment_id"],
        update=["environment", "creator", "is_whole", "gone_at"],
        keep=["state", "node_id", "ref", "task", "description", "is_production", "source_updated_at"],
        when="t.repository_id = EXCLUDED.repository_id"
        " AND coalesce(t.source_updated_at <= EXCLUDED.source_updated_at, true)",
    )
    stored = Deployment.objects.filter(
        team_id=repository.team_id, repository_id=repository.pk, github_deployment_id__in=list(latest)
    )
    ids = dict(stored.values_list("github_deployment_id", "id"))
    known = [latest[id_] for id_ in ids]
    statuses = _write_statuses(repository, known, ids, members, synced_at)
    finished = _finish(repository.team_id, list(ids.values())) if statuses else []
    weeks = weeks_of(finished, repository.team.time_zone)
    return IngestedDeployments(written.inserted, written.updated, written.unchanged, statuses, frozenset(weeks))


def _members(records: Any) -> Members:
    creators = [record.creator for record in records]
    creators += [status.creator for record in records for status in record.statuses or ()]
    return resolve_members(account for account in creators if account is not None)


def _row(repository: Repository, record: DeploymentRecord, members: Members) -> Row:
    return {
        "repository_id": repository.pk,
        "github_deployment_id": record.id,
        "node_id": record.node_id,
        "environment": record.environment[:255],
        "is_production": record.is_production,
        "sha": record.sha,
        "ref": record.ref[:255],
        "task": record.task[:255],
        "description": record.description,
        "creator_id": members.id_of(record.creator),
        "state": record.state,
        "deployed_at": record.created_at,
        "source_updated_at": record.updated_at,
        "is_whole": _is_whole(record),
    }


def _write_statuses(
    repository: Repository,
    records: Sequence[DeploymentRecord],
    ids: dict[int, int],
    members: Members,
    synced_at: datetime,
) -> int:
    """How many rows changed."""
    rows = {
        status.node_id: {
            "deployment_id": ids[record.id],
            "node_id": status.node_id,
            "state": status.state,
            "creator_id": members.id_of(status.creator),
            "description": status.description,
            "url": status.url,
            "stated_at": status.created_at,
        }
        for record in records
        for status in record.statuses or ()
    }
    written = copy_upsert(
        DeploymentStatus,
        list(rows.values()),
        conflict=["team", "node_id"],
        update=["state", "creator", "stated_at", "gone_at"],
        keep=["description", "url"],
        when="t.deployment_id = EXCLUDED.deployment_id",
    )
    whole = [ids[record.id] for record in records if _is_whole(record)]
    gone: int = (
        DeploymentStatus.objects.filter(team_id=repository.team_id, deployment_id__in=whole, gone_at=None)
        .exclude(node_id__in=list(rows))
        .update(gone_at=synced_at)
    )
    return written.changed + gone


def _is_whole(record: DeploymentRecord) -> bool:
    """Whether it came with all of its statuses."""
    total = record.statuses_total
    return record.statuses is not None and total is not None and len(record.statuses) >= total


def _finish(team_id: int, deployments: list[int]) -> list[datetime]:
    """Set `finished_at` from the statuses; answers the instants that it was and is for those that changed."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"team": team_id, "ids": deployments})
        return [at for row in cursor.fetchall() for at in row if at is not None]


_FINISH = """
WITH first AS (
    SELECT d.id, d.finished_at AS was, min(s.stated_at) AS finished_at
    FROM metrics_deployment d
    LEFT JOIN metrics_deploymentstatus s
        ON s.team_id = d.team_id AND s.deployment_id = d.id AND s.state = 'success' AND s.gone_at IS NULL
    WHERE d.team_id = %(team)s AND d.id = ANY(%(ids)s::bigint[])
    GROUP BY d.id, d.finished_at
)
UPDATE metrics_deployment d SET finished_at = first.finished_at
FROM first
WHERE d.team_id = %(team)s AND d.id = first.id AND first.finished_at IS DISTINCT FROM first.was
RETURNING first.was, d.finished_at
"""

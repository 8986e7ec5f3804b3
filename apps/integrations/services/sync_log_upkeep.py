"""What leaves the sync log by itself: updates and comparisons that brought nothing, and old looks for changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from apps.integrations.models import FreshnessCheck, SyncRun
from apps.teams.scope import team_scope

KEPT = timedelta(days=30)
AT_ONCE = 5_000
"""Rows a transaction."""

_QUIET = (
    Q(kind__in=["incremental", "reconcile"], status="complete")
    & (Q(counts__pull_requests__isnull=True) | Q(counts__pull_requests=0))
    & (Q(counts__deployments__isnull=True) | Q(counts__deployments=0))
)


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many rows were deleted."""

    runs: int
    looks: int


def tidy_sync_log(team_id: int) -> Tidied:
    """Delete what is older than 30 days and says nothing. Everything that brought something, failed, was left partial
    or was begun by a person is kept.
    """
    before = timezone.now() - KEPT
    return Tidied(
        runs=_delete(team_id, lambda: SyncRun.objects.filter(_QUIET, created_at__lt=before)),
        looks=_delete(team_id, lambda: FreshnessCheck.objects.filter(started_at__lt=before)),
    )


def _delete(team_id: int, rows: Callable[[], QuerySet[Model]]) -> int:
    deleted = 0
    while True:
        with team_scope(team_id):
            keys = list(rows().order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            if keys:
                rows().filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < AT_ONCE:
            return deleted

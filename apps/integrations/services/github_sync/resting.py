"""The runs of a connection that does not work rest together, and go on together. In the team's scope.

They are due at once, and the reaper leaves those of a broken connection alone: so whoever mends the connection has
them going again, and a run that a person paused (`resume_at` NULL) or whose budget comes back later stays as it is.
"""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs

Status = SyncRun.Status
Sync = TrackedRepository.SyncStatus


def unfinished(integration_id: int) -> QuerySet[SyncRun]:
    found: QuerySet[SyncRun] = SyncRun.objects.filter(
        tracked_repository__integration_id=integration_id, status__in=SyncRun.UNFINISHED
    )
    return found


def locked(integration_id: int, some: QuerySet[SyncRun]) -> list[SyncRun]:
    """These runs of the connection, and then its own row, ours until COMMIT. That is the order in which everybody
    writes, as the page of a sync does: a run, its repository, the connection, what it follows.

    NO KEY: whoever only points to one of the rows does not wait.
    """
    found = list(some.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    GitHubIntegration.objects.select_for_update(no_key=True).filter(pk=integration_id).first()
    return found


def rest_all(integration_id: int, *, reason: str) -> int:
    """Pause what runs or waits for its turn; its worker notices before it writes. How many were paused."""
    now = timezone.now()
    under_way = SyncRun.objects.filter(
        tracked_repository__integration_id=integration_id, status__in=(Status.PENDING, Status.RUNNING)
    )
    resting = locked(integration_id, under_way)
    for run in resting:
        SyncRun.objects.filter(pk=run.pk).update(
            status=Status.PAUSED,
            token=uuid.uuid4(),
            resume_at=now,
            queued_at=None,
            waits=runs.waiting(run, now, reason),
        )
    TrackedRepository.objects.filter(pk__in=[run.tracked_repository_id for run in resting]).update(
        sync_status=Sync.PAUSED, sync_activity="", last_sync_error=reason, rate_limited=False, rate_limit_reset_at=None
    )
    return len(resting)


def resume_all(integration_id: int) -> int:
    """Let what rested wait for its turn, each from its checkpoint. How many do."""
    rested = SyncRun.objects.filter(
        tracked_repository__integration_id=integration_id,
        tracked_repository__is_active=True,
        status=Status.PAUSED,
        resume_at__lte=timezone.now(),
    )
    resumed = locked(integration_id, rested)
    SyncRun.objects.filter(pk__in=[run.pk for run in resumed]).update(
        status=Status.PENDING, resume_at=None, queued_at=None
    )
    TrackedRepository.objects.filter(pk__in=[run.tracked_repository_id for run in resumed]).update(
        sync_status=Sync.SYNCING, sync_activity="Waiting for a worker", last_sync_error=""
    )
    return len(resumed)

"""The runs of a connection that does not work rest together, and go on together. In the team's scope.

They are due at once, and the reaper leaves those of a broken connection alone: so whoever mends the connection has
them going again, and a run that a person paused (`resume_at` NULL) or whose budget comes back later stays as it is.
"""

from __future__ import annotations

import uuid

from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs

Status = SyncRun.Status
Sync = TrackedRepository.SyncStatus


def rest_all(integration_id: int, *, reason: str) -> int:
    """Pause what runs or waits for its turn; its worker notices before it writes. How many were paused.

    To be called before the connection's own row is written: a page locks its run first, too.
    """
    now = timezone.now()
    under_way = SyncRun.objects.filter(
        tracked_repository__integration_id=integration_id, status__in=(Status.PENDING, Status.RUNNING)
    )
    resting = list(under_way.select_for_update(no_key=True, of=("self",)).order_by("pk"))
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
    resumed = list(rested.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    SyncRun.objects.filter(pk__in=[run.pk for run in resumed]).update(
        status=Status.PENDING, resume_at=None, queued_at=None
    )
    TrackedRepository.objects.filter(pk__in=[run.tracked_repository_id for run in resumed]).update(
        sync_status=Sync.SYNCING, sync_activity="Waiting for a worker", last_sync_error=""
    )
    return len(resumed)

"""Which repositories are compared with GitHub next: each once a night."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services.github_sync import due, runs
from apps.integrations.services.github_sync.reconciliation.reconcile import first_checkpoint
from apps.teams.scope import team_scope

USUALLY = timedelta(hours=20)
AT_LATEST = timedelta(hours=30)
NIGHT = range(2, 6)
"""The hours (UTC) in which a repository is compared once more; one that missed them follows by day."""

AT_ONCE = 5
"""Reconciliations that are begun for a team in one round: they wait for their turn like every run."""


def begin_due(team_id: int, *, now: datetime | None = None) -> list[int]:
    """Begin the reconciliation of the team's repositories whose last one is long ago and which nothing else is done
    for, and of those that are to be compared before; one that was given up waits for another night. The integrations
    whose runs wait now. Two statements at most, and a few for each of them.
    """
    now = now or timezone.now()
    age = USUALLY if now.hour in NIGHT else AT_LATEST
    is_time = (
        Q(reconciled_at__lt=now - age)
        | Q(reconciled_at=None, created_at__lt=now - age)
        | Q(reconcile_asked_at__isnull=False)
    )
    with team_scope(team_id):
        if not TrackedRepository.objects.filter(is_time, is_active=True).exists():  # most of the day, for little
            return []
        waiting = []
        given_up = SyncRun.objects.filter(
            tracked_repository=OuterRef("pk"),
            kind=SyncRun.Kind.RECONCILE,
            status=SyncRun.Status.ERROR,
            finished_at__gte=now - USUALLY,
        )
        repositories = (
            due.followed()
            .filter(is_time, ~Exists(given_up), sync_requested_at=None)
            .select_related("repository")
            .order_by(F("reconcile_asked_at").asc(nulls_last=True), F("reconciled_at").asc(nulls_first=True))
        )
        for tracked in repositories[:AT_ONCE]:
            run = runs.begin_found(tracked=tracked, kind=SyncRun.Kind.RECONCILE, ids=(), deployments=False)
            fresh = SyncRun.objects.filter(pk=run.pk, kind=SyncRun.Kind.RECONCILE, started_at=None, token=run.token)
            every = tracked.reconcile_asked_at is not None
            if fresh.update(checkpoint=first_checkpoint(every=every)):
                TrackedRepository.objects.filter(pk=tracked.pk).update(reconcile_asked_at=None)
                waiting.append(tracked.integration_id)
        return sorted(set(waiting))

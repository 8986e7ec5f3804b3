"""When a repository is asked what is new: hourly, and more often where no events arrive by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.teams.scope import team_scope

EVERY = timedelta(hours=1)
WITHOUT_WEBHOOK = timedelta(minutes=10)

JOINS = 0.75
"""Once one repository of a connection is due, those come along whose time is over by this share: what is asked together
costs the same points, so the looks of a connection find one rhythm.
"""

LOST_IN_QUEUE = timedelta(minutes=5)
"""A look that was asked for and never began: its message may be lost with Redis. Another one is harmless."""

Sync = TrackedRepository.SyncStatus


def healthy_webhook() -> Q:
    """Of tracked repositories: events arrive by themselves, as far as is known."""
    return Q(webhook_status=TrackedRepository.WebhookStatus.ACTIVE, webhook_error="")


def followed() -> QuerySet[TrackedRepository]:
    """The tracked repositories that were covered once, and of which nothing else is under way."""
    unfinished = SyncRun.objects.filter(tracked_repository=OuterRef("pk"), status__in=SyncRun.UNFINISHED)
    found: QuerySet[TrackedRepository] = TrackedRepository.objects.filter(
        ~Exists(unfinished),
        is_active=True,
        sync_status__in=[Sync.COMPLETE, Sync.PARTIAL],
        watermark__isnull=False,
        integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    return found


def due(now: datetime, *, share: float = 1.0) -> QuerySet[TrackedRepository]:
    """Those of them whose last look or sync is long enough ago, or `share` of that."""
    often = ~healthy_webhook() & Q(last_sync_at__lte=now - WITHOUT_WEBHOOK * share)
    return followed().filter(often | Q(last_sync_at__lte=now - EVERY * share))


def connections_to_look_at(now: datetime) -> QuerySet[GitHubIntegration]:
    """The connections with something due, or with a reading of checks that goes on, and no look under way."""
    of_connection = due(now).filter(integration=OuterRef("pk"))
    found: QuerySet[GitHubIntegration] = GitHubIntegration.objects.filter(
        Q(look_claimed_until=None) | Q(look_claimed_until__lte=now),
        Exists(of_connection) | Q(checks_cursor__isnull=False),
        sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    return found


def ask_for_looks(team_id: int) -> list[int]:
    """The team's connections that are to be looked at now, noted as asked for. One statement, two where some are."""
    now = timezone.now()
    with team_scope(team_id):
        unasked = Q(look_asked_at=None) | Q(look_asked_at__lte=now - LOST_IN_QUEUE)
        ids = list(connections_to_look_at(now).filter(unasked).order_by("looked_at", "pk").values_list("pk", flat=True))
        if ids:
            GitHubIntegration.objects.filter(pk__in=ids).update(look_asked_at=now)
    return ids

"""When a repository is asked what is new: hourly, and more often where no events arrive by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.queries.tried_again import AGAIN_AFTER, ROUTINE
from apps.integrations.services.github_sync.runs import is_covered
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


def nobody_waits_for(tracked: TrackedRepository) -> bool:
    """Whether a message that asks for a whole sync comes too late, or twice: what it asked for was done, or somebody
    cancelled it. With its repository; in a scope.
    """
    if tracked.sync_requested_at is not None:
        return False
    last = SyncRun.objects.filter(tracked_repository=tracked).order_by("-pk").first()
    if last is None or last.status in SyncRun.UNFINISHED:
        return False
    return is_covered(tracked) or last.status == SyncRun.Status.CANCELLED


def healthy_webhook() -> Q:
    """Of tracked repositories: events arrive by themselves, as far as is known."""
    return Q(webhook_status=TrackedRepository.WebhookStatus.ACTIVE, webhook_error="")


def followed() -> QuerySet[TrackedRepository]:
    """The tracked repositories that were covered once, and of which nothing else is under way; also those whose last
    update or comparison failed, once a day.
    """
    runs_of_it = SyncRun.objects.filter(tracked_repository=OuterRef("pk")).order_by("-pk")
    tried_again = Q(
        sync_status=Sync.ERROR,
        last_kind__in=ROUTINE,
        last_end__lte=timezone.now() - AGAIN_AFTER,
    )
    unfinished = SyncRun.objects.filter(tracked_repository=OuterRef("pk"), status__in=SyncRun.UNFINISHED)
    found: QuerySet[TrackedRepository] = TrackedRepository.objects.alias(
        last_kind=Subquery(runs_of_it.values("kind")[:1]), last_end=Subquery(runs_of_it.values("finished_at")[:1])
    ).filter(
        ~Exists(unfinished),
        Q(sync_status__in=[Sync.COMPLETE, Sync.PARTIAL]) | tried_again,
        is_active=True,
        watermark__isnull=False,
        integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    return found


def due(now: datetime, *, share: float = 1.0) -> QuerySet[TrackedRepository]:
    """Those of them whose last look or sync is long enough ago, or `share` of that."""
    return followed().filter(_long_ago(now, share))


def _long_ago(now: datetime, share: float = 1.0) -> Q:
    often = ~healthy_webhook() & Q(last_sync_at__lte=now - WITHOUT_WEBHOOK * share)
    return often | Q(last_sync_at__lte=now - EVERY * share)


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
    """The team's connections that are to be looked at now, noted as asked for. Two statements, four at most."""
    now = timezone.now()
    with team_scope(team_id):
        if not _may_be_due(now):
            return []
        unasked = Q(look_asked_at=None) | Q(look_asked_at__lte=now - LOST_IN_QUEUE)
        ids = list(connections_to_look_at(now).filter(unasked).order_by("looked_at", "pk").values_list("pk", flat=True))
        if ids:
            GitHubIntegration.objects.filter(pk__in=ids).update(look_asked_at=now)
    return ids


def _may_be_due(now: datetime) -> bool:
    """Asked of every team each minute: a tenth of the work that the whole question is, and its no is final."""
    late = TrackedRepository.objects.filter(_long_ago(now), is_active=True)
    reading = GitHubIntegration.objects.filter(checks_cursor__isnull=False)
    return bool(late.exists() or reading.exists())

"""The rows of what is to be fetched: whose are due, claimed, done, tried again or given up. In the team's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.integrations.github.pull_requests import IDS_PER_POINT
from apps.integrations.models import GitHubIntegration, ScheduledFetch, TrackedRepository
from apps.integrations.services.webhooks.gathering import EVENT, jittered

STALE = timedelta(minutes=2)
"""A claim that is older was its worker's last."""

MOST_ATTEMPTS = 4
FIRST_PAUSE = timedelta(seconds=4)
"""Until the first of three further attempts; four times as long each time. Most of what fails is there a moment later:
GitHub's replicas lag behind its events by seconds.
"""

COMING_FOR = 30
"""Seconds for which one message stands for all, should it be lost."""

KEPT_FOR = timedelta(days=30)
NOBODYS_AFTER = timedelta(days=3)
"""What was due for so long belongs to nothing that is followed any more, or loses its workers."""


def _open(integration_id: int, now: datetime) -> QuerySet[ScheduledFetch]:
    followed = TrackedRepository.objects.filter(
        repository_id=OuterRef("repository_id"),
        integration_id=integration_id,
        is_active=True,
        integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - STALE)
    found: QuerySet[ScheduledFetch] = ScheduledFetch.objects.filter(
        free, Exists(followed), done_at=None, attempts__lt=MOST_ATTEMPTS
    )
    return found


def claim(integration_id: int, *, pull_request_id: int | None = None) -> list[ScheduledFetch]:
    """What one query fetches of what is due, the longest due first, with its repository; also what is to come soon of
    one pull request. Served by scheduled_fetch_due.
    """
    now = timezone.now()
    due = Q(due_at__lte=now)
    if pull_request_id is not None:
        due |= Q(pull_request_id=pull_request_id, kind=EVENT)
    rows = _open(integration_id, now).filter(due).select_related("repository__team", "pull_request")
    taken = list(rows.select_for_update(of=("self",), skip_locked=True).order_by("due_at", "pk")[:IDS_PER_POINT])
    if taken:
        ScheduledFetch.objects.filter(pk__in=[row.pk for row in taken]).update(
            claimed_at=now, attempts=F("attempts") + 1
        )
    for row in taken:
        row.claimed_at, row.attempts = now, row.attempts + 1
    return taken


def connections_due() -> list[int]:
    """The team's connections of which something is due. Two statements at most."""
    now = timezone.now()
    due = ScheduledFetch.objects.filter(done_at=None, due_at__lte=now).values("repository_id")
    tracked = TrackedRepository.objects.filter(
        repository_id__in=due, is_active=True, integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED
    )
    return sorted(set(tracked.values_list("integration_id", flat=True)))


def connections_of(repository_ids: Sequence[int]) -> list[int]:
    """The connections that follow these repositories."""
    tracked = TrackedRepository.objects.filter(repository_id__in=repository_ids, is_active=True)
    return sorted(set(tracked.values_list("integration_id", flat=True)))


def is_first_to_come(integration_id: int) -> bool:
    """Whether a message must be sent for what is due within seconds: not while another one is on its way."""
    return cache.add(_coming(integration_id), 1, COMING_FOR)


def has_come(integration_id: int) -> None:
    cache.delete(_coming(integration_id))


def _coming(integration_id: int) -> str:
    return f"fetches:{integration_id}"


def finish(row: ScheduledFetch) -> None:
    """It is here. What asked for it meanwhile has it fetched once more."""
    ours = ScheduledFetch.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    if not ours.filter(asked=row.asked).delete()[0]:
        ours.update(claimed_at=None, attempts=0, error="")


def retry(row: ScheduledFetch, reason: str) -> bool:
    """Try it again later. False: that was the last attempt, and its error stays."""
    ours = ScheduledFetch.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    now = timezone.now()
    if row.attempts >= MOST_ATTEMPTS and ours.filter(asked=row.asked).update(done_at=now, error=reason):
        return False
    pause = jittered(FIRST_PAUSE * 4 ** (min(row.attempts, MOST_ATTEMPTS) - 1))
    attempts = row.attempts if row.attempts < MOST_ATTEMPTS else 0  # somebody asked for it anew
    ours.update(claimed_at=None, due_at=now + pause, error=reason, attempts=attempts)
    return True


def put_off(rows: Sequence[ScheduledFetch], until: datetime, reason: str) -> None:
    """Nothing was tried: GitHub is not to be asked before `until`."""
    for row in rows:
        ours = ScheduledFetch.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
        ours.update(claimed_at=None, due_at=until, error=reason, attempts=F("attempts") - 1)


def next_due(integration_id: int) -> datetime | None:
    """When the next one of the connection is due."""
    found: datetime | None = (
        _open(integration_id, timezone.now()).order_by("due_at").values_list("due_at", flat=True).first()
    )
    return found


def tidy(now: datetime) -> int:
    """Forget what was given up a month ago, and what nobody can fetch any more. How many."""
    old = Q(done_at__lt=now - KEPT_FOR) | Q(done_at=None, due_at__lt=now - NOBODYS_AFTER)
    deleted: int = ScheduledFetch.objects.filter(old).delete()[0]
    return deleted

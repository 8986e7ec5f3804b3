"""Events that could not be processed, for the page of connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from apps.integrations.models import GitHubIntegration, WebhookDelivery

MOST = 10
"""Kinds of failure that the page names."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A kind of event of one connection that cannot be read, or was tried as often as it may: how many of the last
    thirty days, when the latest of them came, and what was wrong with it.
    """

    account: str
    event: str
    count: int
    latest: datetime
    error: str


def given_up(attempts: int) -> list[GivenUp]:
    """Of the current team's connections, those tried `attempts` times or settled with an error, the latest first. Two
    statements at most, served by webhook_delivery_open and webhook_delivery_failed.
    """
    accounts = dict(GitHubIntegration.objects.values_list("pk", "organization_slug"))
    in_vain = Q(processed_at=None, attempts__gte=attempts)
    settled = Q(processed_at__isnull=False) & ~Q(error="")
    failed = WebhookDelivery.objects.filter(in_vain | settled, endpoint__integration_id__in=list(accounts))
    kinds = failed.values_list("endpoint__integration_id", "event", "error")
    rows = kinds.annotate(count=Count("pk"), latest=Max("received_at")).order_by("-latest")[:MOST]
    return [GivenUp(accounts[pk], event, count, latest, error) for pk, event, error, count, latest in rows]

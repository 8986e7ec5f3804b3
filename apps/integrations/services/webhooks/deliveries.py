"""What did not arrive: GitHub never delivers again by itself, so its lists are read and what failed is asked for again.
The same lists say how a hook does. What even that does not bring, the hourly sync does.

https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.integrations.github import hooks
from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    NotFound,
    PermissionMissing,
    QueryRejected,
    RateLimited,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.hooks import Delivery
from apps.integrations.github.rest import Rest
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.services.github_rest import rest_of
from apps.integrations.services.github_sync import trouble
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

Status = TrackedRepository.WebhookStatus

EVERY = timedelta(minutes=5)
AT_ONCE = 50
"""Hooks of a connection that are seen to in one round, a request or two each: the hour's budget is for other things.
With more of them each has its turn later.
"""

MOST = 60
"""Events of a connection that are asked for again in one round: GitHub wants a second between writes."""

OVERLAP = timedelta(minutes=10)
GITHUB_KEEPS = timedelta(days=3)
SETTLED = timedelta(seconds=30)
"""An attempt that is younger may not have got its answer yet."""

IN_VAIN = frozenset({400, 413})
"""What we answer to an event that we shall never take."""

WATCHED = (Status.ACTIVE, Status.MISSING, Status.DISABLED, Status.MISSIGNED, Status.FAILING)
REMOVED = "GitHub does not show the webhook any more: it was removed there, or the connection may not see it."
SWITCHED_OFF = "The webhook is switched off at GitHub."
MISSIGNED = "GitHub signs with another secret than ours: its events are refused."


@dataclass(frozen=True, slots=True)
class Seen:
    """How many hooks were seen to, how many events were asked for again."""

    hooks: int = 0
    redelivered: int = 0


@dataclass(frozen=True, slots=True)
class _Health:
    status: str
    error: str = ""
    failed: tuple[Delivery, ...] = ()


def connections_due(team_id: int) -> list[int]:
    """The team's connections some hook of which is to be seen to. One statement."""
    with team_scope(team_id):
        return sorted(set(_due(timezone.now()).values_list("integration_id", flat=True)))


def _due(now: datetime) -> QuerySet[TrackedRepository]:
    rested = Q(webhook_checked_at=None) | Q(webhook_checked_at__lte=now - EVERY + SETTLED)
    found: QuerySet[TrackedRepository] = TrackedRepository.objects.filter(
        rested,
        is_active=True,
        webhook_id__isnull=False,
        webhook_status__in=WATCHED,
        integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    return found


def see_to(team_id: int, integration_id: int) -> Seen:
    """Ask for what failed of a connection's events, and note how its hooks do. In no scope; one at a time; never raises
    for what GitHub does.
    """
    busy = f"hooks:{integration_id}"
    if not cache.add(busy, 1, EVERY.total_seconds()):
        return Seen()
    try:
        return _seen_to(team_id, integration_id)
    finally:
        cache.delete(busy)


def _seen_to(team_id: int, integration_id: int) -> Seen:
    with team_scope(team_id):
        mine = _due(timezone.now()).filter(integration_id=integration_id).select_related("repository")
        rows = list(mine.order_by(F("webhook_checked_at").asc(nulls_first=True), "pk")[:AT_ONCE])
    seen = redelivered = 0
    try:
        with closing(rest_of(team_id=team_id, integration_id=integration_id)) as rest:
            for tracked in rows:
                began = timezone.now()
                health = _health(rest, tracked, began)
                _note(tracked, health)
                asked, upto = _ask_again(rest, tracked, health, began, MOST - redelivered)
                redelivered += asked
                seen += 1
                _note_checked(tracked, upto)
    except (RateLimited, Unavailable) as error:
        logger.info("hooks of connection %s wait: %s", integration_id, error)
    except (BadCredentials, SsoRequired) as error:
        trouble.settle_integration(team_id, integration_id, error)
    return Seen(seen, redelivered)


def _health(rest: Rest, tracked: TrackedRepository, now: datetime) -> _Health:
    """How a hook does, by what GitHub says of it and its deliveries. Raises what is the whole connection's."""
    name, hook_id = tracked.repository.full_name, tracked.webhook_id
    assert hook_id is not None  # of what is due
    since = max(now - GITHUB_KEEPS, (tracked.webhook_checked_at or now - GITHUB_KEEPS) - OVERLAP)
    try:
        attempts = _settled_attempts(rest, name, hook_id, since, now)
        if not attempts or tracked.webhook_status in {Status.MISSING, Status.DISABLED}:
            if not hooks.get_hook(rest, name, hook_id).is_active:
                return _Health(Status.DISABLED, SWITCHED_OFF)
            if not attempts:
                is_known = tracked.webhook_status in {Status.MISSIGNED, Status.FAILING}
                return _Health(*((tracked.webhook_status, tracked.webhook_error) if is_known else (Status.ACTIVE,)))
    except NotFound:
        return _Health(Status.MISSING, REMOVED)
    except PermissionMissing as denied:
        return _Health(Status.FORBIDDEN, str(denied))
    except (RateLimited, Unavailable, BadCredentials, SsoRequired):
        raise
    except GitHubError as error:
        return _Health(tracked.webhook_status, str(error))
    return _judged(attempts)


def _settled_attempts(rest: Rest, name: str, hook_id: int, since: datetime, now: datetime) -> list[Delivery]:
    """None where the server has no such list: then the hook itself says all there is."""
    try:
        attempts = hooks.deliveries_since(rest, name, hook_id, since=since)
    except NotFound:
        return []
    return [each for each in attempts if each.delivered_at <= now - SETTLED]


def _judged(attempts: Sequence[Delivery]) -> _Health:
    failed = tuple(each for each in hooks.failed_of(attempts) if each.status_code not in IN_VAIN)
    latest = attempts[0]
    if latest.succeeded or not failed:
        return _Health(Status.ACTIVE, failed=failed)
    if latest.status_code == 403:
        return _Health(Status.MISSIGNED, MISSIGNED)
    answer = f"the answer was {latest.status_code}" if latest.status_code else "there was no answer"
    return _Health(Status.FAILING, f"GitHub’s events do not arrive here: {answer}.", failed)


def _ask_again(
    rest: Rest, tracked: TrackedRepository, health: _Health, now: datetime, most: int
) -> tuple[int, datetime]:
    """How many were asked for, and up to when all that failed was."""
    assert tracked.webhook_id is not None
    asked = 0
    for delivery in health.failed:
        if asked >= most:
            return asked, delivery.delivered_at
        try:
            hooks.redeliver(rest, tracked.repository.full_name, tracked.webhook_id, delivery.id)
        except (NotFound, QueryRejected):  # GitHub has forgotten it meanwhile
            continue
        asked += 1
    return asked, now


def _note(tracked: TrackedRepository, health: _Health) -> None:
    """Unless somebody switched, repaired or rotated it meanwhile. One that was silent and is heard of again: nobody
    delivers what it did not send, and of some changes only events tell, so its repository is compared.
    """
    if (health.status, health.error) == (tracked.webhook_status, tracked.webhook_error):
        return
    changes: dict[str, Any] = {"webhook_status": health.status, "webhook_error": health.error}
    if tracked.webhook_status in TrackedRepository.SILENT and health.status == Status.ACTIVE:
        changes["reconcile_asked_at"] = timezone.now()
    with team_scope(tracked.team_id):
        unchanged = TrackedRepository.objects.filter(
            pk=tracked.pk, webhook_id=tracked.webhook_id, webhook_status=tracked.webhook_status
        )
        unchanged.update(**changes, updated_at=timezone.now())


def _note_checked(tracked: TrackedRepository, upto: datetime) -> None:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.filter(pk=tracked.pk).update(webhook_checked_at=upto)

"""The inbox: an event is stored before GitHub gets its answer (see `receiving`), and processed in a task, its effect
and the note that it was processed in one transaction. So nothing that was answered with 202 is lost, and nothing has
its effect twice.

A delivery is claimed before it is processed. A claim that ends in nothing (the worker was lost, or met what it was not
made for) may be taken over after a while, longer each time; after the fourth the delivery stays with its error. What is
not what GitHub publishes will never be: that is settled at once, with what is wrong with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone
from psycopg.errors import ProgramLimitExceeded, QueryCanceled, StatementTooComplex

from apps.integrations import processors
from apps.integrations.models import TrackedRepository, WebhookDelivery, WebhookEndpoint
from apps.integrations.services.webhooks import gathering, touched
from apps.integrations.services.webhooks.gathering import NOTHING, Gathered
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
DELETED_AT_ONCE = 1_000

TAKEN_AT_ONCE = 50
"""Deliveries under one claim. One that was claimed before is claimed alone: should it be what kills workers, it kills
for itself.
"""

STALE = timedelta(minutes=2)
"""After this a first claim may be taken over, after three times as long a second one, and so on."""

MOST_ATTEMPTS = 4

OVERLOOKED = timedelta(seconds=30)
"""A delivery that nobody claimed for so long: the message that should have woken a worker was lost."""

TOO_MUCH = (QueryCanceled, ProgramLimitExceeded, StatementTooComplex)

NOTED_EVERY = timedelta(minutes=1)

WOKEN_FOR = 60
"""Seconds for which one message that wakes a worker stands for all deliveries of its endpoint, should it be lost."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """What a turn at the inbox did: `done` deliveries have their effect, `failed` are to be tried again or were given
    up, those that cannot be read at once. `touched`: aggregates want to be rebuilt. `is_unfinished`: the time was up.
    """

    team_id: int
    done: int = 0
    failed: int = 0
    touched: bool = False
    gathered: Gathered = NOTHING
    is_unfinished: bool = False


def needs_waking(endpoint_id: int) -> bool:
    """Whether a message must wake a worker for the endpoint: not while one is on its way that has not been read yet."""
    return cache.add(_waking(endpoint_id), 1, WOKEN_FOR)


def _waking(endpoint_id: int) -> str:
    return f"inbox:{endpoint_id}"


def empty(endpoint_id: int, *, seconds: float = 30.0) -> Emptied | None:
    """Process what waits in an endpoint's inbox, the oldest first, for about `seconds`. None: it is no more. In no
    scope. Raises OperationalError when the database goes away: what was claimed is taken over later.
    """
    cache.delete(_waking(endpoint_id))  # first: what comes from now on wakes somebody again
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        return None
    until = time.monotonic() + seconds
    emptied = Emptied(endpoint.team_id)
    arrived: dict[int, datetime] = {}
    while not emptied.is_unfinished and (claim := _claim(endpoint_id)):
        for place, delivery_id in enumerate(claim.ids):
            try:
                outcome = _processed(endpoint, delivery_id, claim.at)
            except OperationalError:
                _give_back(claim.ids[place:], claim.at)
                raise
            emptied = _with(emptied, outcome)
            if outcome is not None and outcome.repository_id is not None:
                arrived[outcome.repository_id] = outcome.received_at
        _note_arrivals(endpoint.team_id, arrived)
        emptied = replace(emptied, is_unfinished=time.monotonic() >= until)
    return emptied


def _with(emptied: Emptied, outcome: _Effect | None) -> Emptied:
    if outcome is None:
        return replace(emptied, failed=emptied.failed + 1)
    return replace(
        emptied,
        done=emptied.done + 1,
        touched=emptied.touched or outcome.touched,
        gathered=emptied.gathered | outcome.gathered,
    )


def _give_back(ids: list[int], claimed_at: datetime) -> None:
    """Two transactions waited for each other, or PostgreSQL was away for a moment: whoever comes next goes on."""
    ours = WebhookDelivery.objects.filter(pk__in=ids, claimed_at=claimed_at, processed_at=None)
    with suppress(OperationalError, InterfaceError):  # it still is: the claim goes stale
        ours.update(claimed_at=None, attempts=F("attempts") - 1)


@dataclass(frozen=True, slots=True)
class _Effect:
    touched: bool
    gathered: Gathered
    repository_id: int | None
    received_at: datetime


def _note_arrivals(team_id: int, arrived: dict[int, datetime]) -> None:
    """When the last event of these repositories came, for their cards; once a minute each."""
    with team_scope(team_id):
        for repository_id, at in sorted(arrived.items()):
            before = Q(last_delivery_at=None) | Q(last_delivery_at__lt=at - NOTED_EVERY)
            TrackedRepository.objects.filter(before, repository_id=repository_id).update(last_delivery_at=at)
    arrived.clear()


@dataclass(frozen=True, slots=True)
class _Claim:
    at: datetime
    ids: list[int]

    def __bool__(self) -> bool:
        return bool(self.ids)


def _claim(endpoint_id: int) -> _Claim:
    """The next deliveries, in the order in which they came; or one that was claimed in vain before."""
    now = timezone.now()
    values: dict[str, Any] = {
        "endpoint": endpoint_id,
        "now": now,
        "stale": STALE,
        "most": MOST_ATTEMPTS,
        "limit": TAKEN_AT_ONCE,
    }
    with connection.cursor() as cursor:
        for statement in (_CLAIM_NEW, _CLAIM_AGAIN):
            cursor.execute(statement, values)
            if ids := sorted(row[0] for row in cursor.fetchall()):
                return _Claim(now, ids)
    return _Claim(now, [])


# Both served by webhook_delivery_open.
_CLAIM = """
UPDATE integrations_webhookdelivery SET claimed_at = %(now)s, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM integrations_webhookdelivery
    WHERE endpoint_id = %(endpoint)s AND processed_at IS NULL AND {open}
    ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED
)
RETURNING id
"""
_IN_VAIN = "attempts > 0 AND attempts < %(most)s AND claimed_at < %(now)s - %(stale)s * power(3, attempts - 1)"
_CLAIM_NEW = _CLAIM.format(open="claimed_at IS NULL", limit="%(limit)s")
_CLAIM_AGAIN = _CLAIM.format(open=_IN_VAIN, limit=1)


def _processed(endpoint: WebhookEndpoint, delivery_id: int, claimed_at: datetime) -> _Effect | None:
    """One delivery's effect and the note that it had it, in one transaction. None: it failed, or is not ours (any
    more).
    """
    try:
        with team_scope(endpoint.team_id):
            _do_not_wait_for_the_disk()
            ours = WebhookDelivery.objects.filter(pk=delivery_id, claimed_at=claimed_at, processed_at=None)
            delivery = ours.select_for_update().first()
            if delivery is None:
                return None
            processed = processors.process(endpoint.team_id, delivery.event, orjson.loads(delivery.payload))
            gathered = gathering.note(processed.needs)
            touched.note(processed.touched_weeks)
            ours.update(processed_at=timezone.now(), error="")
            return _Effect(bool(processed.touched_weeks), gathered, processed.repository_id, delivery.received_at)
    except (OperationalError, InterfaceError) as error:
        if not _is_its_own_fault(error):  # no database, or two that waited for each other: it is tried again
            raise
        logger.error("webhook delivery %s is too much", delivery_id, exc_info=error)
        _note_failure(delivery_id, claimed_at, f"{type(error.__cause__).__name__}: {error}")
    except processors.Unreadable as nonsense:  # and would be the next time
        logger.error("webhook delivery %s cannot be read", delivery_id, exc_info=nonsense)
        _note_failure(delivery_id, claimed_at, str(nonsense), processed_at=timezone.now())
    except Exception as surprise:  # the edge of an event: none may hold up those behind it
        logger.error("webhook delivery %s failed", delivery_id, exc_info=surprise)
        _note_failure(delivery_id, claimed_at, f"{type(surprise).__name__}: {surprise}")
    return None


def _is_its_own_fault(error: Exception) -> bool:
    """Whether the event asks more of PostgreSQL than that gives: a statement that takes too long or is too large. It
    would be the first one of each claim, for ever.
    """
    return isinstance(error.__cause__, TOO_MUCH)


def _note_failure(delivery_id: int, claimed_at: datetime, reason: str, **settled: datetime) -> None:
    failed = WebhookDelivery.objects.filter(pk=delivery_id, claimed_at=claimed_at, processed_at=None)
    failed.update(error=reason[:2000].replace("\0", ""), **settled)


def _do_not_wait_for_the_disk() -> None:
    """Should PostgreSQL's machine lose its power, effect and note are lost together, and the event is processed again:
    that it was received is on the disk.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def overlooked() -> list[int]:
    """The endpoints in whose inbox something waits that nobody is at: its message was lost, or its worker. One
    statement.
    """
    now = timezone.now()
    values: dict[str, Any] = {"now": now, "before": now - OVERLOOKED, "stale": STALE, "most": MOST_ATTEMPTS}
    with connection.cursor() as cursor:
        cursor.execute(_OVERLOOKED, values)
        return [row[0] for row in cursor.fetchall()]


_OVERLOOKED = f"""
SELECT DISTINCT endpoint_id FROM integrations_webhookdelivery
WHERE processed_at IS NULL AND ((claimed_at IS NULL AND received_at < %(before)s) OR ({_IN_VAIN}))
ORDER BY endpoint_id
"""  # noqa: S608 - a constant


def delete_old(*, now: datetime | None = None) -> int:
    """Delete what came more than thirty days ago, some at a time. How many were."""
    before = (now or timezone.now()) - KEPT_FOR
    deleted = 0
    while ids := _oldest(before):
        deleted += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
    return deleted


def _oldest(before: datetime) -> Iterable[int]:
    """Served by webhook_delivery_received."""
    old = WebhookDelivery.objects.filter(received_at__lt=before).order_by("received_at")
    return list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])

"""Deliveries that arrive while the workers who process them are killed, doubled, cut off from PostgreSQL and robbed of
Redis. What goes on with them is what looks at the inbox each minute; its minutes pass at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from django.db.models import F

from apps.integrations.models import ScheduledFetch, WebhookDelivery, WebhookEndpoint
from apps.integrations.services.webhooks import inbox
from apps.integrations.services.webhooks.inbox import MOST_ATTEMPTS
from apps.integrations.tests.accidents import Workers, cut_off, flush
from apps.integrations.tests.webhook_support import delivered
from apps.teams.models import Team
from apps.teams.scope import team_scope

KINDS = ("killed", "killed", "killed", "doubled", "cut off", "flushed")
MOST_WORKERS = 2_000


def processed_somehow(
    workers: Workers, endpoint: WebhookEndpoint, events: Sequence[tuple[str, bytes, str]], *, seed: int, every: float
) -> Counter[str]:
    """The events arrive, some at a time, and are processed in the end. What happened meanwhile, each about `every`
    seconds.
    """
    random, waiting = Random(seed), list(events)
    happened: Counter[str] = Counter()
    while waiting or _open(endpoint):
        assert happened["workers"] < MOST_WORKERS, "the inbox is never empty"
        arriving, waiting = waiting[: len(events) // 20 + 1], waiting[len(events) // 20 + 1 :]
        delivered(endpoint, arriving)
        if not waiting:
            _let_minutes_pass(endpoint)
        if waiting or endpoint.pk in inbox.overlooked():
            happened["workers"] += 1
            _live_through(workers, endpoint, random, every, happened)
        else:
            time.sleep(0.01)
    workers.settle()
    return happened


def _live_through(
    workers: Workers, endpoint: WebhookEndpoint, random: Random, every: float, happened: Counter[str]
) -> None:
    """What kills its fourth worker is given up, and rightly: who takes such an event is left alone."""
    is_last = WebhookDelivery.objects.filter(endpoint=endpoint, processed_at=None, attempts=MOST_ATTEMPTS - 1).exists()
    pid = workers.begin_emptying(endpoint.pk)
    while not workers.has_ended(pid, within=60 if is_last else random.expovariate(1 / every)):
        kind = random.choice(KINDS)
        happened[kind] += 1
        if kind == "killed":
            workers.kill(pid)
            return
        if kind == "doubled":
            return
        if kind == "cut off":
            cut_off()
        else:
            flush(workers.redis_url)


def _open(endpoint: WebhookEndpoint) -> bool:
    return WebhookDelivery.objects.filter(endpoint=endpoint, processed_at=None).exists()


def _let_minutes_pass(endpoint: WebhookEndpoint) -> None:
    passed = timedelta(minutes=20)
    WebhookDelivery.objects.filter(endpoint=endpoint, processed_at=None).update(
        claimed_at=F("claimed_at") - passed, received_at=F("received_at") - passed
    )


def fetches_asked_for(team: Team) -> dict[tuple[str, str], int]:
    """How often events asked for each pull request: an effect that counts how often it was had."""
    with team_scope(team.pk):
        rows = ScheduledFetch.objects.order_by("subject", "kind").values_list("subject", "kind", "asked")
        return {(subject, kind): asked for subject, kind, asked in rows}

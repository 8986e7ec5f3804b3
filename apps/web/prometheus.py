"""/metrics for Prometheus: what an operator watches. Off (404) unless METRICS_TOKEN is set; then by bearer token."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.integrations.models import WebhookDelivery
from apps.teams.models import Team
from apps.web.health import HEARTBEAT_KEY, redis_client

# https://prometheus.io/docs/instrumenting/exposition_formats/
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUEUES = ("webhooks", "sync", "default", "metrics")


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges of the whole installation; nothing of a single team. Two SQL statements."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse("Send the token as a bearer token.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse("\n".join(_lines()) + "\n", content_type=CONTENT_TYPE)


def _lines() -> Iterator[str]:
    yield from _gauge("tformance_teams", "Teams on this installation.", {"": Team.objects.count()})
    waiting = WebhookDelivery.objects.filter(processed_at=None).count()
    yield from _gauge("tformance_webhook_deliveries_waiting", "Deliveries not yet processed.", {"": waiting})
    lengths = {f'{{queue="{queue}"}}': float(redis_client().llen(queue)) for queue in QUEUES}
    yield from _gauge("tformance_queue_length", "Tasks that wait for a worker.", lengths)
    beaten = redis_client().get(HEARTBEAT_KEY)
    if isinstance(beaten, bytes):
        age = round(time.time() - float(beaten), 1)
        yield from _gauge("tformance_worker_heartbeat_age_seconds", "Since a worker last took beat's task.", {"": age})


def _gauge(name: str, said: str, values: dict[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} gauge"
    for labels, value in values.items():
        yield f"{name}{labels} {value:g}"

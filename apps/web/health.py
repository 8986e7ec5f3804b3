"""Is the process alive (/healthz), and can it work (/readyz)? Without log-in: nothing here tells a secret."""

import logging
import time
from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.core.checks import ERROR
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.teams.checks import check_team_walls

HEARTBEAT_KEY = "tformance:worker-heartbeat"
HEARTBEAT_SECONDS = 30.0
# A worker whose slots are all taken by sync tasks (a minute each) comes late to its heartbeat.
HEARTBEAT_LATE_SECONDS = 180
OK = "ok"

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers. Touches nothing else: restarting it does not mend a database."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with "ok" or what is wrong with it; 503 when one is not ok."""
    parts = {name: _checked(name, check) for name, check in CHECKS.items()}
    ready = all(state == OK for state in parts.values())
    return JsonResponse({"ready": ready, "checks": parts}, status=200 if ready else 503)


def _checked(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        log.exception("readiness_check_failed", extra={"check": name})
        return "the database does not answer"
    except redis.RedisError:
        log.exception("readiness_check_failed", extra={"check": name})
        return "Redis does not answer"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    loader = MigrationLoader(connection)
    missing = [".".join(key) for key in loader.graph.nodes if key not in loader.applied_migrations]
    return f"not applied: {', '.join(sorted(missing))}" if missing else OK


def _walls() -> str:
    errors = [message.msg for message in check_team_walls(databases=["default"]) if message.level >= ERROR]
    return " ".join(errors) or OK


def _redis() -> str:
    redis_client().ping()
    return OK


def _worker() -> str:
    beaten = redis_client().get(HEARTBEAT_KEY)
    if not isinstance(beaten, bytes):
        return "no heartbeat: are worker and beat running?"
    age = time.time() - float(beaten)
    return OK if age <= HEARTBEAT_LATE_SECONDS else f"last heartbeat {age:.0f} s ago"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "walls": _walls,
    "redis": _redis,
    "worker": _worker,
}


def record_heartbeat() -> None:
    redis_client().set(HEARTBEAT_KEY, time.time(), ex=24 * 3600)


@cache
def redis_client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)

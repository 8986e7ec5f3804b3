"""A sync that lives through everything: its workers are processes of their own, killed at random moments, doubled, cut
off from PostgreSQL, and robbed of what Redis knew. What goes on with it is the reaper, whose minutes pass at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Any, Self

import redis
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.common.roles import as_owner
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import Handle
from apps.integrations.tests import accidents_worker
from apps.integrations.tests.sync_support import reaped
from apps.teams.scope import team_scope
from tests.worker_support import database

NAME = "to-be-killed"
"""By which PostgreSQL knows the workers' connections."""

SHORT = timedelta(seconds=3)
"""A pause that is over sooner is waited for: GitHub means it."""

MOST_WORKERS = 500


class Workers:
    """Where workers come from: `with Workers(redis_url) as workers: pid = workers.begin(…)`. None outlives it."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self._alive: set[int] = set()

    def __enter__(self) -> Self:
        given = {"DATABASE_URL": database(), "REDIS_URL": self.redis_url, "PGAPPNAME": NAME}
        self._process = subprocess.Popen(
            [sys.executable, "-m", accidents_worker.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **given},
            cwd=settings.BASE_DIR,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in list(self._alive):
            self.kill(pid)
        self._process.communicate()

    def begin(self, github_url: str, handle: Handle, seconds: float | None) -> int:
        pid: int = self._told({"advance": [github_url, handle.team_id, handle.run_id, handle.token, seconds]})
        self._alive.add(pid)
        return pid

    def begin_emptying(self, endpoint_id: int) -> int:
        """One that processes what waits in an inbox of webhooks."""
        pid: int = self._told({"empty": endpoint_id})
        self._alive.add(pid)
        return pid

    def has_ended(self, pid: int, *, within: float) -> bool:
        """Whether it ends by itself in so many seconds."""
        code = self._told({"wait": pid, "seconds": within})
        if code is None:
            return False
        self._alive.discard(pid)
        assert code in {0, accidents_worker.LOST_DATABASE}, f"a worker died of itself: {code}"
        return True

    def kill(self, pid: int) -> None:
        self._told({"kill": pid})
        self._alive.discard(pid)

    def settle(self) -> None:
        """Those that are taken for dead come to their end, too."""
        for pid in list(self._alive):
            assert self.has_ended(pid, within=60), "a worker that was replaced does not end"

    def _told(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Accidents:
    """Accidents of `KINDS` happen to the workers every `every` seconds on average, less often while the sync does not
    get on between them. The same `seed` draws the same ones; what they strike is up to the machine. `happened` counts.
    """

    KINDS = ("killed", "killed", "killed", "doubled", "cut off", "flushed")

    def __init__(self, workers: Workers, github_url: str, *, seed: int, every: float) -> None:
        self.happened: Counter[str] = Counter()
        self._workers = workers
        self._url = github_url
        self._random = Random(seed)
        self._every = self._shortest = every
        self._reached: Any = None

    def synced(self, tracked: TrackedRepository, days_back: int | None = None) -> SyncRun:
        """The finished run of a first sync that everything happens to."""
        with team_scope(tracked.team_id):
            run = github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=days_back)
        return self.finished(run)

    def finished(self, run: SyncRun) -> SyncRun:
        """The run, taken up again and again until it has ended."""
        for handle in self._turns(run):
            self._live_through(handle)
        self._workers.settle()
        with team_scope(run.team_id):
            run.refresh_from_db()
        return run

    def _turns(self, run: SyncRun) -> Iterator[Handle]:
        while self.happened["workers"] < MOST_WORKERS:
            with team_scope(run.team_id):
                if not SyncRun.objects.filter(pk=run.pk, status__in=SyncRun.UNFINISHED).exists():
                    return
            if let_minutes_pass(run.team_id):
                flush(self._workers.redis_url)  # limits that GitHub set are over, too
            handles = [handle for handle in reaped(run.team_id) if handle.run_id == run.pk]
            yield from handles
            if not handles:
                time.sleep(0.02)
        raise AssertionError("the sync does not come to an end")

    def _live_through(self, handle: Handle) -> None:
        """A worker, to its end or to the moment from which another one goes on beside it."""
        pid = self._workers.begin(self._url, handle, self._random.choice((None, None, 0.0, 1.0)))
        self.happened["workers"] += 1
        while not self._workers.has_ended(pid, within=self._random.expovariate(1 / self._every)):
            self._slow_down_without_progress(handle)
            kind = self._random.choice(self.KINDS)
            self.happened[kind] += 1
            if kind == "killed":
                self._workers.kill(pid)
                return
            if kind == "doubled":  # its heart stood still for a minute: the reaper takes it for dead, and it wakes up
                return
            if kind == "cut off":
                cut_off()
            else:
                flush(self._workers.redis_url)

    def _slow_down_without_progress(self, handle: Handle) -> None:
        with team_scope(handle.team_id):
            reached = SyncRun.objects.values_list("requests", flat=True).get(pk=handle.run_id)
        self._every = 1.5 * self._every if reached == self._reached else self._shortest
        self._reached = reached


def let_minutes_pass(team_id: int) -> bool:
    """As far as the team's runs know: whose worker is gone is found, messages are lost, long pauses are over. Whether
    there was such a pause.
    """
    now, passed = timezone.now(), timedelta(minutes=3)
    with team_scope(team_id):
        unfinished = SyncRun.objects.filter(status__in=SyncRun.UNFINISHED)
        unfinished.update(heartbeat_at=F("heartbeat_at") - passed, queued_at=F("queued_at") - passed)
        return bool(unfinished.filter(resume_at__gt=now + SHORT).update(resume_at=now))


def cut_off() -> None:
    """PostgreSQL ends every connection of the workers."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [NAME],
        )


def flush(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()

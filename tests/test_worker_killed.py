"""A real Celery worker on a real Redis, killed in the middle of a sync, and a second one that completes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.integrations.models import SyncRun
from apps.integrations.services import github_sync
from apps.integrations.tasks import sync_advance_task, sync_repository_initial_task
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.metrics.models import PullRequest
from apps.teams.factories import TeamFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer
from tformance.celery import app

BROKER_DATABASE = 9
"""Of Redis, for this test alone: other tests' messages are not this worker's."""


def broker() -> str:
    return urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{BROKER_DATABASE}"))


def database() -> str:
    own = connection.settings_dict
    return f"postgres://{own['USER']}:{own['PASSWORD'] or ''}@{own['HOST']}:{own['PORT']}/{own['NAME']}"


@contextmanager
def worker(github_url: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tformance.settings.dev",
        "DATABASE_URL": database(),
        "REDIS_URL": broker(),
        "GITHUB_API_URL": github_url,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
    }
    command = [sys.executable, "-m", "celery", "-A", "tformance", "worker", "-c", "1", "-Q", "sync,default,metrics"]
    process = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip", "-l", "WARNING"],
        env=environment,
        cwd=settings.BASE_DIR,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and its pool, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def send(task, *args) -> None:
    with app.connection_for_write(url=broker()) as to:
        task.apply_async(args, connection=to)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_nothing_and_the_next_one_completes(settings):
    with app.connection_for_write(url=broker()) as to:
        to.default_channel.client.flushdb()
    team, undisturbed = TeamFactory(), TeamFactory()
    with SandboxServer(synthetic=["acme:shop:200:5"], latency_ms=150) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")

        def stored() -> int:
            with team_scope(team.pk):
                return PullRequest.objects.count()

        def run() -> SyncRun:
            with team_scope(team.pk):
                return SyncRun.objects.get()

        with worker(github.url) as first:
            send(sync_repository_initial_task, team.pk, tracked.pk, None)
            wait_until(lambda: stored() >= 30)
            kill(first)
        assert 30 <= stored() < 200
        assert run().status == "running"

        with team_scope(team.pk):  # as after a minute
            SyncRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1, seconds=1))
        [handle] = github_sync.reap_team(team.pk)
        with worker(github.url):
            send(sync_advance_task, handle.team_id, handle.run_id, handle.token)
            wait_until(lambda: run().status == "complete")

        github.latency_ms = 0
        github_sync.sync_repository_history(tracked_at(github, undisturbed, "acme/shop"), None)
        assert rows_of(team) == rows_of(undisturbed)

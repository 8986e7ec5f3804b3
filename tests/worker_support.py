"""A real Celery worker in a process of its own, on the test's database and on a part of Redis of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from celery import Task
from django.conf import settings
from django.db import connection

from tformance.celery import app

QUEUES = "webhooks,sync,default,metrics"


def broker(number: int) -> str:
    """A database of the tests' Redis, emptied: other tests' messages are not this worker's."""
    url: str = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{number}"))
    with app.connection_for_write(url=url) as to:
        to.default_channel.client.flushdb()
    return url


def database() -> str:
    own = connection.settings_dict
    return f"postgres://{own['USER']}:{own['PASSWORD'] or ''}@{own['HOST']}:{own['PORT']}/{own['NAME']}"


@contextmanager
def worker(broker_url: str, **environment: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Running, and killed at the end if it still is."""
    given = {
        "DJANGO_SETTINGS_MODULE": "tformance.settings.dev",
        "DATABASE_URL": database(),
        "REDIS_URL": broker_url,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
        **{name: str(value) for name, value in environment.items()},
    }
    command = [sys.executable, "-m", "celery", "-A", "tformance", "worker", "-c", "1", "-Q", QUEUES, "-l", "WARNING"]
    process = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip"],
        env={**os.environ, **given},
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


def send(broker_url: str, task: Task, *args: Any) -> None:
    with app.connection_for_write(url=broker_url) as to:
        task.apply_async(args, connection=to)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)

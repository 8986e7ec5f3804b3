"""`python -m apps.integrations.tests.accidents_worker`: has Django ready and forks workers that are there to be killed.

Orders come by line, as JSON, and each is answered by a line: {"advance": [github url, team, run, token, seconds]} and
{"empty": endpoint of webhooks} by the new worker's pid; {"wait": pid, "seconds": n} by its exit code (negative: the
signal), null while it is at work; {"kill": pid} by the same.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.db import InterfaceError, OperationalError

LOST_DATABASE = 75
"""The exit code of a worker that lost PostgreSQL. Celery tries its task again; here the reaper does."""

FOREVER = 60.0


def main() -> None:
    django.setup()
    import_module("apps.integrations.services.webhooks.inbox")
    import_module("apps.integrations.services.github_sync")  # before the first fork, for all of them
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(_answer(order)) + "\n")
        sys.stdout.flush()


def _answer(order: dict[str, Any]) -> int | None:
    if "advance" in order:
        return _begin(_advance, *order["advance"])
    if "empty" in order:
        return _begin(_empty, order["empty"])
    if "kill" in order:
        os.kill(order["kill"], signal.SIGKILL)
        return _exit_code(order["kill"], FOREVER)
    return _exit_code(order["wait"], order["seconds"])


def _exit_code(pid: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.005)


def _begin(work: Callable[..., None], *given: Any) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = _worked(work, *given)
    except BaseException:  # noqa: BLE001 - nobody is above this
        traceback.print_exc()
    finally:
        os._exit(code)


def _worked(work: Callable[..., None], *given: Any) -> int:
    try:
        work(*given)
    except (OperationalError, InterfaceError):
        return LOST_DATABASE
    return 0


def _advance(github_url: str, team_id: int, run_id: int, token: str, seconds: float | None) -> None:
    from apps.integrations.services.github_sync import Handle, advance

    settings.GITHUB_API_URL = github_url
    advance(Handle(team_id, run_id, token), seconds=seconds)


def _empty(endpoint_id: int) -> None:
    from apps.integrations.services.webhooks import inbox

    inbox.empty(endpoint_id)


if __name__ == "__main__":
    main()

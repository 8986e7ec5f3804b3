"""`manage.py seed_real_projects` against a sandbox GitHub over HTTP: run it, and look at what it asked and stored."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command

from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.teams.models import Team

REPO = "acme/shop"
SLUG = "demo-acme-shop"


@dataclass(frozen=True)
class Run:
    """What a run said and cost. `asked`: GraphQL operations in order; `code`: the exit code."""

    out: str
    err: str
    points: int
    requests: int
    asked: list[str]
    code: int = 0

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


class CtrlC(StringIO):
    """A console at which somebody presses Ctrl-C when so many lines of progress were shown."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def write(self, text: str) -> int:
        if text.startswith("["):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)


def seed(github: Any, *options: str, project: str = REPO, most: int = 1000, err: StringIO | None = None) -> Run:
    """One run of the command; its error, if any, is the last line of `err`."""
    github.stats.reset()
    out, err, code = StringIO(), err or StringIO(), 0
    arguments = ["--project", project, "--max-prs", str(most), "--json", *options]
    try:
        call_command("seed_real_projects", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
        code = error.returncode
    stats = github.stats.as_json()
    return Run(out.getvalue(), err.getvalue(), stats["points"], stats["requests"], stats["operations"], code)


def seeded_team(slug: str = SLUG) -> Team:
    return Team.objects.get(slug=slug)


def seeded_rows(slug: str = SLUG) -> dict[str, list[tuple[Any, ...]]]:
    return rows_of(seeded_team(slug))


def synced_rows(github: Any, team: Team) -> dict[str, list[tuple[Any, ...]]]:
    """What a sync of the whole history through the product stores for a team of its own."""
    assert github_sync.sync_repository_history(tracked_at(github, team, REPO), None).ended == Ended.FINISHED
    return rows_of(team)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A disk that is full: no file of this process grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

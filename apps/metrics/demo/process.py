"""A process that writes: how it begins, and what it was begun with. It is imported before Django has started there."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

import django
from django.db import connection


class Interrupted(Exception):
    """Whoever started this process wants it to stop, or is gone."""


@dataclass(slots=True)
class Begun:
    told: Any
    stop: Any
    parent: int

    def tell(self, count: int) -> None:
        """Say that so many more pull requests are stored. Raises Interrupted."""
        if self.stop.is_set() or os.getppid() != self.parent:
            raise Interrupted
        self.told.put(count)


_begun: list[Begun] = []


def begin(database: str, told: Any, stop: Any, parent: int) -> None:
    """Called once in every new process: `told` is its queue, `stop` an event, `database` perhaps a test's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; `stop` is how they hear of it
    django.setup()
    connection.settings_dict["NAME"] = database
    _begun.append(Begun(told, stop, parent))


def begun() -> Begun:
    return _begun[-1]

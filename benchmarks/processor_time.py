"""What other processes of this machine computed (Linux): the server's, and PostgreSQL's for our database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """A process and all that it has begun."""
    yield pid
    for thread in (PROC / str(pid) / "task").glob("*"):
        for child in (thread / "children").read_text().split():
            yield from family(int(child))


def serving(database: str) -> Iterator[int]:
    """PostgreSQL's processes of the connections to a database, by their titles: their own numbers may be those of a
    container. None of them where PostgreSQL runs on another machine.
    """
    for process in PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            title = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
            if title[:1] == ["postgres:"] and database in title[2:3]:
                yield int(process.name)


def seconds(pids: Iterable[int]) -> float:
    """Seconds of processor time since they began, user and system."""
    found = 0.0
    for pid in pids:
        with suppress(OSError):
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            found += (int(fields[11]) + int(fields[12])) / TICK
    return found

"""What `make dev` says: its own lines, and the logs of what it runs, shortened. The whole of each is in var/log."""

import os
import re
import shutil
import sys
from pathlib import Path

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def say(text: str) -> None:
    """Print, and go on without a terminal when it was closed: stopping cleanly matters more than saying so."""
    try:
        print(text, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


class LogTail:
    """Shows what is added to a log from now on: its name in front, cut to the terminal's width, without the indented
    lines of tracebacks, whose last line says what happened."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._position = log.stat().st_size if log.exists() else 0
        self._rest = ""

    def show(self) -> None:
        with self.log.open("rb") as file:
            file.seek(self._position)
            added = file.read()
        self._position += len(added)
        *lines, self._rest = (self._rest + added.decode(errors="replace")).split("\n")
        for line in lines:
            if line[:1].strip():
                say(shortened(f"{self.name:<8}{line}", width()))


def width() -> int:
    """The terminal's, or enough for most lines where there is none."""
    return shutil.get_terminal_size((200, 24)).columns


def shortened(line: str, columns: int) -> str:
    line = _COLOURS.sub("", line).replace("\t", " ").rstrip()
    return line if len(line) <= columns else line[: columns - 1] + "…"

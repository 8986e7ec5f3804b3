"""Waits for the runner to end, in whatever way, and stops what it left. See devtools.processes.

Reads lines from its standard input, `+ pid stage signal grace name` for a child that was started and `- pid` for one
that has ended, until the pipe is closed: the kernel does that for a runner that was killed.
"""

import signal
import sys
from collections.abc import Iterable

from devtools.processes import Target, stop_in_order


def remaining(lines: Iterable[str]) -> list[Target]:
    """The children that were announced and have not ended."""
    targets: dict[int, Target] = {}
    for line in lines:
        if line.startswith("+"):
            target = Target.from_line(line)
            targets[target.pid] = target
        else:
            targets.pop(int(line.split()[1]), None)
    return list(targets.values())


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop_in_order(remaining(sys.stdin))

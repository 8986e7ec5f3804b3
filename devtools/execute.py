"""`python -m devtools exec -- CMD…`: a command with the services up, then everything down again."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.postgres import without_postgres_variables
from devtools.services import Services
from devtools.session import Session, Signals, StopRequested, environment_for, session
from devtools.var import VarBusy


def execute(command: Sequence[str], *, follow_parent: bool = False, join: bool = False) -> int:
    """Run `command` and return its exit code (128 + n when signal n ended it, 127 when there is no such command).

    With `join` a runner that has the var folder already lends its services and its GitHub. Signals are passed on.
    """
    signals = Signals(follow_parent=follow_parent)
    try:
        with session(f"exec {' '.join(command)}"[:200], signals=signals, fixed_ports=False) as running:
            return _run(command, running)
    except VarBusy as busy:
        if not join or "database_url" not in busy.state:
            raise
        return _run_beside(command, busy)
    except StopRequested as stop:
        return 128 + stop.signal_number


def _run(command: Sequence[str], running: Session) -> int:
    try:
        child = running.children.start("command", command, env=running.env, cwd=Path.cwd(), stdin=None, grace=10.0)
    except FileNotFoundError:
        print(f"{command[0]}: command not found", file=sys.stderr)
        return 127
    except PermissionError:
        print(f"{command[0]}: cannot be executed", file=sys.stderr)
        return 126
    passed_on = 0
    while child.returncode is None:
        running.signals.wait(5.0)
        for number in running.signals.received[passed_on:]:
            _pass_on(number, child.target.pid)
            passed_on += 1
    running.children.forget(child)
    return exit_code(child.returncode)


def _pass_on(number: int, leader: int) -> None:
    """As a terminal would: INT and HUP to everything that the command runs, TERM to the command itself."""
    try:
        if number == signal.SIGTERM:
            os.kill(leader, number)
        else:
            os.killpg(leader, number)
    except ProcessLookupError:
        return


def exit_code(returncode: int) -> int:
    """A shell's way to name the signal that ended a process."""
    return 128 - returncode if returncode < 0 else returncode


def _run_beside(command: Sequence[str], busy: VarBusy) -> int:
    state = busy.state
    embedded = not os.environ.get("DATABASE_URL")
    services = Services(state["database_url"], state["redis_url"], embedded)
    env = environment_for(services, Path(os.environ.get("TFORMANCE_VAR") or "var").resolve(), os.environ)
    base = without_postgres_variables(env) if embedded else env
    base = {**state.get("environment", {}), **base}  # its sandbox GitHub too, unless told otherwise
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(command[0], list(command), base)

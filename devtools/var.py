"""The folder of everything that is written while developing, and the lock that gives it to one runner at a time."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
_STOPPING_SECONDS = 30.0


class DevtoolsError(Exception):
    """Something that the developer can put right; the message says how. Printed without a traceback."""


class VarBusy(DevtoolsError):
    """Another runner works in this folder. `state` is what it wrote about itself."""

    def __init__(self, message: str, state: dict[str, Any]) -> None:
        super().__init__(message)
        self.state = state


def var_folder(setting: str) -> Path:
    """`TFORMANCE_VAR` as the settings read it: relative to where the command was started, `var/` without one."""
    folder = Path(setting).resolve() if setting else ROOT / "var"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log").mkdir(exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from error
    return folder


def _not_writable(path: Path, error: OSError) -> DevtoolsError:
    return DevtoolsError(f"Cannot write {path} ({error.strerror}): set TFORMANCE_VAR to another folder.")


class VarLock:
    """Held by a runner and by its guard, so that it is free only when everything of both has stopped."""

    def __init__(self, folder: Path, fd: int) -> None:
        self.folder = folder
        self.fd = fd

    def write_state(self, state: dict[str, Any]) -> None:
        """What others may know about this runner: its command and addresses (JSON, in the lock's file)."""
        text = json.dumps({"pid": os.getpid(), **state}).encode()
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, text, 0)


@contextlib.contextmanager
def locked(folder: Path, command: str, pause: Callable[[float], None]) -> Iterator[VarLock]:
    """Take the folder for `command`. Raises VarBusy when a living runner has it; waits for one that is stopping."""
    path = folder / "runner.lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        _acquire(fd, folder, pause)
        lock = VarLock(folder, fd)
        lock.write_state({"command": command})
        yield lock
    finally:
        os.close(fd)


def _acquire(fd: int, folder: Path, pause: Callable[[float], None]) -> None:
    deadline = time.monotonic() + _STOPPING_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = _read_state(fd)
            if _is_alive(state.get("pid")) or time.monotonic() > deadline:
                raise VarBusy(_busy_message(folder, state), state) from None
            pause(0.1)
        else:
            return


def _read_state(fd: int) -> dict[str, Any]:
    text = os.pread(fd, 65536, 0)
    with contextlib.suppress(json.JSONDecodeError):
        state = json.loads(text)
        if isinstance(state, dict):
            return state
    return {}


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _busy_message(folder: Path, state: dict[str, Any]) -> str:
    command, pid = state.get("command", "another command"), state.get("pid", "unknown")
    where = f", at {state['url']}" if "url" in state else ""
    return (
        f"`{command}` (process {pid}) already works in {folder}{where}. "
        "Stop it first, or set TFORMANCE_VAR to another folder to run beside it."
    )

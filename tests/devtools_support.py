"""Runs `python -m devtools` for real, in a folder with spaces in its name, and counts what is left of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0
"""Seconds for whatever a busy machine does."""


def environment(var: Path, **more: str) -> dict[str, str]:
    """As on a fresh machine: no locale, nothing configured. Empty values win over a developer's own .env."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    empty = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "MIGRATIONS_DATABASE_URL", "DJANGO_SETTINGS_MODULE"), "")
    return kept | empty | {"TFORMANCE_VAR": str(var)} | more


@contextmanager
def running(
    var: Path, *arguments: str, stdout: int = subprocess.PIPE, **more: str
) -> Iterator["subprocess.Popen[str]"]:
    """`python -m devtools` with `arguments`; killed at the end if it is still there, and its pipes closed."""
    command = [sys.executable, "-m", "devtools", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
    env = environment(var, **more)
    with subprocess.Popen(command, cwd=ROOT, env=env, text=True, start_new_session=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def run(var: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    with running(var, *arguments, **more) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def processes_of(var: Path) -> list[psutil.Process]:
    """Everything alive that was started for this var folder: its name is in the command, the folder or the environment.

    PostgreSQL's children overwrite the first and the last of these with their title.
    """
    return [process for process in psutil.process_iter() if _belongs(process, str(var))]


def _belongs(process: psutil.Process, var: str) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if any(var in word for word in process.cmdline()) or process.cwd().startswith(var):
            return True
        return process.environ().get("TFORMANCE_VAR") == var
    return False


def names_of(var: Path) -> set[str]:
    """What these processes are called; some of them end while they are asked."""
    found = set()
    for process in processes_of(var):
        with suppress(psutil.NoSuchProcess):
            found.add(process.name())
    return found


def left_after_stopping(var: Path) -> list[psutil.Process]:
    """What does not end; returns as soon as nothing is left."""
    psutil.wait_procs(processes_of(var), timeout=PATIENCE)
    return processes_of(var)


@contextmanager
def cleaned_up(var: Path) -> Iterator[None]:
    """A test that fails leaves nothing either."""
    try:
        yield
    finally:
        for process in processes_of(var):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def wait_for_line(process: "subprocess.Popen[str]", beginning: str) -> str:
    """The first line of the output that begins so. Fails with all of it when the process ends before."""
    if process.stdout is None:
        raise ValueError("The process was started without a pipe.")
    seen = []
    deadline = time.monotonic() + PATIENCE
    for line in process.stdout:
        seen.append(line)
        if line.startswith(beginning):
            return line.strip()
        if time.monotonic() > deadline:
            break
    errors = process.stderr.read() if process.stderr and process.poll() is not None else ""
    raise AssertionError(f"No line begins with {beginning!r}:\n{''.join(seen)}{errors}")

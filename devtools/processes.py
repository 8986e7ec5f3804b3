"""Child processes that never outlive the runner.

Each child gets a session of its own, so that Ctrl-C in a terminal reaches the runner alone, and its whole session can
be stopped at once: Celery's pool, gunicorn's workers, whatever a test started. Two belts hold when the runner is killed
with -9: the guard (`devtools.guard`, a process that waits for the end of a pipe; it works on every Unix), and on Linux
the parent-death signal, which also covers the death of the guard.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

_PR_SET_PDEATHSIG = 1
# Looked up before any fork: between fork and exec nothing may be imported or allocated.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Target:
    """What is needed to stop a child from any process: its leader, how it likes to be asked, and when.

    Stages stop in ascending order: the applications (0) before the databases (1) that they talk to.
    """

    pid: int
    name: str
    stage: int = 0
    stop_signal: int = signal.SIGTERM
    grace: float = 5.0  # seconds until the whole session gets SIGKILL

    def line(self) -> str:
        return f"+ {self.pid} {self.stage} {self.stop_signal} {self.grace} {self.name}\n"

    @classmethod
    def from_line(cls, line: str) -> "Target":
        _, pid, stage, stop_signal, grace, name = line.split(maxsplit=5)
        return cls(int(pid), name.strip(), int(stage), int(stop_signal), float(grace))


def stop_in_order(targets: Iterable[Target]) -> None:
    """Ask each stage to end, wait, and kill what is left of its sessions."""
    by_stage: dict[int, list[Target]] = {}
    for target in targets:
        by_stage.setdefault(target.stage, []).append(target)
    for stage in sorted(by_stage):
        _stop_together(by_stage[stage])


def _stop_together(targets: list[Target]) -> None:
    leaders = []
    for target in targets:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            leaders.append((psutil.Process(target.pid), target))
            os.kill(target.pid, target.stop_signal)
    asked = time.monotonic()
    for leader, target in leaders:
        with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
            leader.wait(max(0.05, asked + target.grace - time.monotonic()))
    for target in targets:
        kill_session(target.pid)


def kill_session(leader: int) -> None:
    """SIGKILL to what is left of a child's session, also when its leader is gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


@dataclass
class Child:
    """A running child of this process."""

    name: str
    process: subprocess.Popen[bytes]
    target: Target
    log: Path | None = None

    @property
    def returncode(self) -> int | None:
        return self.process.poll()


@dataclass
class Children:
    """Starts children, and stops all of them, whatever happens to this process."""

    lock_fd: int | None = None  # the guard holds it too: a next runner waits until everything has stopped
    _children: list[Child] = field(default_factory=list)
    _guard: subprocess.Popen[bytes] | None = None

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path | None = None,
        stage: int = 0,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 5.0,
        user: int | None = None,
        group: int | None = None,
        stdin: int | None = subprocess.DEVNULL,
    ) -> Child:
        """Start `command`; its output is appended to `log`, or goes where the runner's goes.

        Call it from the main thread only: the kernel's parent-death signal follows the thread that forked.
        """
        guard = self._running_guard()
        with contextlib.ExitStack() as opened:
            output: IO[bytes] | None = opened.enter_context(log.open("ab")) if log else None
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                preexec_fn=_die_with_parent(stop_signal),
            )
        target = Target(process.pid, name, stage, stop_signal, grace)
        _tell(guard, target.line())
        child = Child(name, process, target, log)
        self._children.append(child)
        return child

    def forget(self, child: Child) -> None:
        """After a child has ended by itself: nothing of its session stays."""
        child.process.wait()
        kill_session(child.target.pid)
        self._children.remove(child)
        if self._guard:
            _tell(self._guard, f"- {child.target.pid}\n")

    def ended(self) -> list[Child]:
        return [child for child in self._children if child.returncode is not None]

    def stop(self, child: Child) -> None:
        stop_in_order([child.target])
        self.forget(child)

    def stop_all(self) -> None:
        stop_in_order(child.target for child in self._children)
        for child in list(self._children):
            self.forget(child)
        if self._guard:
            with contextlib.suppress(BrokenPipeError):
                _pipe(self._guard).close()
            self._guard.wait()
            self._guard = None

    def _running_guard(self) -> subprocess.Popen[bytes]:
        if self._guard is None:
            fds = () if self.lock_fd is None else (self.lock_fd,)
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "devtools.guard"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parent.parent,
                start_new_session=True,
                pass_fds=fds,
            )
        return self._guard


def _pipe(guard: subprocess.Popen[bytes]) -> IO[bytes]:
    if guard.stdin is None:
        raise RuntimeError("The guard was started without a pipe.")
    return guard.stdin


def _tell(guard: subprocess.Popen[bytes], line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # a dead guard: the parent-death signal is left
        _pipe(guard).write(line.encode())
        _pipe(guard).flush()


def _die_with_parent(stop_signal: int) -> Callable[[], None] | None:
    """Runs in the child after its user has changed, which would clear the setting."""
    if _LIBC is None:
        return None
    prctl, parent = _LIBC.prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return ask_kernel

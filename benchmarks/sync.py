"""A whole sync against the sandbox GitHub (a process of its own): what it costs, and when the first numbers are there.

The mix: 500 pull requests, 41 % with review threads (2,232 in all), 70 % with reviews, ten with over 100 of everything.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from django.test.utils import override_settings
from django.utils import timezone

from apps.integrations.github import pull_requests
from apps.integrations.github.access import StaticToken
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.transport import HttpxTransport, Response, Transport
from apps.integrations.github.types import Raw
from apps.integrations.models import GitHubIntegration, IntegrationCredential, SyncRun, TrackedRepository
from apps.integrations.services import github_client, github_sync
from apps.integrations.services.github_client import transport
from apps.integrations.services.github_sync.ahead import TOGETHER
from apps.integrations.services.mapping import pull_request_record
from apps.metrics.models import Repository
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.models import Team
from apps.teams.scope import team_scope
from apps.teams.services import delete_team
from benchmarks.report import Figure, at_least, at_most, report

PULL_REQUESTS = 500


@contextmanager
def sandbox(latency_ms: int) -> Iterator[str]:
    command = [sys.executable, "-m", "devtools", "sandbox", "--port", "0", "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(
        [*command, "--synthetic", f"acme:mix:{PULL_REQUESTS}:mix"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().rsplit(maxsplit=1)[-1]
    finally:
        process.terminate()
        process.wait()


def tracked(url: str) -> TrackedRepository:
    request = urllib.request.Request(f"{url}/repos/acme/mix", headers={"Authorization": "bearer sandbox-token"})
    with urllib.request.urlopen(request) as answer:
        remote = json.load(answer)
    team = Team.objects.create(name="Benchmark", slug=f"bench-{secrets.token_hex(6)}")
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.create(
            organization_id=remote["owner"]["id"], organization_slug=remote["owner"]["login"]
        )
        IntegrationCredential.objects.create(
            integration=integration,
            kind=IntegrationCredential.Kind.TOKEN,
            access_token="sandbox-token",
            github_user_id=secrets.randbelow(2**40),
            github_login="owner",
        )
        repository = Repository.objects.create(
            github_repo_id=remote["id"], node_id=remote["node_id"], full_name="acme/mix"
        )
        row: TrackedRepository = TrackedRepository.objects.create(
            integration=integration, repository=repository, days_back=None
        )
        return row


def measure(latency_ms: int) -> tuple[SyncRun, float, float]:
    """The finished run, its wall seconds, and the seconds until the first pull requests were committed."""
    with sandbox(latency_ms) as url, override_settings(GITHUB_API_URL=url):
        transport.cache_clear()
        row = tracked(url)
        first: list[float] = []
        started = time.perf_counter()
        outcome = github_sync.sync_repository_history(
            row, None, on_page=lambda run: first.append(time.perf_counter() - started)
        )
        seconds = time.perf_counter() - started
        with team_scope(row.team_id):
            run = SyncRun.objects.get(pk=outcome.run_id)
        delete_team(team_id=row.team_id)
    assert run.status == SyncRun.Status.COMPLETE, run.errors
    return run, seconds, first[0]


class Replay:
    """A transport that keeps what GitHub answered, and answers from it when it is asked the same again."""

    def __init__(self, real: Transport) -> None:
        self._real = real
        self._kept: dict[bytes, Response] = {}

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        key = body or url.encode()
        if key not in self._kept:
            self._kept[key] = self._real.send(method, url, headers=headers, body=body)
        return self._kept[key]


def from_memory(rounds: int = 4) -> tuple[float, float]:
    """Pull requests a second with every answer in memory: mapped, calculated and written page by page; and by the whole
    engine, which parses, follows connections and fetches ahead besides.
    """
    with sandbox(0) as url, override_settings(GITHUB_API_URL=url):
        replay = Replay(HttpxTransport())
        github_client.transport = lambda: replay  # type: ignore[assignment]
        pages = list(complete_pages(GraphQL(replay, StaticToken("sandbox-token"), f"{url}/graphql")))
        apart = [written(url, pages) for _ in range(rounds)]
        whole = [synced(url) for _ in range(rounds + 1)]  # the first one fills the memory
        github_client.transport = transport
    return PULL_REQUESTS / median(apart), PULL_REQUESTS / median(whole[1:])


def complete_pages(graphql: GraphQL) -> Iterator[list[Raw]]:
    after = None
    while True:
        page = pull_requests.fetch_page(graphql, owner="acme", name="mix", after=after)
        yield page.nodes
        if not page.has_next:
            return
        after = page.end_cursor


def written(url: str, pages: list[list[Raw]]) -> float:
    """Seconds for all pages, as many in a transaction as the engine writes together."""
    row = tracked(url)
    started = time.perf_counter()
    for start in range(0, len(pages), TOGETHER):
        records = [pull_request_record(node) for nodes in pages[start : start + TOGETHER] for node in nodes]
        with team_scope(row.team_id):
            ingest_pull_requests(row.repository, records, synced_at=timezone.now())
    seconds = time.perf_counter() - started
    delete_team(team_id=row.team_id)
    return seconds


def synced(url: str) -> float:
    row = tracked(url)
    started = time.perf_counter()
    github_sync.sync_repository_history(row, None)
    seconds = time.perf_counter() - started
    delete_team(team_id=row.team_id)
    return seconds


def main() -> bool:
    pages, engine = from_memory()
    run, seconds, _ = measure(latency_ms=0)
    _, slow, first = measure(latency_ms=100)
    return report(
        f"Sync of {PULL_REQUESTS} pull requests, 41 % with threads, ten with over 100 of everything",
        [
            at_least("mapped, calculated and written from memory", pages, "PRs/s", 300),
            Figure("the whole engine, answers from memory", engine, "PRs/s"),
            at_most("GraphQL points a pull request", run.points / PULL_REQUESTS, "points", 0.25),
            at_most("REST requests", run.rest_requests, "requests", 10 + PULL_REQUESTS / 100),
            Figure("GraphQL requests", run.requests, "requests"),
            Figure("wall, sandbox without latency", seconds, "s"),
            Figure("wall, 100 ms a request", slow, "s"),
            at_most("first pull requests stored, 100 ms a request", first, "s", 3),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())

"""A whole sync against the sandbox GitHub (a process of its own): what it costs, how long it takes, and when the first
numbers are there; beside it what a plain walk over REST takes for the same repository.

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
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any

from django.test.utils import override_settings
from django.utils import timezone
from github import Auth, Github

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
MANY = 2_000
SLUG = "bench-"
WALKED = 60
"""Pull requests that the walk over REST is measured with."""


@contextmanager
def sandbox(latency_ms: int = 0, synthetic: str = f"acme:mix:{PULL_REQUESTS}:mix") -> Iterator[str]:
    command = [sys.executable, "-m", "devtools", "sandbox", "--port", "0", "--latency-ms", str(latency_ms)]
    process = subprocess.Popen([*command, "--synthetic", synthetic], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().rsplit(maxsplit=1)[-1]
    finally:
        process.terminate()
        process.wait()


def asked(url: str, path: str, method: str = "GET", body: dict[str, int] | None = None) -> Any:
    sent = json.dumps(body).encode() if body else None
    headers = {"Authorization": "bearer sandbox-token"}
    request = urllib.request.Request(f"{url}{path}", sent, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def tracked(url: str, full_name: str = "acme/mix") -> TrackedRepository:
    remote = asked(url, f"/repos/{full_name}")
    team = Team.objects.create(name="Benchmark", slug=f"{SLUG}{secrets.token_hex(6)}")
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
            github_repo_id=remote["id"], node_id=remote["node_id"], full_name=full_name
        )
        row: TrackedRepository = TrackedRepository.objects.create(
            integration=integration, repository=repository, days_back=None
        )
        return row


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished run, its wall seconds, the seconds until the first pull requests were committed, and how many requests
    were in flight at most.
    """

    run: SyncRun
    seconds: float
    first: float
    in_flight: int


def measure(url: str) -> Measured:
    transport.cache_clear()
    row = tracked(url)
    asked(url, "/_sandbox/stats", "DELETE")
    first: list[float] = []
    started = time.perf_counter()
    outcome = github_sync.sync_repository_history(
        row, None, on_page=lambda run: first.append(time.perf_counter() - started)
    )
    seconds = time.perf_counter() - started
    with team_scope(row.team_id):
        run = SyncRun.objects.get(pk=outcome.run_id)
    delete_team(team_id=row.team_id)
    assert run.status == SyncRun.Status.COMPLETE, (run.errors, run.partial)
    return Measured(run, seconds, first[0], asked(url, "/_sandbox/stats")["max_in_flight"])


def walked(url: str) -> tuple[float, float]:
    """Requests and seconds a pull request of a plain collector: PyGithub, one request after the other."""
    asked(url, "/_sandbox/stats", "DELETE")
    started = time.perf_counter()
    github = Github(auth=Auth.Token("sandbox-token"), base_url=url, per_page=100, seconds_between_requests=0)
    repository = github.get_repo("acme/mix")
    for listed in islice(repository.get_pulls(state="all", sort="created", direction="desc"), WALKED):
        pull = repository.get_pull(listed.number)
        for commit in pull.get_commits():
            _ = commit.stats
        head = repository.get_commit(pull.head.sha)
        parts = (
            *(pull.get_reviews(), pull.get_review_comments(), pull.get_issue_comments(), pull.get_files()),
            *(head.get_check_runs(), head.get_combined_status().statuses, pull.as_issue().get_timeline()),
        )
        for part in parts:
            list(part)
    github.close()
    seconds = time.perf_counter() - started
    return asked(url, "/_sandbox/stats")["rest_requests"] / WALKED, seconds / WALKED


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
    engine, which parses, follows connections and fetches ahead besides. A team each, and all are deleted at the
    end: what one leaves in the tables would slow down the next.
    """
    with sandbox() as url, override_settings(GITHUB_API_URL=url):
        replay = Replay(HttpxTransport())
        github_client.transport = lambda: replay  # type: ignore[assignment]
        pages = list(complete_pages(GraphQL(replay, StaticToken("sandbox-token"), f"{url}/graphql")))
        apart = [written(url, pages) for _ in range(rounds)]
        whole = [synced(url) for _ in range(rounds + 1)]  # the first one fills the memory
        github_client.transport = transport
    for team in Team.objects.filter(slug__startswith=SLUG):
        delete_team(team_id=team.pk)
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
    return time.perf_counter() - started


def synced(url: str) -> float:
    row = tracked(url)
    started = time.perf_counter()
    github_sync.sync_repository_history(row, None)
    return time.perf_counter() - started


def main() -> bool:
    pages, engine = from_memory()
    with sandbox() as url, override_settings(GITHUB_API_URL=url):
        plain = measure(url)
    with sandbox(100, f"acme:mix:{MANY}:mix") as url, override_settings(GITHUB_API_URL=url):
        slow = measure(url)
        requests, seconds = walked(url)
    mix = report(
        f"Sync of {PULL_REQUESTS} pull requests, 41 % with threads, ten with over 100 of everything",
        [
            at_least("mapped, calculated and written from memory", pages, "PRs/s", 300),
            Figure("the whole engine, answers from memory", engine, "PRs/s"),
            at_most("GraphQL points a pull request", plain.run.points / PULL_REQUESTS, "points", 0.18),
            at_most("REST requests", plain.run.rest_requests, "requests", 10 + PULL_REQUESTS / 100),
            Figure("GraphQL requests", plain.run.requests, "requests"),
            Figure("wall, sandbox without latency", plain.seconds, "s"),
        ],
    )
    many = report(
        f"Sync of {MANY:,} such pull requests, 100 ms a request, one credential",
        [
            at_most("wall", slow.seconds, "s", 60),
            at_most("most requests in flight", slow.in_flight, "requests", 2),
            at_most("first pull requests stored", slow.first, "s", 3),
            at_most("GraphQL points a pull request", slow.run.points / MANY, "points", 0.18),
            Figure("requests a pull request", (slow.run.requests + slow.run.rest_requests) / MANY, "requests"),
            Figure("seconds a pull request", slow.seconds / MANY, "s"),
        ],
    )
    walk = report(
        f"The same repository by a plain REST walk with PyGithub, measured with {WALKED} pull requests",
        [
            Figure("requests a pull request", requests, "requests"),
            Figure("seconds a pull request", seconds, "s"),
            Figure(f"wall for {MANY:,}, by that", seconds * MANY, "s"),
            Figure("pull requests in an hour's 5,000 requests", 5_000 / requests, "PRs"),
        ],
    )
    return mix and many and walk


if __name__ == "__main__":
    sys.exit(not main())

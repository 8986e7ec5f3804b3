"""What an open page costs that asks every few seconds whether anything changed, and what it costs when something did.

`python -m benchmarks.live [PULL_REQUESTS]`, 3,000 by default in one of 200 tracked repositories. One of them is large:
40 commits with 20 checks each and 300 comments. Requests go through the whole of Django, in this process.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from statistics import median

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.common.live import VERSION
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.queries.live import repositories_version
from apps.metrics.models import Repository
from apps.metrics.queries.live import pull_request_version
from apps.metrics.records import CheckRecord, CommentRecord, CommitRecord, PullRequestRecord
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope
from apps.users.models import User
from benchmarks.believable import FIRST, PEOPLE, pull_request, pull_requests
from benchmarks.harness import Clock, scratch_team
from benchmarks.report import Figure, at_most, report

ROUNDS = 200
LARGE = 1_000_000
SMALL = 1


def large() -> PullRequestRecord:
    """A pull request with 800 checks and 300 comments."""
    record = pull_request(LARGE, random.Random(1))
    at = FIRST + timedelta(days=1)
    commits = tuple(CommitRecord(f"{n:040x}", at + timedelta(hours=n), at + timedelta(hours=n)) for n in range(40))
    checks = tuple(
        CheckRecord(9_000_000_000 + 100 * n + k, f"test {k}", commit.sha, "completed", "success", at, at)
        for n, commit in enumerate(commits)
        for k in range(20)
    )
    comments = tuple(CommentRecord(8_000_000_000 + n, "issue", at, PEOPLE[n % 60], f"L_{n}") for n in range(300))
    return replace(record, commits=commits, head_sha=commits[-1].sha, checks=checks, issue_comments=comments)


def fill(team: Team, count: int) -> None:
    with team_scope(team.pk):
        repository = Repository.objects.create(github_repo_id=1, full_name="acme/api")
        integration = GitHubIntegration.objects.create(organization_id=1, organization_slug="acme")
        others = [Repository(github_repo_id=n, full_name=f"acme/other-{n}") for n in range(2, 201)]
        every = (repository, *Repository.objects.bulk_create(others))
        TrackedRepository.objects.bulk_create(
            TrackedRepository(integration=integration, repository=each, sync_status="complete") for each in every
        )
    for page in pages([*pull_requests(count), large()]):
        with team_scope(team.pk):
            ingest_pull_requests(repository, page, synced_at=timezone.now())


def pages(records: list[PullRequestRecord]) -> Iterator[list[PullRequestRecord]]:
    rest = iter(records)
    while page := list(islice(rest, 48)):
        yield page


def client_of(team: Team) -> Client:
    user = User.objects.create(email=f"{team.slug}@example.com")
    Membership.objects.create(team=team, user=user, role=Membership.Role.ADMIN)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def milliseconds(act: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """The median by the wall and the mean of this process's own, for one `act`."""
    act()
    own, walls = Clock(), []
    for _ in range(rounds):
        one = Clock()
        with own.running(), one.running():
            act()
        walls.append(one.wall)
    return 1000 * median(walls), 1000 * own.own / rounds


def polled(client: Client, url: str, target: str, words: str) -> list[Figure]:
    """A question that nothing has changed for, and the page."""
    known = re.search(r'data-version="([^"]+)"', client.get(url).content.decode())
    assert known is not None
    headers = {"HX-Request": "true", "HX-Target": target, VERSION: known[1]}

    def ask() -> None:
        answer = client.get(url, headers=headers)
        headers[VERSION] = answer.headers.get(VERSION, headers[VERSION])  # every five minutes there is a new one

    wall, own = milliseconds(ask)
    statements = 0

    def count(execute: Callable[..., object], *arguments: object) -> object:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        ask()
    page, _ = milliseconds(lambda: client.get(url), 20)
    return [
        Figure(f"{words}: nothing new", wall, "ms"),
        at_most(f"{words}: of that this process's own", own, "ms", 15),
        at_most(f"{words}: its statements, log-in and scope too", statements, "", 6),
        Figure(f"{words}: the page", page, "ms"),
    ]


def main(count: int = 3_000) -> bool:
    figures: list[Figure] = []
    with scratch_team() as team:
        fill(team, count)
        client = client_of(team)
        with team_scope(team.pk):
            for words, number in (("a pull request", SMALL), ("a large one", LARGE)):
                wall, _ = milliseconds(partial(pull_request_version, "acme", "api", number))
                figures.append(Figure(f"{words}: the statement", wall, "ms"))
            wall, _ = milliseconds(repositories_version)
            figures.append(Figure("200 repositories: the statement", wall, "ms"))
        for words, number in (("a pull request", SMALL), ("a large one", LARGE)):
            url = reverse("metrics:pull_request", args=[team.slug, "acme", "api", number])
            figures += polled(client, url, "pull-request", words)
        url = reverse("integrations:repositories", args=[team.slug])
        figures += polled(client, url, "repositories", "200 repositories")
        User.objects.filter(memberships__team=team).delete()
    return report(f"Open pages: {count:,} pull requests, 200 repositories", figures)


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

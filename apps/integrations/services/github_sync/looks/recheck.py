"""Checks read again: they do not touch their pull request's time of change, so nothing else tells that they moved on.

All of a connection's open pull requests and those merged in the last day, a hundred a point, whatever their repository.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.integrations.github.changes import NONSENSE, in_parts
from apps.integrations.github.errors import GitHubError
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.pull_requests import fetch_checks
from apps.integrations.github.types import Spending
from apps.integrations.services.mapping import HeadChecks, checks_record
from apps.metrics.models import PullRequest, Repository
from apps.metrics.records import CheckRecord
from apps.metrics.services.ingest import ingest_checks
from apps.teams.scope import required_team_id

FRESH = timedelta(days=1)
"""How long the checks of a merge are followed, and how long those of a new head may still be coming."""

BLOCK = 2_000
"""Pull requests whose heads and known checks are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head commit of a stored pull request."""

    pk: int
    node_id: str
    number: int
    repository_id: int
    sha: str


@dataclass(slots=True)
class Reread:
    """What reading the checks of some heads again brought. `checks` are those that are new or changed, and `moved` the
    (node id, number) of pull requests with another head by now, both by repository. `read` says how many were read,
    `upto` the last primary key, `permissions` what the connection lacks, `error` what ended it too soon.
    """

    checks: defaultdict[int, list[CheckRecord]] = field(default_factory=lambda: defaultdict(list))
    moved: defaultdict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    read: int = 0
    upto: int | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    error: GitHubError | None = None


def heads_after(last: int, repositories: Sequence[int], *, now: datetime, restless: bool) -> list[Head]:
    """The next heads by primary key, a block at most; in a scope, one statement.

    `restless`: only those that are likely to change: checks under way, or pull requests that somebody touched within a
    day, as everyone does who pushes. Served by pull_request_state and pull_request_merged.
    """
    values: dict[str, Any] = {
        "team": required_team_id(),
        "last": last,
        "repositories": list(repositories),
        "yesterday": now - FRESH,
        "restless": restless,
        "most": BLOCK,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, values)
        return [Head(*row) for row in cursor.fetchall()]


# MATERIALIZED: else the LIMIT tempts the planner to walk the primary key through the whole table.
_HEADS = """
WITH head AS MATERIALIZED (
    SELECT id, node_id, number, repository_id, head_sha FROM metrics_pullrequest
    WHERE team_id = %(team)s AND state = 'open' AND id > %(last)s AND repository_id = ANY(%(repositories)s)
      AND gone_at IS NULL AND node_id <> '' AND head_sha <> ''
      AND (NOT %(restless)s OR ci_status = 'pending' OR pr_updated_at >= %(yesterday)s)
    UNION ALL
    SELECT id, node_id, number, repository_id, head_sha FROM metrics_pullrequest
    WHERE team_id = %(team)s AND merged_at >= %(yesterday)s AND id > %(last)s AND repository_id = ANY(%(repositories)s)
      AND gone_at IS NULL AND node_id <> '' AND head_sha <> ''
)
SELECT * FROM head ORDER BY id LIMIT %(most)s
"""


def known_checks(heads: Iterable[Head]) -> frozenset[int]:
    """Fingerprints of every stored check of these heads: a block may have tens of thousands. In a scope, one statement,
    served by check_run_head.
    """
    wanted = sorted({(head.repository_id, head.sha) for head in heads})
    if not wanted:
        return frozenset()
    repositories, shas = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"team": required_team_id(), "repositories": list(repositories), "shas": list(shas)})
        return frozenset(hash(row) for row in cursor)


# OFFSET 0 keeps it one look into the index for each head: joined, the planner may read all checks of the team instead.
_KNOWN = """
SELECT c.*
FROM unnest(%(repositories)s::bigint[], %(shas)s::text[]) AS head(repository_id, sha)
CROSS JOIN LATERAL (
    SELECT repository_id, head_sha, github_check_run_id, coalesce(context, ''), status, conclusion, started_at,
           completed_at, workflow
    FROM metrics_prcheckrun
    WHERE team_id = %(team)s AND repository_id = head.repository_id AND head_sha = head.sha AND gone_at IS NULL
    OFFSET 0
) AS c
"""


def _fingerprint(repository_id: int, check: CheckRecord) -> int:
    context = check.name[:255] if check.is_context else ""
    times = (check.started_at, check.completed_at)
    known = (check.head_sha, check.id, context, check.status, check.conclusion, *times)
    return hash((repository_id, *known, check.workflow[:255]))  # which events do not tell


def reread(
    graphql: GraphQL,
    heads: Sequence[Head],
    known: frozenset[int],
    *,
    is_over: Callable[[], bool],
    spending: Spending,
) -> Reread:
    """Ask GitHub for the checks of these heads; in no scope. What it cannot give of one is left for the next time."""
    found = Reread()
    by_id = {head.node_id: head for head in heads}
    try:
        for some, page in in_parts(list(by_id), partial(fetch_checks, graphql), spending):
            spending.points += page.points
            spending.requests += page.requests
            spending.rate_limit = page.rate_limit or spending.rate_limit
            for node in page.nodes:
                with suppress(*NONSENSE):  # of one head; the others are not kept back by it
                    _sort_in(checks_record(node), by_id[node["id"]], known, found)
            found.permissions |= page.permissions_missing
            found.read += len(some)
            found.upto = by_id[some[-1]].pk
            if is_over():
                return found
    except GitHubError as error:
        found.error = error
        return found
    if heads:
        found.upto = heads[-1].pk  # also past those that GitHub could not give
    return found


def _sort_in(now: HeadChecks, head: Head, known: frozenset[int], found: Reread) -> None:
    if now.head_sha != head.sha:
        found.moved[head.repository_id].append((head.node_id, head.number))
        return
    news = [check for check in now.checks or () if _fingerprint(head.repository_id, check) not in known]
    if news:
        found.checks[head.repository_id] += news


def write(found: Reread) -> frozenset[date]:
    """Store what was found new, in a scope; answers the weeks whose aggregates it made stale. No statement where
    nothing is new, else one and at most eight for each repository.
    """
    weeks: set[date] = set()
    if not found.checks:
        return frozenset()
    repositories = Repository.objects.select_related("team").in_bulk(sorted(found.checks))
    for key, repository in repositories.items():
        checks = found.checks[key]
        # As each writer of a page does: pull requests first, in one order, so that no two wait for each other.
        heads = PullRequest.objects.filter(repository=repository, head_sha__in={check.head_sha for check in checks})
        list(heads.order_by("number").select_for_update(no_key=True).values_list("pk", flat=True))
        weeks |= ingest_checks(repository, checks, synced_at=timezone.now()).touched_weeks
    return frozenset(weeks)

"""How fast pages of records become rows, derived fields included; from memory, without GitHub.

`python -m benchmarks.ingest [PULL_REQUESTS]`, 10,000 by default.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from apps.integrations.services.github_sync.ahead import TOGETHER
from apps.metrics.models import Repository
from apps.metrics.services.ingest import Ingested, ingest_pull_requests
from apps.teams.scope import team_scope
from benchmarks.believable import pull_requests
from benchmarks.harness import Clock, memory_mb, scratch_team
from benchmarks.report import Figure, at_least, at_most, report

PAGE = 24 * TOGETHER  # as many as the sync writes in one transaction
SYNCED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def write_pages(repository: Repository, count: int, clock: Clock) -> Iterator[Ingested]:
    """A page and transaction at a time; making the records is not on the clock."""
    records = pull_requests(count)
    while page := list(islice(records, PAGE)):
        with clock.running(), team_scope(repository.team_id):
            done = ingest_pull_requests(repository, page, synced_at=SYNCED_AT)
        yield done


def main(count: int = 10_000) -> bool:
    new, again = Clock(), Clock()
    rows, before = 0, 0.0
    with scratch_team() as team:
        with team_scope(team.pk):
            repository = Repository.objects.create(github_repo_id=1, full_name="acme/api")
        for number, done in enumerate(write_pages(repository, count, new)):
            rows += sum(done.rows.values())
            if number == 20:  # by then everything is imported and every statement was made
                before = memory_mb()
        growth = memory_mb() - before
        changed = sum(done.changed for done in write_pages(repository, count, again))
    return report(
        f"Ingest: {count:,} pull requests, pages of {PAGE}, {rows / count:.0f} rows each",
        [
            at_least("new pull requests", count / new.wall, "PRs/s", 300),
            Figure("rows", rows / new.wall, "rows/s"),
            at_least("new, by this process's own time", count / new.own, "PRs/s", 600),
            Figure("a page and transaction", 1000 * new.wall * PAGE / count, "ms"),
            at_least("unchanged pull requests", count / again.wall, "PRs/s", 300),
            at_most("rows rewritten though unchanged", changed, "rows", 0),
            at_most("memory growth", growth, "MB", 60),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))

"""All recorded pull requests have the expected numbers once they went through the database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import PullRequest
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.tests import recorded
from apps.teams.scope import team_scope

pytestmark = pytest.mark.skipif(not recorded.EXPECTED.exists(), reason="the recorded pull requests are not here")

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def as_written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def pages(records, size=24):
    return [records[start : start + size] for start in range(0, len(records), size)]


def test_it_stores_every_expected_number_and_nothing_changes_the_second_time(team):
    records = list(recorded.pull_requests())[::-1]
    expected = recorded.expected()
    with team_scope(team.pk):
        repository = RepositoryFactory(full_name="bitcoin-core/gui")
        first = [ingest_pull_requests(repository, page, synced_at=NOW) for page in pages(records)]
        assert sum(page.inserted for page in first) == 537
        names = list(next(iter(expected.values())))
        differences = [
            (row["number"], name, row[name], expected[row["number"]][name])
            for row in PullRequest.objects.values("number", *names)
            for name in names
            if as_written(row[name]) != expected[row["number"]].get(name)
        ]
        assert differences == []

        again = [ingest_pull_requests(repository, page, synced_at=NOW) for page in pages(records, 100)]
        assert sum(page.changed for page in again) == 0
        assert {week for page in again for week in page.touched_weeks} == set()
        reverts = PullRequest.objects.exclude(reverts=None).values_list("number", "reverts__number")
        assert dict(reverts) == {223: 211, 306: 298}

"""All recorded pull requests have the numbers that an independent program found."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.metrics.calculations import derive, open_request_of, review_rounds_of, stages_of
from apps.metrics.records import PullRequestRecord
from apps.metrics.tests import recorded

pytestmark = pytest.mark.skipif(not recorded.EXPECTED.exists(), reason="the recorded pull requests are not here")


@pytest.fixture(scope="module")
def pull_requests() -> dict[int, PullRequestRecord]:
    return {pr.number: pr for pr in recorded.pull_requests()}


def as_written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def test_it_finds_every_expected_value_of_every_recorded_pull_request(pull_requests):
    expected = recorded.expected()
    assert len(expected) == 537
    assert pull_requests.keys() == expected.keys()
    differences = []
    for number, row in expected.items():
        found = {name: as_written(value) for name, value in asdict(derive(pull_requests[number])).items()}
        differences += [(number, name, found[name], value) for name, value in row.items() if found[name] != value]
    assert differences == []


def test_it_adds_up_the_stages_of_every_recorded_pull_request(pull_requests):
    merged = [stages for pr in pull_requests.values() if (stages := stages_of(pr))]
    assert len(merged) == 332
    for stages in merged:
        spans = [
            stages.coding_seconds,
            stages.pickup_seconds,
            stages.review_seconds,
            stages.merge_seconds,
            stages.closed_seconds,
        ]
        assert min(spans) >= 0
        assert sum(spans) == (stages.merged - stages.start).total_seconds()


def test_it_draws_the_rounds_that_were_worked_out_by_hand(pull_requests):
    assert [r.seconds for r in review_rounds_of(pull_requests[96])] == [1_274_148, 5_795, 78_324]
    (round_,) = review_rounds_of(pull_requests[90])
    assert (as_written(round_.asked_at), as_written(round_.fixed_at)) == (
        "2020-10-24T20:06:26Z",
        "2020-12-06T18:17:18Z",
    )


def test_it_knows_a_request_that_was_never_answered(pull_requests):
    asked = open_request_of(pull_requests[90])
    assert asked is not None
    assert asked.date().isoformat() == "2020-12-25"


def test_it_draws_closed_time_where_it_was(pull_requests):
    stages = stages_of(pull_requests[497])
    assert stages is not None
    assert [(as_written(a), as_written(b)) for a, b in stages.closed] == [
        ("2023-04-17T16:14:56Z", "2023-07-21T17:50:30Z")
    ]


def test_it_reads_the_revert_that_only_its_body_tells(pull_requests):
    derived = derive(pull_requests[223])
    assert (derived.is_revert, derived.reverts_number) == (True, 211)

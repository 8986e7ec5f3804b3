"""How large the next page is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count

import pytest

from apps.integrations.github.access import StaticToken
from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.github.rest import Rest
from apps.integrations.github.transport import HttpxTransport
from apps.integrations.services.github_sync import steps
from apps.integrations.services.github_sync.steps.pace import GOOD_PAGES, MOST_PATIENCE, Pace
from devtools.github_sandbox.server import SandboxServer

QUICK, SLOW = 1.0, 7.5


def pages(pace: Pace, number: int, seconds: float = QUICK) -> Pace:
    """After so many pages that went well."""
    for _ in range(number):
        pace = pace.after(asked=pace.size, worked=pace.size, seconds=seconds)
    return pace


def test_a_page_that_was_too_heavy_is_followed_by_pages_of_the_size_that_worked():
    assert Pace(24).after(asked=24, worked=7, seconds=QUICK).size == 7


def test_a_page_that_came_late_is_followed_by_a_smaller_one_before_github_cuts_it():
    assert Pace(24).after(asked=24, worked=24, seconds=SLOW).size == 14
    assert Pace(24).after(asked=24, worked=14, seconds=SLOW).size == 7
    assert Pace(1).after(asked=1, worked=1, seconds=SLOW).size == 1


def test_it_grows_a_step_after_several_pages_that_came_fast():
    assert [pages(Pace(7), number).size for number in (GOOD_PAGES - 1, GOOD_PAGES)] == [7, 14]
    assert pages(Pace(7), 2 * GOOD_PAGES).size == 24


def test_it_does_not_grow_after_pages_that_worked_but_came_so_late_that_a_larger_one_would_be_cut():
    assert pages(Pace(14), 50, seconds=4.5).size == 14


def test_it_grows_more_slowly_each_time_that_it_was_too_much():
    pace = Pace(14)
    waits = []
    for _ in range(6):
        pace = Pace(24, patience=pace.patience).after(asked=24, worked=14, seconds=QUICK)
        waits.append(pace.patience)
    assert waits == [8, 16, 32, 64, 64, 64]
    assert MOST_PATIENCE == 64


def test_a_small_first_page_says_nothing_against_large_ones():
    assert Pace(24).after(asked=7, worked=7, seconds=QUICK) == Pace(24)
    assert Pace(24).after(asked=7, worked=3, seconds=QUICK).size == 3


def test_once_the_one_that_is_to_blame_is_found_the_size_is_what_it_was():
    fallen = Pace(24).after(asked=24, worked=3, seconds=QUICK)
    assert pages(fallen, 2).after(asked=3, worked=1, seconds=QUICK).relieved().size == 24


def test_one_that_is_to_blame_alone_leaves_even_the_smallest_size_as_it_is():
    assert Pace(1).after(asked=1, worked=1, seconds=QUICK).relieved().size == 1


def test_a_run_that_ends_while_the_one_to_blame_is_sought_takes_the_next_one_down_by_a_step():
    assert Pace(24).after(asked=24, worked=1, seconds=QUICK).remembered() == 14
    assert Pace(7).eased(9).remembered() == 3


def test_what_was_found_by_the_end_of_a_run_is_where_the_next_one_begins():
    assert Pace(24).after(asked=24, worked=7, seconds=QUICK).remembered(is_last=True) == 7


def test_a_short_run_that_went_well_lets_the_next_one_begin_a_step_larger():
    size = 1
    for _ in range(4):
        size = pages(Pace(size), 1).remembered(is_last=True)
    assert size == 24
    assert pages(Pace(7), 1).remembered() == 7
    assert pages(Pace(7), 1, seconds=4.5).remembered(is_last=True) == 7


def test_where_those_to_blame_are_many_the_size_stays_small():
    pace = Pace(24)
    for _ in range(5):
        pace = pace.after(asked=pace.size, worked=1, seconds=QUICK).relieved()
    assert pace.size == 1


def test_answers_that_break_off_again_and_again_make_it_smaller_a_step_each_time():
    assert [Pace(24).eased(failures).size for failures in range(6)] == [24, 24, 14, 7, 3, 1]


def test_it_survives_in_a_checkpoint():
    pace = Pace(24).after(asked=24, worked=7, seconds=QUICK)
    assert Pace.of(json.loads(json.dumps({"pace": pace.noted()})), 24) == pace
    assert Pace.of({}, 14) == Pace(14)


@pytest.fixture(scope="module")
def github():
    with SandboxServer(synthetic=["acme:shop:60:7"]) as sandbox:
        yield sandbox


def test_a_walk_over_a_slow_github_shrinks_its_pages_without_ever_failing(github):
    ticks = count(0, 8)  # every answer takes eight seconds by this clock
    graphql = GraphQL(
        HttpxTransport(), StaticToken("sandbox-token"), graphql_url(github.url), clock=lambda: float(next(ticks))
    )
    clients = steps.Clients(graphql, lambda: Rest(StaticToken("sandbox-token"), github.url))
    plan = steps.Plan("acme", "shop", steps.HISTORY, None, datetime(2026, 1, 1, tzinfo=UTC), 24)
    checkpoint = steps.first_checkpoint(plan)
    asked = []
    for _ in range(5):
        learned = steps.fetch(clients, plan, checkpoint)
        asked += learned.pages
        checkpoint = learned.next
    assert asked == [7, 3, 1, 1, 1]
    assert checkpoint["pace"]["size"] == 1
    assert learned.page_size == 14
    assert github.stats.faults == 0

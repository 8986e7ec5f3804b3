"""The rules of budgets, in Redis and in memory: what is reserved, what is learned, who has to wait."""

from __future__ import annotations

import pytest

from apps.integrations.services.budgets.memory import MemoryBudgets
from apps.integrations.services.budgets.terms import (
    LEASE_SECONDS,
    LONGEST_WINDOW,
    PACES,
    PLACES,
    UNLIMITED_SECONDS,
    Became,
    Busy,
    Closed,
    Granted,
)
from apps.integrations.tests.budget_support import NOW, RESET, asked, learn, left_of, new_account, silent, stated


@pytest.fixture(params=["redis", "memory"])
def keeper(request, in_redis):
    return in_redis if request.param == "redis" else MemoryBudgets()


def test_what_is_asked_for_is_reserved_until_it_is_settled(keeper, account):
    learn(keeper, account, 1000)
    request = asked(7)
    assert keeper.lease([account], request, NOW) == Granted(account)
    standing = keeper.standing(account, "graphql", NOW)
    assert (standing.in_flight, standing.reserved, standing.budget.remaining) == (1, 7, 1000)
    keeper.settle(stated(request, account, 993), NOW)
    standing = keeper.standing(account, "graphql", NOW)
    assert (standing.in_flight, standing.reserved, standing.budget.remaining) == (0, 0, 993)


def test_what_others_have_reserved_counts_as_spent(keeper, account):
    learn(keeper, account, 110)
    assert keeper.lease([account], asked(6), NOW) == Granted(account)
    assert keeper.lease([account], asked(5), NOW) == Closed(RESET)
    assert keeper.lease([account], asked(4), NOW) == Granted(account)


def test_the_last_hundred_are_for_whoever_follows_events(keeper, account):
    learn(keeper, account, 101)
    assert keeper.lease([account], asked(2), NOW) == Closed(RESET)
    assert keeper.lease([account], asked(2, floor=0), NOW) == Granted(account)


def test_a_small_limit_has_a_small_floor(keeper, account):
    learn(keeper, account, 50, limit=60)
    assert keeper.lease([account], asked(44), NOW) == Granted(account)
    assert keeper.lease([account], asked(1), NOW) == Closed(RESET)


def test_an_answer_that_was_overtaken_raises_nothing(keeper, account):
    learn(keeper, account, 400)
    learn(keeper, account, 450)
    learn(keeper, account, 460, reset_at=RESET + 2)
    assert left_of(keeper, account) == 400


def test_a_new_window_replaces_the_old_one(keeper, account):
    learn(keeper, account, 3, reset_at=NOW + 10)
    learn(keeper, account, 4990, now=NOW + 11, reset_at=NOW + 3600)
    learn(keeper, account, 1, now=NOW + 12, reset_at=NOW + 10)  # a late answer of the window before
    assert left_of(keeper, account, now=NOW + 12) == 4990


def test_a_window_that_is_over_is_forgotten(keeper, account):
    learn(keeper, account, 0)
    assert keeper.lease([account], asked(), RESET - 1) == Closed(RESET)
    assert left_of(keeper, account, now=RESET) is None
    assert keeper.lease([account], asked(), RESET) == Granted(account)


def test_a_reset_far_away_is_taken_for_one_window(keeper, account):
    learn(keeper, account, 0, reset_at=NOW + 10**9)
    assert keeper.lease([account], asked(), NOW) == Closed(NOW + LONGEST_WINDOW)


@pytest.mark.parametrize("known", [True, False])
def test_two_heavy_requests_are_under_way_at_once(keeper, account, known):
    if known:
        learn(keeper, account, 5000)
    requests = [asked() for _ in range(PLACES)]
    assert [keeper.lease([account], request, NOW) for request in requests] == [Granted(account)] * PLACES
    assert keeper.lease([account], asked(), NOW) == Busy(0.0)
    keeper.settle(stated(requests[0], account, 4000), NOW)
    assert keeper.lease([account], asked(), NOW) == Granted(account)


def test_light_requests_take_no_place(keeper, account):
    learn(keeper, account, 5000, resource="core")
    assert {keeper.lease([account], asked(resource="core"), NOW) for _ in range(20)} == {Granted(account)}
    assert keeper.lease([account], asked(), NOW) == Granted(account)


def test_light_requests_wait_too_while_nothing_is_known(keeper, account):
    for _ in range(PLACES):
        assert keeper.lease([account], asked(resource="core"), NOW) == Granted(account)
    assert keeper.lease([account], asked(resource="core"), NOW) == Busy(0.0)


def test_places_are_counted_by_account(keeper, account):
    other = new_account()
    for _ in range(PLACES):
        keeper.lease([account], asked(), NOW)
    assert keeper.lease([account, other], asked(), NOW) == Granted(other)


def test_what_a_dead_worker_held_comes_back(keeper, account):
    learn(keeper, account, 5000)
    for _ in range(PLACES):
        keeper.lease([account], asked(), NOW)
    assert keeper.lease([account], asked(), NOW + LEASE_SECONDS - 1) == Busy(0.0)
    assert keeper.lease([account], asked(), NOW + LEASE_SECONDS) == Granted(account)
    assert keeper.standing(account, "graphql", NOW + LEASE_SECONDS).in_flight == 1


def test_the_account_with_most_left_is_used(keeper, account):
    other = new_account()
    learn(keeper, account, 1000)
    learn(keeper, other, 1005)
    # 1005 → 1000 → 995; reserved points count: other, then the first of the two equals, then other again
    assert [keeper.lease([account, other], asked(5), NOW) for _ in range(3)] == [
        Granted(other),
        Granted(account),
        Granted(other),
    ]


def test_a_used_up_account_is_passed_over(keeper, account):
    other = new_account()
    learn(keeper, account, 100)
    learn(keeper, other, 2000)
    assert keeper.lease([account, other], asked(), NOW) == Granted(other)


def test_when_all_are_used_up_the_earliest_reset_counts(keeper, account):
    other = new_account()
    learn(keeper, account, 100, reset_at=NOW + 900)
    learn(keeper, other, 100, reset_at=NOW + 300)
    assert keeper.lease([account, other], asked(), NOW) == Closed(NOW + 300)


def test_a_refusal_closes_the_budget_until_its_reset(keeper, account):
    request = asked()
    keeper.lease([account], request, NOW)
    keeper.settle(silent(request, account, Became.USED_UP, until=NOW + 240), NOW)
    assert keeper.lease([account], asked(), NOW + 239) == Closed(NOW + 240)
    assert keeper.lease([account], asked(resource="core"), NOW) == Granted(account)
    assert keeper.lease([account], asked(), NOW + 240) == Granted(account)


def test_a_secondary_limit_blocks_the_account_for_everything(keeper, account):
    learn(keeper, account, 5000)
    keeper.settle(silent(asked(), account, Became.SECONDARY, wait=90.0), NOW)
    assert keeper.lease([account], asked(), NOW + 89) == Closed(NOW + 90, secondary=True)
    assert keeper.lease([account], asked(resource="core"), NOW + 89) == Closed(NOW + 90, secondary=True)
    assert keeper.standing(account, "graphql", NOW).blocked_until.timestamp() == NOW + 90
    assert keeper.lease([account], asked(), NOW + 90) == Granted(account)


def test_repeated_secondary_limits_double_up_to_a_quarter_of_an_hour(keeper, account):
    now, waits = NOW, []
    for _ in range(6):
        keeper.settle(silent(asked(), account, Became.SECONDARY), now)
        until = keeper.standing(account, "graphql", now).blocked_until.timestamp()
        waits.append(until - now)
        now = until
    assert waits == [60, 120, 240, 480, 900, 900]


def test_requests_that_were_under_way_are_no_repetition(keeper, account):
    for _ in range(3):
        keeper.settle(silent(asked(), account, Became.SECONDARY), NOW)
    assert keeper.standing(account, "graphql", NOW).blocked_until.timestamp() == NOW + 60


def test_a_success_ends_the_row_of_secondary_limits(keeper, account):
    for now in (NOW, NOW + 60):
        keeper.settle(silent(asked(), account, Became.SECONDARY), now)
    learn(keeper, account, 5000, now=NOW + 170)  # sent before the block: says nothing
    assert keeper.standing(account, "graphql", NOW + 170).blocked_until.timestamp() == NOW + 180
    learn(keeper, account, 4990, now=NOW + 200)
    keeper.settle(silent(asked(), account, Became.SECONDARY), NOW + 210)
    assert keeper.standing(account, "graphql", NOW + 210).blocked_until.timestamp() == NOW + 270


def test_a_server_that_states_no_limit_is_unlimited_but_paced(keeper, account):
    request = asked(resource="core")
    keeper.lease([account], request, NOW)
    keeper.settle(silent(request, account), NOW)
    assert keeper.standing(account, "core", NOW).is_unlimited
    granted = 1
    while keeper.lease([account], asked(resource="core"), NOW) == Granted(account):
        granted += 1
    pace = PACES["core"]
    assert granted == pace.burst + 1
    assert keeper.lease([account], asked(resource="core"), NOW) == Busy(pytest.approx(pace.seconds_per_point, rel=1e-3))
    assert granted + pace.per_minute < 900
    assert not keeper.standing(account, "core", NOW + UNLIMITED_SECONDS).is_unlimited


def test_points_are_paced_by_what_they_really_cost(keeper, account):
    learn(keeper, account, 5000)
    request = asked(450)
    assert keeper.lease([account], request, NOW) == Granted(account)
    assert keeper.lease([account], asked(), NOW) == Busy(pytest.approx(2.0))  # 50 points over 400, 25 a second
    keeper.settle(stated(request, account, 4998, actual=2), NOW)
    assert keeper.lease([account], asked(), NOW) == Granted(account)
    assert PACES["graphql"].burst + PACES["graphql"].per_minute < 2000


def test_a_lost_answer_says_nothing_and_gives_its_place_back(keeper, account):
    request = asked()
    keeper.lease([account], request, NOW)
    keeper.settle(silent(request, account, Became.LOST), NOW)
    standing = keeper.standing(account, "graphql", NOW)
    assert (standing.in_flight, standing.budget, standing.is_unlimited) == (0, None, False)

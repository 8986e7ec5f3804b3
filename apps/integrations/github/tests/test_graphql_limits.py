"""How much may still be asked for: what an answer states of it, and when GitHub wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.integrations.github.errors import RateLimited
from apps.integrations.github.tests.answers import BUDGET, NOW, RESET, answering, failing, ok, raised, refused
from apps.integrations.github.transport import Response
from apps.integrations.github.types import RateLimit


def test_a_server_without_a_budget_is_taken_as_it_is():
    answer = answering(ok({"data": {"viewer": None, "rateLimit": None}})).run("deployments_by_ids")
    assert answer.rate_limit is None


def test_the_headers_tell_the_budget_where_the_answer_does_not():
    headers = {
        "x_ratelimit_limit": "5000",
        "x_ratelimit_remaining": "10",
        "x_ratelimit_reset": str(int(RESET.timestamp())),
    }
    answer = answering(ok({"data": {"viewer": None, "rateLimit": None}}, **headers)).run("deployments_by_ids", cost=2)
    assert answer.rate_limit == RateLimit(5000, 10, 4990, RESET, cost=2)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_the_primary_limit_comes_with_200(kind):
    error = raised(failing({"type": kind, "message": "API rate limit exceeded"}, data={"rateLimit": BUDGET}))
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.secondary, error.retry_after) == (RESET, False, 2400.0)


def test_the_headers_say_when_the_primary_limit_ends():
    later = RESET + timedelta(minutes=5)
    error = raised(failing({"type": "RATE_LIMITED", "message": "x"}, x_ratelimit_reset=str(int(later.timestamp()))))
    assert isinstance(error, RateLimited)
    assert error.reset_at == later


def test_a_limit_without_a_reset_is_waited_for_a_minute():
    error = raised(failing({"type": "RATE_LIMITED", "message": "x"}))
    assert isinstance(error, RateLimited)
    assert error.reset_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("status", [403, 429])
def test_an_empty_budget_is_a_primary_limit(status):
    error = raised(
        refused(
            status,
            "API rate limit exceeded for user ID 1.",
            x_ratelimit_remaining="0",
            x_ratelimit_reset=str(int(RESET.timestamp())),
        )
    )
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.secondary) == (RESET, False)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refused(403, SECONDARY, retry_after="90"), 90.0),
        (refused(429, "slow down", retry_after="5"), 5.0),
        (refused(403, SECONDARY), 60.0),
        (refused(403, "You have triggered an abuse detection mechanism."), 60.0),
        (ok({"message": SECONDARY}), 60.0),
        (failing({"message": SECONDARY}, retry_after="30"), 30.0),
        (refused(403, SECONDARY, retry_after="Fri, 20 Nov 2026 09:02:00 GMT"), 120.0),
    ],
)
def test_a_secondary_limit_says_how_long_to_wait(answer, seconds):
    error = raised(answer)
    assert isinstance(error, RateLimited)
    assert (error.secondary, error.retry_after) == (True, seconds)
    assert error.reset_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "stated",
    [
        [1],
        "x",
        {},
        {**BUDGET, "limit": None},
        {**BUDGET, "remaining": "many"},
        {**BUDGET, "remaining": -1},
        {**BUDGET, "remaining": 6000},
        {**BUDGET, "limit": 0, "remaining": 0},
        {**BUDGET, "resetAt": "soon"},
        {**BUDGET, "resetAt": None},
        {**BUDGET, "resetAt": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_budget_that_is_nonsense_is_ignored(stated):
    answer = answering(ok({"data": {"nodes": [], "rateLimit": stated}})).run("deployments_by_ids", ids=[])
    assert answer.rate_limit is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "²"),
        ("limit", "0"),
        ("limit", "-5"),
        ("remaining", "5001"),
        ("remaining", "4.5"),
        ("remaining", ""),
        ("reset", "9" * 30),
        ("reset", "soon"),
        ("reset", "1795000000000"),
    ],
)
def test_headers_that_are_nonsense_are_ignored(name, value):
    headers = {"limit": "5000", "remaining": "10", "reset": str(int(RESET.timestamp()))} | {name: value}
    answer = ok({"data": {"nodes": []}}, **{f"x_ratelimit_{name}": value for name, value in headers.items()})
    assert answering(answer).run("deployments_by_ids", ids=[]).rate_limit is None


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        (NOW - timedelta(minutes=10), 5.0),
        (NOW, 5.0),
        (NOW + timedelta(seconds=90), 90.0),
        (NOW + timedelta(days=400), 3900.0),
        (None, 60.0),
    ],
)
def test_a_reset_is_waited_for_at_least_a_little_and_at_most_a_window(reset, seconds):
    headers = {} if reset is None else {"x_ratelimit_reset": str(int(reset.timestamp()))}
    error = raised(refused(403, "API rate limit exceeded", x_ratelimit_remaining="0", **headers))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.reset_at) == (seconds, NOW + timedelta(seconds=seconds))
    assert error.is_stated == (reset is not None)


def test_a_retry_after_of_a_year_is_taken_for_one_window():
    error = raised(refused(403, SECONDARY, retry_after="31536000"))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3900.0


def test_githubs_times_are_read_by_its_own_clock():
    """Ours is ten minutes fast: by it, the window would be over before it is."""
    theirs = {"date": "Fri, 20 Nov 2026 08:50:00 GMT"}
    reset = datetime(2026, 11, 20, 8, 55, tzinfo=UTC)
    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(reset.timestamp()))}
    error = raised(refused(403, "API rate limit exceeded", **headers, **theirs))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 300.0
    stated = {"data": {"nodes": [], "rateLimit": {**BUDGET, "resetAt": "2026-11-20T08:55:00Z"}}}
    answer = answering(ok(stated, **theirs)).run("deployments_by_ids", ids=[])
    assert answer.rate_limit is not None
    assert answer.rate_limit.reset_at == NOW + timedelta(minutes=5)


def test_a_page_that_asks_to_slow_down_is_a_secondary_limit():
    page = b"<html>Whoa there! You have triggered an abuse detection mechanism.</html>"
    error = raised(Response(403, {}, page))
    assert isinstance(error, RateLimited)
    assert (error.secondary, error.is_stated) == (True, False)


def test_a_reset_beyond_every_calendar_is_taken_for_one_window():
    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "99999999999",
        "date": "Mon, 01 Jan 9999 00:00:00 GMT",
    }
    with pytest.raises(RateLimited) as caught:
        answering(Response(403, headers, b"{}")).run("pr_ids")
    assert caught.value.reset_at <= NOW + timedelta(hours=1, minutes=5)

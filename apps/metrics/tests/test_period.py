from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.metrics.queries.period import Period, day_from, period_from, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def read(zone=BERLIN, now=NOON, **query):
    return period_from(query, zone=zone, now=now)


def test_it_is_the_last_thirty_days_with_today_when_nothing_is_chosen():
    period, notes = read()
    assert (period.first, period.last, notes) == (date(2026, 3, 2), date(2026, 3, 31), ())
    assert period.preset == 30


@pytest.mark.parametrize(("days", "first"), [("60", date(2026, 1, 31)), ("90", date(2026, 1, 1))])
def test_it_takes_a_length_that_is_offered(days, first):
    period, notes = read(days=days)
    assert (period.first, period.last, notes) == (first, date(2026, 3, 31), ())


def test_it_takes_two_days():
    period, notes = read(**{"from": "2026-02-01", "to": "2026-02-28"})
    assert (period.days, period.words, notes) == (28, "1 Feb – 28 Feb 2026", ())


def test_one_day_is_a_period():
    assert read(**{"from": "2026-02-01", "to": "2026-02-01"})[0].days == 1


def test_an_end_alone_gets_thirty_days_before_it():
    assert read(to="2026-02-28")[0].first == date(2026, 1, 30)


def test_a_begin_alone_runs_until_today():
    assert read(**{"from": "2026-03-30"})[0].last == date(2026, 3, 31)


def test_the_window_before_has_the_same_length_and_ends_where_it_begins():
    period, _ = read()
    assert (period.before.first, period.before.last) == (date(2026, 1, 31), date(2026, 3, 1))
    assert period.before.end == period.start


def test_days_begin_at_midnight_of_the_team_also_when_the_clocks_change():
    period, _ = read(**{"from": "2026-03-28", "to": "2026-03-29"})
    assert period.start == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 29, 22, tzinfo=UTC)  # summer time began on the 29th
    assert period.weeks_until(NOON) == pytest.approx(47 / 168)


def test_today_is_the_teams_today():
    late = datetime(2026, 3, 31, 23, tzinfo=UTC)
    assert read(now=late)[0].last == date(2026, 4, 1)
    assert read(now=late, zone=ZoneInfo("America/New_York"))[0].last == date(2026, 3, 31)


def test_a_running_period_counts_the_weeks_that_have_passed():
    period, _ = read(zone=ZoneInfo("UTC"), **{"from": "2026-03-25"})
    assert period.weeks_until(NOON) == pytest.approx(6.5 / 7)


@pytest.mark.parametrize(
    ("query", "first", "words"),
    [
        ({"from": "31.3.2026"}, date(2026, 3, 2), "is not a day"),
        ({"from": "0001-01-01"}, date(2026, 3, 2), "is not a day"),
        ({"to": "9999-12-31"}, date(2026, 3, 2), "is not a day"),
        ({"days": "31"}, date(2026, 3, 2), "is not a length"),
        ({"days": "-30"}, date(2026, 3, 2), "is not a length"),
        ({"from": "2026-03-20", "to": "2026-03-10"}, date(2026, 2, 9), "began after its end"),
        ({"from": "2026-03-02", "to": "2030-01-01"}, date(2026, 3, 2), "ends today"),
        ({"from": "2010-01-01"}, date(2024, 3, 31), "two years at most"),
        ({"from": "2027-01-01"}, date(2026, 3, 2), "began after its end"),
    ],
)
def test_what_cannot_be_meant_is_put_right_and_said(query, first, words):
    period, notes = read(**query)
    assert period.first == first
    assert len(notes) == 1
    assert words in notes[0]


def test_a_time_zone_that_nobody_knows_is_utc():
    assert [str(zone_of(name)) for name in ("Mars/Base", "../../etc/passwd", "")] == ["UTC", "UTC", "UTC"]


def test_a_day_keeps_within_the_years_that_make_sense():
    assert day_from("2026-02-30") is None
    assert day_from("2004-12-31") is None
    assert day_from("2026-02-28") == date(2026, 2, 28)


def test_a_period_is_its_days_and_nothing_between_them_is_lost():
    period = Period(date(2026, 1, 1), date(2026, 12, 31), BERLIN)
    assert period.end - period.start == timedelta(days=365)

from datetime import timedelta

import pytest

from apps.common.durations import age, duration, precise


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 min"),
        (29, "0 min"),
        (30 * 60, "30 min"),
        (59.4 * 60, "59 min"),
        (59.6 * 60, "1.0 h"),
        (3600, "1.0 h"),
        (105_840, "29.4 h"),
        (47.94 * 3600, "47.9 h"),
        (47.96 * 3600, "2.0 d"),
        (48 * 3600, "2.0 d"),
        (4.6 * 86_400, "4.6 d"),
        (1234 * 86_400, "1,234.0 d"),
        (-7200, "−2.0 h"),
        (timedelta(hours=5.4), "5.4 h"),
    ],
)
def test_a_statistic_is_said_in_one_unit(seconds: float | timedelta | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (59, "<1 min"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (5 * 3600 + 12 * 60, "5 h 12 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (3 * 86_400 + 22.9 * 3600, "3 d 22 h"),
        (timedelta(days=1500, hours=1), "1,500 d 1 h"),
    ],
)
def test_an_age_is_said_in_two_units_rounded_down(seconds: float | timedelta | None, said: str) -> None:
    assert age(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0.0 s"),
        (3.44, "3.4 s"),
        (9.96, "10.0 s"),
        (31.4, "31 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (252, "4 min 12 s"),
        (3599.6, "1 h"),
        (19_920, "5 h 32 min"),
    ],
)
def test_how_long_something_took_is_said_to_the_second(seconds: float | None, said: str) -> None:
    assert precise(seconds) == said

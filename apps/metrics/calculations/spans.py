"""Spans of time: whole seconds to add up, hours with two places for people (docs/metrics.md, "Conventions")."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from start to end, never negative.

    Each instant is cut to its second before the difference is taken, so that the spans between neighbouring cut points
    add up to the whole.
    """
    return max(0, int(end.timestamp()) - int(start.timestamp()))


def hours(seconds: int | None, *, shared_by: int = 1) -> Decimal | None:
    """Hours with two places, rounded half up once, of the exact quotient `seconds / shared_by`."""
    if seconds is None:
        return None
    hundredths = (200 * seconds + 3600 * shared_by) // (7200 * shared_by)
    return Decimal(hundredths).scaleb(-2)


def rounded_mean(seconds: list[int]) -> int | None:
    """The mean in whole seconds, rounded half up; None of nothing."""
    if not seconds:
        return None
    return (2 * sum(seconds) + len(seconds)) // (2 * len(seconds))

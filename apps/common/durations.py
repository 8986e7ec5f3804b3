"""Durations in words, the same on every page, in mails and on the command line."""

from datetime import timedelta

MINUTE, HOUR, DAY = 60, 3600, 86_400
NONE = "–"


def parts(seconds: float | timedelta | None) -> tuple[str, str]:
    """(value, unit) of a statistic: ("38", "min") under an hour, ("29.4", "h") under 48 hours, else ("4.6", "d")."""
    if seconds is None:
        return NONE, ""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    size, sign = abs(seconds), "−" if seconds < 0 else ""
    if round(size / MINUTE) < 60:
        return sign + str(round(size / MINUTE)), "min"
    if round(size / HOUR, 1) < 48:
        return f"{sign}{size / HOUR:.1f}", "h"
    return f"{sign}{size / DAY:,.1f}", "d"


def duration(seconds: float | timedelta | None) -> str:
    """A statistic: "38 min", "29.4 h", "4.6 d". None is a dash."""
    return " ".join(parts(seconds)).strip()


def age(seconds: float | timedelta | None) -> str:
    """How old one thing is, in its two biggest units, rounded down: "3 d 22 h", "5 h 12 min", "38 min", "<1 min"."""
    if seconds is None:
        return NONE
    whole = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    if whole < MINUTE:
        return "<1 min"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        return _two(whole // HOUR, "h", whole % HOUR // MINUTE, "min")
    return _two(whole // DAY, "d", whole % DAY // HOUR, "h")


def precise(seconds: float | None) -> str:
    """How long something took: "3.4 s", "31 s", "4 min 12 s", then as `age`. None is a dash."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    return _two(whole // MINUTE, "min", whole % MINUTE, "s") if whole < HOUR else age(whole)


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big:,} {big_unit}" + (f" {small} {small_unit}" if small else "")

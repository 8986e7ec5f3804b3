"""The window that a page speaks about: whole days in the team's time zone, read from the address and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PRESETS = (30, 60, 90, 365)
DEFAULT_DAYS = 30
LONGEST_DAYS = 731
EARLIEST = date(2005, 1, 1)  # before there was anything to look at, and far from where dates overflow


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included, as days in `zone`. `start` and `end` are the instants: [start, end)."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def words(self) -> str:
        """22 Oct – 20 Nov 2026."""
        first = spoken(self.first)
        return f"{first if self.first.year != self.last.year else first.rsplit(' ', 1)[0]} – {spoken(self.last)}"

    @property
    def before(self) -> Period:
        """The window before it, of the same length."""
        length = timedelta(days=self.days)
        return Period(self.first - length, self.last - length, self.zone)

    @property
    def preset(self) -> int | None:
        """30, 60, 90 or 365 if it is as long as one of those."""
        return self.days if self.days in PRESETS else None

    def weeks_until(self, now: datetime) -> float:
        """Its length in weeks; of a period that still runs, the part that has passed (a day at least)."""
        seconds = (min(self.end, max(now, self.start)) - self.start).total_seconds()
        return max(seconds, 86_400.0) / (7 * 86_400)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def period_from(query: Mapping[str, str], *, zone: ZoneInfo, now: datetime) -> tuple[Period, tuple[str, ...]]:
    """The period that `from`, `to` or `days` name, and what had to be put right, in words for the page.

    Without any of them, the last 30 days, today included.
    """
    today = now.astimezone(zone).date()
    notes: list[str] = []
    first, last = _day(query, "from", notes), _day(query, "to", notes)
    if last is not None and last > today:
        notes.append("The period ends today: the future has no pull requests yet.")
        last = today
    if first is None and last is None:
        days = _days(query, notes)
        return Period(today - timedelta(days=days - 1), today, zone), tuple(notes)
    if last is None:
        last = today
    if first is None:
        first = last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        notes.append(f"The period began after its end. Shown instead: the {DEFAULT_DAYS} days up to {spoken(last)}.")
        first = last - timedelta(days=DEFAULT_DAYS - 1)
    if (last - first).days >= LONGEST_DAYS:
        first = last - timedelta(days=LONGEST_DAYS - 1)
        notes.append(f"A period is two years at most. Shown: from {spoken(first)}.")
    return Period(first, last, zone), tuple(notes)


def day_from(text: str) -> date | None:
    """A day written as 2026-03-31, within the years that make sense; else None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day < date(9000, 1, 1) else None


def spoken(day: date) -> str:
    """31 Mar 2026."""
    return f"{day.day} {day:%b %Y}"


def _day(query: Mapping[str, str], key: str, notes: list[str]) -> date | None:
    text = query.get(key, "").strip()
    if not text:
        return None
    if (day := day_from(text)) is None:
        notes.append(f"“{text[:40]}” is not a day; write it as 2026-03-31.")
    return day


def _days(query: Mapping[str, str], notes: list[str]) -> int:
    text = query.get("days", "").strip()
    if not text:
        return DEFAULT_DAYS
    if text in {str(days) for days in PRESETS}:
        return int(text)
    notes.append(f"“{text[:40]}” is not a length that can be chosen. Shown: {DEFAULT_DAYS} days.")
    return DEFAULT_DAYS


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""A time axis on which long idle gaps are drawn short: stretches of time in scale, grey columns between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WIDTH, PAD = 900.0, 14.0  # the least that the page gives it: marks that have room there have room everywhere
HOURS = 3600.0
# (a gap from here on is drawn short, in hours; the least width of a stretch, in pixels)
SCALES = ((4, 70.0), *((hours, 40.0) for hours in (6, 12, 24, 48, 96, 192, 384, 768, 1536, 3072, 10**6)))
MOST_STRETCHES = 10
TICK_HOURS = (1, 2, 3, 4, 6, 12, 24, 48, 96, 168, 336, 672, 1344, 2688)
TICK_ROOM, LABEL_ROOM, HOUR_LABEL_ROOM = 34.0, 74.0, 40.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in scale, from `start` to `end`, drawn from pixel `x` to `x_end`."""

    start: datetime
    end: datetime
    x: float
    x_end: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Time in which nothing happened. `x` and `width` in percent; `is_labelled`: there is room for its length."""

    x: float
    width: float
    seconds: int
    is_labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)

    @property
    def words(self) -> str:
        """17 h, 3 d 22 h, 41 d."""
        hours = round(self.seconds / HOURS)
        if hours < 24:
            return f"{hours} h"
        days, rest = divmod(hours, 24)
        return f"{days:,} d {rest} h" if days < 10 and rest else f"{days:,} d"


@dataclass(frozen=True, slots=True)
class Tick:
    """At `x` percent. A begin of a stretch has `day` and `clock`; within one only `clock`, and a line."""

    x: float
    day: str
    clock: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Axis:
    stretches: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]
    ticks: tuple[Tick, ...]
    width: float  # in pixels, what percents are percents of

    def pixel(self, at: datetime) -> float:
        """Where an instant lies, in pixels; before the first and after the last one, at the edge."""
        place = bisect_right(self.stretches, at, key=lambda stretch: stretch.start) - 1
        if place < 0:
            return self.stretches[0].x
        stretch = self.stretches[place]
        if at > stretch.end and place + 1 < len(self.stretches):
            following = self.stretches[place + 1]
            return _between(at, stretch.end, following.start, stretch.x_end, following.x)
        return _between(at, stretch.start, stretch.end, stretch.x, stretch.x_end)

    def percent(self, at: datetime) -> float:
        return self.share(self.pixel(at))

    def share(self, pixels: float) -> float:
        return round(100 * pixels / self.width, 2)


def axis_of(instants: Iterable[datetime], zone: ZoneInfo) -> Axis:
    """The axis of those instants (one at least). Gaps from 4 hours on are drawn short, of a long life only longer
    ones, so that there are no more than ten stretches."""
    moments = sorted(set(instants))
    hours, least = next(
        (hours, least)
        for hours, least in SCALES
        if sum(1 for _ in _spans(moments, timedelta(hours=hours))) <= MOST_STRETCHES
    )
    spans = list(_spans(moments, timedelta(hours=hours)))
    between = [(spans[i + 1][0] - spans[i][1]).total_seconds() for i in range(len(spans) - 1)]
    columns = [44 + 7 * math.log2(max(1.0, seconds / (hours * HOURS))) for seconds in between]
    room = WIDTH - 2 * PAD - least * len(spans)  # for the columns; the stretches' least always fits
    if sum(columns) > room:
        columns = [column * room / sum(columns) for column in columns]
    whole = sum((end - start).total_seconds() for start, end in spans)
    free = room - sum(columns)
    if not whole and columns:  # single moments, far apart: the room goes to the gaps
        columns = [column + free / len(columns) for column in columns]
        free = 0.0
    stretches, x = [], PAD
    for place, (start, end) in enumerate(spans):
        share = (end - start).total_seconds() / whole if whole else 1 / len(spans)
        x_end = x + least + free * share
        stretches.append(Stretch(start, end, x, x_end))
        x = x_end + (columns[place] if place < len(columns) else 0)
    gaps = tuple(_gap(stretches[i], stretches[i + 1], between[i], WIDTH) for i in range(len(between)))
    return Axis(tuple(stretches), gaps, tuple(_ticks(stretches, WIDTH, zone)), WIDTH)


def _spans(moments: list[datetime], longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
    start = last = moments[0]
    for moment in moments[1:]:
        if moment - last >= longest:
            yield start, last
            start = moment
        last = moment
    yield start, last


def _gap(left: Stretch, right: Stretch, seconds: float, width: float) -> Gap:
    inset = 5.0  # the last mark before it keeps its place
    x, x_end = left.x_end + inset, right.x - inset
    return Gap(round(100 * x / width, 2), round(100 * (x_end - x) / width, 2), int(seconds), x_end - x >= 30)


def _ticks(stretches: list[Stretch], width: float, zone: ZoneInfo) -> Iterator[Tick]:
    """The begin of every stretch, and round hours within it where there is room."""
    free_from, last_day = 0.0, ""
    for place, stretch in enumerate(stretches):
        local = stretch.start.astimezone(zone)
        ends = stretches[place + 1].x if place + 1 < len(stretches) else width
        if stretch.x >= free_from:
            day = f"{local:%a} {local.day} {local:%b}"
            is_long = (stretches[-1].end - stretches[0].start).days > 300
            said = f"{local.day} {local:%b %y}" if is_long else day
            yield Tick(round(100 * stretch.x / width, 2), said if said != last_day else "", f"{local:%H:%M}")
            last_day, free_from = said, stretch.x + LABEL_ROOM
        yield from _hours(stretch, width, zone, free_from, min(stretch.x_end, ends) - 8)


def _hours(stretch: Stretch, width: float, zone: ZoneInfo, free_from: float, until: float) -> Iterator[Tick]:
    seconds = (stretch.end - stretch.start).total_seconds()
    if not seconds:
        return
    per_hour = (stretch.x_end - stretch.x) / (seconds / HOURS)
    step = next((hours for hours in TICK_HOURS if hours * per_hour >= TICK_ROOM), None)
    if step is None:
        return
    local = stretch.start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = math.floor((local - midnight).total_seconds() / HOURS / step) + 1
    for count in range(first, first + 40):
        at = midnight + timedelta(hours=count * step)
        x = _between(at, stretch.start, stretch.end, stretch.x, stretch.x_end)
        if at >= stretch.end or x > until:
            return
        if x - HOUR_LABEL_ROOM / 2 >= free_from - HOUR_LABEL_ROOM / 2:
            said = f"{at.hour}" if step < 24 else f"{at.day} {at:%b}"
            yield Tick(round(100 * x / width, 2), "", said, "middle")


def _between(at: datetime, start: datetime, end: datetime, x: float, x_end: float) -> float:
    length = (end - start).total_seconds()
    if length <= 0:
        return x
    return x + (x_end - x) * min(1.0, max(0.0, (at - start).total_seconds() / length))

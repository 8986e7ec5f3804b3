"""The life of one pull request on lanes: stage, milestones, commits, reviews, comments, checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from apps.metrics.charts.axis import Axis, Gap, Tick, axis_of

TOP, THIN, LANE = 46.0, 34.0, 44.0
MILESTONES, COMMITS, REVIEWS, COMMENTS, CHECKS = "milestones", "commits", "reviews", "comments", "checks"
LANES = (MILESTONES, COMMITS, REVIEWS, COMMENTS, CHECKS)
MARK_WIDTH = {COMMITS: 12.0, REVIEWS: 21.0, COMMENTS: 12.0}
PILL_END = 13.0  # how far a pill reaches over the first and the last of its marks
CHARACTER = 6.4  # of a label, in pixels
NARROWEST_CHECK = 5.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at `at` (checks: until `end`). `kind` gives its shape, `title` its tooltip."""

    lane: str
    at: datetime
    kind: str
    title: str
    label: str = ""
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A mark, or a pill of `count` marks that would touch. `x` in percent; `half` of a pill's width, in pixels.

    `text_anchor` is "" where its label has no room.
    """

    kind: str
    x: float
    y: float
    title: str
    count: int = 1
    half: float = 0.0
    label: str = ""
    text_anchor: str = ""

    @property
    def pill_x(self) -> float:
        return -self.half

    @property
    def pill_width(self) -> float:
        return round(2 * self.half, 1)


@dataclass(frozen=True, slots=True)
class Band:
    """From `x` over `width`, in percent: a stage, a round or a run of checks."""

    name: str
    x: float
    width: float
    title: str
    label: str = ""

    @property
    def end(self) -> float:
        return round(self.x + self.width, 2)

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    note: str
    y: float  # of its upper line
    middle: float


@dataclass(frozen=True, slots=True)
class LifeChart:
    """`empty`: lanes in which nothing lies: a word below instead of a blank."""

    lanes: tuple[Lane, ...]
    empty: tuple[str, ...]
    gaps: tuple[Gap, ...]
    ticks: tuple[Tick, ...]
    stages: tuple[Band, ...]
    cuts: tuple[float, ...]
    rounds: tuple[Band, ...]
    milestones: tuple[Shown, ...]
    commits: tuple[Shown, ...]
    reviews: tuple[Shown, ...]
    comments: tuple[Shown, ...]
    checks: tuple[Band, ...]
    checks_y: float
    rounds_y: float
    rounds_height: float
    height: float

    @property
    def marks(self) -> tuple[Shown, ...]:
        return self.commits + self.reviews + self.comments

    @property
    def bottom(self) -> float:
        return self.height - 6

    @property
    def lanes_height(self) -> float:
        return self.bottom - TOP


@dataclass(frozen=True, slots=True)
class Span:
    name: str
    start: datetime
    end: datetime
    title: str


def life_chart(
    marks: Iterable[Mark],
    *,
    stages: Sequence[Span],
    rounds: Sequence[Span],
    zone: ZoneInfo,
    notes: dict[str, str] | None = None,
) -> LifeChart:
    """The chart of marks (one at least), stages in order and review rounds. `notes`: small print of a lane."""
    ordered = sorted(marks, key=lambda mark: mark.at)
    of_lane = {lane: [mark for mark in ordered if mark.lane == lane] for lane in LANES}
    axis = axis_of(_instants(ordered, stages), zone)
    shown = [lane for lane in LANES if lane == MILESTONES or of_lane[lane]]
    lanes = tuple(
        Lane(name, (notes or {}).get(name, ""), y := TOP + THIN + LANE * place, y + LANE / 2)
        for place, name in enumerate(shown)
    )
    y_of = {lane.name: lane.y for lane in lanes}
    middle = {lane.name: lane.middle for lane in lanes}
    rounds_y = y_of.get(COMMITS, y_of.get(REVIEWS, TOP + THIN + LANE))
    return LifeChart(
        lanes=lanes,
        empty=tuple(lane for lane in LANES if lane not in y_of),
        gaps=axis.gaps,
        ticks=axis.ticks,
        stages=tuple(_band(axis, span, least=1.0, gap=1.5) for span in stages if span.end > span.start),
        cuts=tuple(sorted({axis.percent(span.end) for span in stages if span.end > span.start})),
        rounds=tuple(_round(axis, span, number) for number, span in enumerate(rounds, start=1)),
        milestones=_milestones(axis, of_lane[MILESTONES], y_of[MILESTONES]),
        commits=_folded(axis, of_lane[COMMITS], middle.get(COMMITS, 0) + 5),
        reviews=_folded(axis, of_lane[REVIEWS], middle.get(REVIEWS, 0)),
        comments=_folded(axis, of_lane[COMMENTS], middle.get(COMMENTS, 0)),
        checks=tuple(_check(axis, mark) for mark in of_lane[CHECKS]),
        checks_y=middle.get(CHECKS, 0),
        rounds_y=rounds_y,
        rounds_height=LANE * sum(name in (COMMITS, REVIEWS) for name in shown),
        height=TOP + THIN + LANE * len(lanes) + 6,
    )


def _instants(marks: Sequence[Mark], stages: Sequence[Span]) -> Iterable[datetime]:
    for mark in marks:
        yield mark.at
        if mark.end:
            yield mark.end
    for span in stages:
        yield span.start
        yield span.end


def _band(axis: Axis, span: Span, *, least: float, gap: float = 0.0) -> Band:
    """`gap` pixels are left free at its end, so that neighbours are parted."""
    start, end = axis.pixel(span.start), axis.pixel(span.end)
    return Band(span.name, axis.share(start), axis.share(max(least, end - start - gap)), span.title)


def _round(axis: Axis, span: Span, number: int) -> Band:
    band = _band(axis, span, least=2.0)
    width = band.width * axis.width / 100
    long, short = span.title, f"R{number}"
    label = long if width >= len(long) * CHARACTER else short if width >= len(short) * CHARACTER + 4 else ""
    return Band(band.name, band.x, band.width, band.title, label)


def _check(axis: Axis, mark: Mark) -> Band:
    return _band(axis, Span(mark.kind, mark.at, mark.end or mark.at, mark.title), least=NARROWEST_CHECK)


def _milestones(axis: Axis, marks: Sequence[Mark], y: float) -> tuple[Shown, ...]:
    """Labels beside their dots, on two rows; where neither has room the dot stands alone."""
    rows = ((y + 12, [0.0]), (y + 29, [0.0]))  # (height, from where on it is free)
    shown = []
    for mark in marks:
        x = axis.pixel(mark.at)
        length = len(mark.label) * CHARACTER + 8
        for row_y, free in rows:
            if x + length <= axis.width and x >= free[0]:
                anchor, free[0] = "start", x + length
            elif x - length >= free[0]:
                anchor, free[0] = "end", x + 8
            else:
                continue
            shown.append(Shown(mark.kind, axis.share(x), row_y, mark.title, label=mark.label, text_anchor=anchor))
            break
        else:
            shown.append(Shown(mark.kind, axis.share(x), rows[0][0], mark.title))
    return tuple(shown)


def _folded(axis: Axis, marks: Sequence[Mark], y: float) -> tuple[Shown, ...]:
    """Marks that would touch fold into a pill with their count."""
    groups: list[list[Mark]] = []
    for mark in marks:
        groups.append([mark])
        while len(groups) > 1 and _edges(axis, groups[-1])[0] < _edges(axis, groups[-2])[1]:
            touching = groups.pop()
            groups[-1] += touching  # a pill is wider than a mark, and may touch the one before it now
    shown = []
    for place, group in enumerate(groups):
        first, last = axis.pixel(group[0].at), axis.pixel(group[-1].at)
        if len(group) > 1:
            half = round((last - first) / 2 + PILL_END, 1)
            title = _pill_title(group)
            shown.append(Shown("pill", axis.share((first + last) / 2), y, title, count=len(group), half=half))
        else:
            following = axis.pixel(groups[place + 1][0].at) if place + 1 < len(groups) else axis.width
            shown.append(_single(axis, group[0], y, following))
    return tuple(shown)


def _edges(axis: Axis, group: Sequence[Mark]) -> tuple[float, float]:
    """From where to where it is drawn, in pixels."""
    end = PILL_END if len(group) > 1 else MARK_WIDTH[group[0].lane] / 2
    return axis.pixel(group[0].at) - end, axis.pixel(group[-1].at) + end


def _single(axis: Axis, mark: Mark, y: float, following: float) -> Shown:
    x = axis.pixel(mark.at)
    has_room = bool(mark.label) and x + 26 + len(mark.label) * CHARACTER <= following
    return Shown(mark.kind, axis.share(x), y, mark.title, label=mark.label, text_anchor="start" if has_room else "")


def _pill_title(group: Sequence[Mark]) -> str:
    shown = [mark.title for mark in group[:5]]
    more = [f"and {len(group) - 5} more"] if len(group) > 5 else []
    return f"{len(group)} {group[0].lane}\n" + "\n".join([*shown, *more])

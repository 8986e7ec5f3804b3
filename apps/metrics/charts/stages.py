"""The stacked stages by week: a bar a week, a tick for the median of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

HOUR, DAY = 3600.0, 86_400.0
TOP, BASE, HEIGHT = 24.0, 228.0, 256.0
BAR_SHARE = 0.62  # of a week's width
GAP = 1.5  # between the stages of a bar, in pixels
STEPS = tuple(unit * count for unit in (HOUR, DAY) for count in (1, 2, 3, 4, 6, 8, 12)) + tuple(
    DAY * count for count in (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024)
)
LINES = 4
LONGEST_NAME = 22  # letters that fit into a tip
THIN = 5  # a week with fewer pull requests is drawn pale, and its median does not stretch the axis


@dataclass(frozen=True, slots=True)
class StageWeek:
    """What the chart draws of a week. `stages` and `lead` in seconds, None where nothing was merged.

    `not_covered`: whose pull requests are missing; `is_covered`: there are some that are not.
    """

    monday: date
    merged: int
    stages: tuple[float | None, ...]
    lead: float | None
    not_covered: tuple[str, ...] = ()
    is_covered: bool = True
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    stage: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A week. `x`, `width` of the whole column and `bar_x`, `bar_width` in percent; `tick` in pixels, None: no median;
    `is_above`: it lies higher than the chart reaches.

    `tip_x` and `tip_shift`: where its tip is anchored, and how far from there (pixels), so that it stays inside.
    `is_labelled`: there is room for its day on the axis; `on_phone`: on a narrow one too.
    """

    week: StageWeek
    x: float
    width: float
    bar_x: float
    bar_width: float
    blocks: tuple[Block, ...]
    tick: float | None
    is_above: bool
    tip_x: float
    tip_shift: float
    is_labelled: bool
    on_phone: bool
    names: tuple[str, ...]

    @property
    def is_pale(self) -> bool:
        week = self.week
        return week.is_running or bool(week.not_covered) or not week.is_covered or week.merged < THIN

    @property
    def note(self) -> str:
        """Why less can be read from it than from others; "" if nothing keeps it from that. It fits into the tip."""
        week = self.week
        if not week.is_covered:
            return "not covered"
        if week.not_covered:
            first, count = week.not_covered[0], len(week.not_covered)
            if count > 1:
                return f"without {count} repositories"
            return f"without {first if len(first) <= LONGEST_NAME else first[: LONGEST_NAME - 1] + '…'}"
        return "not over" if week.is_running else ""

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)

    @property
    def tip_rows(self) -> tuple[tuple[str, float, float | None], ...]:
        """(stage, y, seconds) of its tip, in the order of the stages."""
        return tuple((name, 38.0 + 19 * place, self.week.stages[place]) for place, name in enumerate(self.names))

    @property
    def tick_x(self) -> float:
        return round(self.bar_x - self.width * 0.1, 2)

    @property
    def tick_end(self) -> float:
        return round(self.bar_x + self.bar_width + self.width * 0.1, 2)


@dataclass(frozen=True, slots=True)
class GridLine:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class StageChart:
    """`period_x`, `period_width`: the weeks that the page speaks about, in percent."""

    columns: tuple[Column, ...]
    lines: tuple[GridLine, ...]
    period_x: float
    period_width: float
    names: tuple[str, ...]
    height: float = HEIGHT
    top: float = TOP
    base: float = BASE

    @property
    def depth(self) -> float:
        return self.base - self.top


def stage_chart(weeks: Sequence[StageWeek], *, names: tuple[str, ...], first: date, last: date) -> StageChart:
    """The chart of weeks in time order, with the period from `first` to `last` marked. `names`: of the stages."""
    step = _step(max((_height_of(week) for week in weeks), default=0.0))
    scale = (BASE - TOP) / (step * LINES)
    width = 100 / max(1, len(weeks))
    columns = tuple(_column(week, place, width, scale, names, len(weeks)) for place, week in enumerate(weeks))
    inside = [c for c in columns if c.week.monday <= last and c.week.monday + timedelta(days=6) >= first]
    unit, name = (DAY, "d") if step * LINES > 48 * HOUR else (HOUR, "h")
    lines = tuple(
        GridLine(
            round(BASE - step * count * scale, 1), f"{step * count / unit:g}" + (f" {name}" if count == LINES else "")
        )
        for count in range(LINES + 1)
    )
    begin = inside[0].x if inside else 0.0
    end = inside[-1].x + inside[-1].width if inside else 0.0
    return StageChart(columns, lines, begin, round(end - begin, 2), names)


def _height_of(week: StageWeek) -> float:
    lead = week.lead or 0.0
    return max(sum(seconds or 0.0 for seconds in week.stages), lead if week.merged >= THIN else 0.0)


def _step(highest: float) -> float:
    """The smallest round step of which four reach over everything."""
    return next((step for step in sorted(STEPS) if step * LINES >= highest), STEPS[-1])


def _column(week: StageWeek, place: int, width: float, scale: float, names: tuple[str, ...], count: int) -> Column:
    blocks, floor = [], BASE
    for name, seconds in zip(names, week.stages, strict=True):
        height = (seconds or 0.0) * scale
        if height > 0:
            shown = max(height - GAP, 0.5)
            blocks.append(Block(name, round(floor - GAP - shown, 1), round(shown, 1)))
            floor -= height
    is_right = place >= count / 2
    every = -(-count // 14)
    from_end = count - 1 - place
    return Column(
        week=week,
        x=round(place * width, 2),
        width=round(width, 2),
        bar_x=round(place * width + width * (1 - BAR_SHARE) / 2, 2),
        bar_width=round(width * BAR_SHARE, 2),
        blocks=tuple(blocks),
        tick=round(max(TOP, BASE - week.lead * scale), 1) if week.lead is not None else None,
        is_above=week.lead is not None and BASE - week.lead * scale < TOP,
        tip_x=round(place * width + (0 if is_right else width), 2),
        tip_shift=-210.0 if is_right else 6.0,
        is_labelled=from_end % every == 0,
        on_phone=from_end % (every * -(-count // (every * 4))) == 0,
        names=names,
    )


def proportions(parts: Sequence[tuple[str, float]], *, gap: float = 1.0) -> tuple[tuple[str, float, float], ...]:
    """A ribbon: (name, x, width) in percent, in proportion, parts of nothing left out, `gap` percent between them."""
    shown = [(name, size) for name, size in parts if size > 0]
    whole = sum(size for _, size in shown)
    room = 100.0 - gap * max(0, len(shown) - 1)
    placed, x = [], 0.0
    for name, size in shown:
        width = room * size / whole
        placed.append((name, round(x, 2), round(width, 2)))
        x += width + gap
    return tuple(placed)

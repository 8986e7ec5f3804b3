"""A sparkline: a small line of weeks, the time before pale, this period dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 84.0, 26.0
INSET = 2.0


@dataclass(frozen=True, slots=True)
class Spark:
    """Paths in a box of 84 × 26; `before` and `now` meet in one point. `end` is the last point."""

    before: str
    now: str
    end: tuple[float, float]


def spark_of(values: Sequence[float | None], *, begins_at: int) -> Spark | None:
    """The line through the known values; from index `begins_at` on it is this period's. None below three values.

    A week without a value is left out, the line goes straight on: a dip to zero would tell of something that was not.
    """
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < 3:
        return None
    lowest, highest = min(value for _, value in known), max(value for _, value in known)
    span = highest - lowest or 1.0
    points = [
        (
            index,
            round(WIDTH * index / max(1, len(values) - 1), 1),
            round(HEIGHT - INSET - (HEIGHT - 2 * INSET) * (value - lowest) / span, 1),
        )
        for index, value in known
    ]
    split = next((place for place, point in enumerate(points) if point[0] >= begins_at), len(points) - 1)
    return Spark(
        before=_path([(x, y) for _, x, y in points[: split + 1]]),
        now=_path([(x, y) for _, x, y in points[split:]]),
        end=points[-1][1:],
    )


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x:g} {y:g}" for x, y in points) if len(points) > 1 else ""

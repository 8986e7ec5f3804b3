"""A number against the window before: what may be said of the difference, and what may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, FloatField

from apps.metrics.queries.period import spoken
from apps.metrics.queries.population import TOO_FEW

CLEAR = 0.05  # a smaller change of a median or a rate is not worth a word


class Spread(Aggregate):
    """[median, p75, p90] of a column, continuous (percentile_cont); NULL where there is nothing."""

    function = "percentile_cont"
    template = "%(function)s(ARRAY[0.5, 0.75, 0.9]::float8[]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds over a window: median, p75 and p90, and how many pull requests they rest on."""

    n: int
    median: float | None = None
    p75: float | None = None
    p90: float | None = None

    @classmethod
    def of(cls, spread: list[float] | None, n: int) -> Duration:
        return cls(n, *spread) if spread else cls(n)

    @property
    def is_thin(self) -> bool:
        return self.n < TOO_FEW


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    MORE = "more"  # changed, and nobody can say whether for the better
    FLAT = "flat"
    TOO_FEW = "too_few"
    NOT_COVERED = "not_covered"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """`words` can stand alone; `before` is the value before, None where it must not be shown."""

    verdict: Verdict
    words: str
    before: float | None = None

    @property
    def brief(self) -> str:
        """The same for a narrow column."""
        return {Verdict.NOT_COVERED: "not covered", Verdict.TOO_FEW: "too few"}.get(self.verdict, self.words)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of a window, and of the one before it, is covered by the repositories in question.

    `now`: all of them cover the window. `compared`: the ids of those that cover both windows, whose change alone is
    told; `left_out`: the names of the others. `since`: from when all are covered; None if one of them never was
    (its first sync is not done).
    """

    now: bool
    compared: frozenset[int]
    left_out: tuple[str, ...]
    since: datetime | None
    zone: ZoneInfo

    @property
    def words(self) -> str:
        if self.since is None:
            return "the first sync is not done"
        return f"not covered before {spoken(self.since.astimezone(self.zone).date())}"


def change_of_duration(now: Duration, before: Duration, coverage: Coverage) -> Change:
    """Slower, faster or neither: a median changed when it moved by 5 % or more, on 5 pull requests or more each."""
    if (held := _held_back(now.n, before.n, coverage)) is not None:
        return held
    if now.median is None or before.median is None:
        return Change(Verdict.NOTHING, "nothing to compare with")
    if before.median == 0:
        if now.median == 0:
            return Change(Verdict.FLAT, "no clear change", before.median)
        return Change(Verdict.WORSE, "slower", before.median)
    ratio = now.median / before.median - 1
    if abs(ratio) < CLEAR:
        return Change(Verdict.FLAT, "no clear change", before.median)
    if ratio > 0:
        words = f"{ratio:.0%} slower" if ratio < 1 else f"{ratio + 1:.1f} times as long"
        return Change(Verdict.WORSE, words, before.median)
    return Change(Verdict.BETTER, f"{-ratio:.0%} faster", before.median)


def change_of_rate(now: float, before: float, *, n: int, n_before: int, coverage: Coverage) -> Change:
    """More or fewer of something that is neither good nor bad."""
    if (held := _held_back(n, n_before, coverage)) is not None:
        return held
    ratio = now / before - 1
    if abs(ratio) < CLEAR:
        return Change(Verdict.FLAT, "no clear change", before)
    words = f"{abs(ratio):.0%} {'more' if ratio > 0 else 'fewer'}" if ratio < 1 else f"{ratio + 1:.1f} times as many"
    return Change(Verdict.MORE, words, before)


def _held_back(n: int, n_before: int, coverage: Coverage) -> Change | None:
    """What forbids a comparison, if anything does."""
    if not coverage.compared:
        return Change(Verdict.NOT_COVERED, coverage.words)
    if n == 0 and n_before == 0:
        return Change(Verdict.NOTHING, "nothing to compare")
    if n < TOO_FEW or n_before < TOO_FEW:
        few, which = (n, "") if n < TOO_FEW else (n_before, " before")
        return Change(Verdict.TOO_FEW, f"too few to compare: n {few}{which}, needs {TOO_FEW}")
    return None

"""Numbers as the figure component shows them (templates/components/figure.html)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.common import durations
from apps.metrics.charts.spark import Spark, spark_of
from apps.metrics.queries.comparison import Change, Duration, Verdict
from apps.metrics.queries.overview import Compared, Overview, Throughput
from apps.metrics.queries.population import TOO_FEW

DEFINITIONS = {
    "cycle_time": "From opening to merge, median over the pull requests merged in the period",
    "review_time": "Ready for review to the first review by a human other than the author, median",
    "coding": "First commit to ready for review",
    "pickup": "Ready for review to the first review; never reviewed: to the merge",
    "review": "First review to the approval that held; never approved: to the merge",
    "merge": "Approval to merge. Often rework: see below",
    "closed": "Closed, before it was reopened",
    "throughput": "Pull requests by people, merged in the period, for each week of it",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What the delta component takes: better, worse or flat, and the words."""

    judgement: str
    text: str


@dataclass(frozen=True, slots=True)
class SparkShape:
    before: str
    now: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Figure:
    """`note` stands where no change may be shown, and says why."""

    label: str
    definition: str
    url: str
    value: str
    unit: str
    change: Judged | None
    before: str
    note: str
    spread: tuple[tuple[str, str], ...]
    is_thin: bool
    spark: SparkShape | None


def judged(change: Change) -> Judged | None:
    """None where the change only says why there is none."""
    if change.verdict in (Verdict.TOO_FEW, Verdict.NOT_COVERED, Verdict.NOTHING):
        return None
    flat = change.verdict in (Verdict.FLAT, Verdict.MORE)
    return Judged("flat" if flat else change.verdict.value, change.words)


def duration_figure(
    label: str, name: str, compared: Compared, *, url: str, weeks: Sequence[float | None], begins_at: int
) -> Figure:
    now, change = compared.now, compared.change
    value, unit = durations.parts(now.median)
    judgement = judged(change)
    return Figure(
        label=label,
        definition=DEFINITIONS[name],
        url=url,
        value=value,
        unit=unit,
        change=judgement,
        before=durations.duration(change.before) if change.before is not None else "",
        note="" if judgement else change.words,
        spread=_spread(now),
        is_thin=now.is_thin,
        spark=_shape(spark_of(weeks, begins_at=begins_at)),
    )


def throughput_figure(throughput: Throughput, *, url: str, weeks: Sequence[float | None], begins_at: int) -> Figure:
    change = throughput.change
    judgement = judged(change)
    spread = [("merged", f"{throughput.merged:,}"), ("opened", f"{throughput.opened:,}")]
    if throughput.closed_unmerged:
        spread.append(("closed unmerged", f"{throughput.closed_unmerged:,}"))
    if throughput.per_author is not None:
        spread.append(("per author", f"{throughput.per_author:.1f}"))
    return Figure(
        label="PRs merged a week",
        definition=DEFINITIONS["throughput"],
        url=url,
        value=f"{throughput.per_week:.1f}",
        unit="",
        change=judgement,
        before=f"{change.before:.1f}" if change.before is not None else "",
        note="" if judgement else change.words,
        spread=tuple(spread),
        is_thin=throughput.merged < TOO_FEW,
        spark=_shape(spark_of(weeks, begins_at=begins_at)),
    )


def figures_of(overview: Overview, *, merged_url: str, begins_at: int) -> tuple[Figure, ...]:
    """The four figures of the overview. `merged_url`: the list of what was merged in the period."""
    weeks = [week for week in overview.weeks if week.is_covered]
    begins_at -= len(overview.weeks) - len(weeks)
    stage = dict(zip(("coding", "pickup", "review", "merge"), overview.stages, strict=True))
    return (
        duration_figure(
            "Cycle time",
            "cycle_time",
            overview.cycle_time,
            url=f"{merged_url}&sort=-cycle_time",
            weeks=[week.cycle_time for week in weeks],
            begins_at=begins_at,
        ),
        duration_figure(
            "Time to first review",
            "review_time",
            overview.review_time,
            url=f"{merged_url}&unreviewed=0&sort=-review_time",
            weeks=[week.review_time for week in weeks],
            begins_at=begins_at,
        ),
        duration_figure(
            "Review",
            "review",
            stage["review"],
            url=f"{merged_url}&sort=-review",
            weeks=[week.stages[2] for week in weeks],
            begins_at=begins_at,
        ),
        throughput_figure(
            overview.throughput,
            url=f"{merged_url}&sort=-merged",
            weeks=[None if week.is_running else float(week.merged) for week in weeks],
            begins_at=begins_at,
        ),
    )


def _spread(duration: Duration) -> tuple[tuple[str, str], ...]:
    if duration.median is None:
        return ()
    return (
        ("p75", durations.duration(duration.p75)),
        ("p90", durations.duration(duration.p90)),
        ("n", f"{duration.n:,}"),
    )


def _shape(spark: Spark | None) -> SparkShape | None:
    return SparkShape(spark.before, spark.now, *spark.end) if spark else None

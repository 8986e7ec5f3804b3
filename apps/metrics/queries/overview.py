"""The overview: are we faster or slower than before, and which stage changed?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import BooleanField, Count, DateField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import TruncWeek

from apps.metrics.queries.comparison import (
    Change,
    Coverage,
    Duration,
    Median,
    Spread,
    change_of_duration,
    change_of_rate,
)
from apps.metrics.queries.population import TOO_FEW, Population
from apps.metrics.queries.trust import RepositoryTrust, Trust

STAGES = ("coding", "pickup", "review", "merge")
DURATIONS = ("cycle_time", "review_time", *STAGES)
SHORTEST_TREND = timedelta(weeks=12)
LONGEST_TREND = timedelta(weeks=27)


@dataclass(frozen=True, slots=True)
class Compared:
    """A duration in the period, before it, and what may be said of the difference."""

    now: Duration
    before: Duration
    change: Change


@dataclass(frozen=True, slots=True)
class Throughput:
    """Pull requests merged per week. `authors`: distinct people who merged one (deleted accounts not counted)."""

    per_week: float
    change: Change
    merged: int
    opened: int
    closed_unmerged: int
    authors: int

    @property
    def per_author(self) -> float | None:
        return self.merged / self.authors if self.authors else None


@dataclass(frozen=True, slots=True)
class Week:
    """What was merged in a week of the team's time zone. Medians in seconds; `lead` from first commit to merge.

    `not_covered`: repositories that are not complete for all of it; `is_covered`: one is. `is_running`: it is
    not over, or the period ends within it.
    """

    monday: date
    merged: int
    cycle_time: float | None
    review_time: float | None
    stages: tuple[float | None, ...]
    lead: float | None
    not_covered: tuple[str, ...]
    is_covered: bool
    is_running: bool


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    repository: RepositoryTrust
    cycle_time: Compared
    stages: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    coverage: Coverage
    throughput: Throughput
    cycle_time: Compared
    review_time: Compared
    stages: tuple[Compared, ...]  # in the order of STAGES
    merge_with_rework: Duration
    merge_without_rework: Duration
    unreviewed: int
    weeks: tuple[Week, ...]
    repositories: tuple[RepositoryRow, ...]  # slowest first

    @property
    def merged(self) -> int:
        return self.throughput.merged


def overview_for(population: Population, trust: Trust, *, now: datetime) -> Overview:
    """Everything that the page shows of this population. Four SQL statements, five if not every repository can be
    compared."""
    period = population.period
    coverage = coverage_of(population, trust.only(population.repository_ids))
    merged = population.merged_between(period.before.start, period.end).annotate(
        is_now=ExpressionWrapper(Q(merged_at__gte=period.start), output_field=BooleanField())
    )
    windows = _windows(merged, coverage)
    this = windows.this
    stages = tuple(_compared(name, windows, coverage) for name in STAGES)
    return Overview(
        coverage=coverage,
        throughput=_throughput(population, windows, coverage, now),
        cycle_time=_compared("cycle_time", windows, coverage),
        review_time=_compared("review_time", windows, coverage),
        stages=stages,
        merge_with_rework=Duration.of(this.get("merge_with_rework"), this.get("n_with_rework", 0)),
        merge_without_rework=Duration.of(this.get("merge_without_rework"), this.get("n_without_rework", 0)),
        unreviewed=this.get("unreviewed", 0),
        weeks=_weeks(population, trust.only(population.repository_ids), now),
        repositories=_repositories(population, merged, trust),
    )


def coverage_of(population: Population, trust: Trust) -> Coverage:
    period = population.period
    later = trust.not_covering(period.before.start)
    return Coverage(
        now=not trust.not_covering(period.start),
        compared=frozenset(r.id for r in trust.repositories if r not in later),
        left_out=tuple(r.name for r in later),
        since=trust.covered_since_all(),
        zone=period.zone,
    )


def _with_durations(merged: QuerySet[Any], *by: str) -> Iterable[dict[str, Any]]:
    """Grouped rows with every duration: `name` is [median, p75, p90] in seconds, `n_name` what it rests on."""
    spreads = {name: Spread(f"{name}_seconds") for name in DURATIONS}
    counts = {f"n_{name}": Count(f"{name}_seconds") for name in DURATIONS}
    rows: Iterable[dict[str, Any]] = merged.values(*by).annotate(
        n=Count("id"),
        **counts,
        **spreads,
        authors=Count("author", distinct=True),
        unreviewed=Count("id", filter=Q(merged_without_review=True)),
        merge_with_rework=Spread("merge_seconds", filter=Q(rework_after_approval=True)),
        n_with_rework=Count("id", filter=Q(rework_after_approval=True)),
        merge_without_rework=Spread("merge_seconds", filter=Q(rework_after_approval=False)),
        n_without_rework=Count("id", filter=Q(rework_after_approval=False)),
    )
    return rows


@dataclass(frozen=True, slots=True)
class _Windows:
    """Rows of the period and of the one before; `this_like`: the period's, of the compared repositories only."""

    this: Mapping[str, Any]
    this_like: Mapping[str, Any]
    that: Mapping[str, Any]


def _windows(merged: QuerySet[Any], coverage: Coverage) -> _Windows:
    """One statement; two where repositories that are not covered before must be left out of the comparison."""
    rows = {row["is_now"]: row for row in _with_durations(merged, "is_now")}
    this, that = rows.get(True, {}), rows.get(False, {})
    if not coverage.left_out or not coverage.compared:
        return _Windows(this, this, that)
    comparable = merged.filter(repository__in=sorted(coverage.compared))
    rows = {row["is_now"]: row for row in _with_durations(comparable, "is_now")}
    return _Windows(this, rows.get(True, {}), rows.get(False, {}))


def _compared(name: str, windows: _Windows, coverage: Coverage) -> Compared:
    now, like, before = (
        Duration.of(row.get(name), row.get(f"n_{name}", 0)) for row in (windows.this, windows.this_like, windows.that)
    )
    return Compared(now, before, change_of_duration(like, before, coverage))


def _throughput(population: Population, windows: _Windows, coverage: Coverage, now: datetime) -> Throughput:
    period = population.period
    # Whoever was opened or closed since then was updated since then: served by pull_request_updated.
    turns = population.pull_requests().filter(pr_updated_at__gte=period.start)
    found = turns.aggregate(
        opened=Count("id", filter=Q(pr_created_at__gte=period.start, pr_created_at__lt=period.end)),
        closed=Count("id", filter=Q(state="closed", closed_at__gte=period.start, closed_at__lt=period.end)),
    )
    weeks = period.weeks_until(now)
    n, n_like, n_before = (row.get("n", 0) for row in (windows.this, windows.this_like, windows.that))
    before = n_before / period.before.weeks_until(now)
    return Throughput(
        per_week=n / weeks,
        change=change_of_rate(n_like / weeks, before, n=n_like, n_before=n_before, coverage=coverage),
        merged=n,
        opened=found["opened"],
        closed_unmerged=found["closed"],
        authors=windows.this.get("authors", 0),
    )


def _weeks(population: Population, trust: Trust, now: datetime) -> tuple[Week, ...]:
    """Every Monday's week from the period before (twelve weeks at least) to the end; no gap where nothing was merged.

    A long period is shown without the one before it.
    """
    period = population.period
    first = min(period.before.first, period.last - SHORTEST_TREND + timedelta(days=1))
    if period.last - first > LONGEST_TREND:
        first = period.first
    first -= timedelta(days=first.weekday())
    start = datetime.combine(first, time(), period.zone).astimezone(UTC)
    lead = sum((F(f"{stage}_seconds") for stage in (*STAGES[1:], "closed")), F("coding_seconds"))
    rows = (
        population.merged_between(start, period.end)
        .annotate(week=TruncWeek("merged_at", tzinfo=period.zone, output_field=DateField()))
        .values("week")
        .annotate(
            n=Count("id"),
            cycle_time=Median("cycle_time_seconds"),
            review_time=Median("review_time_seconds"),
            **{stage: Median(f"{stage}_seconds") for stage in STAGES},
            lead=Median(lead),
        )
    )
    found = {row["week"]: row for row in rows}
    mondays = [first + timedelta(days=days) for days in range(0, (period.last - first).days + 1, 7)]
    return tuple(_week(monday, found.get(monday, {}), population, trust, now) for monday in mondays)


def _week(monday: date, row: Mapping[str, Any], population: Population, trust: Trust, now: datetime) -> Week:
    zone = population.period.zone
    start = datetime.combine(monday, time(), zone).astimezone(UTC)
    end = datetime.combine(monday + timedelta(days=7), time(), zone).astimezone(UTC)
    missing = trust.not_covering(start)
    return Week(
        monday=monday,
        merged=row.get("n", 0),
        cycle_time=row.get("cycle_time"),
        review_time=row.get("review_time"),
        stages=tuple(row.get(stage) for stage in STAGES),
        lead=row.get("lead"),
        not_covered=tuple(repository.name for repository in missing),
        is_covered=len(missing) < len(trust.repositories),
        is_running=min(end, population.period.end) > now or population.period.end < end,
    )


def _repositories(population: Population, merged: QuerySet[Any], trust: Trust) -> tuple[RepositoryRow, ...]:
    known = {repository.id: repository for repository in trust.repositories}
    found: dict[int, dict[bool, Mapping[str, Any]]] = {}
    for row in _with_durations(merged, "repository_id", "is_now"):
        found.setdefault(row["repository_id"], {})[row["is_now"]] = row
    rows = []
    for repository_id, windows in found.items():
        this, that = windows.get(True, {}), windows.get(False, {})
        if not this:
            continue
        repository = known[repository_id]
        coverage = coverage_of(population, Trust((repository,)))
        pair = _Windows(this, this, that)
        rows.append(
            RepositoryRow(
                repository=repository,
                cycle_time=_compared("cycle_time", pair, coverage),
                stages=tuple(_compared(stage, pair, coverage) for stage in STAGES),
            )
        )
    # Those with too few to be judged come last, whatever their median says.
    rows.sort(key=lambda row: (row.cycle_time.now.n < TOO_FEW, -(row.cycle_time.now.median or 0), row.repository.id))
    return tuple(rows)

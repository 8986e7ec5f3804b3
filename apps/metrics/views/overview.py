from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.metrics.charts.stages import StageChart, StageWeek, proportions, stage_chart
from apps.metrics.queries.comparison import Change, Duration
from apps.metrics.queries.insight import insights_of
from apps.metrics.queries.overview import STAGES, Compared, Overview, overview_for
from apps.metrics.queries.period import PRESETS, Period
from apps.metrics.queries.population import Population, population_from
from apps.metrics.queries.pull_request_list import filter_options
from apps.metrics.queries.review_load import review_load_for
from apps.metrics.queries.trust import RepositoryTrust, trust_of_team
from apps.metrics.views.figures import DEFINITIONS, Judged, figures_of, judged
from apps.metrics.views.fragments import render_page_or
from apps.teams.access import team_member
from apps.teams.models import Team


@dataclass(frozen=True, slots=True)
class StageRow:
    name: str
    definition: str
    duration: Duration
    change: Judged | None
    held: Change | None  # why no change is told
    url: str


@dataclass(frozen=True, slots=True)
class RepositoryLine:
    repository: RepositoryTrust | None  # None: all of them
    url: str
    duration: Duration
    ribbon: tuple[tuple[str, float, float], ...]
    change: Judged | None
    held: Change | None  # why no change is told


@require_safe
@team_member
def overview(request: HttpRequest, team: Team) -> HttpResponse:
    now = timezone.now()
    trust = trust_of_team()
    population = population_from(request.GET, time_zone=team.time_zone, now=now, trust=trust)
    context: dict[str, object] = {
        "team": team,
        "population": population,
        "trust": trust.only(population.repository_ids),
        "all_repositories": trust.repositories,
        "presets": [(days, population.overview_query(period=_last(population.period, days))) for days in PRESETS],
        "bots_query": population.overview_query(bots=None if population.with_bots else "1"),
    }
    if trust.stored:
        found = overview_for(population, trust, now=now)
        context |= _shown(team, population, found)
        load = review_load_for(population)
        context["load"] = load
        context["load_is_compared"] = bool(found.coverage.compared) and not found.coverage.left_out
        context["load_bars"] = [(one, *load.bars_of(one)) for one in load.busiest]
        context["options"] = filter_options()
    query = population.overview_query()
    return render_page_or(("overview", "numbers"), request, "metrics/overview.html", context, query=query)


def _shown(team: Team, population: Population, found: Overview) -> dict[str, object]:
    """What the template shows of an overview, with the address behind every number."""
    listed = reverse("metrics:pull_requests", args=[team.slug])
    merged_url = f"{listed}?{population.merged_query()}"
    chart = _chart(population, found)
    insights = insights_of(found)
    first = insights[0] if insights else None
    return {
        "overview": found,
        "figures": figures_of(found, merged_url=merged_url, begins_at=_begins_at(population.period, found)),
        "chart": chart,
        "chart_weeks": [(column, _week_url(listed, population, column.week)) for column in chart.columns],
        "stages": [
            _stage_row(name, compared, f"{merged_url}&sort=-{name}")
            for name, compared in zip(STAGES, found.stages, strict=True)
        ],
        "repository_lines": _repository_lines(listed, population, found),
        "insight": first,
        "insight_url": _insight_url(listed, population, first.row.repository, first.stage) if first else "",
        "merged_url": merged_url,
        "unreviewed_url": f"{merged_url}&unreviewed=1",
        "rework_url": f"{merged_url}&rework=1&sort=-merge",
        "partial_url": f"{listed}?partial=1",
        "list_url": listed,
        "reviewed_url": f"{listed}?{population.reviewed_query()}",
    }


def _last(period: Period, days: int) -> Period:
    """The last `days` days up to the end of the period that is shown."""
    return Period(period.last - timedelta(days=days - 1), period.last, period.zone)


def _begins_at(period: Period, found: Overview) -> int:
    """The index of the first week that lies in the period."""
    days = [week.monday + timedelta(days=6) for week in found.weeks]
    return next((place for place, sunday in enumerate(days) if sunday >= period.first), 0)


def _chart(population: Population, found: Overview) -> StageChart:
    weeks = [
        StageWeek(week.monday, week.merged, week.stages, week.lead, week.not_covered, week.is_covered, week.is_running)
        for week in found.weeks
    ]
    return stage_chart(weeks, names=STAGES, first=population.period.first, last=population.period.last)


def _week_url(listed: str, population: Population, week: StageWeek) -> str:
    last: date = min(week.monday + timedelta(days=6), population.period.last)
    days = Period(week.monday, last, population.period.zone)
    return f"{listed}?{population.merged_query(period=days)}"


def _stage_row(name: str, compared: Compared, url: str) -> StageRow:
    change = judged(compared.change)
    return StageRow(name, DEFINITIONS[name], compared.now, change, None if change else compared.change, url)


def _repository_lines(listed: str, population: Population, found: Overview) -> list[RepositoryLine]:
    lines = [
        _line(listed, population.in_repositories(row.repository), row.repository, row.cycle_time, row.stages)
        for row in found.repositories
    ]
    if len(lines) > 1:
        lines.append(_line(listed, population, None, found.cycle_time, found.stages))
    return lines


def _line(
    listed: str,
    population: Population,
    repository: RepositoryTrust | None,
    cycle_time: Compared,
    stages: tuple[Compared, ...],
) -> RepositoryLine:
    change = judged(cycle_time.change)
    return RepositoryLine(
        repository=repository,
        url=f"{listed}?{population.merged_query(('sort', '-cycle_time'))}",
        duration=cycle_time.now,
        ribbon=proportions([(name, stage.now.median or 0.0) for name, stage in zip(STAGES, stages, strict=True)]),
        change=change,
        held=None if change else cycle_time.change,
    )


def _insight_url(listed: str, population: Population, repository: RepositoryTrust, stage: str) -> str:
    return f"{listed}?{population.in_repositories(repository).merged_query(('sort', f'-{stage}'))}"

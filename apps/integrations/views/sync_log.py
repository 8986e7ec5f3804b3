"""The sync log and one sync of it; what can be done to a sync is in `sync_actions`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from apps.common.csv_lines import csv_lines
from apps.integrations.queries.sync_log import (
    ALL,
    LOOKS,
    NOTABLE,
    LogFilters,
    LogLine,
    line_of,
    runs_of,
    sync_log,
    with_details,
)
from apps.integrations.queries.sync_run import COUNTED, KINDS, STATUSES, run_page
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.metrics.views.fragments import render_page_or
from apps.teams.access import team_member
from apps.teams.models import Team
from apps.teams.scope import scoped_chunks

RUN = "integrations/sync_log_run.html"
CHUNK = 1_000
HEADER = (
    "run",
    "repository",
    "kind",
    "window",
    "since",
    "status",
    "asked_at",
    "started_at",
    "finished_at",
    "seconds",
    "seconds_waited",
    *COUNTED,
    "points",
    "graphql_requests",
    "rest_requests",
    "partial_pull_requests",
    "error",
)


@require_safe
@team_member
def log(request: HttpRequest, team: Team) -> HttpResponse:
    filters = LogFilters.of(request.GET)
    context = {
        "team": team,
        "log": sync_log(filters),
        "filters": filters,
        "kinds": KINDS.items(),
        "statuses": [(value, words) for value, (words, _, _) in STATUSES.items()],
        "tabs": [
            ("Notable", NOTABLE, filters.query(show=NOTABLE, kind=None, status=None)),
            ("All syncs", ALL, filters.query(show=ALL)),
            ("Looks for changes", LOOKS, urlencode({"show": LOOKS})),
        ],
        "csv_query": filters.query(),
    }
    return render_page_or(("log", "runs"), request, "integrations/sync_log.html", context, query=filters.here)


@require_safe
@team_member
def log_csv(request: HttpRequest, team: Team) -> StreamingHttpResponse:
    """What the filters choose, all pages of it, oldest first."""
    runs = with_details(runs_of(LogFilters.of(request.GET)))
    response = StreamingHttpResponse(csv_lines(HEADER, _rows(team.pk, runs)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sync-log-{team.slug}.csv"'
    return response


def _rows(team_id: int, runs: Any) -> Iterator[list[str | int | float | datetime | None]]:
    for chunk in scoped_chunks(team_id, runs, CHUNK):
        for row in chunk:
            yield _row(line_of(row))


def _row(line: LogLine) -> list[str | int | float | datetime | None]:
    run, seconds = line.row, line.seconds
    return [
        run.pk,
        line.full_name,
        run.kind,
        line.window.words,
        line.window.since,
        run.status,
        run.created_at,
        run.started_at,
        run.finished_at,
        None if seconds is None else round(seconds, 1),
        round(line.waited, 1),
        *(run.counts.get(key, 0) for key in COUNTED),
        run.points,
        run.requests,
        run.rest_requests,
        line.partial,
        line.error,
    ]


@require_safe
@team_member
def run_detail(request: HttpRequest, team: Team, run_id: int) -> HttpResponse:
    """One sync. While it goes on, the part that changes is asked for again and again."""
    page = run_page(run_id)
    if page is None:
        raise Http404
    row = page.run.row
    context = {
        "team": team,
        "page": page,
        "run": page.run,
        "row": row,
        "tracked": row.tracked_repository,
        "completeness": completeness_in_words(row.tracked_repository.repository),
    }
    is_fragment = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") == "run"
    response = render(request, f"{RUN}#run" if is_fragment else RUN, context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response

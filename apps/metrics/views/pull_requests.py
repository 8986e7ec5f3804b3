from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.metrics.queries.pull_request_filters import (
    CHOICES,
    NAMES,
    SORT_WORDS,
    SORTS,
    WORDS,
    PullRequestFilters,
    filters_from,
)
from apps.metrics.queries.pull_request_list import filter_options, pull_request_list
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.views.fragments import render_page_or
from apps.teams.access import team_member
from apps.teams.models import Team

# in the address: (the row's field, how it is shown, where there is room for it)
CELLS = {
    "merged": ("merged_at", "time", "wide-only"),
    "created": ("created_at", "time", ""),
    "updated": ("updated_at", "time", "mid-only wide-only"),
    "cycle_time": ("cycle_time", "duration", "wide-only"),
    "review_time": ("review_time", "duration", "wide-only"),
    "coding": ("coding", "duration", ""),
    "pickup": ("pickup", "duration", ""),
    "review": ("review", "duration", ""),
    "merge": ("merge", "duration", ""),
    "size": ("lines", "number", "mid-only wide-only"),
    "rounds": ("rounds", "number", "mid-only wide-only"),
    "comments": ("comments", "number", "mid-only wide-only"),
}
ALWAYS = ("updated", "merged", "cycle_time", "review_time", "size", "rounds", "comments")
YES_NO_FILTERS = ("unreviewed", "ai", "rework", "draft", "partial")


@dataclass(frozen=True, slots=True)
class Column:
    """`query`: the address that sorts by it, or turns the order; `direction` as aria-sort says it, "" if not sorted."""

    key: str
    label: str
    field: str
    kind: str
    css: str
    query: str
    direction: str


@require_safe
@team_member
def pull_requests(request: HttpRequest, team: Team) -> HttpResponse:
    trust = trust_of_team()
    filters = filters_from(request.GET, time_zone=team.time_zone, trust=trust)
    found = pull_request_list(filters)
    columns = _columns(filters)
    context = {
        "team": team,
        "trust": trust,
        "filters": filters,
        "list": found,
        "options": filter_options(),
        "selects": [_select(key, getattr(filters, key)) for key in ("state", "size", "ci", *YES_NO_FILTERS)],
        "sorts": [(key, name, *SORT_WORDS[key]) for key, (_, name) in SORTS.items()],
        "columns": columns,
        "rows": [(row, [(column, getattr(row, column.field)) for column in columns]) for row in found.rows],
        "previous_query": _page_query(filters.query(), found.previous_page),
        "with_bots_query": filters.query(bots="1"),
        "next_query": _page_query(filters.query(), found.next_page),
    }
    query = _page_query(filters.query(), found.page) if found.page > 1 else filters.query()
    return render_page_or(("list",), request, "metrics/pull_requests.html", context, query=query)


def _columns(filters: PullRequestFilters) -> list[Column]:
    """The usual ones, and the one that the list is sorted by: on a phone the only one beside the title."""
    sorted_by = filters.sort.removeprefix("-")
    shown = [key for key in CELLS if key in ALWAYS or key == sorted_by]
    columns = []
    for key in shown:
        field, kind, css = CELLS[key]
        is_sorted = key == sorted_by
        direction = ("descending" if filters.sort.startswith("-") else "ascending") if is_sorted else ""
        turned = key if filters.sort == f"-{key}" else f"-{key}"
        css = "is-sorted" if is_sorted else css
        columns.append(Column(key, SORTS[key][1], field, kind, css, filters.query(sort=turned), direction))
    return columns


def _select(key: str, chosen: str) -> tuple[str, str, list[tuple[str, str, bool]]]:
    """(its name in the address, its label, [(value, words, whether it is chosen)])."""
    options = [(value, WORDS.get((key, value), value), value == chosen) for value in CHOICES[key]]
    return key, NAMES[key], options


def _page_query(query: str, page: int | None) -> str:
    if page is None:
        return ""
    return "&".join(part for part in (query, f"page={page}") if part)

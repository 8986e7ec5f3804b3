from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.common.live import is_live, knows, marked, nothing_new, version_at
from apps.metrics.charts.stages import proportions
from apps.metrics.queries.live import pull_request_version
from apps.metrics.queries.pull_request import PullRequestPage, pull_request_page
from apps.metrics.queries.waiting import waiting_of
from apps.metrics.views.figures import DEFINITIONS
from apps.metrics.views.life import life_of
from apps.teams.access import team_member
from apps.teams.models import Team

PAGE = "metrics/pull_request.html"
LIVE = "pull-request"
"""What of the page follows the stored rows: the id of the element, and the template's partial."""


@require_safe
@team_member
def pull_request(request: HttpRequest, team: Team, owner: str, name: str, number: int) -> HttpResponse:
    now = timezone.now()
    rows = pull_request_version(owner, name, number)  # before the page: what changes between is shown twice, not never
    if rows is None:
        raise Http404
    version = version_at(rows, now)
    if knows(request, LIVE, version):
        return nothing_new()
    page = pull_request_page(owner, name, number, time_zone=team.time_zone, now=now)
    if page is None:
        raise Http404
    context = {"team": team, "version": version, "is_live": is_live(request, LIVE), **_shown(page)}
    with timezone.override(page.zone):  # the list says the same hours as the time line
        response = render(request, f"{PAGE}#{LIVE}" if context["is_live"] else PAGE, context)
    return marked(response, request, LIVE, version)


def _shown(page: PullRequestPage) -> dict[str, Any]:
    ribbon = proportions([(stage.name, stage.seconds) for stage in page.stages], gap=0.18)
    by_name = {stage.name: stage for stage in page.stages}
    return {
        "page": page,
        "pr": page.pr,
        "waiting": waiting_of(page),
        "ribbon": [(by_name[stage], x, width) for stage, x, width in ribbon],
        "definitions": DEFINITIONS,
        "life": life_of(page),
    }

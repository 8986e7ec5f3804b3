from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.metrics.charts.stages import proportions
from apps.metrics.queries.pull_request import pull_request_page
from apps.metrics.queries.waiting import waiting_of
from apps.metrics.views.figures import DEFINITIONS
from apps.metrics.views.life import life_of
from apps.teams.access import team_member
from apps.teams.models import Team


@require_safe
@team_member
def pull_request(request: HttpRequest, team: Team, owner: str, name: str, number: int) -> HttpResponse:
    page = pull_request_page(owner, name, number, time_zone=team.time_zone, now=timezone.now())
    if page is None:
        raise Http404
    ribbon = proportions([(stage.name, stage.seconds) for stage in page.stages], gap=0.18)
    by_name = {stage.name: stage for stage in page.stages}
    context = {
        "team": team,
        "page": page,
        "pr": page.pr,
        "waiting": waiting_of(page),
        "ribbon": [(by_name[stage], x, width) for stage, x, width in ribbon],
        "definitions": DEFINITIONS,
        "life": life_of(page),
    }
    with timezone.override(page.zone):  # the list says the same hours as the time line
        return render(request, "metrics/pull_request.html", context)

"""The home page, and the pages that say what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.teams.access import LAST_TEAM
from apps.teams.models import Membership


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What it is, for strangers; for everyone else the way to their team."""
    if not request.user.is_authenticated:
        return render(request, "web/home.html")
    memberships = Membership.objects.filter(user=request.user).select_related("team").order_by("created_at", "pk")
    teams = {membership.team_id: membership.team for membership in memberships}
    if not teams:
        return redirect("teams:create")
    last = request.session.get(LAST_TEAM)
    team = teams[last] if last in teams else next(iter(teams.values()))
    return redirect("metrics:overview", team.slug)

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.teams.access import signed_in, team_admin
from apps.teams.forms import CreateTeamForm, TeamSettingsForm
from apps.teams.models import Team
from apps.teams.services import create_team, update_team
from apps.users.models import User


@require_http_methods(["GET", "POST"])
@signed_in
def create(request: HttpRequest) -> HttpResponse:
    form = CreateTeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = create_team(**form.cleaned_data, admin=_login(request.user))
        except ValidationError as error:  # the slug was taken after the form looked
            form.add_error(None, error)
        else:
            messages.success(request, f"{team.name} is ready. Connect GitHub to fill it.")
            return redirect("metrics:overview", team.slug)
    return render(request, "teams/create.html", {"form": form})


@require_http_methods(["GET", "POST"])
@team_admin
def settings(request: HttpRequest, team: Team) -> HttpResponse:
    form = TeamSettingsForm(request.POST or None, initial={"name": team.name, "time_zone": team.time_zone})
    if request.method == "POST" and form.is_valid():
        try:
            update_team(team=team, actor=_login(request.user), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Saved.")
            return redirect("teams:settings", team.slug)
    return render(request, "teams/settings.html", {"form": form})


def _login(user: AbstractBaseUser | AnonymousUser) -> User:
    assert isinstance(user, User)  # behind signed_in
    return user

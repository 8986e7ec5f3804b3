"""What the frame around every page needs: the team, the teams to switch to, the pages there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from apps.integrations.models import TrackedRepository
from apps.metrics.models import PullRequest
from apps.teams.models import Membership, Team


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the navigation. `count` runs in the team's scope; `within` are pages that belong to it."""

    label: str
    name: str
    icon: str
    count: Callable[[], int] | None = None
    within: tuple[str, ...] = ()
    heading: str = ""
    admin: bool = False


def _open_pull_requests() -> int:
    return int(PullRequest.objects.filter(state=PullRequest.State.OPEN, gone_at=None).count())


def _tracked_repositories() -> int:
    return int(TrackedRepository.objects.filter(is_active=True).count())


# A page appears as soon as its URL exists.
PAGES = (
    Page("Overview", "metrics:overview", "overview"),
    Page("Pull requests", "metrics:pull_requests", "pr", within=("metrics:pull_request",)),
    Page("Work in progress", "metrics:work_in_progress", "clock", count=_open_pull_requests),
    Page("Reviews", "metrics:reviews", "review"),
    Page("Iteration", "metrics:iteration", "loop"),
    Page("CI", "metrics:ci", "check"),
    Page("Deployments", "metrics:deployments", "rocket"),
    Page("Planning", "metrics:planning", "plan"),
    Page("People", "metrics:people", "people"),
    Page(
        "Repositories",
        "integrations:repositories",
        "repo",
        count=_tracked_repositories,
        within=("integrations:connect",),
        heading="Team",
    ),
    Page("Sync log", "integrations:sync_log", "log"),
    Page("Settings", "teams:settings", "gear", admin=True),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    icon: str
    is_current: bool
    count: int | None
    heading: str


@dataclass(frozen=True, slots=True)
class TeamLink:
    name: str
    url: str
    is_current: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame.team`, `is_admin`, `home_url`; `teams` and `nav` are looked up when a template reads them."""
    membership: Membership | None = getattr(request, "membership", None)
    team = membership.team if membership else None
    return {
        "frame": {
            "team": team,
            "is_admin": bool(membership and membership.is_admin),
            "home_url": _url("metrics:overview", team) if team else reverse("home"),
            "teams": SimpleLazyObject(lambda: _teams(request, team)),
            "nav": SimpleLazyObject(lambda: _nav(request, membership) if membership else []),
        }
    }


def _url(name: str, team: Team) -> str:
    try:
        return reverse(name, args=[team.slug])
    except NoReverseMatch:
        return ""


def _teams(request: HttpRequest, current: Team | None) -> list[TeamLink]:
    if not request.user.is_authenticated:
        return []
    teams = Team.objects.filter(memberships__user=request.user).order_by("name", "pk")
    return [TeamLink(team.name, _url("metrics:overview", team), team == current) for team in teams]


def _nav(request: HttpRequest, membership: Membership) -> list[NavItem]:
    here = request.resolver_match.view_name if request.resolver_match else ""
    heading = ""
    items = []
    for page in PAGES:
        heading = page.heading or heading
        url = _url(page.name, membership.team)
        if not url or (page.admin and not membership.is_admin):
            continue
        count = page.count() if page.count else None
        is_current = here in (page.name, *page.within)
        items.append(NavItem(page.label, url, page.icon, is_current, count, heading))
        heading = ""
    return items

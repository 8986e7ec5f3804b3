"""What the frame around every page needs: the team, the teams to switch to, the pages there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.queries.cards import SHOWN
from apps.metrics.models import Repository
from apps.teams.models import Membership, Team


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the navigation. `count` runs in the team's scope; `within` are pages that belong to it; `heading`
    begins a group.
    """

    label: str
    name: str
    icon: str
    count: Callable[[Team], int] | None = None
    within: tuple[str, ...] = ()
    heading: str = ""
    admin: bool = False


def _repositories(team: Team) -> int:
    """Those that have a card; nothing is tracked in a demo."""
    rows = Repository.objects.filter(gone_at=None) if team.is_demo else TrackedRepository.objects.filter(SHOWN)
    return int(rows.count())


def _is_connected() -> bool:
    return bool(GitHubIntegration.objects.filter(sync_status=GitHubIntegration.SyncStatus.CONNECTED).exists())


# In the order of the navigation: one line a page.
PAGES = (
    Page("Overview", "metrics:overview", "overview"),
    Page("Pull requests", "metrics:pull_requests", "pr", within=("metrics:pull_request",)),
    Page(
        "Repositories",
        "integrations:repositories",
        "repo",
        count=_repositories,
        within=("integrations:connect", "integrations:connect_token", "integrations:choose"),
        heading="Team",
    ),
    Page("Sync log", "integrations:sync_log", "log", within=("integrations:sync_run",)),
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
    """`frame.team`, `is_admin`, `home_url`; `teams`, `is_connected` and `nav` are looked up when read."""
    membership: Membership | None = getattr(request, "membership", None)
    team = membership.team if membership else None
    return {
        "frame": {
            "team": team,
            "is_admin": bool(membership and membership.is_admin),
            "home_url": _home_of(team) if team else reverse("home"),
            "teams": SimpleLazyObject(lambda: _teams(request, team)),
            "is_connected": SimpleLazyObject(_is_connected),
            "nav": SimpleLazyObject(lambda: _nav(request, membership) if membership else []),
        }
    }


def _home_of(team: Team) -> str:
    return reverse("metrics:overview", args=[team.slug])


def _teams(request: HttpRequest, current: Team | None) -> list[TeamLink]:
    if not request.user.is_authenticated:
        return []
    teams = Team.objects.filter(memberships__user=request.user).order_by("name", "pk")
    return [TeamLink(team.name, _home_of(team), team == current) for team in teams]


def _nav(request: HttpRequest, membership: Membership) -> list[NavItem]:
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        NavItem(
            label=page.label,
            url=reverse(page.name, args=[membership.team.slug]),
            icon=page.icon,
            is_current=here in (page.name, *page.within),
            count=page.count(membership.team) if page.count else None,
            heading=page.heading,
        )
        for page in PAGES
        if membership.is_admin or not page.admin
    ]

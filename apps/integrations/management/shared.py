"""What the connection's commands have in common."""

from __future__ import annotations

from django.core.management.base import CommandError

from apps.integrations.models import GitHubIntegration
from apps.teams.models import Team
from apps.teams.scope import team_scope


def connections_of(team: Team) -> list[GitHubIntegration]:
    """The team's working connections, the oldest first."""
    with team_scope(team.pk):
        integrations = list(GitHubIntegration.objects.order_by("pk"))
    connected = [each for each in integrations if each.sync_status == GitHubIntegration.SyncStatus.CONNECTED]
    if connected:
        return connected
    again = f"Connect it with: manage.py connect_github --team {team.slug} --token-env VAR"
    if integrations:
        broken = "; ".join(f"{each.organization_slug}: {each.status_reason}" for each in integrations)
        raise CommandError(f"The GitHub connection of {team.name} does not work ({broken}) {again}")
    raise CommandError(f"{team.name} is not connected to GitHub. {again}")


def counted(repositories: int) -> str:
    """1 repository, 2,000 repositories."""
    return f"{repositories:,} {'repository' if repositories == 1 else 'repositories'}"

from django.core.management.base import CommandError

from apps.teams.models import Team


def team_of(slug: str) -> Team:
    """The team that a command's `--team` names; CommandError where there is none."""
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise CommandError(f"There is no team “{slug}” (make one with: manage.py create_team --slug {slug} …).")
    return team

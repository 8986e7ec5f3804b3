"""`manage.py list_repositories`: what a team's connection can see."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef

from apps.integrations.github.errors import GitHubError
from apps.integrations.management.shared import connections_of, counted
from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.services.discovery import discover
from apps.teams.management.lookup import team_of
from apps.teams.scope import team_scope

COLUMNS = ("full_name", "github_repo_id", "is_private", "is_archived", "is_fork", "default_branch", "language")


class Command(BaseCommand):
    help = "List the repositories that the team's GitHub connection can see, asked of GitHub just now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, team: str, **options: Any) -> None:
        the_team = team_of(team)
        integrations = connections_of(the_team)
        for integration in integrations:
            _refresh(integration)
        with team_scope(the_team.pk):
            repositories = _listed(integrations)
        for repository in repositories:
            marks = [word for word in ("private", "archived", "fork") if repository[f"is_{word}"]]
            marks += ["tracked"] if repository["is_tracked"] else []
            self.stdout.write(f"{repository['full_name']}{' (' + ', '.join(marks) + ')' if marks else ''}")
        self.stdout.write(f"{counted(len(repositories))}.")
        if options["json"]:
            self.stdout.write(json.dumps({"team": the_team.slug, "repositories": repositories}))


def _refresh(integration: GitHubIntegration) -> None:
    try:
        discover(team_id=integration.team_id, integration_id=integration.pk)
    except GitHubError as error:
        raise CommandError(str(error)) from error
    with team_scope(integration.team_id):
        integration.refresh_from_db()
    if integration.discovery_status == GitHubIntegration.Discovery.FAILED:
        raise CommandError(f"{integration.organization_slug}: {integration.discovery_error}")


def _listed(integrations: list[GitHubIntegration]) -> list[dict[str, Any]]:
    tracked = TrackedRepository.objects.filter(repository__github_repo_id=OuterRef("github_repo_id"), is_active=True)
    seen = AvailableRepository.objects.filter(integration__in=integrations).order_by("full_name", "pk")
    rows = seen.annotate(is_tracked=Exists(tracked)).values(*COLUMNS, "is_tracked")
    return list({row["github_repo_id"]: row for row in rows}.values())

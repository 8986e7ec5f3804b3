"""`manage.py track_repository`: follow a repository; syncing it is another command."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.integrations.github.errors import GitHubError, NotFound
from apps.integrations.management.shared import connections_of
from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.services.depth import InvalidDepth, depth_label, parse_depth
from apps.integrations.services.discovery import look_up
from apps.integrations.services.github_webhooks import register
from apps.integrations.services.repositories import track_repository
from apps.teams.management.lookup import team_of
from apps.teams.models import Team
from apps.teams.scope import team_scope


class Command(BaseCommand):
    help = "Follow a repository that the team's token can see, also one of another owner. Does not sync by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", metavar="OWNER/NAME")
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--days", default="30", metavar="30|60|90|all", help="how far back (default: 30)")
        parser.add_argument("--no-webhook", action="store_true", help="do not have GitHub tell of events")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, repository: str, team: str, days: str, **options: Any) -> None:
        the_team = team_of(team)
        try:
            days_back = parse_depth(days)
        except InvalidDepth as error:
            raise CommandError(f"--days: {error}") from error
        available = _available(the_team, repository)
        tracked = track_repository(
            integration=available.integration,
            available=available,
            days_back=days_back,
            webhook_wanted=not options["no_webhook"],
            actor=None,
            sync_wanted=False,
        )
        if tracked.webhook_wanted:
            _register(tracked)
        with team_scope(the_team.pk):
            tracked = TrackedRepository.objects.select_related("repository").get(pk=tracked.pk)
        self._report(the_team, tracked, as_json=options["json"])

    def _report(self, team: Team, tracked: TrackedRepository, *, as_json: bool) -> None:
        name = tracked.repository.full_name
        self.stdout.write(f"{team.name} follows {name}, {depth_label(tracked.days_back)}. {_about_hook(tracked)}")
        if as_json:
            report = {
                "team": team.slug,
                "repository": name,
                "github_repo_id": tracked.repository.github_repo_id,
                "days": tracked.days_back if tracked.days_back is not None else "all",
                "webhook": tracked.webhook_status,
                "webhook_error": tracked.webhook_error,
            }
            self.stdout.write(json.dumps(report))


def _available(team: Team, full_name: str) -> AvailableRepository:
    owner, slash, name = full_name.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise CommandError(f"“{full_name}” is no repository: write OWNER/NAME.")
    connections = connections_of(team)
    with team_scope(team.pk):
        known: AvailableRepository | None = (
            AvailableRepository.objects.select_related("integration")
            .filter(integration__in=connections, full_name__iexact=full_name)
            .first()
        )
    if known is not None:
        return known
    connections.sort(key=lambda integration: integration.organization_slug.lower() != owner.lower())
    return _looked_up(connections, full_name)


def _looked_up(connections: list[GitHubIntegration], full_name: str) -> AvailableRepository:
    """What the first connection that sees it says of it; one that fails does not keep the others from being asked."""
    failed = []
    for integration in connections:
        try:
            available = look_up(integration=integration, full_name=full_name)
        except NotFound:
            continue
        except GitHubError as error:
            failed.append(f"The connection to {integration.organization_slug} could not ask: {error}")
            continue
        available.integration = integration
        return available
    unknown = f"GitHub does not know {full_name}, or the connection may not see it."
    if len(failed) == len(connections):
        raise CommandError(" ".join(failed))
    raise CommandError(" ".join([unknown, *failed, "What it sees: manage.py list_repositories"]))


def _register(tracked: TrackedRepository) -> None:
    """A hook that cannot be made now is made by the worker; the repository is followed without."""
    try:
        register(team_id=tracked.team_id, tracked_id=tracked.pk)
    except GitHubError as error:
        with team_scope(tracked.team_id):
            TrackedRepository.objects.filter(pk=tracked.pk).update(webhook_error=str(error))


def _about_hook(tracked: TrackedRepository) -> str:
    Status = TrackedRepository.WebhookStatus
    if tracked.webhook_status == Status.ACTIVE:
        return "Its webhook is set up; changes arrive with the hourly sync."
    if not tracked.webhook_wanted:
        return "No webhook, as asked; changes are asked for every ten minutes."
    return f"No webhook yet ({tracked.webhook_error}); changes are asked for every ten minutes."

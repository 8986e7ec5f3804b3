"""A team, a small GitHub that breaks, and what came of it: rows, status, message, e-mails. For the failures' tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from apps.integrations.models import GitHubIntegration, IntegrationCredential, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import Handle, Outcome
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import begun, fresh, reaped
from apps.metrics.models import PullRequest, Repository
from apps.teams.scope import team_scope

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REPO = "acme/shop"
PULLS = 30


def sync(tracked: TrackedRepository, days: int | None = None, **options: Any) -> Outcome:
    """One sync in the foreground; what the admins would be written to about it afterwards is written."""
    outcome = github_sync.sync_repository_history(fresh(tracked), days, **options)
    tell(tracked.team_id, outcome)
    return outcome


def update(tracked: TrackedRepository) -> Outcome:
    """What changed since the last sync."""
    outcome = github_sync.advance(begun(tracked, SyncRun.Kind.INCREMENTAL))
    tell(tracked.team_id, outcome)
    return outcome


def tell(team_id: int, outcome: Outcome | None = None) -> None:
    """The e-mails that the tasks would send by now."""
    if outcome is not None and outcome.ended == Ended.FAILED:
        sync_notifications.notify_about(team_id=team_id, run_id=outcome.run_id)
    for integration_id in sync_notifications.connections_untold(team_id):
        sync_notifications.notify_about_connection(team_id=team_id, integration_id=integration_id)


def connection_of(tracked: TrackedRepository) -> GitHubIntegration:
    with team_scope(tracked.team_id):
        integration: GitHubIntegration = GitHubIntegration.objects.get(pk=tracked.integration_id)
        return integration


def stored(tracked: TrackedRepository) -> int:
    with team_scope(tracked.team_id):
        return int(PullRequest.objects.filter(repository_id=tracked.repository_id).count())


def repository_of(tracked: TrackedRepository) -> Repository:
    with team_scope(tracked.team_id):
        repository: Repository = Repository.objects.get(pk=tracked.repository_id)
        return repository


def use_token(tracked: TrackedRepository, token: str) -> None:
    with team_scope(tracked.team_id):
        IntegrationCredential.objects.filter(integration_id=tracked.integration_id).update(
            access_token=token, is_valid=True
        )


def time_passes(tracked: TrackedRepository) -> Handle | None:
    """The pause is over; what the reaper has continued then, if anything."""
    with team_scope(tracked.team_id):
        paused = SyncRun.objects.filter(tracked_repository=tracked, status=SyncRun.Status.PAUSED)
        paused.exclude(resume_at=None).update(resume_at=timezone.now())
    return next(iter(reaped(tracked.team_id)), None)

"""What follows in the background once a connection is stored."""

from __future__ import annotations

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.tasks import (
    after_commit,
    discover_repositories_task,
    register_webhook_task,
    sync_repository_task,
)


def enqueue_after_connect(integration: GitHubIntegration) -> None:
    """List what it sees, and go on with what was followed through it before. In the team's scope."""
    after_commit(discover_repositories_task, integration.team_id, integration.pk)
    tracked = TrackedRepository.objects.filter(integration=integration, is_active=True).order_by("pk")
    for key, hook in tracked.values_list("pk", "webhook_status"):
        after_commit(sync_repository_task, integration.team_id, key)
        if hook == TrackedRepository.WebhookStatus.PENDING:
            after_commit(register_webhook_task, integration.team_id, key)

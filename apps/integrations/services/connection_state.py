"""Whether a connection still opens GitHub, and since when it does not."""

from __future__ import annotations

from apps.integrations.models import GitHubIntegration


def disconnect(integration_id: int, *, reason: str) -> None:
    """GitHub refused the credential: say so and keep everything. A reconnect goes on where it stopped. In a scope.

    Who disconnected it first has said why, and is not talked over.
    """
    connected = GitHubIntegration.objects.filter(pk=integration_id, sync_status=GitHubIntegration.SyncStatus.CONNECTED)
    connected.update(sync_status=GitHubIntegration.SyncStatus.DISCONNECTED, status_reason=reason)

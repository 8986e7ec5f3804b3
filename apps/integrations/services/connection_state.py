"""Whether a connection opens GitHub, since when it does not, and why. Rows only; in the team's scope."""

from __future__ import annotations

from django.utils import timezone

from apps.integrations.models import GitHubIntegration

Status = GitHubIntegration.SyncStatus

LONGEST_URL = 1000
"""As long as the column: half an address leads nowhere."""


def disconnect(integration_id: int, *, reason: str) -> bool:
    """GitHub refused the credential. False when it was disconnected already: who did it first has said why."""
    refused = GitHubIntegration.objects.filter(pk=integration_id).exclude(sync_status=Status.DISCONNECTED)
    return bool(
        refused.update(
            sync_status=Status.DISCONNECTED,
            status_reason=reason,
            status_url="",
            status_since=timezone.now(),
            admins_told_at=None,  # also when they know that it was held: now something else is to be done
        )
    )


def hold(integration_id: int, *, reason: str, url: str = "") -> bool:
    """The organisation wants somebody to see to it first (at `url`, where GitHub says so). True when that is new.

    One that is held keeps since when; the address may be another one now. Whether the admins were told is kept until
    something was read: what opens when it is tried, and not to the syncs, is one trouble.
    """
    fits = len(url) <= LONGEST_URL and url.startswith(("https://", "http://"))  # it becomes a link
    url = url if fits else ""
    held = GitHubIntegration.objects.filter(pk=integration_id, sync_status=Status.HELD)
    if held.update(status_reason=reason, status_url=url):
        return False
    working = GitHubIntegration.objects.filter(pk=integration_id, sync_status=Status.CONNECTED)
    return bool(
        working.update(
            sync_status=Status.HELD,
            status_reason=reason,
            status_url=url,
            status_since=timezone.now(),
            updated_at=timezone.now(),  # the next try is an hour from now
        )
    )


def works_again(integration_id: int) -> bool:
    """What held it seems to be gone: `was_read` tells. False when it was not held."""
    held = GitHubIntegration.objects.filter(pk=integration_id, sync_status=Status.HELD)
    return bool(
        held.update(
            sync_status=Status.CONNECTED,
            status_reason="",
            status_url="",
            status_since=None,
            updated_at=timezone.now(),
        )
    )


def was_read(integration: GitHubIntegration) -> None:
    """A sync or a look got through: the next trouble is a new one. One statement, and only after some trouble."""
    if integration.admins_told_at is not None:
        GitHubIntegration.objects.filter(pk=integration.pk, sync_status=Status.CONNECTED).update(admins_told_at=None)
        integration.admins_told_at = None

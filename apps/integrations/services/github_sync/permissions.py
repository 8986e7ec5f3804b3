"""What a connection may not read: noted once for all its repositories, not asked for, and tried again once a day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.integrations.github.connections import without_permission
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.services.github_sync.steps import DEPLOYMENTS, Learned
from apps.metrics.models import PullRequest

ASK_AGAIN = timedelta(days=1)


def not_asked_for(integration: GitHubIntegration) -> dict[str, str]:
    """The parts (and "deployments") that are left out for now, each with the reason that its rows get."""
    return {
        part: without_permission(gap["permission"])
        for part, gap in integration.permissions_missing.items()
        if timezone.now() - _asked(gap) < ASK_AGAIN
    }


def note(integration: GitHubIntegration, learned: Learned) -> None:
    """Keep what GitHub refused, with when it was first met, and strike off what could be read after all. In the
    caller's transaction; no statement where nothing changes.
    """
    refused = learned.permissions
    readable = {part for part in integration.permissions_missing if _is_readable(part, learned)}
    if not refused and not readable:
        return
    row = GitHubIntegration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    missing = {part: gap for part, gap in row.permissions_missing.items() if part not in readable}
    now = timezone.now().isoformat()
    for part, permission in refused.items():
        since = missing.get(part, {}).get("since", now)
        missing[part] = {"permission": permission, "since": since, "asked": now}
    GitHubIntegration.objects.filter(pk=integration.pk).update(permissions_missing=missing)
    integration.permissions_missing = missing
    have_compared(integration, readable)


def have_compared(integration: GitHubIntegration, parts: Collection[str]) -> int:
    """What can be read now is to be fetched where it is missing: the reconciliation of those repositories does it, and
    begins within minutes. How many they are. In a scope; no statement without parts.
    """
    if not parts:
        return 0
    tracked = TrackedRepository.objects.filter(integration=integration, is_active=True)
    if DEPLOYMENTS not in parts:
        lacking = PullRequest.objects.filter(
            repository=OuterRef("repository"), is_partial=True, partial__has_any_keys=sorted(parts)
        )
        tracked = tracked.filter(Exists(lacking))
    return int(tracked.update(reconcile_asked_at=timezone.now()))


def _asked(gap: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(gap.get("asked") or gap["since"])


def _is_readable(part: str, learned: Learned) -> bool:
    if part == DEPLOYMENTS:
        return learned.deployments_read
    return any(getattr(record, part) is not None and part not in record.partial for record in learned.pull_requests)

"""Another secret for a connection's hooks, without a gap: both count until GitHub has the new one everywhere."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.teams.scope import team_scope
from apps.teams.services import record_event
from apps.users.models import User

ON_THE_WAY = timedelta(minutes=10)
"""How long events may still come that GitHub signed before it had the new secret."""

Status = TrackedRepository.WebhookStatus
SIGNING = (Status.ACTIVE, Status.MISSIGNED, Status.FAILING)
"""Hooks that send events; one that is switched off at GitHub stays so, and gets the secret when it is repaired."""


def rotate_secret(*, integration: GitHubIntegration, actor: User | None) -> list[int]:
    """Give the connection a new secret; the keys of the tracked repositories whose hooks are to get it, for the caller
    to enqueue. Empty also while another rotation runs: of three secrets one would be lost.
    """
    with transaction.atomic(), team_scope(integration.team_id):
        row = GitHubIntegration.objects.select_for_update(no_key=True).get(pk=integration.pk)
        if row.secret_rotated_at is not None:
            return []
        row.webhook_secret_before, row.webhook_secret = row.webhook_secret, secrets.token_hex(32)
        row.secret_rotated_at = timezone.now()
        row.save(update_fields=["webhook_secret", "webhook_secret_before", "secret_rotated_at", "updated_at"])
        signing = TrackedRepository.objects.filter(
            integration=row, is_active=True, webhook_id__isnull=False, webhook_status__in=SIGNING
        )
        keys = list(signing.order_by("pk").values_list("pk", flat=True))
        TrackedRepository.objects.filter(pk__in=keys).update(
            webhook_status=Status.PENDING, webhook_error="", updated_at=timezone.now()
        )
        record_event(row.team, actor, "github.secret_rotated", account=row.organization_slug, hooks=len(keys))
        return keys


def end_rotations(team_id: int) -> int:
    """Forget the former secret of connections whose hooks all have the new one. How many; two statements at most."""
    now = timezone.now()
    waiting = TrackedRepository.objects.filter(
        integration=OuterRef("pk"), is_active=True, webhook_id__isnull=False, webhook_status=Status.PENDING
    )
    with team_scope(team_id):
        ready = GitHubIntegration.objects.filter(~Exists(waiting), secret_rotated_at__lt=now - ON_THE_WAY)
        ended: int = ready.update(webhook_secret_before="", secret_rotated_at=None, updated_at=now)
        return ended

"""What is due for a team's connections although nobody asks just now: rows say so, since messages may be lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, IntegrationCredential, TrackedRepository
from apps.integrations.services.connections import FORGET_AFTER, forget
from apps.integrations.services.discovery import STALE
from apps.teams.scope import team_scope

LOST = timedelta(minutes=5)
"""A task that changed nothing for so long was lost with the queue, or gave up."""

REFRESH_AFTER = timedelta(hours=6)
TRY_AGAIN_AFTER = timedelta(hours=1)
"""How often a held connection is tried: whoever authorised it need not come back here."""

AT_MOST = 200
"""Hooks per team and round: they are written one a second."""

Discovery = GitHubIntegration.Discovery
Hook = TrackedRepository.WebhookStatus


@dataclass(frozen=True, slots=True)
class Due:
    """Keys of integrations to discover, to give up, to try again; of tracked repositories by what becomes of a hook."""

    discover: tuple[int, ...] = ()
    give_up: tuple[int, ...] = ()
    try_again: tuple[int, ...] = ()
    register: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()


def due(team_id: int) -> Due:
    """Five queries. Credentials that were given up long ago are forgotten here, should GitHub not let us tidy up."""
    now = timezone.now()
    with team_scope(team_id):
        connected = GitHubIntegration.objects.filter(sync_status=GitHubIntegration.SyncStatus.CONNECTED)
        waiting = Q(discovery_status=Discovery.PENDING, updated_at__lt=now - LOST)
        dead = Q(discovery_status=Discovery.RUNNING, updated_at__lt=now - STALE)
        old = Q(discovery_status__in=(Discovery.DONE, Discovery.FAILED), updated_at__lt=now - REFRESH_AFTER)
        discover = tuple(connected.filter(waiting | dead | old).values_list("pk", flat=True))
        held = GitHubIntegration.objects.filter(
            sync_status=GitHubIntegration.SyncStatus.HELD, updated_at__lt=now - TRY_AGAIN_AFTER
        )
        given_up = IntegrationCredential.objects.filter(is_primary=False, is_valid=False, updated_at__lt=now - LOST)
        give_up = []
        for integration_id, since in given_up.values_list("integration_id", "updated_at"):
            if since < now - FORGET_AFTER:
                forget(team_id=team_id, integration_id=integration_id)
            else:
                give_up.append(integration_id)
        hooks = TrackedRepository.objects.filter(
            integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED, updated_at__lt=now - LOST
        ).order_by("updated_at")
        register = hooks.filter(is_active=True, webhook_wanted=True, webhook_status=Hook.PENDING)
        unwanted = Q(is_active=False) | Q(webhook_wanted=False)
        remove = hooks.filter(unwanted).exclude(webhook_id=None)
        return Due(
            discover=discover,
            give_up=tuple(give_up),
            try_again=tuple(held.values_list("pk", flat=True)),
            register=tuple(register.values_list("pk", flat=True)[:AT_MOST]),
            remove=tuple(remove.values_list("pk", flat=True)[:AT_MOST]),
        )

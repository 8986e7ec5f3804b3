"""The nightly reconciliation's task."""

from __future__ import annotations

from celery import shared_task

from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tasks.sync import give_turns
from apps.teams.models import Team


@shared_task(name="apps.integrations.tasks.reconcile_task")
def reconcile_task() -> None:
    """Every five minutes: begin the reconciliations that are due, most of them at night."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        for integration_id in nightly.begin_due(team_id):
            give_turns(team_id, integration_id)

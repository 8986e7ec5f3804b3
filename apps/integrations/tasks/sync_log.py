"""What the sync log's page and the night enqueue."""

from __future__ import annotations

from celery import shared_task

from apps.integrations.services.sync_log_upkeep import tidy_sync_log
from apps.integrations.tasks.sync import RETRIED, give_turns
from apps.teams.models import Team


@shared_task(name="apps.integrations.tasks.give_turns_task", **RETRIED)
def give_turns_task(team_id: int, integration_id: int) -> None:
    """Go on with what somebody resumed or asked for. Should it be lost, the reaper does the same within a minute."""
    give_turns(team_id, integration_id)


@shared_task(name="apps.integrations.tasks.tidy_sync_log_task", **RETRIED)
def tidy_sync_log_task() -> None:
    """Nightly: what says nothing any more leaves the log."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        tidy_sync_log(team_id)

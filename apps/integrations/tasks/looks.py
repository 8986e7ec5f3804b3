"""Looking for changes: who is due each minute, and the look itself."""

from __future__ import annotations

from celery import shared_task

from apps.integrations.services import github_sync
from apps.integrations.tasks.sync import RETRIED, give_turns
from apps.metrics.tasks import aggregate_team_weekly_metrics_task
from apps.teams.models import Team


@shared_task(name="apps.integrations.tasks.ask_for_looks_task")
def ask_for_looks_task() -> None:
    """Every minute: have the connections looked at of which something is due."""
    for team_id in Team.objects.order_by("pk").values_list("pk", flat=True).iterator():
        for integration_id in github_sync.ask_for_looks(team_id):
            check_for_changes_task.delay(team_id, integration_id)


@shared_task(name="apps.integrations.tasks.sync_look_task", **RETRIED)
def check_for_changes_task(team_id: int, integration_id: int) -> None:
    """Ask what is new in the connection's repositories, for less than a minute, and let the syncs begin that it takes.

    A second message finds nothing due any more, or that somebody looks already.
    """
    look = github_sync.look(team_id, integration_id)
    if look is None:
        return
    if look.weeks:
        aggregate_team_weekly_metrics_task.delay(team_id, sorted(week.isoformat() for week in look.weeks))
    if look.changed:
        give_turns(team_id, integration_id)
    if look.is_unfinished:
        check_for_changes_task.delay(team_id, integration_id)

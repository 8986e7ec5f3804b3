"""Weeks whose aggregates events made stale: noted with the effect, rebuilt soon after, many events at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from apps.integrations.models import TouchedWeeks
from apps.metrics.services.aggregate import aggregate_weeks
from apps.teams.scope import team_scope


def note(weeks: Collection[date]) -> None:
    """In the scope and transaction of what touched them."""
    if weeks:
        TouchedWeeks.objects.create(weeks=sorted(weeks))


def is_any(team_id: int) -> bool:
    with team_scope(team_id):
        found: bool = TouchedWeeks.objects.exists()
        return found


def rebuild(team_id: int) -> int:
    """Rebuild the aggregates of the weeks that were touched until now; how many weeks. In no scope."""
    with team_scope(team_id):
        noted = dict(TouchedWeeks.objects.values_list("pk", "weeks"))
    weeks = {week for touched in noted.values() for week in touched}
    if weeks:
        aggregate_weeks(team_id, weeks)
        with team_scope(team_id):
            TouchedWeeks.objects.filter(pk__in=list(noted)).delete()
    return len(weeks)

"""Work of the metrics in the background: idempotent, retried, each for one team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from celery import shared_task
from django.db import OperationalError

from apps.metrics.services.aggregate import aggregate_weeks


@shared_task(acks_late=True, autoretry_for=(OperationalError,), max_retries=3, retry_backoff=2, retry_jitter=True)
def aggregate_team_weekly_metrics_task(team_id: int, weeks: Sequence[str] | None = None) -> None:
    """Rebuild the weekly aggregates of `weeks` (ISO dates, any days of them; None: all)."""
    aggregate_weeks(team_id, None if weeks is None else [date.fromisoformat(week) for week in weeks])

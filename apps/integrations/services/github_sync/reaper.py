"""Runs that nobody works on any more: found by their heartbeat, given a new fence, continued from their checkpoint."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs
from apps.teams.scope import team_scope

LOST_REQUEST = timedelta(minutes=2)
"""A sync that was asked for, and whose task was lost before it could make the run."""


def is_quiet(team_id: int) -> bool:
    """Whether no row of the team can want anything of the reaper's minute, nor an e-mail: one statement, a tenth of the
    work of asking each question. In a scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WANTED, {"team": team_id})
        return not cursor.fetchone()[0]


_WANTED = """
SELECT EXISTS (
    SELECT FROM integrations_syncrun WHERE team_id = %(team)s AND status IN ('pending', 'running', 'paused')
) OR EXISTS (
    SELECT FROM integrations_trackedrepository WHERE team_id = %(team)s AND sync_requested_at IS NOT NULL
) OR EXISTS (
    SELECT FROM integrations_syncrun
    WHERE team_id = %(team)s AND notified_at IS NULL AND status IN ('complete', 'partial', 'error')
) OR EXISTS (
    SELECT FROM integrations_githubintegration
    WHERE team_id = %(team)s AND NOT (sync_status = 'connected' AND permissions_missing = '{}')
)
"""
"""Of runs: `sync_run_status` and `sync_run_unwritten` serve it."""


def reap_team(team_id: int) -> int:
    """Let the team's runs that nobody works on wait for their turn again. How many do. Four statements and a few for
    each of them.
    """
    with team_scope(team_id):
        _begin_what_was_asked_for()
        return sum(runs.renew(run) for run in _stuck())


def _stuck() -> list[SyncRun]:
    now = timezone.now()
    Status = SyncRun.Status
    dead = Q(status=Status.RUNNING, heartbeat_at__lt=now - runs.STALE)
    due = Q(status=Status.PAUSED, resume_at__lte=now)
    alive = Q(
        tracked_repository__is_active=True,
        tracked_repository__integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
    )
    return list(SyncRun.objects.filter(alive, dead | due).order_by("pk"))


def _begin_what_was_asked_for() -> None:
    unfinished = SyncRun.objects.filter(tracked_repository=OuterRef("pk"), status__in=SyncRun.UNFINISHED)
    waiting = TrackedRepository.objects.filter(
        ~Exists(unfinished),
        is_active=True,
        integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
        sync_requested_at__lt=timezone.now() - LOST_REQUEST,
    )
    for tracked in waiting.select_related("repository"):
        runs.begin_asked(tracked)

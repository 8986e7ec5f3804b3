"""What a repository holds by the end of a run: since when, up to when, and how much of what GitHub states."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs
from apps.metrics.models import PullRequest, Repository
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.teams.scope import team_scope


def finish(run: SyncRun) -> None:
    """The run has everything: say since when the repository is covered, and where the next sync begins."""
    with team_scope(run.team_id):
        now = timezone.now()
        status = SyncRun.Status.PARTIAL if run.partial else SyncRun.Status.COMPLETE
        runs.hold(run, status=status, finished_at=now, heartbeat_at=now)
        tracked, repository = run.tracked_repository, run.tracked_repository.repository
        _cover(run, repository)
        set_deploy_seconds(repository)  # asks since when the repository is covered
        TrackedRepository.objects.filter(pk=tracked.pk).update(
            # A run that met nothing partial leaves what an earlier one could not read.
            sync_status=SyncRun.Status.PARTIAL if repository.completeness["partial"] else status,
            sync_progress=100,
            sync_prs_total=tracked.sync_prs_completed,
            sync_activity="",
            last_sync_at=now,
            last_sync_error="",
            admins_told_at=None,  # should it need them again they are told again
            watermark=_horizon(run) - runs.WATERMARK_OVERLAP,
        )
        GitHubIntegration.objects.filter(pk=tracked.integration_id).update(last_sync_at=now)


def _cover(run: SyncRun, repository: Repository) -> None:
    stored = PullRequest.objects.filter(repository=repository, gone_at=None)
    changes: dict[str, Any] = {"synced_to": _horizon(run) - runs.WATERMARK_OVERLAP}
    if run.kind != SyncRun.Kind.INCREMENTAL:
        changes["covered_from"] = _covered_from(run.cutoff or runs.EVERYTHING, repository)
    changes["completeness"] = {
        "stored": stored.count(),
        "partial": stored.filter(is_partial=True).count(),
        "stated": repository.prs_stated,
    }
    Repository.objects.filter(pk=repository.pk).update(**changes)
    for name, value in changes.items():
        setattr(repository, name, value)


def _covered_from(since: datetime, repository: Repository) -> datetime:
    """Since when there is no gap: what was covered before counts on only if that sync reached up to this one."""
    before, until = repository.covered_from, repository.synced_to
    return min(since, before) if before is not None and until is not None and until >= since else since


def _horizon(run: SyncRun) -> datetime:
    """Up to when the run saw what changed."""
    horizon = run.horizon or run.started_at
    assert horizon is not None  # set when it was taken up
    return horizon

"""Which repositories a team follows, and how far back. Each function is one transaction with its audit line inside.

What follows in the background (the sync, the webhook) is written down as wanted here and enqueued by the caller; should
the message be lost, the rows still say what is due.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.depth import depth_label
from apps.metrics.models import Repository
from apps.teams.scope import team_scope
from apps.teams.services import record_event
from apps.users.models import User

Sync = TrackedRepository.SyncStatus
Hook = TrackedRepository.WebhookStatus
SLACK = timedelta(days=1)
"""A depth that was synced is not asked for again because the clock went on meanwhile."""


def track_repository(
    *,
    integration: GitHubIntegration,
    available: AvailableRepository,
    days_back: int | None,
    webhook_wanted: bool = True,
    actor: User | None,
    sync_wanted: bool = True,
) -> TrackedRepository:
    """Follow a repository that the connection sees. It has one row for ever: what was untracked is taken up again.

    `days_back` None is the full history. `sync_wanted` False leaves the first sync to whoever asks for it.
    """
    with transaction.atomic(), team_scope(integration.team_id):
        # A known one keeps its attributes: the sync follows renames, also in what hangs on the name.
        repository, _ = Repository.objects.get_or_create(
            github_repo_id=available.github_repo_id,
            defaults={
                "full_name": available.full_name,
                "node_id": available.node_id,
                "default_branch": available.default_branch,
                "is_private": available.is_private,
                "is_archived": available.is_archived,
                "is_fork": available.is_fork,
            },
        )
        tracked: TrackedRepository
        tracked, created = TrackedRepository.objects.select_for_update(no_key=True).get_or_create(
            repository=repository, defaults={"integration": integration, "is_active": False}
        )
        if tracked.is_active and tracked.days_back == days_back and tracked.webhook_wanted == webhook_wanted:
            return tracked
        began = not tracked.is_active
        tracked.days_back = days_back
        tracked.webhook_wanted = webhook_wanted
        if began:
            _activate(tracked, integration)
        _want_hook(tracked)
        if sync_wanted:
            _want_sync(tracked)
        tracked.save()
        record_event(
            integration.team,
            actor,
            "repository.tracked" if began else "repository.changed",
            repository=repository.full_name,
            depth=depth_label(days_back),
            again=began and not created,
        )
        return tracked


def untrack_repository(*, tracked: TrackedRepository, actor: User | None) -> TrackedRepository:
    """Stop following it: the running sync ends, its webhook is to be removed. Everything that is stored stays."""
    with transaction.atomic(), team_scope(tracked.team_id):
        github_sync.cancel_runs(tracked=tracked)
        current = _locked(tracked)
        if not current.is_active and current.stopped_at is None:
            return current
        current.is_active = False
        current.stopped_at, current.stopped_reason = None, ""
        current.sync_requested_at = None
        if current.webhook_id is None:
            current.webhook_status = Hook.NONE
        current.save()
        record_event(current.team, actor, "repository.untracked", repository=current.repository.full_name)
        return current


def set_depth(*, tracked: TrackedRepository, days_back: int | None, actor: User | None) -> bool:
    """Look further back, or less far from now on: nothing stored is deleted. True when more is to be fetched."""
    with transaction.atomic(), team_scope(tracked.team_id):
        wider = tracked.is_active and tracked.days_back != days_back and not _covers(tracked.repository, days_back)
        if wider:
            github_sync.cancel_runs(tracked=tracked)
        current = _locked(tracked)
        if current.days_back == days_back:
            return False
        before, current.days_back = current.days_back, days_back
        if wider:
            _want_sync(current)
        current.save(update_fields=["days_back", "sync_status", "sync_requested_at", "updated_at"])
        record_event(
            current.team,
            actor,
            "repository.depth_changed",
            repository=current.repository.full_name,
            depth=[depth_label(before), depth_label(days_back)],
        )
        return wider


def request_sync(*, tracked: TrackedRepository, actor: User | None) -> bool:
    """Note that somebody wants it synced now. False while a sync runs, waits or is paused: that one does it."""
    with transaction.atomic(), team_scope(tracked.team_id):
        now = timezone.now()
        # One that is pending and was not asked for was cancelled, or never begun.
        waiting = Q(sync_status=Sync.PENDING, sync_requested_at__isnull=False)
        resting = TrackedRepository.objects.filter(pk=tracked.pk, is_active=True).exclude(
            waiting | Q(sync_status__in=(Sync.SYNCING, Sync.PAUSED))
        )
        if not resting.update(sync_status=Sync.PENDING, sync_requested_at=now, updated_at=now):
            return False
        record_event(tracked.team, actor, "repository.sync_asked", repository=tracked.repository.full_name)
        return True


def request_hook(*, tracked: TrackedRepository) -> bool:
    """Note that the webhook is to be tried (again). False where none is wanted or it works.

    Where there was none at GitHub for a while, the repository is compared: of some changes only events tell. What was
    refused because of its secret is asked for again, as far back as GitHub keeps it.
    """
    with team_scope(tracked.team_id):
        missing = TrackedRepository.objects.filter(
            pk=tracked.pk,
            is_active=True,
            webhook_wanted=True,
            webhook_status__in=(Hook.NONE, *TrackedRepository.WRONG),
        )
        now = timezone.now()
        missing.filter(webhook_status__in=TrackedRepository.SILENT).update(reconcile_asked_at=now)
        missing.filter(webhook_status=Hook.MISSIGNED).update(webhook_checked_at=None)
        return bool(missing.update(webhook_status=Hook.PENDING, webhook_error="", updated_at=now))


def _locked(tracked: TrackedRepository) -> TrackedRepository:
    """The row as it is now, ours until COMMIT. Never before `cancel_runs`: the page of a sync locks its run first, too.
    NO KEY: new rows that point to it are not held up.
    """
    current: TrackedRepository = (
        TrackedRepository.objects.select_for_update(no_key=True, of=("self",))
        .select_related("repository", "integration")
        .get(pk=tracked.pk)
    )
    return current


def _activate(tracked: TrackedRepository, integration: GitHubIntegration) -> None:
    tracked.is_active = True
    tracked.integration = integration
    tracked.sync_status = Sync.PENDING
    tracked.last_sync_error = ""
    tracked.sync_progress = tracked.sync_prs_completed = 0
    tracked.sync_prs_total = None
    tracked.sync_activity = ""
    tracked.rate_limited = False
    tracked.stopped_at, tracked.stopped_reason = None, ""


def _want_sync(tracked: TrackedRepository) -> None:
    tracked.sync_status = Sync.PENDING
    tracked.sync_requested_at = timezone.now()


def _want_hook(tracked: TrackedRepository) -> None:
    if tracked.webhook_wanted and tracked.webhook_id is None:
        tracked.webhook_status, tracked.webhook_error = Hook.PENDING, ""
    elif not tracked.webhook_wanted and tracked.webhook_id is None:
        tracked.webhook_status, tracked.webhook_error = Hook.NONE, ""


def _covers(repository: Repository, days_back: int | None) -> bool:
    """Whether everything of this depth is stored already."""
    if repository.covered_from is None:
        return False
    if days_back is None:
        return repository.covered_from.year <= 1970
    return repository.covered_from <= timezone.now() - timedelta(days=days_back) + SLACK

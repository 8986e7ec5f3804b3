"""What a person does to a sync that goes on or ended: cancel, pause, go on, fetch again what was left partial. Each
function is one transaction with its audit line inside. A worker that is at it notices at its next page.
"""

from __future__ import annotations

from django.db import transaction

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.queries.sync_run import still_partial
from apps.integrations.services import github_sync
from apps.teams.scope import team_scope
from apps.teams.services import record_event
from apps.users.models import User

MOST_AGAIN = 1_000
"""Pull requests that are fetched again at a time: some 40 points."""


def cancel_sync(*, run: SyncRun, actor: User) -> bool:
    """End an unfinished run; everything it stored stays. False when it had ended already.

    Of an update the next look for changes makes up. A history that was cancelled is left alone, and says so, until
    somebody asks for a sync.
    """
    with transaction.atomic(), team_scope(run.team_id):
        if not _is_unfinished(run):
            return False
        tracked = run.tracked_repository
        github_sync.cancel_runs(tracked=tracked)
        TrackedRepository.objects.filter(pk=tracked.pk, is_active=True).update(
            sync_requested_at=None, last_sync_error=f"Cancelled by {actor.display_name}."
        )
        record_event(run.team, actor, "sync.cancelled", repository=tracked.repository.full_name, run=run.pk)
        return True


def pause_sync(*, tracked: TrackedRepository, actor: User) -> bool:
    """Hold the unfinished run until somebody lets it go on. False when there is none, or it is held already."""
    with transaction.atomic(), team_scope(tracked.team_id):
        held = SyncRun.objects.filter(tracked_repository=tracked, status=SyncRun.Status.PAUSED, resume_at=None)
        if held.exists() or not github_sync.pause_by_person(tracked, actor.display_name):
            return False
        record_event(tracked.team, actor, "sync.paused", repository=tracked.repository.full_name)
        return True


def resume_sync(*, tracked: TrackedRepository, actor: User) -> bool:
    """Let the paused run go on where it stopped. False when none is paused."""
    with transaction.atomic(), team_scope(tracked.team_id):
        if not github_sync.resume(tracked):
            return False
        record_event(tracked.team, actor, "sync.resumed", repository=tracked.repository.full_name)
        return True


def fetch_again(*, run: SyncRun, actor: User) -> SyncRun | None:
    """A new run for the pull requests that `run` left partial and that still are, up to 1,000 of them. None when there
    is none any more, or a sync of the repository goes on. None as well where the repository is not covered yet: all of
    it is to be synced, and a few pull requests would pass for that.
    """
    with transaction.atomic(), team_scope(run.team_id):
        tracked = run.tracked_repository
        wanted = still_partial(run).order_by("-number").values_list("node_id", "number")
        ids = list(wanted[:MOST_AGAIN])
        going_on = SyncRun.objects.filter(tracked_repository=tracked, status__in=SyncRun.UNFINISHED)
        is_ready = tracked.is_active and github_sync.is_covered(tracked)
        if not ids or not is_ready or going_on.exists():
            return None
        begun = github_sync.begin_found(tracked, kind=SyncRun.Kind.PR, ids=ids, deployments=False)
        record_event(
            run.team, actor, "sync.fetched_again", repository=tracked.repository.full_name, pull_requests=len(ids)
        )
        return begun


def _is_unfinished(run: SyncRun) -> bool:
    """The row stays ours until COMMIT: as a page does, the run is locked before the repository's row."""
    rows = SyncRun.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(pk=run.pk, status__in=SyncRun.UNFINISHED).first() is not None

"""A repository that changes behind our back, and the night in which it is compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tests.sync_support import run_of
from apps.teams.scope import team_scope

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def change(github, action, **request):
    return github.mutations.apply({"repo": "acme/shop", "action": action, **request})


def begun(tracked) -> github_sync.Handle:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(hours=31), sync_requested_at=None)
    assert nightly.begin_due(tracked.team_id) == [tracked.integration_id]
    return github_sync.handle_of(run_of(tracked))


def reconciled(tracked) -> SyncRun:
    """One night."""
    assert github_sync.advance(begun(tracked), seconds=None).ended == Ended.FINISHED
    return run_of(tracked)


def figures(run) -> tuple[int, int, int]:
    return run.counts["compared"], run.counts["repaired"], run.counts["gone"]


def numbers_with(github, part: str, count: int) -> list[int]:
    """Pull requests of the sandbox that have some of the part."""
    pulls = github.world.repository("acme/shop").contents.pulls.values()
    return [pull.number for pull in pulls if getattr(pull, part)][:count]

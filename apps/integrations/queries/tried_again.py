"""What failed and is tried again by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.integrations.models import SyncRun, TrackedRepository

AGAIN_AFTER = timedelta(days=1)
"""When an update or a comparison that ended with an error is tried again: what was wrong may be mended by then."""

ROUTINE = (SyncRun.Kind.INCREMENTAL, SyncRun.Kind.RECONCILE, SyncRun.Kind.PR)
"""What begins by itself. A history that failed would begin anew: a person decides that."""


def tried_again_at(tracked: TrackedRepository, last: SyncRun) -> datetime | None:
    """When what failed is tried again by itself; None where that is not so."""
    is_routine = last.kind in ROUTINE and tracked.watermark is not None and tracked.is_active
    if not is_routine or last.status != SyncRun.Status.ERROR or last.finished_at is None:
        return None
    return last.finished_at + AGAIN_AFTER

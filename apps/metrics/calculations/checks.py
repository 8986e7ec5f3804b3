"""What CI says of a head commit (docs/metrics.md, "CI status")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from apps.metrics.records import CheckRecord


class CIStatus(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


FAILING = frozenset({"failure", "timed_out", "startup_failure", "action_required", "error"})

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def ci_status_of(checks: Iterable[CheckRecord], head_sha: str) -> CIStatus | None:
    """The verdict of the latest run of each check on `head_sha`.

    None where nothing decided: all skipped, neutral, stale or cancelled, or no checks at all.
    """
    latest = latest_of(checks, head_sha)
    conclusions = {check.conclusion if check.status == "completed" else CIStatus.PENDING for check in latest}
    if conclusions & FAILING:
        return CIStatus.FAILURE
    if CIStatus.PENDING in conclusions:
        return CIStatus.PENDING
    return CIStatus.SUCCESS if CIStatus.SUCCESS in conclusions else None


def latest_of(checks: Iterable[CheckRecord], head_sha: str) -> list[CheckRecord]:
    """The latest run of each check on `head_sha`."""
    latest: dict[tuple[bool, str, str, str], CheckRecord] = {}
    for check in checks:
        if check.head_sha != head_sha:
            continue
        key = (check.is_context, check.app, check.workflow, check.name)
        known = latest.get(key)
        if known is None or _age(check) >= _age(known):
            latest[key] = check
    return list(latest.values())


def _age(check: CheckRecord) -> tuple[int, datetime, int]:
    """Run ids grow with time, also where a queued run has no start yet; a status context has no id, only its time."""
    return check.id or 0, check.completed_at or check.started_at or _LONG_AGO, check.attempt

"""A run's phases, and how one leads to the next."""

from __future__ import annotations

from collections.abc import Mapping

from apps.integrations.github.connections import without_permission
from apps.integrations.services.github_sync.steps.learned import Checkpoint, Plan
from apps.integrations.services.github_sync.steps.pace import Pace

HISTORY = ("all", "deployments", "closing")
WINDOW = ("open", "closed", "deployments", "closing")
WIDENING = ("older", "deployments", "closing")
UPDATES = ("updated", "deployments")

ACTIVITIES = {
    "all": "Pull requests, newest first",
    "open": "Open pull requests, newest first",
    "closed": "Merged and closed pull requests, latest first",
    "older": "Older pull requests, latest first",
    "deployments": "Deployments",
    "closing": "What changed meanwhile",
    "updated": "What changed since the last sync",
    "again": "What did not come at first",
}

OF_THE_PHASE = frozenset(
    {"phase", "cursor", "ids", "listed", "deployments_size", "deployments_good", "deployments_failed"}
)
"""What a checkpoint says of its phase alone."""


def first_checkpoint(plan: Plan) -> Checkpoint:
    return {"phase": plan.phases[0], "cursor": None}


def eased(plan: Plan, checkpoint: Checkpoint, failures: int) -> Checkpoint:
    """The checkpoint with smaller pages, where no usable answer came for it `failures` times in a row: a smaller one
    may come through whole.
    """
    pace = Pace.of(checkpoint, plan.page_size)
    lighter = pace.eased(failures)
    return checkpoint if lighter == pace else {**checkpoint, "pace": lighter.noted()}


def after(plan: Plan, checkpoint: Checkpoint, cursor: str | None) -> Checkpoint | None:
    """The next page of this phase, or the next phase's first, or None."""
    if cursor is not None:
        return {**checkpoint, "cursor": cursor}
    place = plan.phases.index(checkpoint["phase"]) + 1
    if place == len(plan.phases):
        return None
    kept = {key: value for key, value in checkpoint.items() if key not in OF_THE_PHASE}
    return {**kept, "phase": plan.phases[place], "cursor": None}


def activity(following: Checkpoint | None) -> str:
    """What happens next, for people."""
    return ACTIVITIES[following["phase"]] if following else ""


def refused(checkpoint: Checkpoint, permissions: Mapping[str, str]) -> Checkpoint:
    """The checkpoint with what GitHub refused ({part: permission}): it is not asked for again in this run."""
    if not permissions:
        return checkpoint
    reasons = {part: without_permission(permission) for part, permission in permissions.items()}
    return {**checkpoint, "skip": {**checkpoint.get("skip", {}), **reasons}}

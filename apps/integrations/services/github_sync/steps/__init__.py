"""What a run asks GitHub, one step after the other. No database in here: a step runs while the one before is written.

A checkpoint is a small JSON object: the phase, the cursor in it, and what later steps need to know. `fetch` turns one
checkpoint into what was learned and the next checkpoint; None ends the run.

`phases` is their order, `history` the walk page by page, `by_ids` what is fetched by id, `deployed` the deployments,
`pace` the size of the next page, `rescue` the way over REST for what GraphQL cannot give, `again` what is asked for
once more in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from apps.integrations.services.github_sync.steps.again import AGAIN, again_step, gathered
from apps.integrations.services.github_sync.steps.by_ids import changed_step, older_step
from apps.integrations.services.github_sync.steps.circles import leads_back
from apps.integrations.services.github_sync.steps.deployed import DEPLOYMENTS, deployment_step
from apps.integrations.services.github_sync.steps.history import page_step
from apps.integrations.services.github_sync.steps.learned import (
    Checkpoint,
    Clients,
    Figures,
    Learned,
    Plan,
    merged,
)
from apps.integrations.services.github_sync.steps.phases import (
    HISTORY,
    UPDATES,
    WIDENING,
    WINDOW,
    eased,
    first_checkpoint,
)

__all__ = (
    "DEPLOYMENTS",
    "HISTORY",
    "UPDATES",
    "WIDENING",
    "WINDOW",
    "Checkpoint",
    "Clients",
    "Figures",
    "Learned",
    "Plan",
    "eased",
    "fetch",
    "first_checkpoint",
    "leads_back",
    "merged",
)


def fetch(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """One step. Raises GitHubError where it concerns more than one pull request."""
    asked_at = datetime.now(UTC)
    clients.taken_by_rest()  # of a step that failed half way, and is asked for anew
    learned = gathered(clients, plan, checkpoint, _PHASES[checkpoint["phase"]](clients, plan, checkpoint))
    return replace(learned, asked_at=asked_at)


_PHASES: dict[str, Callable[[Clients, Plan, Checkpoint], Learned]] = {
    "all": page_step,
    "open": page_step,
    "closed": page_step,
    "older": older_step,
    "deployments": deployment_step,
    "closing": changed_step,
    "updated": changed_step,
    AGAIN: again_step,
}

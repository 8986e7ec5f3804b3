"""Deployments, newest first, as far as the run reaches back."""

from __future__ import annotations

from apps.integrations.github import deployments
from apps.integrations.github.connections import permissions_in
from apps.integrations.github.errors import FeatureGone, PermissionMissing, QueryTooHeavy
from apps.integrations.github.types import DeploymentPage, Lost, Spending
from apps.integrations.services.github_sync.steps.circles import leads_back
from apps.integrations.services.github_sync.steps.learned import Checkpoint, Clients, Learned, Plan
from apps.integrations.services.github_sync.steps.phases import activity, after, refused
from apps.integrations.services.mapping import deployment_record

DEPLOYMENTS = "deployments"
SIZES = (100, 25, 5, 1)

CIRCLE = Lost("deployments: GitHub's pages lead in circles, so there may be more")

MOST_TRIES = 4
"""How often one deployment alone is asked for before it counts as too heavy."""

GOOD_PAGES = 2
"""So many pages in a row must have gone well before a larger one: what was too much may have been chance."""


def deployment_step(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """A page of deployments; none where the connection may not read them. What GitHub cannot give even one at a time is
    noted, and the run goes on without the older ones.
    """
    if refused_before := plan.skipped(checkpoint).get(DEPLOYMENTS):
        following = after(plan, checkpoint, None)
        not_permitted = permissions_in({DEPLOYMENTS: refused_before})
        return Learned(next=following, not_permitted=not_permitted, activity=activity(following))
    spending = Spending()
    try:
        page, size = _smaller_until_it_fits(clients, plan, checkpoint, spending)
    except PermissionMissing as missing:
        following = after(plan, refused(checkpoint, {DEPLOYMENTS: missing.name}), None)
        permissions = {DEPLOYMENTS: missing.name}
        return Learned(
            next=following, requests=spending.requests + 1, permissions=permissions, activity=activity(following)
        )
    except (QueryTooHeavy, FeatureGone) as error:
        failed = checkpoint.get("deployments_failed", 0) + 1
        if isinstance(error, QueryTooHeavy) and failed < MOST_TRIES:
            following = {**checkpoint, "deployments_size": SIZES[-1], "deployments_failed": failed}
            return Learned(next=following, requests=spending.requests, activity=activity(following))
        following = after(plan, checkpoint, None)
        reason = error.reason if isinstance(error, QueryTooHeavy) else "GitHub no longer offers them (410)"
        lost = Lost(f"deployments: {reason}")
        return Learned(next=following, requests=spending.requests, unreadable=(lost,), activity=activity(following))
    checkpoint, unreadable = _paced(checkpoint, size), tuple(Lost(reason) for reason in page.unreadable)
    ended = not page.has_next or page.end_cursor is None
    if not ended and page.end_cursor is not None:
        ended, checkpoint = leads_back(checkpoint, page.end_cursor)
        unreadable = (*unreadable, CIRCLE) if ended else unreadable
    following = after(plan, checkpoint, None if ended else page.end_cursor)
    return Learned(
        next=following,
        deployments=[deployment_record(node) for node in page.nodes],
        deployments_read=True,
        unreadable=unreadable,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=activity(following),
    )


def _paced(checkpoint: Checkpoint, size: int) -> Checkpoint:
    """The checkpoint with the size of the next page, after one of `size` came."""
    went_well = size == checkpoint.get("deployments_size", SIZES[0])
    good = checkpoint.get("deployments_good", 0) + 1 if went_well else 0
    if good >= GOOD_PAGES and size < SIZES[0]:
        size, good = min(each for each in SIZES if each > size), 0
    return {**checkpoint, "deployments_size": size, "deployments_good": good, "deployments_failed": 0}


def _smaller_until_it_fits(
    clients: Clients, plan: Plan, checkpoint: Checkpoint, spending: Spending
) -> tuple[DeploymentPage, int]:
    """The page and its size. Raises QueryTooHeavy when one deployment is too much."""
    usual = checkpoint.get("deployments_size", SIZES[0])
    for size in [each for each in SIZES if each <= usual]:
        try:
            page = deployments.fetch_deployments(
                clients.graphql,
                owner=plan.owner,
                name=plan.name,
                after=checkpoint["cursor"],
                since=plan.cutoff,
                before=plan.known_from,
                page_size=size,
                spending=spending,
            )
        except QueryTooHeavy as error:
            spending.requests += 1
            heavy = error
        else:
            return page, size
    raise heavy

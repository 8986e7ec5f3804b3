"""Pull requests that are asked for by their ids: what changed, and what a wider window lacks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.integrations.github import changes, pull_requests
from apps.integrations.github.types import NAMELESS_IN_LIST, IdPage, Lost, Spending
from apps.integrations.services.github_sync.steps.circles import CIRCLE, leads_back
from apps.integrations.services.github_sync.steps.learned import Checkpoint, Clients, Figures, Learned, Plan
from apps.integrations.services.github_sync.steps.pace import Pace
from apps.integrations.services.github_sync.steps.phases import activity, after, refused
from apps.integrations.services.github_sync.steps.rescue import rescued

BATCHES_A_STEP = 2

CLOSED = ["MERGED", "CLOSED"]
"""What can be older than a window: every open pull request is in it."""


def changed_step(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """What the checkpoint names, or what was updated since `since`: a page of ids after the other, so that it stays
    small however much changed.
    """
    spending = Spending()
    is_update = checkpoint["phase"] == "updated"
    facts: dict[str, Any] = {"recount": is_update}
    if "listed" not in checkpoint and checkpoint.get("ids") is not None:
        checkpoint = {**checkpoint, "listed": True}
    is_first = "listed" not in checkpoint
    if not checkpoint.get("ids") and not checkpoint.get("listed"):
        checkpoint, page, facts["unreadable"] = _listed(clients, plan, checkpoint, spending, None, plan.since)
        facts["stated"] = page.total
        if is_first and is_update:
            found = dict(checkpoint["ids"]) | dict(plan.outdated)
            checkpoint = {**checkpoint, "ids": [list(each) for each in found.items()]}
    if is_update and "counted" not in checkpoint:
        facts["total"] = _changed(clients, plan, checkpoint, spending)
        checkpoint = {**checkpoint, "counted": facts["total"]}
    return _some(clients, plan, checkpoint, spending, facts)


def older_step(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """What was updated between `cutoff` and `known_from`: a wider window lacks just that. The ids cost a point a
    hundred, also of those that are known, on the way to the older ones.
    """
    spending = Spending()
    facts: dict[str, Any] = {}
    if not checkpoint.get("ids"):
        asked = (CLOSED, plan.cutoff, plan.known_from)
        checkpoint, page, facts["unreadable"] = _listed(clients, plan, checkpoint, spending, *asked)
        if "counted" not in checkpoint:
            facts["total"] = _missing(clients, plan, page.total, spending)
            checkpoint = {**checkpoint, "counted": facts["total"]}
    return _some(clients, plan, checkpoint, spending, facts)


def _listed(
    clients: Clients,
    plan: Plan,
    checkpoint: Checkpoint,
    spending: Spending,
    states: list[str] | None,
    since: datetime | None,
    before: datetime | None = None,
) -> tuple[Checkpoint, IdPage, tuple[Lost, ...]]:
    """The checkpoint with those of the next page of ids that were updated in this time, the page, and what it lacks.
    `listed`: it was the last.
    """
    page = changes.list_ids_past(
        clients.graphql, owner=plan.owner, name=plan.name, after=checkpoint["cursor"], states=states, spending=spending
    )
    recent = [touched for touched in page.touched if since is None or touched.updated_at >= since]
    ids = [[touched.id, touched.number] for touched in recent if before is None or touched.updated_at < before]
    is_last, is_circle = len(recent) < len(page.touched) or not page.has_next or page.end_cursor is None, False
    if not is_last and page.end_cursor is not None:
        is_circle, checkpoint = leads_back(checkpoint, page.end_cursor)
    lost = (Lost(NAMELESS_IN_LIST),) * page.lost + (CIRCLE,) * is_circle
    return {**checkpoint, "ids": ids, "cursor": page.end_cursor, "listed": is_last or is_circle}, page, lost


def _changed(clients: Clients, plan: Plan, checkpoint: Checkpoint, spending: Spending) -> int:
    """How many pull requests an update is about; where that is more than a page, as GitHub's search estimates."""
    if checkpoint["listed"]:
        return len(checkpoint["ids"])
    return changes.count_updated(clients.graphql, plan.owner, plan.name, plan.since, spending=spending)


def _missing(clients: Clients, plan: Plan, closed: int, spending: Spending) -> int:
    """How many pull requests are between `cutoff` and `known_from`, as GitHub's search estimates."""
    asked = (clients.graphql, plan.owner, plan.name)
    if plan.cutoff is None:
        assert plan.known_from is not None  # or there would be nothing to widen
        return max(0, closed - changes.count_window(*asked, plan.known_from, spending=spending).closed)
    return changes.count_window(*asked, plan.cutoff, until=plan.known_from, spending=spending).closed


def _some(clients: Clients, plan: Plan, checkpoint: Checkpoint, spending: Spending, facts: dict[str, Any]) -> Learned:
    """Fetches the first of the checkpoint's `ids`, a few batches; the others are the next step's. `listed`: no more
    ids are to come.
    """
    pace = Pace.of(checkpoint, plan.page_size)
    batch = min(pace.size, pull_requests.IDS_PER_POINT)
    some, others = checkpoint["ids"][: BATCHES_A_STEP * batch], checkpoint["ids"][BATCHES_A_STEP * batch :]
    if some:
        checkpoint, facts = fetched(clients, plan, checkpoint, [_pair(entry) for entry in some], facts, spending)
    following: Checkpoint | None = {**checkpoint, "ids": others}
    if not others and checkpoint["listed"]:
        following = after(plan, checkpoint, None)
        facts["page_size"] = Pace.of(checkpoint, plan.page_size).remembered(is_last=True)
    return Learned(
        next=following,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=activity(following),
        **facts,
    )


def _pair(entry: str | list[Any]) -> tuple[str, int | None]:
    """A checkpoint names a pull request by its node id, and by its number where that is known."""
    return (entry, None) if isinstance(entry, str) else (entry[0], entry[1])


def fetched(
    clients: Clients,
    plan: Plan,
    checkpoint: Checkpoint,
    pairs: list[tuple[str, int | None]],
    facts: dict[str, Any],
    spending: Spending,
) -> tuple[Checkpoint, dict[str, Any]]:
    """These pull requests, as (node id, number): the checkpoint and the facts of a `Learned`, each with what came."""
    skip = plan.skipped(checkpoint)
    pace = Pace.of(checkpoint, plan.page_size)
    batch = min(pace.size, pull_requests.IDS_PER_POINT)
    ids = [each for each, _ in pairs]
    page = pull_requests.fetch_by_ids(clients.graphql, ids, batch=batch, skip=skip, full_name=plan.full_name)
    numbers = {identifier: number for identifier, number in pairs if number is not None}
    found = rescued(clients, plan, page, skip=skip, numbers=numbers)
    spending.points += page.points
    spending.requests += page.requests
    spending.rate_limit = page.rate_limit or spending.rate_limit
    asked = min(batch, len(pairs))
    pace = pace.after(asked=asked, worked=max(page.size, 1) if page.refused else asked, seconds=page.seconds)
    pace = pace.relieved() if page.too_heavy else pace
    learned = {
        "pull_requests": found.records,
        "repository": page.repository,
        "rest_requests": found.rest_requests,
        "unreadable": (*facts.get("unreadable", ()), *found.unreadable),
        "gone": page.gone,
        "page_size": pace.remembered(),
        "pages": {batch: Figures(-(-len(pairs) // batch), len(page.nodes), page.seconds)},
        "permissions": page.permissions_missing,
    }
    return refused({**checkpoint, "pace": pace.noted()}, page.permissions_missing), {**facts, **learned}

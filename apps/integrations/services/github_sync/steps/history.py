"""The walk over a repository's pull requests, page by page, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from apps.integrations.github import changes, pull_requests
from apps.integrations.github.errors import QueryTooHeavy
from apps.integrations.github.pull_requests import LIGHTER
from apps.integrations.github.types import NAMELESS, Lost, PullRequestPage, Spending, instant
from apps.integrations.services.github_sync.steps.circles import CIRCLE, leads_back
from apps.integrations.services.github_sync.steps.learned import Checkpoint, Clients, Figures, Learned, Plan
from apps.integrations.services.github_sync.steps.pace import Pace, smaller
from apps.integrations.services.github_sync.steps.phases import activity, after, refused
from apps.integrations.services.github_sync.steps.rescue import rescued

FIRST_PAGE = 7
"""A small first page shows numbers within a second or two, and costs one point."""

ORDERS: dict[str, tuple[list[str] | None, str]] = {
    "all": (None, pull_requests.CREATED),
    "open": (["OPEN"], pull_requests.CREATED),
    "closed": (["MERGED", "CLOSED"], "UPDATED_AT"),
}
"""The states and the order of each phase. What is closed is walked by change: a window is about what was touched."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page, and what it took: `asked` pull requests were tried first, `worked` is the size that did, without the
    parts of `LIGHTER[lighter]`. `failed` requests brought nothing.
    """

    page: PullRequestPage
    asked: int
    worked: int
    lighter: int
    failed: int

    def pace(self, before: Pace) -> Pace:
        found = before.after(asked=self.asked, worked=self.worked, seconds=self.page.seconds)
        return found.relieved() if self.lighter else found


def page_step(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    phase = checkpoint["phase"]
    skip = plan.skipped(checkpoint)
    pace = Pace.of(checkpoint, plan.page_size)
    is_first = phase == plan.phases[0] and checkpoint["cursor"] is None
    size = min(pace.size, FIRST_PAGE) if is_first else pace.size
    fetched = _smaller_until_it_fits(clients, plan, checkpoint, size, skip)
    page, ended = _within(plan, phase, fetched.page)
    found = rescued(clients, plan, page, skip=skip, numbers={})
    spending = Spending(page.points, page.requests + fetched.failed, page.rate_limit)
    checkpoint = {**checkpoint, "pace": fetched.pace(pace).noted()}
    if fetched.lighter:
        checkpoint["lighter"] = fetched.lighter
    checkpoint = refused(checkpoint, page.permissions_missing)
    total, checkpoint = _total(clients, plan, checkpoint, page, spending)
    unreadable = found.unreadable
    if not ended and page.end_cursor is not None:
        ended, checkpoint = leads_back(checkpoint, page.end_cursor)
        unreadable = (*unreadable, CIRCLE) if ended else unreadable
    following = after(plan, checkpoint, None if ended else page.end_cursor)
    return Learned(
        next=following,
        pull_requests=found.records,
        repository=page.repository,
        total=total,
        stated=total if phase == "all" else None,
        points=spending.points,
        requests=spending.requests,
        rest_requests=found.rest_requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=activity(following),
        unreadable=unreadable,
        page_size=Pace.of(checkpoint, plan.page_size).remembered(
            is_last=following is None or following["phase"] != phase
        ),
        pages={fetched.worked: Figures(1, len(fetched.page.nodes), fetched.page.seconds)},
        permissions=page.permissions_missing,
    )


def _smaller_until_it_fits(
    clients: Clients, plan: Plan, checkpoint: Checkpoint, size: int, skip: Mapping[str, str]
) -> Fetched:
    """The page, smaller as often as GitHub needs; at one pull request without more and more of its parts, which are
    fetched apart; and one that cannot be read even so is stepped over, to be had otherwise.
    """
    states, order = ORDERS[checkpoint["phase"]]
    asked: dict[str, Any] = {
        "owner": plan.owner,
        "name": plan.name,
        "after": checkpoint["cursor"],
        "states": states,
        "order": order,
    }
    tries = list(_tries(size, checkpoint.get("lighter", 1)))
    for failed, (worked, lighter) in enumerate(tries):
        try:
            page = pull_requests.fetch_page(
                clients.graphql, **asked, page_size=worked, alone=LIGHTER[lighter], skip=skip
            )
        except QueryTooHeavy as error:
            heavy = error
        else:
            return Fetched(page, size, worked, lighter, failed)
    page = _stepped_over(clients, plan, asked, heavy)
    return Fetched(page, size, 1, checkpoint.get("lighter", 1), len(tries))


def _tries(size: int, lighter: int) -> Iterator[tuple[int, int]]:
    """Sizes downwards, then one pull request without as many of its parts as helped the last one (`lighter`)."""
    while size > 1:
        yield size, 0
        size = smaller(size)
    yield 1, 0
    yield from ((1, without) for without in range(lighter, len(LIGHTER)))


def _stepped_over(clients: Clients, plan: Plan, asked: dict[str, Any], heavy: QueryTooHeavy) -> PullRequestPage:
    """A page without its one pull request, which GraphQL cannot render: the walk goes on behind it. One that is older
    than the window ends it.
    """
    spending = Spending()
    ids = changes.list_ids_past(clients.graphql, **asked, page_size=1, spending=spending)
    is_closed = asked["order"] == "UPDATED_AT"
    wanted = [it for it in ids.touched if not (is_closed and plan.cutoff and it.updated_at < plan.cutoff)]
    return PullRequestPage(
        nodes=[],
        end_cursor=ids.end_cursor,
        has_next=ids.has_next and len(wanted) == len(ids.touched),
        total=ids.total,
        repository={},
        points=spending.points,
        requests=spending.requests,
        seconds=0.0,
        rate_limit=spending.rate_limit,
        unreadable=(
            *(Lost(heavy.reason, touched.number, touched.id) for touched in wanted),
            *(Lost(f"{NAMELESS}{heavy.reason}"),) * ids.lost,
        ),
    )


def _within(plan: Plan, phase: str, page: PullRequestPage) -> tuple[PullRequestPage, bool]:
    """What of the page belongs to the window, and whether the phase ends with it."""
    if phase != "closed" or plan.cutoff is None:
        return page, not page.has_next
    nodes = [node for node in page.nodes if instant(node["updatedAt"]) >= plan.cutoff]
    return replace(page, nodes=nodes), not page.has_next or len(nodes) < len(page.nodes)


def _total(
    clients: Clients, plan: Plan, checkpoint: Checkpoint, page: PullRequestPage, spending: Spending
) -> tuple[int | None, Checkpoint]:
    """How many pull requests the run is about. A window is counted once, after its first page: first things first."""
    if checkpoint["phase"] == "all":
        return page.total, checkpoint
    if plan.cutoff is None or "counted" in checkpoint or (checkpoint["cursor"] is None and page.has_next):
        return None, checkpoint
    count = changes.count_window(clients.graphql, plan.owner, plan.name, plan.cutoff, spending=spending)
    return count.total, {**checkpoint, "counted": count.total}

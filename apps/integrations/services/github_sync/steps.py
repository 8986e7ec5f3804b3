"""What a run asks GitHub, one step after the other. No database in here: a step runs while the one before is written.

A checkpoint is a small JSON object: the phase, the cursor in it, and what later steps need to know. `fetch` turns one
checkpoint into what was learned and the next checkpoint; None ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from apps.integrations.github import changes, deployments, pull_requests
from apps.integrations.github.errors import PermissionMissing, QueryTooHeavy
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import Lost, PullRequestPage, Raw, Spending, instant
from apps.integrations.services.mapping import deployment_record, pull_request_record
from apps.metrics.records import DeploymentRecord, PullRequestRecord

Checkpoint = dict[str, Any]

FIRST_PAGE = 7
"""A small first page shows numbers within a second or two, and costs one point."""

GOOD_PAGES = 4
"""A page that was too heavy is fined by GitHub: larger ones are tried again only after so many that went well."""

IDS_A_STEP = 2 * pull_requests.IDS_PER_POINT


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays the same during a run. `since`: changes from then on are fetched again at the end."""

    owner: str
    name: str
    phases: tuple[str, ...]
    cutoff: datetime | None
    since: datetime
    page_size: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What one step brought. `total` is how many pull requests the run is about, `stated` how many the repository has
    in all, where the step learned it.
    """

    next: Checkpoint | None
    pull_requests: list[PullRequestRecord] = field(default_factory=list)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    repository: Raw = field(default_factory=dict)
    total: int | None = None
    stated: int | None = None
    points: int = 0
    requests: int = 0
    remaining: int | None = None
    activity: str = ""
    recount: bool = True
    unreadable: tuple[str, ...] = ()
    page_size: int | None = None
    missing_permission: str = ""


def merged(learned: Sequence[Learned]) -> Learned:
    """Steps that follow one another, as one; the later ones' word counts where they say something."""
    first, *others = learned
    for step in others:
        first = replace(
            step,
            pull_requests=first.pull_requests + step.pull_requests,
            deployments=first.deployments + step.deployments,
            repository=step.repository or first.repository,
            total=first.total if step.total is None else step.total,
            stated=first.stated if step.stated is None else step.stated,
            points=first.points + step.points,
            requests=first.requests + step.requests,
            remaining=first.remaining if step.remaining is None else step.remaining,
            unreadable=first.unreadable + step.unreadable,
            page_size=first.page_size if step.page_size is None else step.page_size,
            missing_permission=step.missing_permission or first.missing_permission,
        )
    return first


HISTORY = ("all", "deployments", "closing")
WINDOW = ("open", "closed", "deployments", "closing")
UPDATES = ("updated", "deployments")

ACTIVITIES = {
    "all": "Pull requests, newest first",
    "open": "Open pull requests, newest first",
    "closed": "Merged and closed pull requests, latest first",
    "deployments": "Deployments",
    "closing": "What changed meanwhile",
    "updated": "What changed since the last sync",
}


def first_checkpoint(plan: Plan) -> Checkpoint:
    return {"phase": plan.phases[0], "cursor": None}


def fetch(graphql: GraphQL, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """One step. Raises GitHubError; QueryTooHeavy only when even one pull request without its parts is too much."""
    return _PHASES[checkpoint["phase"]](graphql, plan, checkpoint)


def _after(plan: Plan, checkpoint: Checkpoint, cursor: str | None) -> Checkpoint | None:
    """The next page of this phase, or the next phase's first, or None."""
    if cursor is not None:
        return {**checkpoint, "cursor": cursor}
    place = plan.phases.index(checkpoint["phase"]) + 1
    if place == len(plan.phases):
        return None
    kept = {key: value for key, value in checkpoint.items() if key not in {"phase", "cursor", "ids"}}
    return {**kept, "phase": plan.phases[place], "cursor": None}


def _pull_request_page(graphql: GraphQL, plan: Plan, checkpoint: Checkpoint) -> Learned:
    phase = checkpoint["phase"]
    states, order = {
        "all": (None, pull_requests.CREATED),
        "open": (["OPEN"], pull_requests.CREATED),
        "closed": (["MERGED", "CLOSED"], "UPDATED_AT"),
    }[phase]
    is_first = phase == plan.phases[0] and checkpoint["cursor"] is None
    usual = checkpoint.get("size", plan.page_size)
    size = min(usual, FIRST_PAGE) if is_first else usual
    page, size_that_worked = _smaller_until_it_fits(graphql, plan, checkpoint["cursor"], size, states, order)
    checkpoint = _sized(checkpoint, usual if size_that_worked == size else size_that_worked, usual)
    nodes, ended = page.nodes, not page.has_next
    if phase == "closed" and plan.cutoff is not None:
        nodes = [node for node in nodes if instant(node["updatedAt"]) >= plan.cutoff]
        ended = ended or len(nodes) < len(page.nodes)
    spending = Spending(page.points, page.requests, page.rate_limit)
    total, checkpoint = _total(graphql, plan, checkpoint, page, spending)
    following = _after(plan, checkpoint, None if ended else page.end_cursor)
    return Learned(
        next=following,
        pull_requests=[pull_request_record(node) for node in nodes],
        repository=page.repository,
        total=total,
        stated=total if phase == "all" else None,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=ACTIVITIES[following["phase"]] if following else "",
        unreadable=tuple(map(str, page.unreadable)),
        page_size=checkpoint["size"],
    )


def _sized(checkpoint: Checkpoint, worked: int, usual: int) -> Checkpoint:
    """The size of the next page: what worked, and twice as much after some pages in a row that did."""
    good = checkpoint.get("good", 0) + 1 if worked == usual else 0
    if good >= GOOD_PAGES and worked < pull_requests.PAGE_SIZE:
        worked, good = min(pull_requests.PAGE_SIZE, worked * 2), 0
    return {**checkpoint, "size": worked, "good": good}


def _smaller_until_it_fits(
    graphql: GraphQL, plan: Plan, cursor: str | None, size: int, states: Sequence[str] | None, order: str
) -> tuple[PullRequestPage, int]:
    """The page, halved as often as GitHub needs; at one pull request its parts are fetched apart, and one that cannot
    be read even so is stepped over and noted.
    """
    asked: dict[str, Any] = {"owner": plan.owner, "name": plan.name, "after": cursor, "states": states, "order": order}
    while True:
        try:
            return pull_requests.fetch_page(graphql, **asked, page_size=size), size
        except QueryTooHeavy:
            if size == 1:
                break
            size //= 2
    try:
        return pull_requests.fetch_page(graphql, **asked, page_size=1, alone=pull_requests.ALL_PARTS), 1
    except QueryTooHeavy as heavy:
        return _stepped_over(graphql, asked, heavy), 1


def _stepped_over(graphql: GraphQL, asked: dict[str, Any], heavy: QueryTooHeavy) -> PullRequestPage:
    """A page without its one pull request, which GitHub cannot render: the walk goes on behind it."""
    spending = Spending()
    ids = changes.list_ids(graphql, **asked, page_size=1, spending=spending)
    return PullRequestPage(
        nodes=[],
        end_cursor=ids.end_cursor,
        has_next=ids.has_next,
        total=ids.total,
        repository={},
        points=spending.points,
        requests=spending.requests,
        seconds=0.0,
        rate_limit=spending.rate_limit,
        unreadable=tuple(Lost(heavy.reason, touched.number, touched.id) for touched in ids.touched),
    )


def _total(
    graphql: GraphQL, plan: Plan, checkpoint: Checkpoint, page: PullRequestPage, spending: Spending
) -> tuple[int | None, Checkpoint]:
    """How many pull requests the run is about. A window is counted once, after its first page: first things first."""
    if checkpoint["phase"] == "all":
        return page.total, checkpoint
    if plan.cutoff is None or "counted" in checkpoint or (checkpoint["cursor"] is None and page.has_next):
        return None, checkpoint
    count = changes.count_window(graphql, plan.owner, plan.name, plan.cutoff, spending=spending)
    return count.total, {**checkpoint, "counted": count.total}


def _deployment_page(graphql: GraphQL, plan: Plan, checkpoint: Checkpoint) -> Learned:
    spending = Spending()
    try:
        page = deployments.fetch_deployments(
            graphql,
            owner=plan.owner,
            name=plan.name,
            after=checkpoint["cursor"],
            since=plan.cutoff,
            spending=spending,
        )
    except PermissionMissing as missing:
        return Learned(
            next=_after(plan, checkpoint, None), requests=spending.requests or 1, missing_permission=missing.name
        )
    following = _after(plan, checkpoint, page.end_cursor if page.has_next else None)
    return Learned(
        next=following,
        deployments=[deployment_record(node) for node in page.nodes],
        unreadable=page.unreadable,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=ACTIVITIES[following["phase"]] if following else "",
    )


def _changed(graphql: GraphQL, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """What was updated since `since`: first the ids, then the pull requests by id, some a step."""
    spending = Spending()
    ids: list[str] | None = checkpoint.get("ids")
    stated: int | None = None
    if ids is None:
        changed = changes.updated_since(graphql, plan.owner, plan.name, plan.since, spending=spending)
        ids, stated = list(dict.fromkeys(touched.id for touched in changed.touched)), changed.total
    some, rest = ids[:IDS_A_STEP], ids[IDS_A_STEP:]
    records: list[PullRequestRecord] = []
    unreadable: tuple[str, ...] = ()
    if some:
        page = pull_requests.fetch_by_ids(graphql, some)
        records, unreadable = [pull_request_record(node) for node in page.nodes], tuple(map(str, page.unreadable))
        spending.points += page.points
        spending.requests += page.requests
        spending.rate_limit = page.rate_limit or spending.rate_limit
    following = {**checkpoint, "ids": rest} if rest else _after(plan, checkpoint, None)
    return Learned(
        next=following,
        pull_requests=records,
        total=len(ids) if checkpoint["phase"] == "updated" and "ids" not in checkpoint else None,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        activity=ACTIVITIES[following["phase"]] if following else "",
        recount=checkpoint["phase"] == "updated",
        stated=stated,
        unreadable=unreadable,
    )


_PHASES: dict[str, Callable[[GraphQL, Plan, Checkpoint], Learned]] = {
    "all": _pull_request_page,
    "open": _pull_request_page,
    "closed": _pull_request_page,
    "deployments": _deployment_page,
    "closing": _changed,
    "updated": _changed,
}

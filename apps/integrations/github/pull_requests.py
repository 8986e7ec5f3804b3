"""Complete pull requests, page by page or by id, for the fewest points."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from apps.integrations.github import changes
from apps.integrations.github.assembly import Assembly, is_readable
from apps.integrations.github.completion import IDS_PER_LOOKUP
from apps.integrations.github.connections import CHECKS, EVENT_TYPES, PULL_REQUEST
from apps.integrations.github.errors import QueryTooHeavy
from apps.integrations.github.graphql import GraphQL, page_of
from apps.integrations.github.types import Answer, Lost, PullRequestPage, Raw, Spending
from apps.metrics.records import Part

PAGE_SIZE = 24
"""Two points a page; 14 is the size that one point buys."""

IDS_PER_POINT = 14
CREATED = "CREATED_AT"
ALL_PARTS = frozenset(str(connection.part) for connection in PULL_REQUEST)

LIGHTER: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({Part.FILES}),
    frozenset({Part.FILES, Part.CHECKS}),
    frozenset({Part.FILES, Part.CHECKS, Part.COMMITS}),
    frozenset({Part.FILES, Part.CHECKS, Part.COMMITS, Part.EVENTS}),
    ALL_PARTS,
)
"""What to leave out of a query that is too heavy even for one pull request, and to fetch apart: the dearest first."""


def fetch_page(
    graphql: GraphQL,
    *,
    owner: str,
    name: str,
    after: str | None = None,
    page_size: int = PAGE_SIZE,
    states: Sequence[str] | None = None,
    order: str = CREATED,
    alone: Set[str] = frozenset(),
    skip: Mapping[str, str] | None = None,
) -> PullRequestPage:
    """One page of a repository's pull requests, newest first by `order` (CREATED_AT or UPDATED_AT), each complete.

    `states`: some of OPEN, MERGED, CLOSED; None: all. `alone` names parts that are left out of the page's own query and
    fetched afterwards, for pages that are too heavy even with one pull request. `skip` names parts that are not asked
    for at all, each with the reason (a missing permission). Raises QueryTooHeavy when the page itself is too much.
    """
    spending = Spending()
    variables: dict[str, Any] = {
        "owner": owner,
        "name": name,
        "after": after,
        "n": page_size,
        "states": states,
        "order": {"field": order, "direction": "DESC"},
    }
    cost = 1 if page_size <= IDS_PER_POINT else max(1, page_size // 10)
    answer = graphql.run("pr_page", cost=cost, **variables, **_parts({*alone, *(skip or {})}))
    spending.add(answer)
    page = page_of(answer, "repository", "pullRequests")
    repository = {name: value for name, value in answer.data["repository"].items() if value is not page}
    work = Assembly(graphql, spending, skip=skip)
    nodes = work.take(page["nodes"], answer, PAGE_PATH, alone=alone)
    if None in nodes:
        nodes = _rescue(graphql, work, nodes, variables, spending, answer)
    work.complete()
    return _page(
        [node for node in nodes if node is not None],
        spending,
        work,
        _Effort(answer.seconds, page_size),
        total=page["totalCount"],
        repository=repository,
        end_cursor=page["pageInfo"]["endCursor"],
        has_next=page["pageInfo"]["hasNextPage"],
    )


PAGE_PATH = ("repository", "pullRequests", "nodes")


def _rescue(
    graphql: GraphQL,
    work: Assembly,
    nodes: list[Raw | None],
    variables: Mapping[str, Any],
    spending: Spending,
    first: Answer,
) -> list[Raw | None]:
    """Asks for the page again without any part, for those that GitHub gave as null; their parts follow alone."""
    try:
        answer = graphql.run("pr_page", cost=1, **variables, **_parts(ALL_PARTS))
    except QueryTooHeavy:
        spending.requests += 1
        rescued: list[Raw | None] = []
    else:
        spending.add(answer)
        known = {node["id"] for node in nodes if node is not None}
        bare = page_of(answer, "repository", "pullRequests")["nodes"]
        missing = [node for node in bare if is_readable(node) and node["id"] not in known]
        rescued = work.take(missing, Answer({}), (), alone=ALL_PARTS)
    found = [*nodes, *rescued]
    if lost := nodes.count(None) - len(rescued):
        reasons = [_reason(first, index) for index, node in enumerate(nodes) if node is None][:lost]
        work.unreadable += _named(graphql, variables, found, reasons, spending)
    return found


def _named(
    graphql: GraphQL,
    variables: Mapping[str, Any],
    found: Sequence[Raw | None],
    reasons: list[str],
    spending: Spending,
) -> list[Lost]:
    """Which pull requests of the page those are that nothing gave, by a query for nothing but their names."""
    place = {name: variables[name] for name in ("owner", "name", "after", "states")}
    try:
        ids = changes.list_ids(
            graphql, **place, order=variables["order"]["field"], page_size=variables["n"], spending=spending
        )
    except QueryTooHeavy:
        spending.requests += 1
        return [Lost(reason) for reason in reasons]
    known = {node["id"] for node in found if node is not None}
    lost = [touched for touched in ids.touched if touched.id not in known]
    named = [Lost(reason, touched.number, touched.id) for reason, touched in zip(reasons, lost, strict=False)]
    return [*named, *(Lost(reason) for reason in reasons[len(named) :])]


def _reason(answer: Answer, index: int) -> str:
    """Why the pull request at this place of the list is null."""
    for error in answer.errors:
        if index in error.path:
            return error.message
    return "GitHub returned nothing for this pull request"


def fetch_by_ids(
    graphql: GraphQL,
    ids: Sequence[str],
    *,
    batch: int = IDS_PER_POINT,
    skip: Mapping[str, str] | None = None,
    full_name: str = "",
) -> PullRequestPage:
    """The pull requests with these node ids, each complete; 14 of them cost a point. `repository` is that of
    `full_name`, which is asked for beside them, for nothing: RepositoryGone is raised where it cannot be seen, and no
    pull request is called gone then. Without a name it is empty.

    `batch` at once; those that are too heavy together are fetched in halves, one that is too heavy by itself without
    more and more of its parts, which follow apart.
    """
    spending, effort = Spending(), _Effort()
    work = Assembly(graphql, spending, skip=skip)
    nodes: list[Raw] = []
    gone: list[str] = []
    repository: Raw = {}
    owner, _, name = full_name.partition("/")
    beside: dict[str, Any] = {"owner": owner, "name": name, "beside": bool(full_name)}
    waiting = deque((list(ids[start : start + batch]), 0) for start in range(0, len(ids), batch))
    while waiting:
        some, lighter = waiting.popleft()
        try:
            answer = graphql.run("pr_by_ids", ids=some, **beside, **_parts({*LIGHTER[lighter], *(skip or {})}))
        except QueryTooHeavy as error:
            spending.requests += 1
            effort.was_refused(is_whole_one=len(some) == 1 and lighter == 0)
            less = _less(some, lighter)
            waiting.extendleft(reversed(less))
            work.unreadable += [] if less else [Lost(error.reason, id=some[0])]
            continue
        spending.add(answer)
        repository = answer.data.get("repository") or {}
        effort.was_answered(answer, len(some))
        taken = work.take(answer.data["nodes"], answer, ("nodes",), alone=LIGHTER[lighter])
        nodes += _sorted_out(work, answer, some, taken, gone)
    work.complete()
    return _page(nodes, spending, work, effort, total=len(ids), gone=tuple(gone), repository=repository)


@dataclass(slots=True)
class _Effort:
    """How hard it was: the seconds of the slowest answer, the most pull requests in one, queries that were refused, and
    pull requests that were too heavy by themselves.
    """

    seconds: float = 0.0
    size: int = 0
    refused: int = 0
    too_heavy: int = 0

    def was_answered(self, answer: Answer, size: int) -> None:
        self.seconds, self.size = max(self.seconds, answer.seconds), max(self.size, size)

    def was_refused(self, *, is_whole_one: bool) -> None:
        self.refused += 1
        self.too_heavy += is_whole_one


def _sorted_out(
    work: Assembly, answer: Answer, asked: Sequence[str], taken: Sequence[Raw | None], gone: list[str]
) -> list[Raw]:
    """What came of `asked`; what is gone joins `gone`, what could not be read is noted in `work`."""
    for index, (identifier, node) in enumerate(zip(asked, taken, strict=True)):
        if node is None and _is_unknown(answer, index):
            gone.append(identifier)
        elif node is None:
            work.unreadable.append(Lost(_reason(answer, index), id=identifier))
    return [node for node in taken if node is not None]


def _is_unknown(answer: Answer, index: int) -> bool:
    """Whether GitHub says that it does not know what was asked for at this place: a null alone says nothing."""
    return any(error.type == "NOT_FOUND" and error.path == ("nodes", index) for error in answer.errors)


def _less(ids: list[str], lighter: int) -> list[tuple[list[str], int]]:
    """What to ask instead of a query that was too heavy: two halves, then one with less and less, then nothing."""
    if len(ids) > 1:
        middle = len(ids) // 2
        return [(ids[:middle], lighter), (ids[middle:], lighter)]
    return [(ids, lighter + 1)] if lighter + 1 < len(LIGHTER) else []


def fetch_checks(graphql: GraphQL, ids: Sequence[str]) -> PullRequestPage:
    """Only the checks of these pull requests, each complete: 100 of them cost a point.

    The nodes carry id, fullDatabaseId, number, headRefOid, updatedAt and the rollup; nothing else was asked.
    """
    spending, effort = Spending(), _Effort()
    nodes: list[Raw] = []
    gone: list[str] = []
    work = Assembly(graphql, spending, connections=(CHECKS,))
    for start in range(0, len(ids), IDS_PER_LOOKUP):
        some = list(ids[start : start + IDS_PER_LOOKUP])
        answer = graphql.run("pr_checks_by_ids", ids=some)
        spending.add(answer)
        effort.was_answered(answer, len(some))
        taken = work.take(answer.data["nodes"], answer, ("nodes",))
        nodes += _sorted_out(work, answer, some, taken, gone)
    work.complete()
    return _page(nodes, spending, work, effort, total=len(ids), gone=tuple(gone))


def _page(
    nodes: list[Raw],
    spending: Spending,
    work: Assembly,
    effort: _Effort,
    *,
    total: int,
    gone: tuple[str, ...] = (),
    repository: Raw | None = None,
    end_cursor: str | None = None,
    has_next: bool = False,
) -> PullRequestPage:
    return PullRequestPage(
        nodes=nodes,
        end_cursor=end_cursor,
        has_next=has_next,
        total=total,
        repository=repository or {},
        points=spending.points,
        requests=spending.requests,
        seconds=effort.seconds,
        rate_limit=spending.rate_limit,
        unreadable=tuple(work.unreadable),
        gone=gone,
        permissions_missing=dict(work.permissions_missing),
        size=effort.size,
        refused=effort.refused,
        too_heavy=effort.too_heavy,
    )


def _parts(left_out: Iterable[str]) -> dict[str, Any]:
    """The switches of `PullRequestParts`: everything but what is left out."""
    without = set(left_out)
    return {part: part not in without for part in ALL_PARTS} | {"event_types": EVENT_TYPES}

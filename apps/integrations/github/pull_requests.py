"""Complete pull requests, page by page or by id, for the fewest points."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from apps.integrations.github.assembly import Assembly, is_readable
from apps.integrations.github.completion import IDS_PER_LOOKUP
from apps.integrations.github.connections import CHECKS, EVENT_TYPES, PULL_REQUEST
from apps.integrations.github.errors import QueryTooHeavy
from apps.integrations.github.graphql import GraphQL, page_of
from apps.integrations.github.types import Answer, PullRequestPage, Raw, Spending

PAGE_SIZE = 24
"""Two points a page; 14 is the size that one point buys."""

IDS_PER_POINT = 14
CREATED = "CREATED_AT"
ALL_PARTS = frozenset(str(connection.part) for connection in PULL_REQUEST)


def fetch_page(
    graphql: GraphQL,
    *,
    owner: str,
    name: str,
    after: str | None = None,
    page_size: int = PAGE_SIZE,
    states: Sequence[str] | None = None,
    order: str = CREATED,
    alone: Iterable[str] = (),
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
    left_out = {*alone, *(skip or {})}
    cost = 1 if page_size <= IDS_PER_POINT else max(1, page_size // 10)
    answer = graphql.run("pr_page", cost=cost, **variables, **_parts(left_out))
    spending.add(answer)
    page = page_of(answer, "repository", "pullRequests")
    repository = {name: value for name, value in answer.data["repository"].items() if value is not page}
    work = Assembly(graphql, spending, alone=alone, skip=skip)
    nodes = work.take(page["nodes"], answer, ("repository", "pullRequests", "nodes"))
    if None in nodes:
        nodes = _rescue(graphql, work, nodes, variables, spending, answer)
    work.complete()
    return _page(
        [node for node in nodes if node is not None],
        spending,
        work,
        seconds=answer.seconds,
        total=page["totalCount"],
        repository=repository,
        end_cursor=page["pageInfo"]["endCursor"],
        has_next=page["pageInfo"]["hasNextPage"],
    )


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
        bare: list[Raw | None] = []
    else:
        spending.add(answer)
        bare = page_of(answer, "repository", "pullRequests")["nodes"]
    known = {node["id"] for node in nodes if node is not None}
    missing = [node for node in bare if is_readable(node) and node["id"] not in known]
    rescued = [work.take_bare(node) for node in missing]
    lost = nodes.count(None) - len(rescued)
    work.unreadable += [_reason(first, index) for index, node in enumerate(nodes) if node is None][:lost]
    return [*nodes, *rescued]


def _reason(answer: Answer, index: int) -> str:
    """Why the pull request at this place of the list is null."""
    for error in answer.errors:
        if index in error.path:
            return error.message
    return "GitHub returned nothing for this pull request"


def fetch_by_ids(
    graphql: GraphQL, ids: Sequence[str], *, alone: Iterable[str] = (), skip: Mapping[str, str] | None = None
) -> PullRequestPage:
    """The pull requests with these node ids, each complete; 14 of them cost a point. `repository` is empty.

    Those that are too heavy together are fetched in halves, one that is too heavy by itself part by part.
    """
    spending = Spending()
    work = Assembly(graphql, spending, alone=alone, skip=skip)
    nodes: list[Raw] = []
    gone: list[str] = []
    seconds = 0.0
    left_out: Set[str] = {*alone, *(skip or {})}
    waiting = deque((list(ids[start : start + IDS_PER_POINT]), left_out) for start in range(0, len(ids), IDS_PER_POINT))
    while waiting:
        some, without = waiting.popleft()
        try:
            answer = graphql.run("pr_by_ids", ids=some, **_parts(without))
        except QueryTooHeavy as error:
            spending.requests += 1
            lighter = _lighter(some, without)
            waiting.extendleft(reversed(lighter))
            work.unreadable += [] if lighter else [error.reason]
            continue
        spending.add(answer)
        seconds = max(seconds, answer.seconds)
        found = answer.data["nodes"]
        is_bare = without == ALL_PARTS
        taken = (
            [work.take_bare(node) if is_readable(node) else None for node in found]
            if is_bare
            else work.take(found, answer, ("nodes",))
        )
        unknown = {error.path[1] for error in answer.errors if error.type == "NOT_FOUND" and len(error.path) == 2}
        for index, node in enumerate(taken):
            if node is not None:
                nodes.append(node)
            elif index in unknown or (not answer.errors and not found[index]):
                gone.append(some[index])
            else:
                work.unreadable.append(_reason(answer, index))
    work.complete()
    return _page(nodes, spending, work, seconds=seconds, total=len(ids), gone=tuple(gone))


def _lighter(ids: list[str], without: Set[str]) -> list[tuple[list[str], Set[str]]]:
    """What to ask instead of a query that was too heavy: two halves, then one without its parts, then nothing."""
    if len(ids) > 1:
        middle = len(ids) // 2
        return [(ids[:middle], without), (ids[middle:], without)]
    return [(ids, ALL_PARTS)] if without != ALL_PARTS else []


def fetch_checks(graphql: GraphQL, ids: Sequence[str]) -> PullRequestPage:
    """Only the checks of these pull requests, each complete: 100 of them cost a point.

    The nodes carry id, fullDatabaseId, number, headRefOid, updatedAt and the rollup; nothing else was asked.
    """
    spending = Spending()
    nodes: list[Raw] = []
    gone: list[str] = []
    seconds = 0.0
    work = Assembly(graphql, spending, connections=(CHECKS,))
    for start in range(0, len(ids), IDS_PER_LOOKUP):
        some = list(ids[start : start + IDS_PER_LOOKUP])
        answer = graphql.run("pr_checks_by_ids", ids=some)
        spending.add(answer)
        seconds = max(seconds, answer.seconds)
        taken = work.take(answer.data["nodes"], answer, ("nodes",))
        nodes += [node for node in taken if node is not None]
        gone += [identifier for identifier, node in zip(some, taken, strict=True) if node is None]
    work.complete()
    return _page(nodes, spending, work, seconds=seconds, total=len(ids), gone=tuple(gone))


def _page(
    nodes: list[Raw],
    spending: Spending,
    work: Assembly,
    *,
    seconds: float,
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
        seconds=seconds,
        rate_limit=spending.rate_limit,
        unreadable=tuple(work.unreadable),
        gone=gone,
        permissions_missing=frozenset(work.permissions_missing),
    )


def _parts(left_out: Iterable[str]) -> dict[str, Any]:
    """The switches of `PullRequestParts`: everything but what is left out."""
    without = set(left_out)
    return {part: part not in without for part in ALL_PARTS} | {"event_types": EVENT_TYPES}

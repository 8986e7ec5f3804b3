"""What changed, and how much there is: questions that cost a point or less each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from apps.integrations.github.classify import storable
from apps.integrations.github.completion import IDS_PER_LOOKUP, MAY_NOT, SLOW
from apps.integrations.github.errors import QueryTooHeavy
from apps.integrations.github.graphql import GraphQL, page_of
from apps.integrations.github.types import (
    Answer,
    DeploymentSeen,
    IdPage,
    Pulse,
    QueryError,
    Raw,
    Spending,
    Touched,
    WindowCount,
    instant,
)

NONSENSE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What an answer comes to that has not the shape which GitHub documents."""


def list_ids(
    graphql: GraphQL,
    *,
    owner: str,
    name: str,
    after: str | None = None,
    page_size: int = 100,
    states: Sequence[str] | None = None,
    order: str = "UPDATED_AT",
    spending: Spending | None = None,
) -> IdPage:
    """The ids of a page of pull requests, newest first by `order`: also the way past one that GitHub cannot render."""
    answer = graphql.run(
        "pr_ids",
        owner=owner,
        name=name,
        after=after,
        n=page_size,
        states=states,
        order={"field": order, "direction": "DESC"},
    )
    if spending is not None:
        spending.add(answer)
    page = page_of(answer, "repository", "pullRequests")
    touched = tuple(_touched(node) for node in page["nodes"] if node is not None)
    return IdPage(
        touched=touched,
        end_cursor=page["pageInfo"]["endCursor"],
        has_next=page["pageInfo"]["hasNextPage"],
        total=page["totalCount"],
        lost=len(page["nodes"]) - len(touched),
    )


def list_ids_past(graphql: GraphQL, *, spending: Spending, page_size: int = 100, **asked: Any) -> IdPage:
    """`list_ids`, fewer at a time where GitHub gives up on so many, and past one of which it cannot say even this."""
    for size in [page_size, *(size for size in (25, 5, 1) if size < page_size)]:
        try:
            return list_ids(graphql, page_size=size, spending=spending, **asked)
        except QueryTooHeavy:
            spending.requests += 1
    order = {"field": asked.get("order", "UPDATED_AT"), "direction": "DESC"}
    answer = graphql.run("pr_ids", n=1, listed=False, **{**asked, "order": order})
    spending.add(answer)
    page: Raw | None = answer.data["repository"]["pullRequests"]
    if page is None:
        raise QueryTooHeavy("GitHub gave nothing")
    return IdPage((), page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"], page["totalCount"], lost=1)


def pulses(
    graphql: GraphQL, repository_ids: Sequence[str], *, deployments: bool = True, spending: Spending | None = None
) -> dict[str, Pulse]:
    """The newest changes of repositories by node id: 100 of them cost a point, another with their `deployments`.

    One that is gone or hidden, that GitHub cannot tell of, or of which it tells nonsense, is left out: the others are
    not kept back by it.
    """
    spending = spending or Spending()
    found: dict[str, Pulse] = {}
    without: dict[str, bool] = {}

    def ask(ids: list[str]) -> Answer:
        return graphql.run("pr_updated_multi_repo", ids=ids, deployments=deployments)

    for some, answer in in_parts(repository_ids, ask, spending):
        spending.add(answer)
        for index, (identifier, node) in enumerate(zip(some, answer.data["nodes"], strict=True)):
            error = _error_at(answer, "nodes", index, "deployments")
            if error is not None:  # no repository can be without this list, so GitHub withholds the whole of it
                without[identifier] = error.type in MAY_NOT
            elif node and node.get("pullRequests"):
                with suppress(*NONSENSE):
                    found[identifier] = _pulse(node)
    if without:
        for identifier, pulse in pulses(graphql, list(without), deployments=False, spending=spending).items():
            refused = without[identifier]
            found[identifier] = replace(pulse, deployments=() if refused else None, refused=refused)
    return found


def _error_at(answer: Answer, *path: str | int) -> QueryError | None:
    return next((error for error in answer.errors if error.path[: len(path)] == path), None)


def _pulse(node: Raw) -> Pulse:
    changes, deployments = node["pullRequests"], node.get("deployments") or {}
    return Pulse(
        id=node["id"],
        full_name=storable(node["nameWithOwner"]),
        is_archived=bool(node["isArchived"]),
        pushed_at=instant(node["pushedAt"]) if node["pushedAt"] else None,
        pull_requests=changes["totalCount"],
        touched=tuple(_touched(touched) for touched in changes["nodes"] or () if touched is not None),
        deployments=tuple(
            _deployment_seen(each) for each in deployments.get("nodes") or () if each and each["databaseId"] is not None
        ),
    )


def _deployment_seen(node: Raw) -> DeploymentSeen:
    return DeploymentSeen(
        id=int(node["databaseId"]),
        created_at=instant(node["createdAt"]),
        updated_at=instant(node["updatedAt"]),
        state=(node["state"] or "").lower(),
    )


def count_window(
    graphql: GraphQL,
    owner: str,
    name: str,
    since: datetime,
    *,
    until: datetime | None = None,
    spending: Spending | None = None,
) -> WindowCount:
    """How many pull requests are open, or closed and updated since `since` (and up to `until`); one point. The second
    is an estimate.
    """
    updated = f">={_plain(since)}" if until is None else f"{_plain(since)}..{_plain(until)}"
    found = _counted(graphql, owner, name, f"is:closed updated:{updated}", spending)
    return WindowCount(open=found["repository"]["pullRequests"]["totalCount"], closed=_issues(found))


def count_updated(graphql: GraphQL, owner: str, name: str, since: datetime, *, spending: Spending) -> int:
    """About how many pull requests were updated at or after `since`, in whatever state; one point."""
    return _issues(_counted(graphql, owner, name, f"updated:>={_plain(since)}", spending))


def _counted(graphql: GraphQL, owner: str, name: str, words: str, spending: Spending | None) -> Raw:
    found = graphql.run("window_count", owner=owner, name=name, found=f"repo:{owner}/{name} is:pr {words}")
    if spending is not None:
        spending.add(found)
    return found.data


def _issues(found: Raw) -> int:
    return found["search"]["issueCount"] if found["search"] is not None else 0


class Timed(Protocol):
    @property
    def seconds(self) -> float: ...


T = TypeVar("T", bound=Timed)


def in_parts(ids: Sequence[str], ask: Callable[[list[str]], T], spending: Spending) -> Iterator[tuple[list[str], T]]:
    """Some of the ids, a hundred at a time, and what `ask` answers for them, in order.

    What was too heavy is asked in halves, and after a slow answer for half as many at once; an id that is too heavy by
    itself is left out.
    """
    waiting = deque(_chunks(ids, IDS_PER_LOOKUP))
    while waiting:
        some = waiting.popleft()
        try:
            answer = ask(some)
        except QueryTooHeavy:
            spending.requests += 1
            if len(some) > 1:
                waiting.extendleft(reversed(_chunks(some, -(-len(some) // 2))))
            continue
        yield some, answer
        if answer.seconds > SLOW:
            rest = [each for chunk in waiting for each in chunk]
            waiting = deque(_chunks(rest, max(1, len(some) // 2)))


def _chunks(ids: Sequence[str], size: int) -> list[list[str]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def _plain(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _touched(node: Raw) -> Touched:
    return Touched(
        id=node["id"],
        number=node["number"],
        updated_at=instant(node["updatedAt"]),
        state=node["state"],
        head_sha=node["headRefOid"],
    )

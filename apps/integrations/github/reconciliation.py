"""What GitHub states now of what is stored, for the fewest points: to find what changed or disappeared unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from apps.integrations.github.changes import in_parts
from apps.integrations.github.documents import with_fragments
from apps.integrations.github.errors import QueryTooHeavy, Unavailable
from apps.integrations.github.graphql import GraphQL, page_of
from apps.integrations.github.types import Answer, Raw, Spending, instant
from apps.metrics.records import Part

PATIENCE = 10
"""Queries in a row that are too heavy before GitHub counts as away: one bad pull request among 100 makes eight."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Home:
    """The repository that everything is asked of. `GraphQL` has to know its number: another one of the same name, made
    after ours was deleted, knows nothing of our pull requests.
    """

    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class States:
    """`stated`: pull requests by node id, in GitHub's shape (queries/pr_states_by_ids.graphql). `unknown`: ids that
    GitHub says it does not know. An id in neither could not be asked: nothing follows from that.
    """

    stated: dict[str, Raw] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Numbered:
    """Pull requests looked up by number: the node ids of those that are there, and those that GitHub does not know."""

    ids: dict[int, str] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedDeployment:
    id: int
    node_id: str
    created_at: datetime
    updated_at: datetime
    statuses: int | None
    """How many it has; None where GitHub does not say."""


@dataclass(frozen=True, slots=True)
class DeploymentIds:
    """A page of ids, the newest first. `unreadable`: some entries came without an id, so the page proves no absence."""

    listed: tuple[ListedDeployment, ...]
    end_cursor: str | None
    has_next: bool
    total: int
    unreadable: bool = False


def states_of(
    graphql: GraphQL, home: Home, ids: Sequence[str], *, without: Collection[str] = (), spending: Spending
) -> States:
    """What GitHub states of these pull requests: 100 for 3 points, halved as often as it needs. `without` names parts
    that may not be read.

    Raises RepositoryGone when the repository itself cannot be seen, Unavailable when nothing at all comes.
    """
    parts = {part.value: part not in without for part in (Part.REVIEWS, Part.THREADS, Part.CHECKS)}
    asked = {"owner": home.owner, "name": home.name, **parts}
    ask = _Patient(lambda some: graphql.run("pr_states_by_ids", cost=3, ids=some, **asked))
    stated: dict[str, Raw] = {}
    unknown: set[str] = set()
    for some, answer in in_parts(ids, ask, spending):
        spending.add(answer)
        not_found = _not_found(answer, "nodes")
        for place, (node_id, node) in enumerate(zip(some, answer.data["nodes"], strict=True)):
            if node is not None and "number" in node:
                stated[node_id] = node
            elif place in not_found or node is not None:  # or it is something else than a pull request
                unknown.add(node_id)
    return States(stated, frozenset(unknown))


def by_number(graphql: GraphQL, home: Home, numbers: Sequence[int], *, spending: Spending) -> Numbered:
    """Pull requests by their numbers, at most 100: a point. The last word on whether one is gone.

    Raises RepositoryGone when the repository itself cannot be seen.
    """
    if not numbers:
        return Numbered()
    fields = " ".join(f"p{number}: pullRequest(number: {number}) {{ id }}" for number in numbers)
    document = with_fragments(
        "query PullRequestsByNumber($owner: String!, $name: String!) {"
        f" repository(owner: $owner, name: $name, followRenames: true) {{ id databaseId {fields} }}"
        " rateLimit { ...Budget } }"
    )
    answer = graphql.run_document(document, {"owner": home.owner, "name": home.name})
    spending.add(answer)
    not_found = _not_found(answer, "repository")
    found = {number: answer.data["repository"].get(f"p{number}") for number in numbers}
    return Numbered(
        {number: node["id"] for number, node in found.items() if node},
        frozenset(number for number, node in found.items() if node is None and f"p{number}" in not_found),
    )


def list_deployment_ids(
    graphql: GraphQL, home: Home, *, after: str | None, page_size: int = 100, spending: Spending
) -> DeploymentIds:
    """A page of a repository's deployments, newest first: a point. Raises PermissionMissing, QueryTooHeavy."""
    answer = graphql.run("deployment_ids", owner=home.owner, name=home.name, after=after, n=page_size)
    spending.add(answer)
    page = page_of(answer, "repository", "deployments")
    readable = [node for node in page["nodes"] if node is not None and node["databaseId"] is not None]
    cursor = page["pageInfo"]["endCursor"]
    return DeploymentIds(
        listed=tuple(
            ListedDeployment(
                int(node["databaseId"]),
                node["id"],
                instant(node["createdAt"]),
                instant(node["updatedAt"]),
                (node.get("statuses") or {}).get("totalCount"),
            )
            for node in readable
        ),
        end_cursor=cursor,
        has_next=page["pageInfo"]["hasNextPage"] and cursor not in {None, after},
        total=page["totalCount"],
        unreadable=len(readable) < len(page["nodes"]),
    )


def unknown_of(graphql: GraphQL, home: Home, ids: Sequence[str], *, spending: Spending) -> frozenset[str]:
    """Those of some node ids, at most 100, that GitHub says it does not know: a point."""
    if not ids:
        return frozenset()
    answer = graphql.run("known_ids", owner=home.owner, name=home.name, ids=list(ids))
    spending.add(answer)
    return frozenset(ids[int(place)] for place in _not_found(answer, "nodes"))


def smaller_until_it_fits(ask: Callable[[int], T], size: int = 100) -> T:
    """A page of `size` entries, halved as often as GitHub needs. Raises Unavailable when even one is too much."""
    while True:
        try:
            return ask(size)
        except QueryTooHeavy as heavy:
            if size == 1:
                raise Unavailable(heavy.reason) from heavy
            size //= 2


class _Patient:
    """Asks, and gives GitHub up when one query after the other is too heavy whatever its size."""

    def __init__(self, ask: Callable[[list[str]], Answer]) -> None:
        self._ask = ask
        self._heavy = 0

    def __call__(self, ids: list[str]) -> Answer:
        try:
            answer = self._ask(ids)
        except QueryTooHeavy as heavy:
            self._heavy += 1
            if self._heavy >= PATIENCE:
                raise Unavailable(heavy.reason) from heavy
            raise
        self._heavy = 0
        return answer


def _not_found(answer: Answer, root: str) -> set[str | int]:
    """The places under `root` of which GitHub says that there is nothing; any other error says nothing about them."""
    return {
        error.path[1]
        for error in answer.errors
        if error.type == "NOT_FOUND" and len(error.path) == 2 and error.path[0] == root
    }

"""Follows every connection to its end, many at once: a query may ask for 149 pages of connections and costs one point.

GitHub counts one request for each connection and divides by 100, rounding. A page of its own would cost a whole point.
https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.github.connections import EVENT_TYPES, Connection, without_permission
from apps.integrations.github.documents import with_fragments
from apps.integrations.github.errors import NotFound, QueryTooHeavy
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import Answer, QueryError, Raw, Spending

PAGES_PER_QUERY = 140
SLOW = 7.0
"""Seconds. GitHub cuts a query after ten and fines it: the next ones ask for half."""

MAY_NOT = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})

IDS_PER_LOOKUP = 100
"""GitHub takes at most 100 ids in `nodes(ids:)`."""


@dataclass(slots=True)
class Wanted:
    """A page that is still to come: of `connection` of `owner`, after the cursor `after` (None: its first).

    `holder` is the object that keeps the notes on what is partial: the pull request, the deployment.
    """

    owner: Raw
    holder: Raw
    connection: Connection
    after: str | None = None


@dataclass(slots=True)
class Query:
    """A composed document and which wanted page each place of its answer belongs to."""

    document: str
    variables: dict[str, Any]
    places: dict[tuple[str, int | None], Wanted]


def compose(batch: Iterable[Wanted]) -> Query:
    """One query for all of `batch`: first pages of a connection are looked up together, a further page has an alias."""
    declared: list[str] = []
    asked: list[str] = []
    variables: dict[str, Any] = {}
    places: dict[tuple[str, int | None], Wanted] = {}
    first_pages: dict[Connection, list[Wanted]] = defaultdict(list)
    for number, wanted in enumerate(batch):
        if wanted.after is None:
            first_pages[wanted.connection].append(wanted)
            continue
        declared.append(f"$i{number}: ID!, $a{number}: String!")
        asked.append(f"p{number}: node(id: $i{number}) {{ {wanted.connection.selection(f'a{number}')} }}")
        variables |= {f"i{number}": wanted.owner["id"], f"a{number}": wanted.after}
        places[(f"p{number}", None)] = wanted
    for connection, members in first_pages.items():
        for start in range(0, len(members), IDS_PER_LOOKUP):
            some = members[start : start + IDS_PER_LOOKUP]
            alias = f"f{len(declared)}"
            declared.append(f"${alias}: [ID!]!")
            asked.append(f"{alias}: nodes(ids: ${alias}) {{ {connection.selection()} }}")
            variables[alias] = [wanted.owner["id"] for wanted in some]
            places |= {(alias, index): wanted for index, wanted in enumerate(some)}
    if any("$event_types" in selection for selection in asked):
        declared.append("$event_types: [PullRequestTimelineItemsItemType!]")
        variables["event_types"] = EVENT_TYPES
    text = f"query Completion({', '.join(declared)}) {{ {' '.join(asked)} rateLimit {{ ...Budget }} }}"
    return Query(with_fragments(text), variables, places)


@dataclass(slots=True)
class Completion:
    """Works off wanted pages until none is left; further pages first, since only they can lead to more.

    What cannot be had is noted in the holder's `partial`, never left as if it were empty. `inner` are connections of a
    connection's nodes that are wanted for every node: the comments of each thread. `permissions_missing` is {part: what
    the connection would need besides, as GitHub names its permissions}.
    """

    graphql: GraphQL
    spending: Spending
    inner: dict[Connection, Connection] = field(default_factory=dict)
    permissions_missing: dict[str, str] = field(default_factory=dict)
    batch_size: int = PAGES_PER_QUERY
    _further: deque[Wanted] = field(default_factory=deque)
    _first: deque[Wanted] = field(default_factory=deque)

    def start(self, owner: Raw, holder: Raw, connection: Connection) -> None:
        """Wants the connection from its first page on."""
        connection.write(owner, {connection.counter: 0, "nodes": []})
        self._first.append(Wanted(owner, holder, connection))

    def take(self, owner: Raw, holder: Raw, connection: Connection) -> None:
        """Goes on from the page that `owner` carries already."""
        page = connection.read(owner)
        assert page is not None
        connection.write(owner, {connection.counter: 0, "nodes": []})
        self._absorb(Wanted(owner, holder, connection), page)

    def run(self) -> None:
        while batch := self._next_batch():
            query = compose(batch)
            try:
                answer = self.graphql.run_document(query.document, query.variables)
            except QueryTooHeavy as error:
                self._shrink(batch, error.reason)
                continue
            except NotFound as error:
                self._shrink(batch, str(error))
                continue
            self.spending.add(answer)
            if answer.seconds > SLOW:
                self.batch_size = max(1, len(batch) // 2)
            self._sort_in(query, answer)

    def fail(self, wanted: Wanted, error: QueryError | None, reason: str = "") -> None:
        """Notes why a connection is short; one of which nothing at all came becomes None."""
        connection = wanted.connection
        reason = reason or (error.message if error else connection.when_null)
        if error is not None and error.type in MAY_NOT:
            reason = without_permission(connection.permission)
            self.permissions_missing[str(connection.part)] = connection.permission
        wanted.holder["partial"].setdefault(str(connection.part), reason)
        page = connection.read(wanted.owner)
        if page is not None and not page["nodes"]:
            connection.write(wanted.owner, None)

    def _next_batch(self) -> list[Wanted]:
        batch: list[Wanted] = []
        for waiting in (self._further, self._first):
            while waiting and len(batch) < self.batch_size:
                batch.append(waiting.popleft())
        return batch

    def _shrink(self, batch: list[Wanted], reason: str) -> None:
        self.spending.requests += 1
        if len(batch) == 1:
            self.fail(batch[0], None, reason)
            return
        self.batch_size = max(1, len(batch) // 2)
        for wanted in reversed(batch):
            (self._first if wanted.after is None else self._further).appendleft(wanted)

    def _sort_in(self, query: Query, answer: Answer) -> None:
        errors = {_place(error): error for error in reversed(answer.errors) if error.path}
        unplaced = any(not error.path for error in answer.errors)
        for (alias, index), wanted in query.places.items():
            found = answer.data.get(alias)
            node = found[index] if index is not None and found else found
            error = errors.get((alias, index))
            page = wanted.connection.read(node) if node else None
            if node and wanted.connection.besides and wanted.after is None:
                beside = {name: value for name, value in node.items() if name != wanted.connection.root}
                wanted.owner.update(beside)
            if page is None and node and error is None and not unplaced and wanted.connection.may_be_null:
                continue
            if page is None:
                self.fail(wanted, error)
            else:
                self._absorb(wanted, page)

    def _absorb(self, wanted: Wanted, page: Raw) -> None:
        connection = wanted.connection
        merged = connection.read(wanted.owner)
        assert merged is not None
        merged[connection.counter] = max(merged[connection.counter], page[connection.counter])
        known = {node[connection.key] for node in merged["nodes"] if connection.key in node}
        fresh = []
        for node in page["nodes"] or ():
            if not connection.is_readable(node):
                wanted.holder["partial"].setdefault(str(connection.part), "some entries could not be read")
            elif (key := node.get(connection.key)) is None or key not in known:
                known.add(key)
                fresh.append(node)
        merged["nodes"].extend(fresh)
        if inner := self.inner.get(connection):
            for node in fresh:
                self.start(node, wanted.holder, inner)
        if page["pageInfo"]["hasNextPage"]:
            is_news = bool(fresh) or any(not connection.is_readable(node) for node in page["nodes"] or ())
            self._want_next(wanted, page["pageInfo"]["endCursor"], is_news=is_news)

    def _want_next(self, wanted: Wanted, cursor: str | None, *, is_news: bool) -> None:
        """Cursors may lead in circles, where no page brings anything that is not known."""
        if cursor is None or cursor == wanted.after or not is_news:
            self.fail(wanted, None, "GitHub repeats a page")
            return
        self._further.append(Wanted(wanted.owner, wanted.holder, wanted.connection, cursor))


def _place(error: QueryError) -> tuple[str, int | None]:
    """The alias, and the index under it for a lookup of several ids, that an error belongs to."""
    alias = str(error.path[0])
    index = error.path[1] if len(error.path) > 1 else None
    return alias, index if isinstance(index, int) else None

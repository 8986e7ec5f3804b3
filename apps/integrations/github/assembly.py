"""From the pull requests of an answer to whole ones: every part complete, or noted as partial or capped and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TypeGuard

from apps.integrations.github.completion import MAY_NOT, Completion, Wanted
from apps.integrations.github.connections import FILES, PULL_REQUEST, THREAD_COMMENTS, THREADS, Connection
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import NO_DIFF, Answer, Lost, QueryError, Raw, Spending
from apps.metrics.records import Part


class Assembly:
    """Takes pull requests out of answers, has them completed together, and judges what came.

    `skip`: parts that are not wanted, with the reason.
    """

    def __init__(
        self,
        graphql: GraphQL,
        spending: Spending,
        *,
        skip: Mapping[str, str] | None = None,
        connections: tuple[Connection, ...] = PULL_REQUEST,
    ) -> None:
        self._skip = dict(skip or {})
        self._connections = connections
        self._completion = Completion(graphql, spending, inner={THREADS: THREAD_COMMENTS})
        self._taken: list[Raw] = []
        self.unreadable: list[Lost] = []

    @property
    def permissions_missing(self) -> dict[str, str]:
        """{part: what the connection would need for it, as GitHub names its permissions}."""
        return self._completion.permissions_missing

    def take(
        self, nodes: Iterable[Raw | None], answer: Answer, path: tuple[str, ...], *, alone: Set[str] = frozenset()
    ) -> list[Raw | None]:
        """The pull requests among `nodes`, which stood at `path` of the answer; None where there is none.

        `alone`: parts that the answer leaves out on purpose and that are fetched here.
        """
        unplaced = next((error for error in answer.errors if not error.path), None)
        errors: dict[tuple[str | int, ...], QueryError] = {}
        for error in answer.errors:
            if error.path[: len(path)] == path:
                errors.setdefault(error.path[len(path) : len(path) + 2], error)
        taken: list[Raw | None] = []
        for index, node in enumerate(nodes):
            if not is_readable(node):
                taken.append(None)
                continue
            self._begin(node)
            for connection in self._connections:
                failed = errors.get((index, connection.root)) or unplaced
                self._take_connection(node, connection, failed, is_left_out=connection.part in alone)
            taken.append(node)
        return taken

    def complete(self) -> None:
        """Fetches what is still to come, then notes in each pull request what it lacks."""
        self._completion.run()
        for node in self._taken:
            _drop_unread_threads(node)
            for connection in self._connections:
                _note_cap(node, connection)

    def _begin(self, node: Raw) -> None:
        node["partial"] = {}
        node["capped"] = {}
        self._taken.append(node)

    def _take_connection(
        self, node: Raw, connection: Connection, error: QueryError | None, *, is_left_out: bool
    ) -> None:
        """What failed beside the others is asked for once more by itself: it may have been too much together."""
        if connection.part in self._skip:
            self._leave_out(node, connection)
        elif is_left_out:
            self._completion.start(node, node, connection)
        elif connection.read(node) is not None:
            self._completion.take(node, node, connection)
        elif connection.may_be_null and error is None:
            connection.write(node, {connection.counter: 0, "nodes": []})
        elif _is_final(connection, error):
            connection.write(node, None)
            self._completion.fail(Wanted(node, node, connection), error)
        else:
            self._completion.start(node, node, connection)

    def _leave_out(self, node: Raw, connection: Connection) -> None:
        connection.write(node, None)
        node["partial"][str(connection.part)] = self._skip[connection.part]


def _is_final(connection: Connection, error: QueryError | None) -> bool:
    """Whether asking again changes nothing: a permission is missing, or there is no diff to be had."""
    return error.type in MAY_NOT if error is not None else connection.when_null == NO_DIFF


def is_readable(node: Raw | None) -> TypeGuard[Raw]:
    """Whether it is a pull request, and one with the database's id, which GitHub's schema lets be null."""
    return node is not None and "number" in node and node.get("fullDatabaseId", "") is not None


def _drop_unread_threads(node: Raw) -> None:
    """A thread of which only the id is known is not one; without threads there are no comments in them either."""
    partial = node["partial"]
    threads = THREADS.read(node)
    if threads is None:
        if Part.THREADS in partial:
            partial.setdefault(str(Part.REVIEW_COMMENTS), partial[Part.THREADS])
        return
    read = [thread for thread in threads["nodes"] if "isResolved" in thread]
    if len(read) < len(threads["nodes"]):
        threads["nodes"] = read
        partial.setdefault(str(Part.THREADS), partial.get(Part.REVIEW_COMMENTS, THREADS.when_null))
        if not read:
            THREADS.write(node, None)


def _note_cap(node: Raw, connection: Connection) -> None:
    page = connection.read(node)
    if page is None:
        return
    _compare(node, connection.part, len(page["nodes"]), _stated(node, connection, page))
    if connection is THREADS:
        comments = [thread["comments"] for thread in page["nodes"] if thread["comments"] is not None]
        got = sum(len(comment["nodes"]) for comment in comments)
        _compare(node, Part.REVIEW_COMMENTS, got, sum(comment["totalCount"] for comment in comments))


def _stated(node: Raw, connection: Connection, page: Raw) -> int:
    """How many there are by GitHub's own word; of files its connection counts 3,000 at most, the pull request all."""
    stated: int = page[connection.counter]
    return max(stated, node["changedFiles"] or 0) if connection is FILES else stated


def _compare(node: Raw, part: str, got: int, stated: int) -> None:
    """Every page was followed and yet some lack: the API holds them back (250 commits, 3,000 files, hidden ones)."""
    if got < stated and part not in node["partial"]:
        node["capped"][str(part)] = f"GitHub yields {got:,} of {stated:,}"

"""Pages of connections: cursors by place for what hangs on one object, by value for what is sorted by a time."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.ids import decode_cursor, encode_cursor


@dataclass(slots=True)
class PageInfo:
    page: Page

    @property
    def has_next_page(self) -> bool:
        return self.page.has_next_page

    @property
    def has_previous_page(self) -> bool:
        return self.page.has_previous_page

    @property
    def start_cursor(self) -> str | None:
        return self.page.cursor_of(0) if self.page.nodes else None

    @property
    def end_cursor(self) -> str | None:
        count = len(self.page.nodes)
        return self.page.cursor_of(count - 1) if count else None


@dataclass(slots=True)
class Edge:
    cursor: str
    node: Any
    more: dict[str, Any]


@dataclass(slots=True)
class Page:
    """One page of a connection. `cursors[i]` makes the cursor of `nodes[i]`."""

    nodes: Sequence[Any]
    total_count: int
    cursor_of: Callable[[int], str]
    has_next_page: bool
    has_previous_page: bool
    more: dict[str, Any] = field(default_factory=dict)
    edge_details: Callable[[Any], dict[str, Any]] | None = None

    @property
    def page_info(self) -> PageInfo:
        return PageInfo(self)

    @property
    def edges(self) -> list[Edge]:
        details = self.edge_details or (lambda _: {})
        return [Edge(self.cursor_of(index), node, details(node)) for index, node in enumerate(self.nodes)]


def page_of(items: Sequence[Any], arguments: dict[str, Any], total: int | None = None) -> Page:
    """A page by place. `total` is what the object states where the API yields less than it states."""
    start = _place(arguments.get("after"), "after") + 1 if arguments.get("after") is not None else 0
    end = _place(arguments.get("before"), "before") if arguments.get("before") is not None else len(items)
    start, end = min(start, len(items)), min(end, len(items))
    low, high = _window(start, end, arguments)
    return Page(
        nodes=items[low:high],
        total_count=len(items) if total is None else total,
        cursor_of=lambda index: encode_cursor([low + index]),
        has_next_page=high < len(items),
        has_previous_page=low > 0,
    )


def sorted_page(
    rows: Sequence[Any], key: Callable[[Any], tuple[str, int]], descending: bool, arguments: dict[str, Any]
) -> Page:
    """A page of `rows` (ascending by `key`) whose cursors are values of the key.

    A row whose key moves while somebody pages is therefore met twice or, newest first, not at all: as on GitHub.
    """
    after, before = (_value(arguments.get(word), word) for word in ("after", "before"))
    lower, upper = (before, after) if descending else (after, before)
    low = bisect.bisect_right(rows, lower, key=key) if lower else 0
    high = bisect.bisect_left(rows, upper, key=key) if upper else len(rows)
    high = max(high, low)
    window = rows[low:high]
    if descending:
        window = window[::-1]
    first, last = _window(0, len(window), arguments)
    nodes = window[first:last]
    preceding, following = (len(rows) - high, low) if descending else (low, len(rows) - high)
    return Page(
        nodes=nodes,
        total_count=len(rows),
        cursor_of=lambda index: encode_cursor(list(key(nodes[index]))),
        has_next_page=last < len(window) or following > 0,
        has_previous_page=first > 0 or preceding > 0,
    )


def _window(start: int, end: int, arguments: dict[str, Any]) -> tuple[int, int]:
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None:
        return start, max(min(end, start + first), start)
    if last is not None:
        return max(start, end - last), max(start, end)
    return start, start


def _place(cursor: Any, word: str) -> int:
    value = _decoded(cursor, word)
    if len(value) != 1 or not isinstance(value[0], int):
        raise _invalid(cursor)
    return int(value[0])


def _value(cursor: Any, word: str) -> tuple[str, int] | None:
    if cursor is None:
        return None
    value = _decoded(cursor, word)
    if len(value) != 2:
        raise _invalid(cursor)
    return value[0], value[1]


def _decoded(cursor: Any, word: str) -> list[Any]:
    try:
        value = decode_cursor(cursor)
    except ValueError as error:
        raise _invalid(cursor) from error
    if not isinstance(value, list):
        raise _invalid(cursor)
    return value


def _invalid(cursor: Any) -> Fault:
    return Fault("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")

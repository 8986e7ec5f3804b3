"""What a query costs, by GitHub's documented rule, and the limits that are checked before it runs.

Points: for each connection, the number of its parents if every page were full; the sum divided by 100, rounded, at
least 1. Nodes: for each connection, parents times page size; at most 500,000 in one query.
https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    InlineFragmentNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_composite_type,
)

from devtools.github_sandbox.graphql_api.documents import Operation, sandbox_schema
from devtools.github_sandbox.graphql_api.errors import refuse
from devtools.github_sandbox.graphql_api.selection import included

MAX_NODES = 500_000
MAX_PAGE = 100
MAX_IDS = 100
Path = tuple[str, ...]
"""Response keys from the root."""
_PAGED = {"nodes", "edges", "pageInfo"}


@dataclass
class Cost:
    requests: int = 0
    nodes: int = 0

    @property
    def points(self) -> int:
        return max(1, int(self.requests / 100 + 0.5))


def price(operation: Operation) -> Cost:
    """The cost of the operation. Raises Refused for a page size or a number of ids or nodes that GitHub refuses."""
    cost = Cost()
    root = sandbox_schema().query_type
    assert root is not None
    _Walk(operation, cost).selections(operation.node.selection_set, root, 1, ())
    if cost.nodes > MAX_NODES:
        raise refuse(
            f"This query requests up to {cost.nodes:,} possible nodes which exceeds the maximum "
            f"limit of {MAX_NODES:,}.",
            "MAX_NODE_LIMIT_EXCEEDED",
        )
    return cost


class _Walk:
    def __init__(self, operation: Operation, cost: Cost) -> None:
        self.operation = operation
        self.cost = cost
        self.counted: set[Path] = set()

    def selections(self, chosen: SelectionSetNode, parent: GraphQLNamedType, parents: int, path: Path) -> None:
        types = sandbox_schema().type_map
        for node in chosen.selections:
            if node.directives and not included(self.operation, node):
                continue
            if isinstance(node, FieldNode):
                self.field(node, parent, parents, path)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                self.selections(node.selection_set, types[condition.name.value] if condition else parent, parents, path)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.operation.fragments[node.name.value]
                self.selections(fragment.selection_set, types[fragment.type_condition.name.value], parents, path)

    def field(self, node: FieldNode, parent: Any, parents: int, path: Path) -> None:
        name = node.name.value
        if name.startswith("__"):
            return
        definition = parent.fields[name]
        result = get_named_type(definition.type)
        path = (*path, node.alias.value if node.alias else name)
        if result.name.endswith("Connection"):
            parents = self.connection(node, definition, parents, path)
        elif name == "nodes" and parent.name == "Query":
            parents = self.ids(node, definition, path)
        if node.selection_set and is_composite_type(result):
            self.selections(node.selection_set, result, parents, path)

    def connection(self, node: FieldNode, definition: Any, parents: int, path: Path) -> int:
        arguments = get_argument_values(definition, node, self.operation.bound)
        size = page_size(node, arguments, path, paged=bool(_PAGED & self.names(node.selection_set)))
        if path not in self.counted:  # the same connection in two fragments is one connection
            self.counted.add(path)
            self.cost.requests += parents
            self.cost.nodes += parents * size
        return parents * max(size, 1)

    def ids(self, node: FieldNode, definition: Any, path: Path) -> int:
        count = len(get_argument_values(definition, node, self.operation.bound)["ids"])
        if count > MAX_IDS:
            raise refuse(
                f"You may not provide more than {MAX_IDS} node ids; you provided {count}.",
                "ARGUMENT_LIMIT",
                path=list(path),
            )
        if path not in self.counted:
            self.counted.add(path)
            self.cost.nodes += count
        return count

    def names(self, chosen: SelectionSetNode | None) -> set[str]:
        found: set[str] = set()
        for node in chosen.selections if chosen else ():
            if isinstance(node, FieldNode):
                found.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                found |= self.names(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                found |= self.names(self.operation.fragments[node.name.value].selection_set)
        return found


def page_size(node: FieldNode, arguments: dict[str, Any], path: Path, paged: bool) -> int:
    """`first` or `last` of a connection, 0 where only counts are asked for. Raises Refused in GitHub's words."""
    name = node.name.value
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        if paged:
            raise refuse(
                f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
                "MISSING_PAGINATION_BOUNDARIES",
                path=list(path),
            )
        return 0
    if first is not None and last is not None:
        message = f"Passing both `first` and `last` to paginate the `{name}` connection is not supported."
        raise refuse(message, "INVALID_PAGINATION_BOUNDARIES", path=list(path))
    word = "first" if first is not None else "last"
    size = int(arguments[word])
    if size < 0:
        message = f"`{word}` on the `{name}` connection cannot be less than zero."
        raise refuse(message, "INVALID_PAGINATION", path=list(path))
    if size > MAX_PAGE:
        raise refuse(
            f"Requesting {size} records on the `{name}` connection exceeds the `{word}` limit of {MAX_PAGE} records.",
            "EXCESSIVE_PAGINATION",
            path=list(path),
        )
    return size

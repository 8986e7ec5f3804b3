"""A GitHub of dictionaries: it executes our documents over lists, pages and prices them, and fails when told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from graphql.language import FieldNode, FragmentSpreadNode, SelectionSetNode, VariableNode
from graphql.utilities import value_from_ast_untyped

from apps.integrations.github.access import StaticToken
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.tests.points import price
from apps.integrations.github.transport import Response

RESET = "2026-11-20T10:00:00Z"
INTERFACES = {
    "Actor": {"User", "Bot", "Mannequin", "Organization"},
    "RequestedReviewer": {"User", "Bot", "Mannequin", "Team"},
}


@dataclass
class FunctionTransport:
    """Answers every request with what a function returns (or raises)."""

    answer: Callable[..., Response]
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        self.sent.append({"method": method, "url": url, "headers": dict(headers), "body": body})
        return self.answer(**self.sent[-1])


def graphql_over(answer: Callable[..., Response], *, tokens: StaticToken | None = None, **more: Any) -> GraphQL:
    """The client over a function; it never waits."""
    arguments = {"sleep": lambda seconds: None, "jitter": lambda: 0.5} | more
    return GraphQL(FunctionTransport(answer), tokens or StaticToken("token"), **arguments)


@dataclass
class World:
    """`root` holds the root fields, `objects` everything that has an id.

    `errors` gives the error that makes a place of the answer null, by its path (aliases included) and its parent;
    `refuse` may answer instead. `points`, `requests` and `largest` (nodes of one query) are what was asked.
    """

    root: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any] | None] = lambda path, parent: None
    refuse: Callable[[str, Mapping[str, Any]], Response | None] = lambda document, variables: None
    points: int = 0
    requests: int = 0
    largest: int = 0

    def add(self, item: dict[str, Any]) -> dict[str, Any]:
        self.objects[item["id"]] = item
        return item

    def __call__(self, *, body: bytes, **request: Any) -> Response:
        sent = orjson.loads(body)
        self.requests += 1
        refused = self.refuse(sent["query"], sent["variables"])
        if refused is not None:
            return refused
        cost = price(sent["query"], sent["variables"])
        self.points += cost.points
        self.largest = max(self.largest, cost.nodes)
        run = _Execution(self, sent["query"], sent["variables"])
        self.root["rateLimit"] = {
            "__typename": "RateLimit",
            "cost": cost.points,
            "limit": 5000,
            "remaining": 5000 - self.points,
            "used": self.points,
            "resetAt": RESET,
        }
        answer: dict[str, Any] = {"data": run.data()}
        if run.errors:
            answer["errors"] = run.errors
        return Response(200, {}, orjson.dumps(answer))

    def client(self, **more: Any) -> GraphQL:
        return graphql_over(self, **more)


class _Execution:
    def __init__(self, world: World, document: str, variables: dict[str, Any]) -> None:
        parsed = parse(document)
        self.world = world
        self.operation = next(node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
        self.fragments = {
            node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.variables = dict(variables)
        for declared in self.operation.variable_definitions or ():
            if declared.variable.name.value not in self.variables and declared.default_value is not None:
                self.variables[declared.variable.name.value] = value_from_ast_untyped(declared.default_value)
        self.errors: list[dict[str, Any]] = []

    def data(self) -> dict[str, Any]:
        return self.select(self.operation.selection_set, self.world.root, ())

    def value(self, node: Any) -> Any:
        return self.variables.get(node.name.value) if isinstance(node, VariableNode) else value_from_ast_untyped(node)

    def select(self, selections: SelectionSetNode, parent: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for selection in selections.selections:
            directives = {directive.name.value: directive for directive in selection.directives or ()}
            if "include" in directives and not self.value(directives["include"].arguments[0].value):
                continue
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                if self.applies(fragment.type_condition.name.value, parent):
                    found |= self.select(fragment.selection_set, parent, path)
            elif isinstance(selection, FieldNode):
                alias = (selection.alias or selection.name).value
                found[alias] = self.resolve(selection, parent, (*path, alias))
            elif self.applies(selection.type_condition.name.value, parent):
                found |= self.select(selection.selection_set, parent, path)
        return found

    def applies(self, condition: str, parent: dict[str, Any]) -> bool:
        typename = parent.get("__typename")
        return typename is None or condition == typename or typename in INTERFACES.get(condition, {typename})

    def resolve(self, selection: FieldNode, parent: dict[str, Any], path: tuple[Any, ...]) -> Any:
        error = self.world.errors(path, parent)
        if error is not None:
            self.errors.append({"path": list(path), **error})
            return None
        given = {argument.name.value: self.value(argument.value) for argument in selection.arguments or ()}
        name = selection.name.value
        if name == "node":
            value: Any = self.world.objects.get(given["id"])
        elif name == "nodes" and "ids" in given:
            value = [self.world.objects.get(identifier) for identifier in given["ids"]]
        else:
            value = parent.get(name)
        if "first" in given and isinstance(value, list):
            value = self.connection(value, given, parent.get("stated", {}).get(name))
        return self.complete(selection, value, path)

    def connection(self, items: list[Any], given: dict[str, Any], stated: int | None) -> dict[str, Any]:
        if given.get("states"):
            items = [item for item in items if item["state"] in given["states"]]
        if given.get("orderBy"):
            name = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt"}[given["orderBy"]["field"]]
            items = sorted(items, key=lambda item: item[name], reverse=True)
        start = int(given.get("after") or 0)
        end = start + given["first"]
        return {
            "totalCount": len(items) if stated is None else stated,
            "filteredCount": len(items),
            "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items))) if items else None},
            "nodes": items[start:end],
        }

    def complete(self, selection: FieldNode, value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, list):
            return [self.element(selection, item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, dict) and selection.selection_set:
            return self.select(selection.selection_set, value, path)
        return value

    def element(self, selection: FieldNode, item: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(item, dict):
            error = self.world.errors(path, item)
            if error is not None:
                self.errors.append({"path": list(path), **error})
                return None
        return self.complete(selection, item, path)

"""Query texts: parsed, validated and kept, since a client sends the same few hundreds of times."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Visitor,
    build_schema,
    get_variable_values,
    parse,
    validate,
    visit,
)

from devtools.github_sandbox.graphql_api.errors import Refused, refuse

_KEPT = 256


@functools.cache
def sandbox_schema() -> GraphQLSchema:
    return build_schema(Path(__file__).with_name("schema.graphql").read_text())


@dataclass(frozen=True)
class Document:
    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    fields: frozenset[str]


@dataclass
class Operation:
    """One operation of a document with the variables of one request."""

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    bound: Any
    """graphql-core's coerced variables, for its `get_argument_values`."""
    variables: dict[str, Any] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    """The names of all fields that the document asks for, of whatever type."""

    @property
    def name(self) -> str:
        return self.node.name.value if self.node.name else ""


class Documents:
    """A cache of validated documents by their text."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str) -> Document:
        with self._lock:
            document = self._kept.get(text)
            if document is not None:
                self._kept.move_to_end(text)
                return document
        document = _read(text)
        with self._lock:
            self._kept[text] = document
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return document

    def operation(self, text: str, name: str | None, variables: dict[str, Any]) -> Operation:
        """The operation to run. Raises Refused in GitHub's words for anything wrong with it."""
        document = self.get(text)
        if name:
            node = document.operations.get(name)
            if node is None:
                raise refuse(f'No operation named "{name}"')
        elif len(document.operations) == 1:
            node = next(iter(document.operations.values()))
        else:
            raise refuse("An operation name is required")
        if node.operation.value != "query":
            raise refuse("The sandbox answers queries only")
        result = get_variable_values(sandbox_schema(), node.variable_definitions or (), variables)
        if isinstance(result, list):
            raise Refused([_described(error) for error in result])
        return Operation(node, document.fragments, result, dict(result.coerced), document.fields)


def _read(text: str) -> Document:
    try:
        tree = parse(text)
    except GraphQLError as error:
        raise Refused([_described(error)]) from error
    problems = validate(sandbox_schema(), tree)
    if problems:
        raise Refused([_described(problem) for problem in problems])
    operations = {}
    fragments = {}
    for definition in tree.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    fields = _Fields()
    visit(tree, fields)
    return Document(operations, fragments, frozenset(fields.names))


class _Fields(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _described(error: GraphQLError) -> dict[str, Any]:
    locations = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"message": error.message, "locations": locations}

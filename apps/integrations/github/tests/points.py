"""What GitHub's documented rule makes of a query: our own copy of it, independent of the stand-in's.

https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#calculating-the-rate-limit-score-for-the-query
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from graphql.language import FieldNode, FragmentSpreadNode, SelectionSetNode, VariableNode
from graphql.utilities import value_from_ast_untyped


@dataclass
class Price:
    requests: int = 0
    nodes: int = 0

    @property
    def points(self) -> int:
        return max(1, int(self.requests / 100 + 0.5))


def price(document: str, variables: Mapping[str, Any]) -> Price:
    """A connection is a request for each of its parents, as many as were asked for; a hundred are a point, rounded."""
    parsed = parse(document)
    operation = next(node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    values = dict(variables)
    for declared in operation.variable_definitions or ():
        if declared.variable.name.value not in values and declared.default_value is not None:
            values[declared.variable.name.value] = value_from_ast_untyped(declared.default_value)
    found = Price()

    def value(node: Any) -> Any:
        return values.get(node.name.value) if isinstance(node, VariableNode) else value_from_ast_untyped(node)

    def walk(selections: SelectionSetNode | None, parents: int) -> None:
        for selection in selections.selections if selections else ():
            directives = {directive.name.value: directive for directive in selection.directives or ()}
            if "include" in directives and not value(directives["include"].arguments[0].value):
                continue
            if isinstance(selection, FragmentSpreadNode):
                walk(fragments[selection.name.value].selection_set, parents)
                continue
            times = parents
            if isinstance(selection, FieldNode):
                given = {argument.name.value: value(argument.value) for argument in selection.arguments or ()}
                if "first" in given:
                    found.requests += parents
                    times = parents * given["first"]
                    found.nodes += times
                elif "ids" in given:
                    times = parents * len(given["ids"])
                    found.nodes += times
            walk(selection.selection_set, times)

    walk(operation.selection_set, 1)
    return found

"""Which fields a selection asks for: fragments opened, `@include` and `@skip` applied, equal response keys merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
    get_argument_values,
    is_abstract_type,
)

from devtools.github_sandbox.graphql_api.documents import Operation, sandbox_schema

_DIRECTIVES = {"include": GraphQLIncludeDirective, "skip": GraphQLSkipDirective}


def collect(
    operation: Operation, parent: GraphQLObjectType, sets: Iterable[SelectionSetNode]
) -> dict[str, list[FieldNode]]:
    """The field nodes of `parent` per response key, in the order asked."""
    fields: dict[str, list[FieldNode]] = {}
    _collect(operation, parent, sets, fields)
    return fields


def _collect(
    operation: Operation,
    parent: GraphQLObjectType,
    sets: Iterable[SelectionSetNode],
    fields: dict[str, list[FieldNode]],
) -> None:
    for selection_set in sets:
        for node in selection_set.selections:
            if node.directives and not included(operation, node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or applies(condition.name.value, parent):
                    _collect(operation, parent, [node.selection_set], fields)
            elif isinstance(node, FragmentSpreadNode):
                fragment = operation.fragments[node.name.value]
                if applies(fragment.type_condition.name.value, parent):
                    _collect(operation, parent, [fragment.selection_set], fields)


def included(operation: Operation, node: Any) -> bool:
    """Whether `@include` and `@skip` leave the node in."""
    for directive in node.directives:
        name = directive.name.value
        if name in _DIRECTIVES:
            wanted = get_argument_values(_DIRECTIVES[name], directive, operation.bound)["if"]
            if wanted is not (name == "include"):
                return False
    return True


def applies(condition: str, parent: GraphQLObjectType) -> bool:
    if condition == parent.name:
        return True
    named = sandbox_schema().type_map[condition]
    return is_abstract_type(named) and sandbox_schema().is_sub_type(named, parent)

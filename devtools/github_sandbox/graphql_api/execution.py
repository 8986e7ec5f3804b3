"""Runs a validated operation: its selection becomes a plan of plain functions, and each object runs through it.

graphql-core's own executor takes about ten times as long, and the sandbox must not be what a measurement measures. The
semantics kept: aliases, fragments on interfaces and unions, null for a failed field with its error beside `data`, and
null travelling up to the nearest field that may be null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLObjectType,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from devtools.github_sandbox.entities import GHOST, PullRequest
from devtools.github_sandbox.fault import Fault as Broken
from devtools.github_sandbox.graphql_api.documents import Operation, sandbox_schema
from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.graphql_api.registry import Call, snake_case
from devtools.github_sandbox.graphql_api.resolvers import RESOLVERS
from devtools.github_sandbox.graphql_api.selection import collect
from devtools.github_sandbox.rules import NO_ACCESS

if TYPE_CHECKING:
    from devtools.github_sandbox.graphql_api.context import Context

_ACCOUNTS = frozenset({"User", "Bot", "Mannequin", "EnterpriseUserAccount", "Organization"})
_PEOPLE = _ACCOUNTS | {"Actor", "Assignee", "RequestedReviewer"}
"""The types of values that may be a deleted account, which is null."""
type_name = operator.attrgetter("typename")


class Step(NamedTuple):
    key: str
    resolve: Callable[[Any], Any]
    complete: Callable[[Any], Any] | None
    required: bool
    node: FieldNode


def no_access(_entity: Any) -> Any:
    """Stands for the resolver of a field that the token has no permission for."""
    raise Fault("FORBIDDEN", NO_ACCESS)


def or_ghost(complete: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda account: complete(account) or complete(GHOST)


class NullBubble(Exception):
    """A field that may not be null is: its parent becomes null. The error is recorded already."""


class Execution:
    """One run of one operation. `only`: the one root field that is evaluated, the others are null (a dry run).

    `broken`: faults of single fields; those that struck are in `met`. `touched`: the pull requests of the answer, each
    with the fields asked of it.
    """

    def __init__(
        self, operation: Operation, context: Context, only: str | None = None, broken: Sequence[Broken] = ()
    ) -> None:
        self.operation = operation
        self.only = only
        self.broken = broken
        self.met: list[Broken] = []
        self.touched: list[tuple[PullRequest, frozenset[str]]] = []
        self.context = context
        self.forbidden = context.session.rules.forbidden(context.session)
        self.errors: list[dict[str, Any]] = []
        self.path: list[str | int] = []

    def run(self, root: Any) -> dict[str, Any] | None:
        query = sandbox_schema().query_type
        assert query is not None
        plan = self.plan(query, [self.operation.node.selection_set])
        left_out = [step.key for step in plan if self.only and step.node.name.value != self.only]
        try:
            answer = self.each([step for step in plan if step.key not in left_out], root)
            return answer | dict.fromkeys(left_out)
        except NullBubble:
            return None

    def each(self, plan: list[Step], entity: Any) -> dict[str, Any]:
        """The answer for one object."""
        answer: dict[str, Any] = {}
        path = self.path
        depth = len(path)
        for key, resolve, complete, required, node in plan:
            try:
                value = resolve(entity)
                if value is not None and complete is not None:
                    path.append(key)
                    value = complete(value)
                    path.pop()
                if value is None and required:
                    raise Fault("INTERNAL", f"Cannot return null for non-nullable field {key}")
                answer[key] = value
            except Fault as fault:
                place = node.loc.start_token if node.loc else None
                line, column = (place.line, place.column) if place else (1, 1)
                self.errors.append(fault.as_json([*path[:depth], key], line, column))
                del path[depth:]
                if required:
                    raise NullBubble from fault
                answer[key] = None
            except NullBubble:
                del path[depth:]
                if required:
                    raise
                answer[key] = None
        return answer

    def plan(self, parent: GraphQLObjectType, sets: list[SelectionSetNode]) -> list[Step]:
        return [self.step(parent, key, nodes) for key, nodes in collect(self.operation, parent, sets).items()]

    def step(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Step:
        node = nodes[0]
        name = node.name.value
        if name == "__typename":
            return Step(key, lambda _: parent.name, None, True, node)
        definition = parent.fields[name]
        arguments = get_argument_values(definition, node, self.operation.bound) if definition.args else {}
        sets = [each.selection_set for each in nodes if each.selection_set]
        complete = self.completer(definition.type, sets)
        if complete is not None and str(definition.type) == "Actor!":
            complete = or_ghost(complete)
        resolve = self.resolver(parent.name, name, arguments)
        for fault in self.broken:
            if fault.of_field in (name if parent.name == "PullRequest" else "", f"{parent.name}.{name}"):
                resolve = self.failing(fault, resolve)
        return Step(key, resolve, complete, is_non_null_type(definition.type), node)

    def resolver(self, parent: str, name: str, arguments: dict[str, Any]) -> Callable[[Any], Any]:
        found = RESOLVERS.get((parent, name))
        if name in self.forbidden:
            return no_access
        if found is None:
            return operator.attrgetter(snake_case(name))
        call = Call(self.context, arguments)
        return lambda entity: found(entity, call)

    def failing(self, fault: Broken, resolve: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The resolver of a field that a fault is about."""

        def fail(entity: Any) -> Any:
            if not fault.hits(entity):
                return resolve(entity)
            self.met.append(fault)
            raise Fault(*fault.error())

        return fail

    def completer(self, kind: Any, sets: list[SelectionSetNode]) -> Callable[[Any], Any] | None:
        """What makes JSON of a resolved value; None where the value is JSON already."""
        if is_non_null_type(kind):
            kind = kind.of_type
        if is_list_type(kind):
            inner = self.completer(kind.of_type, sets)
            return None if inner is None else self.list_completer(inner, is_non_null_type(kind.of_type))
        if is_leaf_type(kind):
            return None
        named = get_named_type(kind)
        if is_abstract_type(named):
            return self.abstract_completer(sets, may_be_deleted=named.name in _PEOPLE)
        if named.name in _PEOPLE:
            return self.abstract_completer(sets, may_be_deleted=True)
        if named.name == "PullRequest":
            return self.abstract_completer(sets, may_be_deleted=False)
        plan: list[Step] | None = None

        def complete(entity: Any) -> Any:
            nonlocal plan
            if plan is None:
                plan = self.plan(named, sets)
            return self.each(plan, entity)

        return complete

    def abstract_completer(self, sets: list[SelectionSetNode], may_be_deleted: bool) -> Callable[[Any], Any]:
        plans: dict[str, list[Step]] = {}
        asked: frozenset[str] = frozenset()

        def complete(entity: Any) -> Any:
            nonlocal asked
            concrete = type_name(entity)
            if may_be_deleted and concrete in _ACCOUNTS and entity.is_deleted:
                return None
            plan = plans.get(concrete)
            if plan is None:
                kind = sandbox_schema().type_map[concrete]
                assert isinstance(kind, GraphQLObjectType)
                plan = plans[concrete] = self.plan(kind, sets)
                if concrete == "PullRequest":
                    asked = frozenset(step.node.name.value for step in plan)
            if concrete == "PullRequest":
                self.touched.append((entity, asked))
            return self.each(plan, entity)

        return complete

    def list_completer(self, inner: Callable[[Any], Any], required: bool) -> Callable[[Any], Any]:
        path = self.path

        def complete(values: Any) -> list[Any]:
            answer: list[Any] = []
            for index, value in enumerate(values):
                if value is None or isinstance(value, Fault):
                    if value is not None:
                        self.errors.append(value.as_json([*path, index]))
                    answer.append(None)
                    continue
                path.append(index)
                try:
                    answer.append(inner(value))
                    path.pop()
                except NullBubble:
                    path.pop()
                    if required:
                        raise
                    answer.append(None)
            return answer

        return complete

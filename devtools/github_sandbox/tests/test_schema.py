"""The sandbox's schema is a part of GitHub's, and everything in it is answered."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
    is_union_type,
    validate_schema,
)

from devtools.github_sandbox.graphql_api.documents import sandbox_schema
from devtools.github_sandbox.graphql_api.resolvers import RESOLVERS
from devtools.github_sandbox.tests.conftest import ROOT, Client
from devtools.published_schema import fetch_schema

BUILT_IN = ("__", "String", "Int", "Float", "Boolean", "ID")


@pytest.fixture(scope="module")
def published() -> GraphQLSchema:
    var = Path(os.environ.get("TFORMANCE_VAR") or ROOT / "var")
    path = fetch_schema(var)
    if path is None:
        assert os.environ.get("CI") != "true", "the npm registry is needed for GitHub's published schema"
        pytest.skip("without the npm registry there are none of GitHub's published schema")
    return build_schema(path.read_text(), assume_valid=True)


def own_types() -> dict[str, Any]:
    return {name: kind for name, kind in sandbox_schema().type_map.items() if not name.startswith(BUILT_IN)}


def test_it_is_a_valid_schema() -> None:
    assert validate_schema(sandbox_schema()) == []


def test_every_type_is_published_with_the_same_kind(published: GraphQLSchema) -> None:
    for name, kind in own_types().items():
        assert type(published.type_map[name]) is type(kind), name


def test_every_field_is_published_with_the_same_type_and_arguments(published: GraphQLSchema) -> None:
    for name, kind in own_types().items():
        if not (is_object_type(kind) or is_interface_type(kind)):
            continue
        theirs: Any = published.type_map[name]
        for field_name, field in kind.fields.items():
            assert str(field.type) == str(theirs.fields[field_name].type), (name, field_name)
            assert arguments(field) == arguments(theirs.fields[field_name]), (name, field_name)
            assert bool(field.deprecation_reason) == bool(theirs.fields[field_name].deprecation_reason)


def arguments(field: Any) -> dict[str, tuple[str, bool]]:
    """All of them: a client may use any argument of a field that is offered."""
    return {name: (str(argument.type), is_required_argument(argument)) for name, argument in field.args.items()}


def test_enums_unions_and_interfaces_hold_nothing_of_their_own(published: GraphQLSchema) -> None:
    for name, kind in own_types().items():
        theirs: Any = published.type_map[name]
        if is_enum_type(kind):
            assert set(kind.values) <= set(theirs.values), name
        elif is_union_type(kind):
            assert {each.name for each in kind.types} <= {each.name for each in theirs.types}, name
        elif is_object_type(kind):
            assert {each.name for each in kind.interfaces} <= {each.name for each in theirs.interfaces}, name


def test_input_objects_are_published_and_complete(published: GraphQLSchema) -> None:
    for name, kind in own_types().items():
        if is_input_object_type(kind):
            theirs: Any = published.type_map[name]
            assert {key: str(each.type) for key, each in kind.fields.items()} == {
                key: str(each.type) for key, each in theirs.fields.items() if key in kind.fields
            }
            required = {key for key, each in theirs.fields.items() if is_required_input_field(each)}
            assert required <= set(kind.fields)


def test_no_resolver_is_for_a_field_that_is_not_offered() -> None:
    types: Any = sandbox_schema().type_map
    assert [key for key in RESOLVERS if key[1] not in types[key[0]].fields] == []


def everything(kind: Any, depth: int, seen: tuple[str, ...] = (), without: Set[str] = frozenset()) -> str:
    """A selection of all that the type offers, `depth` levels down; connections give three each."""
    if is_abstract_type(kind):
        parts = [
            f"... on {each.name} {everything(each, depth, seen, without)}"
            for each in sandbox_schema().get_possible_types(kind)
        ]
        return "{ __typename " + " ".join(parts) + " }"
    parts = ["__typename"]
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        if name in without or any(is_required_argument(each) for each in field.args.values()):
            continue
        alias = f"{kind.name}_{name}: {name}"
        if is_leaf_type(named):
            parts.append(alias)
        elif depth and named.name not in seen:
            paging = "(first: 3)" if "first" in field.args else ""
            parts.append(f"{alias}{paging} {everything(named, depth - 1, (*seen, kind.name), without)}")
    return "{ " + " ".join(parts) + " }"


@pytest.mark.parametrize(
    ("kind", "depth"),
    [("PullRequest", 2), ("Repository", 2), ("Organization", 3), ("Deployment", 3), ("CheckSuite", 3), ("Commit", 2)],
)
def test_every_field_offered_is_answered(shop: Client, kind: str, depth: int) -> None:
    repository = shop.server.world.repository("acme/shop")
    assert repository is not None
    contents = repository.contents
    busy = max(contents.pulls.values(), key=lambda pull: len(pull.threads) + len(pull.events))
    ids = {
        "PullRequest": busy.id,
        "Repository": repository.id,
        "Organization": repository.owner.id,
        "Deployment": contents.deployments[0].id,
        "CheckSuite": contents.suites[busy.head_ref_oid][0].id,
        "Commit": busy.commits[0].id,
    }
    selection = everything(sandbox_schema().type_map[kind], depth)
    data = shop.data(f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {selection} }} }}", id=ids[kind])
    assert data["node"][f"{kind}_id"] == ids[kind]


@pytest.mark.parametrize("number", [4, 37, 178, 90])
def test_every_field_of_a_recorded_pull_request_is_answered(gui: Client, number: int) -> None:
    selection = everything(sandbox_schema().type_map["PullRequest"], 2)
    query = f'{{ repository(owner: "bitcoin-core", name: "gui") {{ pullRequest(number: {number}) {selection} }} }}'
    assert gui.data(query)["repository"]["pullRequest"]["PullRequest_number"] == number

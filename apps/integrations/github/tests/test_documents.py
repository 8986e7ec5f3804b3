"""Every document of the client is valid by GitHub's published schema, those composed at run time too."""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from apps.integrations.github import documents
from apps.integrations.github.completion import Wanted, compose
from apps.integrations.github.connections import DEPLOYMENT_STATUSES, EVENT_TYPES, PULL_REQUEST, TEAM_MEMBERS
from apps.integrations.github.connections import THREAD_COMMENTS as COMMENTS
from apps.integrations.github.documents import operation, operations
from apps.integrations.github.tests.points import price
from devtools.published_schema import fetch_schema

ROOT = Path(__file__).parents[4]
CONNECTIONS = [*PULL_REQUEST, COMMENTS, DEPLOYMENT_STATUSES, TEAM_MEMBERS]


@cache
def published() -> GraphQLSchema | None:
    path = fetch_schema(Path(os.environ.get("TFORMANCE_VAR") or ROOT / "var"))
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True) if path else None


@pytest.fixture
def schema() -> GraphQLSchema:
    found = published()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("GitHub's published schema could not be fetched: the npm registry does not answer")
        pytest.skip("GitHub's published schema could not be fetched (no npm registry)")
    return found


@pytest.mark.parametrize("name", operations())
def test_each_operation_is_valid(schema, name):
    assert validate(schema, parse(operation(name))) == []


@pytest.mark.parametrize("name", [name for name in operations() if "repository(owner" in operation(name)])
def test_whoever_asks_for_a_repository_by_its_name_asks_for_its_id(name):
    document = operation(name)
    asked = document[document.index("repository(owner") :]
    assert "databaseId" in asked.partition("pullRequests")[0] or "...RepositoryBits" in asked


@pytest.mark.parametrize("after", [None, "cursor"], ids=["first", "further"])
@pytest.mark.parametrize("connection", CONNECTIONS, ids=lambda connection: f"{connection.on}.{connection.field}")
def test_each_composed_page_is_valid(schema, connection, after):
    query = compose([Wanted({"id": "x"}, {}, connection, after)])
    assert validate(schema, parse(query.document)) == []


def test_a_whole_batch_is_valid_and_costs_a_point(schema):
    batch = [Wanted({"id": f"x{i}"}, {}, CONNECTIONS[i % 10], "c" if i % 3 else None) for i in range(140)]
    query = compose(batch)
    assert validate(schema, parse(query.document)) == []
    cost = price(query.document, query.variables)
    assert (cost.requests, cost.points) == (140, 1)
    assert len(query.places) == 140


def test_the_event_types_are_those_of_the_schema(schema):
    assert set(EVENT_TYPES) <= set(schema.type_map["PullRequestTimelineItemsItemType"].values)


@pytest.mark.parametrize(
    ("name", "variables", "points"),
    [
        ("pr_page", {"n": 24}, 2),
        ("pr_page", {"n": 14}, 1),
        ("pr_by_ids", {"ids": ["x"] * 14}, 1),
        ("pr_checks_by_ids", {"ids": ["x"] * 100}, 1),
        ("pr_states_by_ids", {"ids": ["x"] * 100}, 3),
        ("known_ids", {"ids": ["x"] * 100}, 1),
        ("deployment_ids", {}, 1),
        ("pr_ids", {}, 1),
        ("pr_updated_multi_repo", {"ids": ["x"] * 100, "deployments": False}, 1),
        ("pr_updated_multi_repo", {"ids": ["x"] * 100, "deployments": True}, 2),
        ("window_count", {}, 1),
        ("deployments", {}, 1),
        ("deployments_by_ids", {"ids": ["x"] * 100}, 1),
        ("teams", {}, 1),
    ],
)
def test_each_operation_costs_what_it_says(name, variables, points):
    assert price(operation(name), variables).points == points


def test_the_point_rule_gives_what_githubs_documentation_works_out():
    document = """query { viewer { login repositories(first: 100) { edges { node { id
        issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } } } } } } }"""
    cost = price(document, {})
    assert (cost.requests, cost.points) == (5101, 51)


def test_a_document_carries_only_the_fragments_that_it_needs():
    document = operation("known_ids")
    assert document.count("fragment ") == 1
    assert "fragment Budget on RateLimit" in document


def test_a_process_keeps_the_documents_that_it_began_with(tmp_path):
    shutil.copy(documents.__file__, tmp_path / "documents.py")
    shutil.copytree(documents.QUERIES, tmp_path / "queries")
    spec = spec_from_file_location("documents_of_a_process", tmp_path / "documents.py")
    began_with = module_from_spec(spec)
    spec.loader.exec_module(began_with)
    shutil.rmtree(tmp_path / "queries")  # as a new release does, before the process is restarted
    assert began_with.operations() == operations()
    assert [began_with.operation(name) for name in operations()] == [operation(name) for name in operations()]

"""The sandbox's own executor answers as graphql-core's does, only sooner."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLResolveInfo, execute_sync, parse

from devtools.github_sandbox.graphql_api.context import Context
from devtools.github_sandbox.graphql_api.documents import sandbox_schema
from devtools.github_sandbox.graphql_api.execution import Execution
from devtools.github_sandbox.graphql_api.registry import Call, snake_case
from devtools.github_sandbox.graphql_api.resolvers import RESOLVERS
from devtools.github_sandbox.tests.conftest import Client
from devtools.github_sandbox.tests.test_schema import everything

MERGED = """query Q($owner: String!, $with: Boolean = false) {
  first: repository(owner: $owner, name: "shop") { ...Names pullRequests(first: 2) { nodes { number } } }
  gone: repository(owner: $owner, name: "nope") { id }
  ...More
}
fragment More on Query { first: repository(owner: $owner, name: "shop") { id pullRequests(first: 2) { nodes { title
  author { ... on Actor { login } ... on User { name } ... on Bot { resourcePath } }
  comments(first: 3) @include(if: $with) { totalCount } reviews(first: 2) @skip(if: $with) { nodes { ...Text } } } } } }
fragment Names on Repository { nameWithOwner owner { __typename login ... on Organization { databaseName: name } } }
fragment Text on PullRequestReview { __typename body state }"""


def by_graphql_core(query: str, context: Context, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
    def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        found = RESOLVERS.get((info.parent_type.name, info.field_name))
        if found is None:
            return getattr(source, snake_case(info.field_name))
        return found(source, Call(context, arguments))

    result = execute_sync(
        sandbox_schema(),
        parse(query),
        variable_values=variables,
        field_resolver=resolve,
        type_resolver=lambda entity, info, kind: entity.typename,
    )
    return result.data, [error.path for error in result.errors or ()]


def by_the_sandbox(client: Client, query: str, context: Context, variables: dict[str, Any]) -> tuple[Any, list[Any]]:
    operation = client.server.graphql.prepare({"query": query, "variables": variables})
    execution = Execution(operation, context)
    return execution.run(None), [error["path"] for error in execution.errors]


@pytest.fixture
def context(shop: Client) -> Context:
    session = shop.server.tokens.session("sandbox-token")
    assert session is not None
    return Context(shop.server.world, session, shop.server.url, None)


@pytest.mark.parametrize("variables", [{"owner": "acme"}, {"owner": "acme", "with": True}])
def test_fragments_directives_aliases_and_errors_are_treated_alike(
    shop: Client, context: Context, variables: dict[str, Any]
) -> None:
    ours = by_the_sandbox(shop, MERGED, context, variables)
    assert ours == by_graphql_core(MERGED, context, variables)
    assert ours[1] == [["gone"]]


def test_a_whole_page_of_pull_requests_is_the_same(shop: Client, context: Context) -> None:
    # graphql-core refuses an Int past 2^31, which GitHub's databaseId is
    selection = everything(sandbox_schema().type_map["PullRequest"], 1, without={"databaseId"})
    query = f'{{ repository(owner: "acme", name: "shop") {{ pullRequests(first: 5) {{ nodes {selection} }} }} }}'
    assert by_the_sandbox(shop, query, context, {}) == by_graphql_core(query, context, {})


@pytest.mark.parametrize(
    ("name", "snake"),
    [("fullDatabaseId", "full_database_id"), ("bodyHTML", "body_html"), ("id", "id"), ("headRefOid", "head_ref_oid")],
)
def test_a_field_is_the_attribute_of_its_name_in_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake

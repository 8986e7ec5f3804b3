"""Points and nodes by GitHub's documented rule, and what is refused before it runs."""

from __future__ import annotations

import pytest

from devtools.github_sandbox.graphql_api.cost import price
from devtools.github_sandbox.graphql_api.documents import Documents
from devtools.github_sandbox.tests.conftest import Client


def cost(query: str, **variables: object) -> tuple[int, int, int]:
    found = price(Documents().operation(query, None, variables))
    return found.points, found.requests, found.nodes


def test_it_prices_the_documented_example() -> None:
    """100 repositories, 50 issues each, 60 labels each: 1 + 100 + 5,000 requests, so 51 points.

    https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """
    query = """{ viewer { login repositories(first: 100) { edges { node { id
        issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } } } } } } }"""
    assert cost(query) == (51, 5_101, 305_100)


def test_it_counts_the_nodes_of_the_documented_example() -> None:
    """50 repositories, 20 pull requests and 20 issues each with 10 comments: 22,060 nodes with 10 more beside them.

    Those ten are followers there; the sandbox has none, so organizations stand for them.
    """
    query = """{ viewer {
        repositories(first: 50) { edges { repository: node { name
          pullRequests(first: 20) { edges { pullRequest: node { title
            comments(first: 10) { edges { comment: node { bodyHTML } } } } } }
          issues(first: 20) { totalCount edges { issue: node { title body
            comments(first: 10) { edges { comment: node { bodyHTML } } } } } } } } }
        organizations(first: 10) { edges { organization: node { login } } } } }"""
    assert cost(query)[2] == 22_060


@pytest.mark.parametrize(("pulls", "points"), [(14, 1), (24, 2), (25, 3), (50, 5), (100, 10)])
def test_ten_connections_a_pull_request_make_14_the_page_for_one_point(pulls: int, points: int) -> None:
    inner = " ".join(f"c{index}: comments(first: 50) {{ nodes {{ id }} }}" for index in range(10))
    found = 'repository(owner: "o", name: "r")'
    query = f"query($n: Int!) {{ {found} {{ pullRequests(first: $n) {{ nodes {{ {inner} }} }} }} }}"
    assert cost(query, n=pulls)[0] == points


def test_a_connection_in_two_fragments_costs_once() -> None:
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { ...A ...B } }
        fragment A on PullRequest { comments(first: 10) { nodes { id } } }
        fragment B on PullRequest { comments(first: 10) { totalCount } }"""
    assert cost(query, ids=["x"] * 100) == (1, 100, 1_100)


def test_what_is_skipped_costs_nothing() -> None:
    query = """query($ids: [ID!]!, $with: Boolean!) { nodes(ids: $ids) { ... on PullRequest {
        id comments(first: 10) @include(if: $with) { nodes { id } }
        reviews(first: 10) @skip(if: true) { totalCount } } } }"""
    assert cost(query, ids=["x"] * 60, **{"with": False}) == (1, 0, 60)
    assert cost(query, ids=["x"] * 60, **{"with": True}) == (1, 60, 660)


def test_a_query_without_connections_costs_one_point() -> None:
    assert cost("{ viewer { login } }") == (1, 0, 0)


PULLS = 'repository(owner: "acme", name: "shop") { pullRequests%s { nodes { id } } }'


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value"),
        ("(first: 101)", "EXCESSIVE_PAGINATION", "Requesting 101 records on the `pullRequests` connection exceeds"),
        ("(first: 1, last: 1)", "INVALID_PAGINATION_BOUNDARIES", "Passing both `first` and `last`"),
        ("(first: -1)", "INVALID_PAGINATION", "cannot be less than zero"),
    ],
)
def test_page_sizes_that_github_refuses_are_refused(shop: Client, arguments: str, kind: str, words: str) -> None:
    answer = shop.graphql("{ " + PULLS % arguments + " }")
    assert "data" not in answer
    assert answer["errors"][0]["type"] == kind
    assert words in answer["errors"][0]["message"]


def test_a_count_needs_no_page_size(shop: Client) -> None:
    query = '{ repository(owner: "acme", name: "shop") { pullRequests { totalCount } } }'
    assert shop.data(query)["repository"]["pullRequests"]["totalCount"] == 120


def test_more_than_half_a_million_nodes_are_refused(shop: Client) -> None:
    query = """{ viewer { repositories(first: 100) { nodes { pullRequests(first: 100) { nodes {
        comments(first: 100) { nodes { id } } } } } } } }"""
    error = shop.error(query)
    assert error["type"] == "MAX_NODE_LIMIT_EXCEEDED"
    assert "1,010,100 possible nodes" in error["message"]


def test_101_ids_are_refused(shop: Client) -> None:
    error = shop.error("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101)
    assert error["message"] == "You may not provide more than 100 node ids; you provided 101."


def test_a_dry_run_says_the_cost_and_takes_nothing(own: Client) -> None:
    query = "{ rateLimit(dryRun: true) { cost remaining nodeCount } " + PULLS % "(first: 10)" + " }"
    assert own.data(query) == {"rateLimit": {"cost": 1, "remaining": 5_000, "nodeCount": 10}, "repository": None}
    assert own.data("{ rateLimit { cost remaining used } }") == {
        "rateLimit": {"cost": 1, "remaining": 4_999, "used": 1}
    }

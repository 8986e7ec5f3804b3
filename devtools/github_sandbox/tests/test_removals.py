"""What disappears on GitHub, loudly or behind everybody's back."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.github_sandbox.tests.conftest import Client

PULL = """query($n: Int!) { repository(owner: "acme", name: "shop") {
  pullRequests { totalCount }
  pullRequest(number: $n) { id updatedAt comments(first: 50) { totalCount nodes { id body } }
    reviews(first: 50) { totalCount nodes { id state } } labels(first: 50) { totalCount nodes { name } }
    reviewThreads(first: 50) { totalCount nodes { id comments(first: 50) { totalCount } } }
    commits(first: 50) { totalCount nodes { commit { oid } } } totalCommentsCount } } }"""


def made(own: Client) -> int:
    """A pull request with one of everything."""
    number: int = own.mutate(repo="acme/shop", action="open")["number"]
    for action in ("comment", "review_comment", "review", "label"):
        own.mutate(repo="acme/shop", action=action, number=number)
    return number


def look(own: Client, number: int) -> dict[str, Any]:
    found: dict[str, Any] = own.data(PULL, n=number)["repository"]["pullRequest"]
    return found


@pytest.mark.parametrize(
    ("action", "part", "path"),
    [
        ("delete_comment", "comments", "/repos/acme/shop/issues/{}/comments"),
        ("delete_review_comment", "reviewThreads", "/repos/acme/shop/pulls/{}/comments"),
        ("delete_review", "reviews", "/repos/acme/shop/pulls/{}/reviews"),
        ("unlabel", "labels", None),
    ],
)
@pytest.mark.parametrize("silent", [False, True])
def test_a_part_can_be_removed(own: Client, action: str, part: str, path: str | None, silent: bool) -> None:
    number = made(own)
    pull = own.server.world.repository("acme/shop").contents.pulls[number]  # type: ignore[union-attr]
    pull.updated_at = before = "2026-03-01T00:00:00Z"
    own.mutate(repo="acme/shop", action=action, number=number, silent=silent)
    after = look(own, number)
    assert after[part]["totalCount"] == 0
    assert (after["updatedAt"] == before) is silent
    if path is not None:
        assert own.get(path.format(number)).json() == []


def test_a_removed_comment_is_found_by_no_id_and_counted_nowhere(own: Client) -> None:
    number = made(own)
    node = look(own, number)["comments"]["nodes"][0]["id"]
    assert look(own, number)["totalCommentsCount"] == 2
    own.mutate(repo="acme/shop", action="delete_comment", number=number)
    assert own.graphql(f'{{ node(id: "{node}") {{ id }} }}')["errors"][0]["type"] == "NOT_FOUND"
    assert look(own, number)["totalCommentsCount"] == 1
    assert own.get(f"/repos/acme/shop/pulls/{number}").json()["comments"] == 0


def test_what_is_removed_can_be_named(own: Client) -> None:
    number = made(own)
    first = own.mutate(repo="acme/shop", action="comment", number=number, body="first")["id"]
    own.mutate(repo="acme/shop", action="comment", number=number, body="last")
    own.mutate(repo="acme/shop", action="delete_comment", number=number, id=first)
    assert [each["body"] for each in look(own, number)["comments"]["nodes"]] == ["Thank you.", "last"]


def test_a_silent_dismissal_moves_nothing_but_the_review(own: Client) -> None:
    number = made(own)
    pull = own.server.world.repository("acme/shop").contents.pulls[number]  # type: ignore[union-attr]
    pull.updated_at = "2026-03-01T00:00:00Z"
    own.mutate(repo="acme/shop", action="dismiss", number=number, silent=True)
    after = look(own, number)
    assert [review["state"] for review in after["reviews"]["nodes"]] == ["DISMISSED"]
    assert after["updatedAt"] == "2026-03-01T00:00:00Z"


def test_a_force_push_leaves_commits_behind(own: Client) -> None:
    number = made(own)
    for _ in range(2):
        own.mutate(repo="acme/shop", action="push", number=number)
    before = [each["commit"]["oid"] for each in look(own, number)["commits"]["nodes"]]
    sha = own.mutate(repo="acme/shop", action="push", number=number, force=True, drop=2, silent=True)["sha"]
    after = [each["commit"]["oid"] for each in look(own, number)["commits"]["nodes"]]
    assert after == [before[0], sha]
    assert [each["sha"] for each in own.get(f"/repos/acme/shop/pulls/{number}/commits").json()] == after


def test_a_pull_request_can_be_gone_whole(own: Client) -> None:
    number = made(own)
    node = look(own, number)["id"]
    total = own.data(PULL, n=number)["repository"]["pullRequests"]["totalCount"]
    own.mutate(repo="acme/shop", action="delete", number=number)
    answer = own.graphql(PULL, n=number)
    assert answer["data"]["repository"]["pullRequest"] is None
    assert answer["data"]["repository"]["pullRequests"]["totalCount"] == total - 1
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    by_id = own.graphql("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[node])
    assert (by_id["data"], by_id["errors"][0]["type"]) == ({"nodes": [None]}, "NOT_FOUND")
    assert own.get(f"/repos/acme/shop/pulls/{number}").status_code == 404
    assert own.get(f"/repos/acme/shop/issues/{number}/comments").status_code == 404
    assert number not in [each["number"] for each in own.get("/repos/acme/shop/pulls?state=all&per_page=100").json()]
    assert own.mutate(repo="acme/shop", action="open")["number"] > number


def test_a_deployment_can_be_gone(own: Client) -> None:
    query = '{ repository(owner: "acme", name: "shop") { deployments { totalCount } } }'
    first = own.mutate(repo="acme/shop", action="deploy", state="IN_PROGRESS")
    before = own.data(query)["repository"]["deployments"]["totalCount"]
    own.mutate(repo="acme/shop", action="delete_deployment", id=first["id"])
    assert own.data(query)["repository"]["deployments"]["totalCount"] == before - 1
    assert own.get(f"/repos/acme/shop/deployments/{first['id']}").status_code == 404


def test_a_deployment_gets_another_status(own: Client) -> None:
    made = own.mutate(repo="acme/shop", action="deploy", state="IN_PROGRESS", environment="staging")
    own.mutate(repo="acme/shop", action="deployment_status", id=made["id"], state="FAILURE")
    data = own.data(
        """query($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Deployment { state statuses(first: 5) { nodes { state } } } } }""",
        ids=[made["node_id"]],
    )
    assert data["nodes"] == [
        {"state": "FAILURE", "statuses": {"nodes": [{"state": "FAILURE"}, {"state": "IN_PROGRESS"}]}}
    ]
    rest = own.get(f"/repos/acme/shop/deployments/{made['id']}/statuses").json()
    assert [each["state"] for each in rest] == ["failure", "in_progress"]


def test_deployments_of_many_repositories_come_by_their_ids(own: Client) -> None:
    own.mutate(repo="acme/shop", action="deploy", environment="production")
    node = own.get("/repos/acme/shop").json()["node_id"]
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository {
        deployments(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { environment } } } } }"""
    assert own.data(query, ids=[node])["nodes"] == [{"deployments": {"nodes": [{"environment": "production"}]}}]


def test_graphql_can_give_up_on_a_diff_that_rest_still_has(own: Client) -> None:
    number = own.get("/repos/acme/shop/pulls?state=all&per_page=1").json()[0]["number"]
    before = own.get(f"/repos/acme/shop/pulls/{number}/files").json()
    own.mutate(repo="acme/shop", action="diff_unavailable", number=number)
    query = """query($n: Int!) { repository(owner: "acme", name: "shop") { pullRequest(number: $n) {
        changedFiles additions deletions files(first: 5) { totalCount } } } }"""
    assert own.data(query, n=number)["repository"]["pullRequest"] == {
        "changedFiles": 0,
        "additions": 0,
        "deletions": 0,
        "files": None,
    }
    assert own.get(f"/repos/acme/shop/pulls/{number}/files").json() == before
    own.mutate(repo="acme/shop", action="diff_unavailable", number=number, rest=False)
    assert own.get(f"/repos/acme/shop/pulls/{number}/files").status_code == 422


def test_a_running_check_ends_and_runs_again(own: Client) -> None:
    number = made(own)
    own.mutate(repo="acme/shop", action="check", number=number, name="unit", status="IN_PROGRESS")
    own.mutate(repo="acme/shop", action="finish_check", number=number, name="unit", conclusion="FAILURE")
    own.mutate(repo="acme/shop", action="check", number=number, name="unit")
    own.mutate(repo="acme/shop", action="status", number=number, name="legacy", state="PENDING")
    head = own.get(f"/repos/acme/shop/pulls/{number}").json()["head"]["sha"]
    runs = own.get(f"/repos/acme/shop/commits/{head}/check-runs?filter=all").json()["check_runs"]
    assert [run["conclusion"] for run in runs] == ["failure", "success"]
    assert own.get(f"/repos/acme/shop/commits/{head}/status").json()["state"] == "pending"

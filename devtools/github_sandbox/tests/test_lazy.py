"""A repository that is generated piece by piece answers as one that is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from devtools.github_sandbox.churn import Churn
from devtools.github_sandbox.server import SandboxServer
from devtools.github_sandbox.synthetic.lazy import KEPT, LazyContents
from devtools.github_sandbox.tests.conftest import NOW, Client

COUNT = 6_000
PAGE = """query Page($n: Int!, $after: String, $order: IssueOrder!, $states: [PullRequestState!]) {
  repository(owner: "acme", name: "big") { pullRequests(first: $n, after: $after, orderBy: $order, states: $states) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id fullDatabaseId number title state createdAt updatedAt mergedAt headRefOid author { login }
      files(first: 3) { totalCount } comments(first: 5) { nodes { id body } }
      reviewThreads(first: 5) { nodes { id } } statusCheckRollup { contexts(first: 5) { totalCount } }
      commits(first: 5) { nodes { commit { oid } } } headRepository { databaseId } } } } }"""
NEWEST = {"field": "CREATED_AT", "direction": "DESC"}
LATEST = {"field": "UPDATED_AT", "direction": "DESC"}


@pytest.fixture
def big() -> Iterator[Client]:
    with SandboxServer(synthetic=[f"acme:big:{COUNT}"], now=NOW) as server, closing(Client(server)) as client:
        yield client


def contents_of(client: Client) -> LazyContents:
    repository = client.server.world.repository("acme/big")
    assert repository is not None
    assert isinstance(repository.contents, LazyContents)
    return repository.contents


def page(client: Client, n: int = 20, after: str | None = None, order: Any = NEWEST, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.data(PAGE, n=n, after=after, order=order, **more)["repository"]["pullRequests"]
    return found


def test_a_large_repository_is_there_at_once() -> None:
    begin = time.process_time()
    with SandboxServer(synthetic=["acme:big:50000:mix"], now=NOW) as server, closing(Client(server)) as client:
        data = client.data('{ repository(owner: "acme", name: "big") { pullRequests { totalCount } } }')
        assert data["repository"]["pullRequests"]["totalCount"] == 50_000
        assert len(client.get("/repos/acme/big/pulls?state=all").json()) == 30
    assert time.process_time() - begin < 15


def test_every_pull_request_is_met_once_newest_first(big: Client) -> None:
    numbers: list[int] = []
    after = None
    while len(numbers) < 700:
        rows = page(big, 100, after)
        numbers += [each["number"] for each in rows["nodes"]]
        after = rows["pageInfo"]["endCursor"]
    newest = sorted(contents_of(big).places, reverse=True)
    assert numbers == newest[: len(numbers)]


def test_states_are_counted_and_told_apart(big: Client) -> None:
    counts = {state: page(big, 5, states=[state])["totalCount"] for state in ("OPEN", "MERGED", "CLOSED")}
    assert sum(counts.values()) == page(big, 1)["totalCount"] == COUNT
    assert {each["state"] for each in page(big, 40, states=["OPEN"])["nodes"]} == {"OPEN"}
    assert big.get("/repos/acme/big").json()["open_issues_count"] == counts["OPEN"]


def test_the_latest_updates_come_first(big: Client) -> None:
    moments = [each["updatedAt"] for each in page(big, 60, order=LATEST)["nodes"]]
    assert moments == sorted(moments, reverse=True)
    assert all(each["mergedAt"] is None or each["mergedAt"] <= each["updatedAt"] for each in page(big, 60)["nodes"])


def test_what_was_forgotten_is_made_again_just_the_same(big: Client) -> None:
    before = page(big)
    for place in range(KEPT + 10):
        contents_of(big).shard(place)
    assert page(big) == before


def test_another_order_of_looking_gives_the_same(big: Client) -> None:
    for place in range(0, 200, 7):
        contents_of(big).shard(place)
    first = page(big)
    with SandboxServer(synthetic=[f"acme:big:{COUNT}"], now=NOW) as server, closing(Client(server)) as other:
        assert page(other) == first


def test_everything_is_found_by_its_id(big: Client) -> None:
    row = next(each for each in page(big, 60)["nodes"] if each["comments"]["nodes"] and each["reviewThreads"]["nodes"])
    for place in range(KEPT + 10):
        contents_of(big).shard(place)
    ids = [row["id"], row["comments"]["nodes"][0]["id"], row["reviewThreads"]["nodes"][0]["id"]]
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on PullRequestReviewThread { comments(first: 1) { totalCount } } } }"""
    assert [each["id"] for each in big.data(query, ids=ids)["nodes"]] == ids
    sha = row["headRefOid"]
    assert big.get(f"/repos/acme/big/commits/{sha}/check-runs").status_code == 200
    assert [each["number"] for each in big.get(f"/repos/acme/big/commits/{sha}/pulls").json()] == [row["number"]]


def test_ids_are_nobody_elses(big: Client) -> None:
    contents = contents_of(big)
    ids = [node for place in range(300) for node in contents.shard(place)[1].nodes]
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(contents.nodes)


def test_a_search_counts_a_window_without_making_it(big: Client) -> None:
    since = (NOW.replace(month=2, day=20)).strftime("%Y-%m-%d")
    query = """query($q: String!) { search(query: $q, type: ISSUE, first: 2) {
        issueCount nodes { ... on PullRequest { title } } } }"""
    data = big.data(query, q=f"repo:acme/big is:pr updated:>={since}")["search"]
    rows = contents_of(big).sorted_pulls("UPDATED_AT")
    assert data["issueCount"] == sum(each.updated_at >= since for each in rows)
    assert all(node["title"] for node in data["nodes"])


def test_what_is_changed_stays_changed(big: Client) -> None:
    number = page(big)["nodes"][3]["number"]
    big.mutate(repo="acme/big", action="edit", number=number, title="Another title")
    big.mutate(repo="acme/big", action="check", number=number, name="late")
    for place in range(KEPT + 10):
        contents_of(big).shard(place)
    first = page(big, 1, order=LATEST)["nodes"][0]
    assert (first["number"], first["title"]) == (number, "Another title")
    late = big.get(f"/repos/acme/big/commits/{first['headRefOid']}/check-runs?check_name=late")
    assert late.json()["total_count"] == 1


def test_what_is_deleted_stays_deleted(big: Client) -> None:
    row = page(big)["nodes"][3]
    big.mutate(repo="acme/big", action="delete", number=row["number"])
    assert page(big, 1)["totalCount"] == COUNT - 1
    assert big.get(f"/repos/acme/big/pulls/{row['number']}").status_code == 404
    assert big.graphql(f'{{ node(id: "{row["id"]}") {{ id }} }}')["errors"][0]["type"] == "NOT_FOUND"


def test_it_is_renamed_without_becoming_another(big: Client) -> None:
    before = page(big)
    big.mutate(repo="acme/big", action="rename", name="huge")
    big.mutate(action="rename_user", login="mara-lindqvist", to="mara")
    contents_of(big)._shards.clear()
    after = page(big)
    assert [each["id"] for each in after["nodes"]] == [each["id"] for each in before["nodes"]]
    assert [each["title"] for each in after["nodes"]] == [each["title"] for each in before["nodes"]]


def test_deployments_are_there(big: Client) -> None:
    rows = big.get("/repos/acme/big/deployments?per_page=5").json()
    assert {each["environment"] for each in rows} <= {"staging", "production"}
    assert len(rows) == 5
    assert big.get(f"/repos/acme/big/deployments/{rows[0]['id']}/statuses").json()[0]["state"] in ("success", "failure")


def test_life_goes_on_in_it(big: Client) -> None:
    churn = Churn(big.server, "acme/big", seed=9)
    churn.run(150)
    assert page(big, 20, order=LATEST)["totalCount"] == len(churn.repository.contents.pulls)

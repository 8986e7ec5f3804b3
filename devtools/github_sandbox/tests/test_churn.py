"""Random change: believable, repeatable, and safe while the server answers."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from devtools.github_sandbox.churn import WEIGHTS, Churn
from devtools.github_sandbox.server import SandboxServer
from devtools.github_sandbox.tests.conftest import NOW, RECORDED, Client

WALK = """query Walk($id: ID!, $after: String) { node(id: $id) { ... on Repository {
  pullRequests(first: 20, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { number updatedAt state comments(first: 50) { totalCount nodes { id author { login } } }
      reviews(first: 50) { totalCount nodes { id state } } reviewThreads(first: 50) { nodes { comments(first: 30) {
      totalCount nodes { id } } } } commits(first: 50) { totalCount nodes { commit { oid } } }
      labels(first: 20) { totalCount nodes { name } } statusCheckRollup { contexts(first: 50) { totalCount } } } } } } }
"""


def walked(client: Client, node: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        page = client.data(WALK, id=node, after=after)["node"]["pullRequests"]
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


def node_of(server: SandboxServer, repo: str) -> str:
    found = server.world.repository(repo)
    assert found is not None
    return found.id


def test_everything_happens_sooner_or_later(own: Client) -> None:
    churn = Churn(own.server, "acme/shop", seed=5)
    churn.run(600)
    forced = [each for each in churn.log if each.get("force")]
    done = {each["action"] for each in churn.log}
    renamed = {"start_check": "check", "run_check_again": "check", "force_push": "push", "rename_repository": "rename"}
    assert {renamed.get(name, name) for name in WEIGHTS} <= done
    assert forced


def test_a_seed_gives_the_same_changes() -> None:
    logs = []
    for _ in range(2):
        with SandboxServer(synthetic=["acme:shop:30"], now=NOW) as server:
            logs.append(Churn(server, "acme/shop", seed=3).run(80))
    assert logs[0] == logs[1]


def test_what_must_not_happen_does_not(own: Client) -> None:
    churn = Churn(own.server, "acme/shop", seed=1, without=["delete", "rename_repository", "rename_user"])
    churn.run(300)
    assert not {"delete", "rename", "rename_user"} & {each["action"] for each in churn.log}
    with pytest.raises(ValueError, match="meteor"):
        Churn(own.server, "acme/shop", seed=1, without=["meteor"])


def test_counts_and_lists_agree_after_it(own: Client) -> None:
    node = node_of(own.server, "acme/shop")
    Churn(own.server, "acme/shop", seed=11).run(400)
    rows = walked(own, node)
    for row in rows:
        for part in ("comments", "reviews", "commits", "labels"):
            assert len(row[part]["nodes"]) == min(row[part]["totalCount"], 50), (row["number"], part)
    listed = own.get(f"/repositories/{own.server.world.node(node).database_id}/pulls?state=all&per_page=100").json()  # type: ignore[union-attr]
    assert {row["number"] for row in rows} == {each["number"] for each in listed}


def test_what_github_counts_as_an_update_is_stamped(own: Client) -> None:
    repository = own.server.world.repository("acme/shop")
    assert repository is not None
    churn = Churn(own.server, "acme/shop", seed=2)
    quiet = {"resolve", "unresolve", "check", "finish_check", "status", "delete"}
    for _ in range(150):
        for pull in repository.contents.pulls.values():
            pull.updated_at = "2026-01-01T00:00:00Z"
        request = churn.step()
        if "number" in request and request["action"] != "delete":
            stamped = repository.contents.pulls[request["number"]].updated_at > "2026-01-01T00:00:00Z"
            assert stamped is (request["action"] not in quiet), request


@pytest.mark.parametrize("recorded", [False, True])
def test_it_goes_on_while_the_server_answers(recorded: bool) -> None:
    if recorded and not RECORDED.exists():
        pytest.skip("no recorded pull requests beside this checkout")
    source: dict[str, Any] = {"data": RECORDED} if recorded else {"synthetic": ["acme:shop:60"], "now": NOW}
    repo = "bitcoin-core/gui" if recorded else "acme/shop"
    with SandboxServer(**source) as server, httpx.Client(base_url=server.url) as http:
        http.headers["Authorization"] = "Bearer sandbox-token"
        churn, node, stop, trouble = Churn(server, repo, seed=4), node_of(server, repo), threading.Event(), []
        number = churn.repository.database_id

        def read() -> None:
            while not stop.is_set():
                asked = http.post("/graphql", json={"query": WALK, "variables": {"id": node, "after": None}})
                listed = http.get(f"/repositories/{number}/pulls?state=all&per_page=20")
                if asked.status_code != 200 or "errors" in asked.json() or listed.status_code != 200:
                    trouble.append(asked.text[:300] + listed.text[:300])

        reader = threading.Thread(target=read)
        reader.start()
        churn.run(300)
        stop.set()
        reader.join()
        assert trouble == []
        assert len(churn.log) == 300

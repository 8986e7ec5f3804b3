"""Faults that depend on what an answer has in it, faults of one field, and faults by chance."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from devtools.github_sandbox.tests.conftest import Client

PAGE = """query Page($n: Int!, $files: Boolean = true) { repository(owner: "acme", name: "shop") {
  pullRequests(first: $n) { nodes { number title files(first: 3) @include(if: $files) { totalCount }
    commits(first: 1) { totalCount } } } } }"""
BY_IDS = (
    "query ByIds($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { title files(first: 1) { totalCount } } } }"
)


def page(client: Client, n: int, files: bool = True) -> httpx.Response:
    return client.http.post("/graphql", json={"query": PAGE, "variables": {"n": n, "files": files}})


def fault(client: Client, kind: str, match: str = "*", **more: Any) -> None:
    assert client.post("/_sandbox/faults", [{"match": match, "kind": kind, **more}]).status_code == 200


def first_pulls(client: Client, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/repos/acme/shop/pulls?state=all&direction=asc&per_page={count}").json()
    return rows


def test_a_poisoned_pull_request_fails_every_query_that_has_it(own: Client) -> None:
    first, second = first_pulls(own, 2)
    own.post("/_sandbox/faults/poison", {"repo": "acme/shop", "number": second["number"]})
    assert [page(own, n).status_code for n in (1, 2, 12, 2)] == [200, 502, 502, 502]
    codes = [
        own.http.post("/graphql", json={"query": BY_IDS, "variables": {"ids": [each["node_id"]]}}).status_code
        for each in (first, second)
    ]
    assert codes == [200, 502]
    assert own.get(f"/repos/acme/shop/pulls/{second['number']}/files").status_code == 200


def test_a_part_can_be_poisoned_alone(own: Client) -> None:
    number = first_pulls(own, 1)[0]["number"]
    own.post("/_sandbox/faults/poison", {"repo": "acme/shop", "number": number, "part": "files"})
    assert page(own, 3).status_code == 502
    assert page(own, 3, files=False).status_code == 200
    own.http.delete("/_sandbox/faults")
    assert page(own, 3).status_code == 200


def test_a_page_can_be_too_much_however_it_is_asked_for(own: Client) -> None:
    fault(own, "502", times=-1, when={"pulls_over": 4})
    ids = [each["node_id"] for each in first_pulls(own, 5)]
    assert [page(own, n).status_code for n in (5, 4)] == [502, 200]
    codes = [
        own.http.post("/graphql", json={"query": BY_IDS, "variables": {"ids": ids[:n]}}).status_code for n in (5, 4)
    ]
    assert codes == [502, 200]


def test_a_failed_query_is_charged_all_the_same(own: Client) -> None:
    fault(own, "502", when={"pulls_over": 4})
    page(own, 5)
    assert page(own, 5).headers["x-ratelimit-remaining"] == "4998"


def test_an_answer_can_take_as_long_as_it_is_big(own: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(own, "slow", times=-1, per_pull=0.05, cap=0.2)
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert [page(own, n).status_code for n in (1, 3, 12)] == [200] * 3
    assert slept == pytest.approx([0.05, 0.15, 0.2])


def test_what_takes_too_long_is_given_up(own: Client) -> None:
    fault(own, "slow", times=-1, per_pull=0.02, limit=0.1)
    assert [page(own, n).status_code for n in (4, 6)] == [200, 502]


def test_one_connection_of_one_pull_request_can_fail_beside_data(own: Client) -> None:
    number = first_pulls(own, 2)[1]["number"]
    fault(own, "graphql_error", field="files", when={"pull": number, "repo": "acme/shop"}, times=-1)
    answer = page(own, 3).json()
    nodes = answer["data"]["repository"]["pullRequests"]["nodes"]
    assert [node["files"] is None for node in nodes] == [False, True, False]
    assert [error["path"] for error in answer["errors"]] == [["repository", "pullRequests", "nodes", 1, "files"]]
    assert "Something went wrong" in answer["errors"][0]["message"]


def test_a_connection_that_may_not_be_null_takes_its_pull_request_along(own: Client) -> None:
    fault(own, "resource_limits", field="commits", every=2)
    answer = page(own, 4).json()
    nodes = answer["data"]["repository"]["pullRequests"]["nodes"]
    numbers = [each["number"] for each in first_pulls(own, 4)]
    assert [node is None for node in nodes] == [number % 2 == 0 for number in numbers]
    assert {error["type"] for error in answer["errors"]} == {"RESOURCE_LIMITS_EXCEEDED"}
    assert "errors" not in page(own, 4).json()


def test_a_field_of_another_type_can_fail(own: Client) -> None:
    fault(own, "graphql_error", field="Repository.deployments", type="INTERNAL")
    query = '{ repository(owner: "acme", name: "shop") { deployments(first: 1) { totalCount } } }'
    assert own.graphql(query)["data"] == {"repository": None}
    assert "errors" not in own.graphql(query)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_an_answer_can_lead_elsewhere(own: Client, status: int) -> None:
    fault(own, "redirect", match="/repos/acme/shop", status=status, location=f"{own.server.url}/user")
    answer = own.get("/repos/acme/shop/pulls")
    assert (answer.status_code, answer.headers["location"]) == (status, f"{own.server.url}/user")


@pytest.mark.parametrize("kind", ["410", "451", "500", "503"])
def test_a_status_can_be_any(own: Client, kind: str) -> None:
    fault(own, kind, match="/repos/acme/shop")
    assert own.get("/repos/acme/shop/pulls").status_code == int(kind)


def test_the_secondary_limit_can_be_a_200_and_say_nothing_of_when(own: Client) -> None:
    fault(own, "secondary", match="Page", status=200)
    answer = page(own, 1)
    assert answer.status_code == 200
    assert "secondary rate limit" in answer.json()["errors"][0]["message"]
    assert "retry-after" not in answer.headers


def outcomes(client: Client, requests: int = 60) -> list[str]:
    found = []
    for _ in range(requests):
        try:
            answer = page(client, 3)
            found.append(f"{answer.status_code} {'errors' in answer.json()}")
        except (httpx.TransportError, ValueError) as error:
            found.append(type(error).__name__)
    return found


def test_chance_is_the_same_for_a_seed(own: Client) -> None:
    kinds = ["502", "drop", "invalid_json", "graphql_error", "secondary"]
    body = {"seed": 7, "rate": 0.3, "kinds": kinds}
    own.post("/_sandbox/faults/random", body)
    first = outcomes(own)
    struck = own.http.delete("/_sandbox/faults/random").json()["struck"]
    own.post("/_sandbox/faults/random", body)
    assert outcomes(own) == first
    assert {kind for _, _, kind in struck} == set(kinds)
    assert 8 <= len(struck) <= 28
    assert len([each for each in first if each == "200 False"]) == 60 - len(struck)


def test_another_seed_breaks_other_requests(own: Client) -> None:
    plans = [own.server.faults.random(seed, 0.2, ["502"]) for seed in (1, 2)]
    for plan in plans:
        for _ in range(50):
            plan.take("x", frozenset())
    assert plans[0].struck != plans[1].struck


def test_chance_ends_when_it_is_told_to(own: Client) -> None:
    plan = own.server.faults.random(seed=1, rate=1.0, kinds=["502"])
    assert page(own, 1).status_code == own.get("/user").status_code == 502
    plan.stop()
    assert page(own, 1).status_code == own.get("/user").status_code == 200
    assert [(name, kind) for _, name, kind in plan.struck] == [("Page", "502"), ("/user", "502")]


@pytest.mark.parametrize("kind", ["truncate", "504", "rate_limited", "resource_limits", "slow"])
def test_every_kind_can_come_by_chance(own: Client, kind: str) -> None:
    plan = own.server.faults.random(seed=3, rate=1.0, kinds=[kind])
    if kind == "truncate":
        with pytest.raises(httpx.RemoteProtocolError):
            page(own, 2)
    else:
        answer = page(own, 6)
        assert (answer.status_code, "errors" in answer.text) == {
            "504": (504, False),
            "rate_limited": (200, True),
            "resource_limits": (200, True),
            "slow": (200, False),
        }[kind]
    assert [each[2] for each in plan.struck] == [kind]


def test_no_chance_of_what_is_no_kind(own: Client) -> None:
    assert own.post("/_sandbox/faults/random", {"seed": 1, "kinds": ["meteor"]}).status_code == 422

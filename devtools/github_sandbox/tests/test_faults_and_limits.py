"""Budgets that run out and come back, and answers that are broken on request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from devtools.github_sandbox.limits import Limits
from devtools.github_sandbox.tests.conftest import Client

QUERY = """query Pulls($n: Int!) {
  repository(owner: "acme", name: "shop") { pullRequests(first: $n) { nodes { id title } } } }"""
ASKED = {"query": QUERY, "variables": {"n": 3}}


def fault(client: Client, kind: str, match: str = "Pulls", **more: Any) -> None:
    response = client.post("/_sandbox/faults", [{"match": match, "kind": kind, **more}])
    assert response.status_code == 200


def test_points_are_taken_from_the_persons_budget(own: Client) -> None:
    first = own.post("/graphql", ASKED).headers
    second = own.post("/graphql", ASKED).headers
    assert (first["x-ratelimit-remaining"], second["x-ratelimit-remaining"]) == ("4999", "4998")
    assert second["x-ratelimit-resource"] == "graphql"
    assert own.get("/user").headers["x-ratelimit-remaining"] == "4999"


def test_graphqls_primary_limit_is_a_200_with_an_error(own: Client) -> None:
    own.post("/_sandbox/limit", {"remaining": 1, "reset_in": 600})
    assert "data" in own.post("/graphql", ASKED).json()
    response = own.post("/graphql", ASKED)
    assert response.status_code == 200
    assert response.json()["errors"][0]["type"] == "RATE_LIMITED"
    assert "data" not in response.json()
    assert response.headers["x-ratelimit-remaining"] == "0"


def test_rests_primary_limit_is_a_403_with_nothing_left(own: Client) -> None:
    own.post("/_sandbox/limit", {"remaining": 1, "reset_in": 600, "resource": "core"})
    assert own.get("/user").status_code == 200
    response = own.get("/user")
    assert response.status_code == 403
    assert response.json()["message"].startswith("API rate limit exceeded for user ID")
    assert response.headers["x-ratelimit-remaining"] == "0"
    assert own.post("/graphql", ASKED).headers["x-ratelimit-remaining"] == "4999"


def test_a_budget_is_full_again_at_its_reset() -> None:
    now = [1_000.0]
    limits = Limits(clock=lambda: now[0])
    limits.preset(remaining=2, reset_in=5, resource="graphql")
    assert limits.charge("ann", "graphql", 2) is not None
    assert limits.charge("ann", "graphql", 1) is None
    now[0] = 1_004.9
    assert limits.charge("ann", "graphql", 1) is None
    now[0] = 1_005.0
    budget = limits.charge("ann", "graphql", 1)
    assert budget is not None
    assert (budget.remaining, budget.limit, budget.reset) == (4_999, 5_000, 4_605)


def test_budgets_are_each_persons_own() -> None:
    limits = Limits(clock=lambda: 0.0)
    limits.charge("ann", "core", 10)
    assert limits.budget("ann", "core").used == 10
    assert limits.budget("bea", "core").used == 0


def test_without_limits_there_are_no_headers_and_rate_limit_is_null(own: Client) -> None:
    """As on an Enterprise Server that has them switched off."""
    own.post("/_sandbox/limit", {"enabled": False})
    response = own.post("/graphql", {"query": "{ rateLimit { remaining } viewer { login } }"})
    assert response.json()["data"] == {"rateLimit": None, "viewer": {"login": "sandbox-owner"}}
    assert "x-ratelimit-remaining" not in response.headers
    assert "x-ratelimit-remaining" not in own.get("/user").headers


def test_a_timeout_is_githubs_502_as_often_as_asked(own: Client) -> None:
    fault(own, "502", times=2)
    answers = [own.post("/graphql", ASKED) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [502, 502, 200]
    assert "Something went wrong while executing your query" in answers[0].json()["errors"][0]["message"]


def test_a_fault_can_strike_big_pages_only(own: Client) -> None:
    fault(own, "502", times=-1, when={"variable": "n", "over": 7})
    sizes = {n: own.post("/graphql", {"query": QUERY, "variables": {"n": n}}).status_code for n in (14, 8, 7, 1)}
    assert sizes == {14: 502, 8: 502, 7: 200, 1: 200}
    own.http.delete("/_sandbox/faults")
    assert own.post("/graphql", {"query": QUERY, "variables": {"n": 14}}).status_code == 200


def test_a_fault_can_wait_its_turn_and_leaves_other_operations_alone(own: Client) -> None:
    fault(own, "502", skip=1)
    other = {"query": "query Other { viewer { login } }"}
    codes = [own.post("/graphql", body).status_code for body in (other, ASKED, other, ASKED, ASKED)]
    assert codes == [200, 200, 200, 502, 200]


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_limit_says_when_to_come_back(own: Client, status: int) -> None:
    fault(own, "secondary", retry_after=17, status=status)
    response = own.post("/graphql", ASKED)
    assert (response.status_code, response.headers["retry-after"]) == (status, "17")
    assert "secondary rate limit" in response.json()["message"]


def test_an_answer_can_end_in_the_middle(own: Client) -> None:
    fault(own, "truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        own.post("/graphql", ASKED)
    assert own.post("/graphql", ASKED).status_code == 200


def test_a_connection_can_be_dropped(own: Client) -> None:
    fault(own, "drop", match="/user")
    with pytest.raises(httpx.RemoteProtocolError):
        own.get("/user")
    assert own.get("/user").status_code == 200


def test_one_path_can_fail_beside_data(own: Client) -> None:
    fault(
        own,
        "graphql_error",
        path=["repository", "pullRequests", "nodes", "*", "title"],
        type="FORBIDDEN",
        message="No.",
    )
    answer = own.post("/graphql", ASKED).json()
    assert [node["title"] for node in answer["data"]["repository"]["pullRequests"]["nodes"]] == [None] * 3
    assert [error["path"][3] for error in answer["errors"]] == [0, 1, 2]
    assert answer["errors"][0]["type"] == "FORBIDDEN"


def test_resource_limits_null_the_nodes(own: Client) -> None:
    fault(own, "resource_limits", path=["repository", "pullRequests", "nodes"])
    answer = own.post("/graphql", ASKED).json()
    assert answer["data"]["repository"]["pullRequests"]["nodes"] is None
    assert answer["errors"][0]["type"] == "RESOURCE_LIMITS_EXCEEDED"


@pytest.mark.parametrize(
    ("kind", "status"), [("bad_credentials", 401), ("sso", 403), ("rate_limited", 403), ("504", 504), ("status", 451)]
)
def test_rest_breaks_as_asked(own: Client, kind: str, status: int) -> None:
    fault(own, kind, match="/repos/acme/shop", **({"status": 451} if kind == "status" else {}))
    assert own.get("/repos/acme/shop/pulls").status_code == status


def test_a_fault_that_is_none_is_refused(own: Client) -> None:
    assert own.post("/_sandbox/faults", [{"match": "*", "kind": "meteor"}]).status_code == 422


def test_it_counts_what_it_was_asked(own: Client) -> None:
    own.post("/graphql", ASKED)
    own.post("/graphql", {"query": "query Other { viewer { login } }"})
    own.get("/user")
    stats = own.get("/_sandbox/stats").json()
    assert (stats["points"], stats["graphql_requests"], stats["rest_requests"]) == (2, 2, 1)
    assert stats["operations"] == ["Pulls", "Other"]
    assert stats["paths"] == ["GET /user"]
    assert stats["max_in_flight"] >= 1
    own.http.delete("/_sandbox/stats")
    assert own.get("/_sandbox/stats").json()["requests"] == 0

"""What is kept of an answer of any shape, what is asked once more, and what was too heavy for that."""

from __future__ import annotations

import pytest

from apps.integrations.github.errors import QueryTooHeavy, Unavailable
from apps.integrations.github.graphql import graphql_url, page_of
from apps.integrations.github.tests.answers import BUDGET, RESET, answering, failing, ok, raised
from apps.integrations.github.transport import Response
from apps.integrations.github.types import Answer, RateLimit


def test_it_returns_the_data_and_the_budget():
    answer = answering(ok({"data": {"viewer": {"login": "o"}, "rateLimit": BUDGET}})).run("deployments_by_ids")
    assert answer.data["viewer"] == {"login": "o"}
    assert answer.rate_limit == RateLimit(5000, 4998, 2, RESET, cost=2)
    assert (answer.errors, answer.requests) == ((), 1)


@pytest.mark.parametrize(
    "answer",
    [
        Response(502, {}, b"<html>unicorn</html>"),
        Response(504, {}, b""),
        failing({"message": "Something went wrong while executing your query. This may be the result of a timeout"}),
        failing({"message": "Something went wrong while executing your query"}, data={"repository": {}}),
        failing({"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits"}, data={"nodes": [None]}),
        failing({"type": "RESOURCE_LIMITS_EXCEEDED", "message": "x", "path": ["nodes", 3]}, data={"nodes": [None]}),
        failing({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "This query requests up to 600,000 possible nodes"}),
        QueryTooHeavy("GitHub did not answer in time"),
    ],
)
def test_a_query_that_is_too_heavy_is_not_tried_again_as_it_is(answer):
    sleeps: list[float] = []
    with pytest.raises(QueryTooHeavy):
        answering(answer, sleeps=sleeps).run("deployments_by_ids")
    assert sleeps == []


@pytest.mark.parametrize(
    "broken",
    [
        Unavailable("the connection broke off"),
        Response(200, {}, b'{"data": {"viewer"'),
        Response(200, {}, b"<html>maintenance</html>"),
        Response(200, {}, b""),
        Response(200, {}, b"[]"),
        Response(500, {}, b"{}"),
        Response(503, {}, b"no server is available"),
        Response(200, {}, b'{"data": null}'),
        failing({"type": "SERVICE_UNAVAILABLE", "message": "try later"}),
    ],
)
def test_a_broken_answer_is_tried_three_times_with_growing_pauses(broken):
    sleeps: list[float] = []
    with pytest.raises(Unavailable):
        answering(broken, sleeps=sleeps).run("deployments_by_ids")
    assert sleeps == [1.0, 2.0]


def test_it_goes_on_when_a_further_attempt_succeeds():
    fine = ok({"data": {"viewer": None, "rateLimit": None}})
    answer = answering(Unavailable(), Response(500), fine).run("deployments_by_ids")
    assert answer.requests == 3


def test_half_a_surrogate_pair_does_not_break_the_answer():
    answer = answering(Response(200, {}, b'{"data": {"viewer": "cut off \\ud83d"}}')).run("deployments_by_ids")
    assert answer.data["viewer"] == "cut off \ud83d"


def test_good_paths_are_kept_beside_errors():
    data = {"nodes": [{"id": "a"}, None], "rateLimit": None}
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a node", "path": ["nodes", 1]}
    answer = answering(failing(error, data=data)).run("deployments_by_ids", ids=["a", "b"])
    assert answer.data["nodes"] == [{"id": "a"}, None]
    assert [(found.type, found.path) for found in answer.errors] == [("NOT_FOUND", ("nodes", 1))]


def test_a_field_that_is_no_list_may_be_missing():
    error = {"message": "Int cannot represent 6000000000", "path": ["repository", "databaseId"]}
    data = {"repository": {"databaseId": None, "pullRequests": {"nodes": []}}}
    answer = answering(ok({"data": data, "errors": [error]})).run("pr_ids", owner="o", name="r")
    assert answer.data == data
    assert len(answer.errors) == 1


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
        ("https://git.example.com/api/v3/", "https://git.example.com/api/graphql"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123/graphql"),
    ],
)
def test_graphql_lives_beside_rest(api, graphql):
    assert graphql_url(api) == graphql


@pytest.mark.parametrize(
    "content",
    [
        [],
        "a string",
        7,
        None,
        {"data": []},
        {"data": "x"},
        {"data": 3},
        {"data": {"nodes": []}, "errors": {"message": "x"}},
        {"data": {"nodes": []}, "errors": ["x"]},
        {"data": {"nodes": []}, "errors": 5},
        {"data": {"nodes": []}, "errors": [None]},
        {"data": {"nodes": []}, "errors": [{"message": "x", "path": 3}]},
        {"data": {"nodes": []}, "errors": [{"message": "x", "extensions": [1]}]},
        {"data": {"repository": []}, "errors": [{"message": "x", "path": ["repository", "pullRequests"]}]},
        {"data": {"repository": 1}, "errors": [{"message": "x", "path": [["repository"], "pullRequests"]}]},
    ],
)
def test_an_answer_of_another_shape_is_no_answer(content):
    assert isinstance(raised(ok(content)), Unavailable)


@pytest.mark.parametrize("data", [{}, {"repository": {}}, {"repository": {"pullRequests": {}}}, {"repository": []}])
def test_a_page_that_lacks_even_the_field_is_no_answer(data):
    with pytest.raises(Unavailable):
        page_of(Answer(data), "repository", "pullRequests")


@pytest.mark.parametrize("page", [None, {"nodes": None}])
def test_a_page_that_is_null_was_too_heavy(page):
    with pytest.raises(QueryTooHeavy):
        page_of(Answer({"repository": {"pullRequests": page}}), "repository", "pullRequests")


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"data": 1' + b"0" * 5_000 + b"}"])
def test_what_is_nested_or_long_without_end_is_no_answer(body):
    with pytest.raises(Unavailable):
        answering(Response(200, {}, body)).run("pr_ids")

"""Webhooks of a repository."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.integrations.github import hooks
from apps.integrations.github.errors import NotFound, PermissionMissing, QueryRejected, Unavailable
from apps.integrations.github.types import Hook

URL = "https://tformance.example/webhooks/github/abc/"
HOOK = {"id": 7, "active": True, "events": ["push"], "config": {"url": URL}}
EXISTS = {"message": "Validation Failed", "errors": [{"message": "Hook already exists on this repository"}]}


def create(rest):
    return hooks.create_hook(rest, "o/r", url=URL, secret="hush", events=["push"])


def test_it_creates_a_hook(server, rest):
    server.on("POST /repos/o/r/hooks", HOOK, status=201)
    assert create(rest) == Hook(7, URL, frozenset({"push"}))
    assert server.asked[0].body == {
        "name": "web",
        "active": True,
        "events": ["push"],
        "config": {"url": URL, "content_type": "json", "secret": "hush", "insecure_ssl": "0"},
    }


@pytest.mark.parametrize("nonsense", [[], {"data": None}, "hook", 7])
def test_an_answer_of_another_shape_is_none(server, rest, nonsense):
    server.on("POST /repos/o/r/hooks", nonsense, status=201)
    with pytest.raises(Unavailable, match="another shape"):
        create(rest)


def test_a_hook_that_exists_is_adopted_with_our_secret(server, rest):
    server.on("POST /repos/o/r/hooks", EXISTS, status=422)
    server.on("GET /repos/o/r/hooks", [{"id": 1, "config": {"url": "https://other"}}, HOOK | {"active": False}])
    server.on("PATCH /repos/o/r/hooks/7", HOOK)
    assert create(rest) == Hook(7, URL, frozenset({"push"}), adopted=True)
    assert server.asked[-1].body["config"]["secret"] == "hush"


def test_any_other_refusal_is_said(server, rest):
    server.on("POST /repos/o/r/hooks", {"message": "The Validation failed: url is not reachable"}, status=422)
    server.on("GET /repos/o/r/hooks", [])
    with pytest.raises(QueryRejected, match="not reachable"):
        create(rest)


def test_github_says_404_to_those_who_may_not(server, rest):
    with pytest.raises(PermissionMissing, match="admin:repo_hook"):
        create(rest)


def test_it_reads_and_deletes_a_hook(server, rest):
    server.on("GET /repos/o/r/hooks/7", HOOK)
    server.on("DELETE /repos/o/r/hooks/7", None, status=204)
    assert hooks.get_hook(rest, "o/r", 7).id == 7
    assert hooks.delete_hook(rest, "o/r", 7) is True
    server.routes.clear()
    assert hooks.delete_hook(rest, "o/r", 7) is False
    with pytest.raises(NotFound):
        hooks.get_hook(rest, "o/r", 7)


def delivery(number, guid, status, hour, redelivery=False):
    return {
        "id": number,
        "guid": guid,
        "event": "push",
        "status_code": status,
        "delivered_at": f"2026-11-20T{hour:02}:00:00Z",
        "redelivery": redelivery,
    }


def test_it_lists_events_that_never_arrived_and_asks_for_them_again(server, rest):
    deliveries = [
        delivery(6, "late", 502, 9, redelivery=True),
        delivery(5, "arrived", 200, 8, redelivery=True),
        delivery(4, "late", 502, 7),
        delivery(3, "arrived", 500, 6),
        delivery(2, "fine", 202, 5),
        delivery(1, "old", 500, 1),
    ]
    server.on("GET /repos/o/r/hooks/7/deliveries", deliveries)
    server.on("POST /repos/o/r/hooks/7/deliveries/6/attempts", {}, status=202)
    failed = hooks.failed_deliveries(rest, "o/r", 7, since=datetime(2026, 11, 20, 4, tzinfo=UTC))
    assert [(found.id, found.guid) for found in failed] == [(6, "late")]
    hooks.redeliver(rest, "o/r", 7, failed[0].id)
    assert server.asked[-1].method == "POST"


@pytest.mark.parametrize(
    "nonsense",
    [None, "delivery", {"id": None}, {"id": "x"}, {"delivered_at": "soon"}, {"delivered_at": 7}, {"status_code": "?"}],
)
def test_deliveries_of_another_shape_are_no_answer(server, rest, nonsense):
    whole = delivery(1, "late", 502, 9)
    server.on("GET /repos/o/r/hooks/7/deliveries", [whole | nonsense if isinstance(nonsense, dict) else nonsense])
    with pytest.raises(Unavailable, match="another shape"):
        hooks.failed_deliveries(rest, "o/r", 7, since=datetime(2026, 11, 20, 4, tzinfo=UTC))


def test_hooks_of_another_shape_are_no_answer_to_what_exists_already(server, rest):
    server.on("POST /repos/o/r/hooks", EXISTS, status=422)
    server.on("GET /repos/o/r/hooks", ["hook"])
    with pytest.raises(Unavailable, match="another shape"):
        create(rest)

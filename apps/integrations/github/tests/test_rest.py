"""REST: one request, one answer or one named error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.integrations.github.access import StaticToken
from apps.integrations.github.errors import (
    BadCredentials,
    FeatureGone,
    NotFound,
    PermissionMissing,
    QueryRejected,
    RateLimited,
    RepositoryBlocked,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import RateLimit

RESET = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=40)
BUDGET = {
    "X_RateLimit_Limit": "5000",
    "X_RateLimit_Remaining": "4999",
    "X_RateLimit_Reset": str(int(RESET.timestamp())),
    "X_RateLimit_Resource": "core",
}


def test_it_sends_the_token_and_reports_the_budget(server, rest, tokens):
    server.on("GET /user", {"id": 1}, **BUDGET)
    assert rest.get("/user") == {"id": 1}
    [asked] = server.asked
    assert asked.headers["authorization"] == "token ghp_secret"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert tokens.last == RateLimit(5000, 4999, 1, RESET, cost=1, resource="core")
    assert rest.requests == 1


def test_an_enterprise_server_has_its_api_below_a_path(server, tokens):
    server.on("GET /api/v3/user", {"id": 2})
    client = Rest(tokens, f"{server.url}/api/v3/")
    assert client.get("/user") == {"id": 2}
    client.close()


def test_it_walks_all_pages_by_their_link(server, rest):
    following = f"{server.url}/things?page=2&per_page=100"
    server.routes["GET /things"] = [
        (200, {"Link": f'<{following}>; rel="next", <{following}>; rel="last"'}, [{"id": 1}]),
        (200, {}, [{"id": 2}]),
    ]
    assert [entry["id"] for page in rest.pages("/things") for entry in page] == [1, 2]
    assert [asked.parameters for asked in server.asked] == [{"per_page": "100"}, {"page": "2", "per_page": "100"}]


def test_a_link_that_leads_back_ends_the_walk(server, rest):
    following = f"{server.url}/things?page=2"
    server.on("GET /things", [{"id": 1}], Link=f'<{following}>; rel="next"')
    assert len(list(rest.pages("/things"))) == 2


@pytest.mark.parametrize("status", [301, 302, 307])
def test_it_follows_redirects(server, rest, status):
    server.on("GET /old", {}, status=status, Location=f"{server.url}/new")
    server.on("GET /new", {"id": 3})
    assert rest.get("/old") == {"id": 3}


@pytest.mark.parametrize(
    ("status", "headers", "message", "error"),
    [
        (401, {}, "Bad credentials", BadCredentials),
        (403, {}, "Resource not accessible by integration", PermissionMissing),
        (403, {}, "Must have admin rights to Repository.", PermissionMissing),
        (403, {"X_GitHub_SSO": "required; url=https://x"}, "SAML", SsoRequired),
        (404, {}, "Not Found", NotFound),
        (410, {}, "Issues are disabled for this repo", FeatureGone),
        (422, {}, "Validation Failed", QueryRejected),
        (451, {}, "Repository access blocked", RepositoryBlocked),
    ],
)
def test_refusals_are_named_and_not_tried_again(server, rest, status, headers, message, error):
    server.on("GET /thing", {"message": message}, status=status, **headers)
    with pytest.raises(error) as caught:
        rest.get("/thing")
    assert "ghp_secret" not in str(caught.value)
    assert len(server.asked) == 1


def test_the_primary_limit_is_raised_at_once_instead_of_slept_out(server, rest):
    headers = BUDGET | {"X_RateLimit_Remaining": "0"}
    server.on("GET /thing", {"message": "API rate limit exceeded for user ID 1"}, status=403, **headers)
    with pytest.raises(RateLimited) as caught:
        rest.get("/thing")
    assert (caught.value.reset_at, caught.value.secondary) == (RESET, False)
    assert len(server.asked) == 1


def test_the_secondary_limit_is_raised_at_once_instead_of_slept_out(server, rest):
    server.on("GET /thing", {"message": "You have exceeded a secondary rate limit"}, status=403, Retry_After="600")
    with pytest.raises(RateLimited) as caught:
        rest.get("/thing")
    assert (caught.value.retry_after, caught.value.secondary) == (600.0, True)
    assert len(server.asked) == 1


def test_reads_are_tried_three_times(server, rest):
    server.on("GET /thing", {}, {}, status=503)
    server.on("GET /thing", {"id": 1})
    assert rest.get("/thing") == {"id": 1}
    assert len(server.asked) == 3


def test_writes_are_never_tried_again(server, rest):
    server.on("POST /thing", {"message": "x"}, status=503)
    with pytest.raises(Unavailable):
        rest.send("POST", "/thing", body={"a": 1})
    assert [(asked.method, asked.body) for asked in server.asked] == [("POST", {"a": 1})]


def test_an_answer_that_is_no_json_is_no_answer(server, rest):
    server.on("GET /thing", b"<html>")
    with pytest.raises(Unavailable):
        rest.get("/thing")


def test_nobody_there_is_unavailable():
    client = Rest(StaticToken("ghp_secret"), "http://127.0.0.1:9", backoff=0)
    with pytest.raises(Unavailable) as caught:
        client.get("/user")
    client.close()
    assert "ghp_secret" not in str(caught.value)

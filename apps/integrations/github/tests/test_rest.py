"""REST: one request, one answer or one named error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.integrations.github.access import Lease, StaticToken
from apps.integrations.github.errors import (
    BadCredentials,
    FeatureGone,
    NotFound,
    PermissionMissing,
    QueryRejected,
    QueryTooHeavy,
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


@pytest.mark.parametrize("name", ["", "a:b", "Core", "x" * 41, "core|9|1"])
def test_a_budget_of_an_odd_name_is_the_one_that_was_asked(server, rest, tokens, name):
    server.on("GET /user", {"id": 1}, **{**BUDGET, "X_RateLimit_Resource": name})
    rest.get("/user")
    assert tokens.last.resource == "core"


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


def test_the_pauses_between_reads_grow(server, tokens):
    sleeps = []
    client = Rest(tokens, server.url, backoff=0.5, sleep=sleeps.append, jitter=lambda: 0.5)
    server.on("GET /thing", {}, status=502)
    with pytest.raises(QueryTooHeavy):
        client.get("/thing")
    client.close()
    assert sleeps == [0.5, 1.0]
    assert client.requests == len(server.asked) == 3


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


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_write_stays_what_it_was(server, rest, status):
    server.on("POST /old", {}, status=status, Location=f"{server.url}/new")
    server.on("POST /new", {"id": 4}, status=201)
    assert rest.send("POST", "/old", body={"a": 1})[1] == {"id": 4}
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [
        ("POST", "/old", {"a": 1}),
        ("POST", "/new", {"a": 1}),
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_what_was_asked_for(server, rest, status):
    server.on("GET /repos/o/old/pulls", {}, status=status, Location=f"{server.url}/repositories/7/pulls")
    server.on("GET /repositories/7/pulls", [{"id": 1}])
    assert list(rest.pages("/repos/o/old/pulls", state="all")) == [[{"id": 1}]]
    assert server.asked[1].parameters == {"per_page": "100", "state": "all"}


def test_the_address_of_a_redirect_may_say_all_by_itself(server, rest):
    server.on("GET /old", {}, status=302, Location=f"{server.url}/new?state=open")
    server.on("GET /new", {"id": 5})
    rest.get("/old", state="all")
    assert server.asked[1].parameters == {"state": "open"}


def test_the_token_goes_to_no_other_host(server, rest):
    server.on("GET /thing", {}, status=301, Location="http://other.example/thing")
    with pytest.raises(Unavailable, match="another host"):
        rest.get("/thing")
    server.on("GET /things", [], Link='<http://other.example/things?page=2>; rel="next"')
    with pytest.raises(Unavailable, match="another host"):
        list(rest.pages("/things"))
    assert {asked.headers["host"] for asked in server.asked} == {server.url.removeprefix("http://")}


def test_redirects_that_go_round_end(server, rest):
    server.on("GET /a", {}, status=301, Location="/b")
    server.on("GET /b", {}, status=301, Location="/a")
    with pytest.raises(Unavailable, match="too often"):
        rest.get("/a")


def test_a_redirect_to_nowhere_is_no_answer(server, rest):
    server.on("GET /thing", {}, status=302)
    with pytest.raises(Unavailable, match="302"):
        rest.get("/thing")


@pytest.mark.parametrize("content", [{"total": 0}, None, "x", 7])
def test_a_page_that_is_no_list_is_no_answer(server, rest, content):
    server.on("GET /things", content)
    with pytest.raises(Unavailable):
        list(rest.pages("/things"))
    with pytest.raises(Unavailable):
        list(rest.pages("/things", items="check_runs"))


def test_nonsense_about_the_budget_does_no_harm(server, rest, tokens):
    headers = {"X_RateLimit_Limit": "lots", "X_RateLimit_Remaining": "²", "X_RateLimit_Reset": "soon"}
    server.on("GET /user", {"id": 1}, **headers)
    assert rest.get("/user") == {"id": 1}
    assert tokens.last is None


def test_an_accepted_request_is_not_asked_again_without_end(server, rest):
    server.on("GET /stats", {}, status=202)
    assert rest.get("/stats") == {}
    assert len(server.asked) == 1


def test_half_an_answer_is_asked_for_again(server, rest):
    server.on("GET /thing", b'{"id": ', {"id": 1})
    assert rest.get("/thing") == {"id": 1}
    assert len(server.asked) == 2


def test_an_answer_without_end_is_given_up(server, tokens):
    server.on("GET /thing", b"[" + b" " * 300_000)
    client = Rest(tokens, server.url, backoff=0, most_bytes=100_000)
    with pytest.raises(QueryTooHeavy, match="too large"):
        client.get("/thing")
    client.close()


def test_a_refused_token_is_asked_for_another(server):
    tokens = Waiting(["old", "new"])
    client = Rest(tokens, server.url, backoff=0)
    server.routes["GET /user"] = [
        lambda asked: (
            (200, {}, {"id": 1})
            if asked.headers["authorization"] == "token new"
            else (401, {}, {"message": "Bad credentials"})
        )
    ]
    assert client.get("/user") == {"id": 1}
    client.close()
    assert client.requests == 2


class Waiting(StaticToken):
    """Tokens that take each other's place."""

    def __init__(self, tokens: list[str]) -> None:
        super().__init__(tokens[0])
        self.following = tokens[1:]

    def refused(self, lease: Lease) -> bool:
        if self.following:
            self.token = self.following.pop(0)
            return True
        return False

"""Every way in which GitHub answers something else than what was asked, and the error that each becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from apps.integrations.github.access import Lease, StaticToken
from apps.integrations.github.errors import (
    BadCredentials,
    FeatureGone,
    GitHubError,
    IpNotAllowed,
    NotFound,
    PermissionMissing,
    QueryRejected,
    QueryTooHeavy,
    RateLimited,
    RepositoryBlocked,
    RepositoryGone,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.graphql import GraphQL, graphql_url, page_of
from apps.integrations.github.tests.world import FunctionTransport, graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.github.types import Answer, RateLimit

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RESET = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
BUDGET = {"limit": 5000, "remaining": 4998, "used": 2, "resetAt": "2026-11-20T09:40:00Z", "cost": 2}
TOKEN = "gho_a_secret"


def answering(*answers: Response | Exception, sleeps: list[float] | None = None, **more: Any) -> GraphQL:
    """A client that gets these answers in turn, the last one for good."""
    waiting = list(answers)

    def answer(**request: Any) -> Response:
        following = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(following, Exception):
            raise following
        return following

    arguments = {
        "now": lambda: NOW,
        "sleep": (sleeps if sleeps is not None else []).append,
        "tokens": StaticToken(TOKEN),
    }
    return graphql_over(answer, **(arguments | more))


def ok(content: Any, **headers: str) -> Response:
    return Response(200, {name.replace("_", "-"): value for name, value in headers.items()}, orjson.dumps(content))


def refused(status: int, message: str = "", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, names, orjson.dumps({"message": message}))


def failing(*errors: dict[str, Any], data: Any = None, **headers: str) -> Response:
    return ok({"data": data, "errors": list(errors)}, **headers)


def raised(*answers: Response | Exception, operation: str = "repos_by_id", **variables: Any) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        answering(*answers).run(operation, **variables)
    assert TOKEN not in str(caught.value)
    return caught.value


def test_it_returns_the_data_and_the_budget():
    answer = answering(ok({"data": {"viewer": {"login": "o"}, "rateLimit": BUDGET}})).run("repos_by_id")
    assert answer.data["viewer"] == {"login": "o"}
    assert answer.rate_limit == RateLimit(5000, 4998, 2, RESET, cost=2)
    assert (answer.errors, answer.requests) == ((), 1)


def test_it_sends_the_token_as_a_bearer():
    transport = FunctionTransport(lambda **request: ok({"data": {"rateLimit": None}}))
    GraphQL(transport, StaticToken(TOKEN), "http://127.0.0.1:1/graphql").run("repos_by_id")
    [sent] = transport.sent
    assert (sent["method"], sent["url"]) == ("POST", "http://127.0.0.1:1/graphql")
    assert sent["headers"]["Authorization"] == f"bearer {TOKEN}"


def test_a_server_without_a_budget_is_taken_as_it_is():
    answer = answering(ok({"data": {"viewer": None, "rateLimit": None}})).run("repos_by_id")
    assert answer.rate_limit is None


def test_the_headers_tell_the_budget_where_the_answer_does_not():
    headers = {
        "x_ratelimit_limit": "5000",
        "x_ratelimit_remaining": "10",
        "x_ratelimit_reset": str(int(RESET.timestamp())),
    }
    answer = answering(ok({"data": {"viewer": None, "rateLimit": None}}, **headers)).run("repos_by_id", cost=2)
    assert answer.rate_limit == RateLimit(5000, 10, 4990, RESET, cost=2)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_the_primary_limit_comes_with_200(kind):
    error = raised(failing({"type": kind, "message": "API rate limit exceeded"}, data={"rateLimit": BUDGET}))
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.secondary, error.retry_after) == (RESET, False, 2400.0)


def test_the_headers_say_when_the_primary_limit_ends():
    later = RESET + timedelta(minutes=5)
    error = raised(failing({"type": "RATE_LIMITED", "message": "x"}, x_ratelimit_reset=str(int(later.timestamp()))))
    assert isinstance(error, RateLimited)
    assert error.reset_at == later


def test_a_limit_without_a_reset_is_waited_for_a_minute():
    error = raised(failing({"type": "RATE_LIMITED", "message": "x"}))
    assert isinstance(error, RateLimited)
    assert error.reset_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("status", [403, 429])
def test_an_empty_budget_is_a_primary_limit(status):
    error = raised(
        refused(
            status,
            "API rate limit exceeded for user ID 1.",
            x_ratelimit_remaining="0",
            x_ratelimit_reset=str(int(RESET.timestamp())),
        )
    )
    assert isinstance(error, RateLimited)
    assert (error.reset_at, error.secondary) == (RESET, False)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refused(403, SECONDARY, retry_after="90"), 90.0),
        (refused(429, "slow down", retry_after="5"), 5.0),
        (refused(403, SECONDARY), 60.0),
        (refused(403, "You have triggered an abuse detection mechanism."), 60.0),
        (ok({"message": SECONDARY}), 60.0),
        (failing({"message": SECONDARY}, retry_after="30"), 30.0),
        (refused(403, SECONDARY, retry_after="Fri, 20 Nov 2026 09:02:00 GMT"), 120.0),
    ],
)
def test_a_secondary_limit_says_how_long_to_wait(answer, seconds):
    error = raised(answer)
    assert isinstance(error, RateLimited)
    assert (error.secondary, error.retry_after) == (True, seconds)
    assert error.reset_at == NOW + timedelta(seconds=seconds)


def test_401_means_bad_credentials_and_is_not_tried_again():
    sleeps: list[float] = []
    with pytest.raises(BadCredentials):
        answering(refused(401, "Bad credentials"), sleeps=sleeps).run("repos_by_id")
    assert sleeps == []


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
        answering(answer, sleeps=sleeps).run("repos_by_id")
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
        answering(broken, sleeps=sleeps).run("repos_by_id")
    assert sleeps == [1.0, 2.0]


def test_it_goes_on_when_a_further_attempt_succeeds():
    fine = ok({"data": {"viewer": None, "rateLimit": None}})
    answer = answering(Unavailable(), Response(500), fine).run("repos_by_id")
    assert answer.requests == 3


def test_half_a_surrogate_pair_does_not_break_the_answer():
    answer = answering(Response(200, {}, b'{"data": {"viewer": "cut off \\ud83d"}}')).run("repos_by_id")
    assert answer.data["viewer"] == "cut off \ud83d"


def test_good_paths_are_kept_beside_errors():
    data = {"nodes": [{"id": "a"}, None], "rateLimit": None}
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a node", "path": ["nodes", 1]}
    answer = answering(failing(error, data=data)).run("repos_by_id", ids=["a", "b"])
    assert answer.data["nodes"] == [{"id": "a"}, None]
    assert [(found.type, found.path) for found in answer.errors] == [("NOT_FOUND", ("nodes", 1))]


def test_a_field_that_is_no_list_may_be_missing():
    error = {"message": "Int cannot represent 6000000000", "path": ["repository", "databaseId"]}
    data = {"repository": {"databaseId": None, "pullRequests": {"nodes": []}}}
    answer = answering(ok({"data": data, "errors": [error]})).run("pr_ids", owner="o", name="r")
    assert answer.data == data
    assert len(answer.errors) == 1


def test_a_repository_that_is_not_found_is_gone():
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a Repository", "path": ["repository"]}
    found = raised(failing(error, data={"repository": None}), operation="pr_ids", owner="o", name="r")
    assert isinstance(found, RepositoryGone)
    assert found.what == "o/r"


def test_an_organisation_that_is_not_found_is_named():
    error = {"type": "NOT_FOUND", "message": "Could not resolve", "path": ["organization"]}
    found = raised(failing(error, data={"organization": None}), operation="teams", login="acme")
    assert isinstance(found, NotFound)
    assert found.what == "acme"


def test_a_forbidden_connection_is_a_missing_permission():
    error = {
        "type": "FORBIDDEN",
        "message": "Resource not accessible by integration",
        "path": ["repository", "deployments"],
    }
    found = raised(
        failing(error, data={"repository": {"deployments": None}}), operation="deployments", owner="o", name="r"
    )
    assert isinstance(found, PermissionMissing)
    assert found.name == "deployments"


def test_missing_scopes_are_named():
    error = {
        "type": "INSUFFICIENT_SCOPES",
        "message": "Your token has not been granted the required scopes to execute this query. The 'teams' field "
        "requires one of the following scopes: ['read:org', 'repo'], but your token has only: [''].",
    }
    found = raised(failing(error))
    assert isinstance(found, PermissionMissing)
    assert found.name == "read:org, repo"


@pytest.mark.parametrize(
    "answer",
    [
        failing(
            {"type": "FORBIDDEN", "path": ["repository"], "message": "x", "extensions": {"saml_failure": True}},
            data={"repository": None},
        ),
        failing(
            {
                "type": "FORBIDDEN",
                "path": ["repository"],
                "message": "Resource protected by organization SAML enforcement. You must grant access.",
            },
            data={"repository": None},
        ),
        refused(403, "Resource protected by organization SAML enforcement."),
    ],
)
def test_single_sign_on_is_asked_for(answer):
    assert isinstance(raised(answer), SsoRequired)


def test_single_sign_on_says_where():
    url = "https://github.com/orgs/acme/sso?authorization_request=1"
    error = raised(refused(403, "x", x_github_sso=f"required; url={url}"))
    assert isinstance(error, SsoRequired)
    assert error.url == url
    assert url in str(error)


def test_an_ip_allow_list_is_named():
    message = "Although you appear to have the correct credentials, the `acme` organization has an IP allow list"
    assert isinstance(raised(refused(403, f"{message} enabled")), IpNotAllowed)


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (410, FeatureGone), (451, RepositoryBlocked), (400, QueryRejected)]
)
def test_other_refusals_are_named(status, error):
    assert isinstance(raised(refused(status, "no")), error)


def test_403_names_the_permission_that_a_fine_grained_token_lacks():
    error = raised(
        refused(403, "Resource not accessible by personal access token", x_accepted_github_permissions="checks=read")
    )
    assert isinstance(error, PermissionMissing)
    assert error.name == "checks=read"


def test_an_invalid_query_is_rejected_with_githubs_words():
    message = "Field 'nope' doesn't exist on type 'Query'"
    error = raised(failing({"message": message, "extensions": {"code": "undefinedField"}}))
    assert isinstance(error, QueryRejected)
    assert message in str(error)


class Ledger(StaticToken):
    """Remembers what was asked and told."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.told: list[RateLimit | None] = []
        self.asked: list[tuple[int, str]] = []
        self.errors: list[str] = []

    def lease(self, *, cost: int, resource: str) -> Lease:
        self.asked.append((cost, resource))
        return super().lease(cost=cost, resource=resource)

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        self.told.append(limit)
        self.errors.append(type(error).__name__)


def test_each_attempt_leases_a_token_and_reports_what_it_learned():
    tokens = Ledger()
    headers = {
        "x_ratelimit_limit": "5000",
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": str(int(RESET.timestamp())),
    }
    client = answering(Unavailable(), refused(403, "x", **headers), tokens=tokens)
    with pytest.raises(RateLimited):
        client.run("repos_by_id", cost=3)
    assert tokens.asked == [(3, "graphql"), (3, "graphql")]
    assert tokens.told == [None, RateLimit(5000, 0, 5000, RESET, cost=3)]
    assert tokens.errors == ["Unavailable", "RateLimited"]


def test_a_lease_does_not_show_its_token():
    assert TOKEN not in repr(Lease(TOKEN, "7")) + repr(StaticToken(TOKEN))


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


@pytest.mark.parametrize(
    "stated",
    [
        [1],
        "x",
        {},
        {**BUDGET, "limit": None},
        {**BUDGET, "remaining": "many"},
        {**BUDGET, "remaining": -1},
        {**BUDGET, "remaining": 6000},
        {**BUDGET, "limit": 0, "remaining": 0},
        {**BUDGET, "resetAt": "soon"},
        {**BUDGET, "resetAt": None},
        {**BUDGET, "resetAt": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_budget_that_is_nonsense_is_ignored(stated):
    answer = answering(ok({"data": {"nodes": [], "rateLimit": stated}})).run("repos_by_id", ids=[])
    assert answer.rate_limit is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "²"),
        ("limit", "0"),
        ("limit", "-5"),
        ("remaining", "5001"),
        ("remaining", "4.5"),
        ("remaining", ""),
        ("reset", "9" * 30),
        ("reset", "soon"),
        ("reset", "1795000000000"),
    ],
)
def test_headers_that_are_nonsense_are_ignored(name, value):
    headers = {"limit": "5000", "remaining": "10", "reset": str(int(RESET.timestamp()))} | {name: value}
    answer = ok({"data": {"nodes": []}}, **{f"x_ratelimit_{name}": value for name, value in headers.items()})
    assert answering(answer).run("repos_by_id", ids=[]).rate_limit is None


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        (NOW - timedelta(minutes=10), 5.0),
        (NOW, 5.0),
        (NOW + timedelta(seconds=90), 90.0),
        (NOW + timedelta(days=400), 3900.0),
        (None, 60.0),
    ],
)
def test_a_reset_is_waited_for_at_least_a_little_and_at_most_a_window(reset, seconds):
    headers = {} if reset is None else {"x_ratelimit_reset": str(int(reset.timestamp()))}
    error = raised(refused(403, "API rate limit exceeded", x_ratelimit_remaining="0", **headers))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.reset_at) == (seconds, NOW + timedelta(seconds=seconds))
    assert error.is_stated == (reset is not None)


def test_a_retry_after_of_a_year_is_taken_for_one_window():
    error = raised(refused(403, SECONDARY, retry_after="31536000"))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3900.0


def test_githubs_times_are_read_by_its_own_clock():
    """Ours is ten minutes fast: by it, the window would be over before it is."""
    theirs = {"date": "Fri, 20 Nov 2026 08:50:00 GMT"}
    reset = datetime(2026, 11, 20, 8, 55, tzinfo=UTC)
    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(reset.timestamp()))}
    error = raised(refused(403, "API rate limit exceeded", **headers, **theirs))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 300.0
    stated = {"data": {"nodes": [], "rateLimit": {**BUDGET, "resetAt": "2026-11-20T08:55:00Z"}}}
    answer = answering(ok(stated, **theirs)).run("repos_by_id", ids=[])
    assert answer.rate_limit is not None
    assert answer.rate_limit.reset_at == NOW + timedelta(minutes=5)


PAGE = b"<!DOCTYPE html><html><title>Sign in to the proxy</title></html>"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_page_of_a_proxy_says_nothing_of_github(status):
    assert isinstance(raised(Response(status, {}, PAGE)), Unavailable)


def test_a_page_that_asks_to_slow_down_is_a_secondary_limit():
    page = b"<html>Whoa there! You have triggered an abuse detection mechanism.</html>"
    error = raised(Response(403, {}, page))
    assert isinstance(error, RateLimited)
    assert (error.secondary, error.is_stated) == (True, False)


@pytest.mark.parametrize("data", [{}, {"repository": {}}, {"repository": {"pullRequests": {}}}, {"repository": []}])
def test_a_page_that_lacks_even_the_field_is_no_answer(data):
    with pytest.raises(Unavailable):
        page_of(Answer(data), "repository", "pullRequests")


@pytest.mark.parametrize("page", [None, {"nodes": None}])
def test_a_page_that_is_null_was_too_heavy(page):
    with pytest.raises(QueryTooHeavy):
        page_of(Answer({"repository": {"pullRequests": page}}), "repository", "pullRequests")


class Tokens(Ledger):
    """Several tokens, of which the first ones are refused."""

    def __init__(self, *tokens: str) -> None:
        super().__init__()
        self.waiting = list(tokens)

    def lease(self, *, cost: int, resource: str) -> Lease:
        self.asked.append((cost, resource))
        return Lease(self.waiting[0])

    def refused(self, lease: Lease) -> bool:
        self.waiting.remove(lease.token)
        return bool(self.waiting)


def accepting(good: str, tokens: Tokens, sleeps: list[float]) -> GraphQL:
    def answer(headers: dict[str, str], **request: Any) -> Response:
        return ok({"data": {"nodes": []}}) if headers["Authorization"] == f"bearer {good}" else refused(401, "Bad")

    return graphql_over(answer, tokens=tokens, sleep=sleeps.append)


def test_with_another_token_a_refused_request_is_sent_again_at_once():
    tokens, sleeps = Tokens("old", "older", "new"), []
    assert accepting("new", tokens, sleeps).run("repos_by_id", ids=[]).requests == 3
    assert tokens.errors == ["BadCredentials", "BadCredentials", "NoneType"]
    assert sleeps == []


def test_a_request_that_every_token_is_refused_for_ends():
    tokens = Tokens("old", "older")
    with pytest.raises(BadCredentials):
        accepting("new", tokens, []).run("repos_by_id", ids=[])
    assert len(tokens.asked) == 2


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"data": 1' + b"0" * 5_000 + b"}"])
def test_what_is_nested_or_long_without_end_is_no_answer(body):
    with pytest.raises(Unavailable):
        answering(Response(200, {}, body)).run("pr_ids")


@pytest.mark.parametrize(
    "answer",
    [
        Response(422, {}, rb'{"message": "no \u0000 such \ud800 thing"}'),
        Response(200, {}, rb'{"errors": [{"message": "no \u0000 such \ud800 thing"}]}'),
    ],
)
def test_what_github_says_can_be_stored(answer):
    with pytest.raises(GitHubError) as raised:
        answering(answer).run("pr_ids")
    assert "\x00" not in str(raised.value)
    str(raised.value).encode()


def test_a_reset_beyond_every_calendar_is_taken_for_one_window():
    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "99999999999",
        "date": "Mon, 01 Jan 9999 00:00:00 GMT",
    }
    with pytest.raises(RateLimited) as raised:
        answering(Response(403, headers, b"{}")).run("pr_ids")
    assert raised.value.reset_at <= NOW + timedelta(hours=1, minutes=5)

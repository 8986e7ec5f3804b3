"""Which token goes with a request, and what is told of it afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from apps.integrations.github.access import Lease, StaticToken
from apps.integrations.github.errors import BadCredentials, GitHubError, RateLimited, Unavailable
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.tests.answers import RESET, TOKEN, answering, ok, refused
from apps.integrations.github.tests.world import FunctionTransport, graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.github.types import RateLimit


def test_it_sends_the_token_as_a_bearer():
    transport = FunctionTransport(lambda **request: ok({"data": {"rateLimit": None}}))
    GraphQL(transport, StaticToken(TOKEN), "http://127.0.0.1:1/graphql").run("deployments_by_ids")
    [sent] = transport.sent
    assert (sent["method"], sent["url"]) == ("POST", "http://127.0.0.1:1/graphql")
    assert sent["headers"]["Authorization"] == f"bearer {TOKEN}"


def test_401_means_bad_credentials_and_is_not_tried_again():
    sleeps: list[float] = []
    with pytest.raises(BadCredentials):
        answering(refused(401, "Bad credentials"), sleeps=sleeps).run("deployments_by_ids")
    assert sleeps == []


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
        client.run("deployments_by_ids", cost=3)
    assert tokens.asked == [(3, "graphql"), (3, "graphql")]
    assert tokens.told == [None, RateLimit(5000, 0, 5000, RESET, cost=3)]
    assert tokens.errors == ["Unavailable", "RateLimited"]


def test_a_lease_does_not_show_its_token():
    assert TOKEN not in repr(Lease(TOKEN, "7")) + repr(StaticToken(TOKEN))


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
    assert accepting("new", tokens, sleeps).run("deployments_by_ids", ids=[]).requests == 3
    assert tokens.errors == ["BadCredentials", "BadCredentials", "NoneType"]
    assert sleeps == []


def test_a_request_that_every_token_is_refused_for_ends():
    tokens = Tokens("old", "older")
    with pytest.raises(BadCredentials):
        accepting("new", tokens, []).run("deployments_by_ids", ids=[])
    assert len(tokens.asked) == 2

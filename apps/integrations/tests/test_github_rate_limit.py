"""Whose token sends the next request: turns, refusals, and what becomes of refused tokens."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.integrations.factories import IntegrationCredentialFactory
from apps.integrations.github.access import Lease
from apps.integrations.github.errors import BadCredentials, Crowded, RateLimited, Unavailable
from apps.integrations.github.types import RateLimit
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.budgets.memory import MemoryBudgets
from apps.integrations.services.budgets.shared import budgets_at
from apps.integrations.services.budgets.terms import PLACES, Standing
from apps.integrations.services.github_client import graphql_of
from apps.integrations.services.github_rate_limit import (
    FLOOR,
    PATIENCE,
    IntegrationTokens,
    Usable,
    budget_account,
    budget_of,
    tokens_of,
)
from apps.integrations.services.github_rest import rest_of
from apps.integrations.services.oauth_tokens import another_token
from apps.teams.scope import team_scope

NOW = 1_795_000_000.0
RESET = datetime.fromtimestamp(NOW + 1800, UTC)
OWNER = 9_000_000_001


class Clock:
    """Time that passes only while somebody sleeps; `then` happens at the first sleep."""

    def __init__(self) -> None:
        self.time = NOW
        self.slept: list[float] = []
        self.then = lambda: None

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        self.then()


def standing() -> Standing:
    """How the owner's account stands by now, for all workers."""
    return budgets_at(settings.REDIS_URL).standing(budget_account(OWNER), "graphql", time.time())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper() -> MemoryBudgets:
    return MemoryBudgets()


@pytest.fixture
def tokens(clock, keeper):
    """Makes a source over accounts, each with a token of its name."""

    def made(*accounts: str, **more) -> IntegrationTokens:
        usable = [Usable(account, f"token-{account}", number) for number, account in enumerate(accounts)]
        arguments = {"clock": clock, "sleep": clock.sleep, "jitter": lambda: 0.5} | more
        return IntegrationTokens(usable, keeper, **arguments)

    return made


def spend(source: IntegrationTokens, remaining: int, *, cost: int = 1, resource: str = "graphql", **more) -> Lease:
    lease = source.lease(cost=cost, resource=resource)
    source.report(lease, RateLimit(5000, remaining, 5000 - remaining, RESET, cost=cost, resource=resource), **more)
    return lease


def test_a_lease_names_the_account_and_hides_the_token(tokens):
    lease = tokens("a").lease(cost=3, resource="graphql")
    assert (lease.token, lease.credential, lease.resource, lease.cost) == ("token-a", "a", "graphql", 3)
    assert "token-a" not in repr(lease)


def test_the_credential_with_most_left_is_leased(tokens):
    source = tokens("a", "b")
    spend(source, 300)
    assert spend(source, 4000).credential == "b"
    assert [spend(source, 3990 - number).credential for number in range(3)] == ["b"] * 3


def test_a_limited_credential_is_passed_over_and_the_earliest_reset_raised_when_all_are(tokens, clock):
    source = tokens("a", "b")
    first = source.lease(cost=1, resource="graphql")
    source.report(first, None, RateLimited(datetime.fromtimestamp(NOW + 600, UTC), retry_after=600.0))
    second = source.lease(cost=1, resource="graphql")
    assert (first.credential, second.credential) == ("a", "b")
    sooner = datetime.fromtimestamp(NOW + 90, UTC)
    source.report(second, None, RateLimited(sooner, secondary=True, retry_after=90.0))
    with pytest.raises(RateLimited) as caught:
        source.lease(cost=1, resource="graphql")
    assert (caught.value.reset_at, caught.value.secondary) == (sooner, True)
    assert clock.slept == []


def test_two_credentials_of_one_person_share_a_budget(tokens, keeper):
    usable = [Usable("a", "first", 1), Usable("a", "second", 2)]
    source = IntegrationTokens(usable, keeper, clock=lambda: NOW)
    assert {source.lease(cost=1, resource="graphql").token for _ in range(PLACES)} == {"first"}
    assert keeper.standing("a", "graphql", NOW).in_flight == PLACES


def test_the_floor_is_left_for_whoever_may_go_below_it(tokens):
    spend(tokens("a"), FLOOR)
    with pytest.raises(RateLimited) as caught:
        tokens("a").lease(cost=1, resource="graphql")
    assert (caught.value.reset_at, caught.value.retry_after) == (RESET, 1800.0)
    assert tokens("a", floor=0).lease(cost=1, resource="graphql").credential == "a"


def test_a_full_account_is_waited_for(tokens, clock):
    source = tokens("a")
    held = [source.lease(cost=1, resource="graphql") for _ in range(PLACES)]
    clock.then = lambda: source.report(held[0], None) if len(clock.slept) == 5 else None
    assert source.lease(cost=1, resource="graphql").credential == "a"
    assert len(clock.slept) == 5
    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept) <= 0.1


def test_a_free_place_elsewhere_is_not_waited_for(tokens, clock):
    source = tokens("a", "b")
    assert [source.lease(cost=1, resource="graphql").credential for _ in range(2 * PLACES)] == [*"aabb"]
    assert clock.slept == []


def test_who_waited_long_enough_makes_room(tokens, clock):
    source = tokens("a")
    for _ in range(PLACES):
        source.lease(cost=1, resource="graphql")
    with pytest.raises(Crowded) as caught:
        source.lease(cost=1, resource="graphql")
    assert PATIENCE <= sum(clock.slept) < PATIENCE + 1
    assert caught.value.reset_at.timestamp() == pytest.approx(clock.time + 15)
    assert "rate limit" not in str(caught.value)


def test_the_pace_of_the_minute_is_waited_for_exactly(tokens, clock):
    source = tokens("a")
    spend(source, 4500, cost=450)
    source.lease(cost=1, resource="graphql")
    assert clock.slept == [pytest.approx(2.0)]  # 50 points over the burst of 400, at 25 a second


def test_leases_know_no_database(tokens, django_db_blocker):
    """The thread that fetches ahead has none: this test has none either, and says so by not asking for one."""
    source, found = tokens("a"), []
    with django_db_blocker.block():
        thread = threading.Thread(target=lambda: found.append(spend(source, 4000)))
        thread.start()
        thread.join()
    assert [lease.credential for lease in found] == ["a"]


def test_without_a_credential_there_is_nothing_to_lease(tokens):
    with pytest.raises(BadCredentials):
        tokens().lease(cost=1, resource="graphql")


def test_a_refused_token_is_replaced_and_another_one_is_worth_a_try(tokens):
    asked = []

    def renewal(*, credential_id: int, refused: str, may_renew: bool) -> str | None:
        asked.append((credential_id, refused, may_renew))
        return "renewed" if may_renew else None

    source = tokens("a", "b", renewal=renewal)
    lease = source.lease(cost=1, resource="graphql")
    assert source.refused(lease)
    assert source.lease(cost=1, resource="graphql").token == "renewed"
    assert source.refused(lease)  # a thread that comes late with the old token
    assert source.refused(Lease("renewed"))
    assert source.lease(cost=1, resource="graphql").token == "token-b"
    assert asked == [(0, "token-a", True), (0, "renewed", False)]


def test_when_the_last_token_is_refused_no_other_is_worth_a_try(tokens):
    source = tokens("a")
    assert not source.refused(source.lease(cost=1, resource="graphql"))
    with pytest.raises(BadCredentials):
        source.lease(cost=1, resource="graphql")


# With credentials in the database, and a GitHub that answers.


def graphql(integration, **more):
    return graphql_of(team_id=integration.team_id, integration_id=integration.pk, **more)


def credentials(integration) -> list[IntegrationCredential]:
    with team_scope(integration.team_id):
        return list(IntegrationCredential.objects.order_by("pk"))


@pytest.fixture
def expiring(sandbox, connected, settings) -> IntegrationCredential:
    """An OAuth credential whose token GitHub no longer takes, with a refresh token that it does take."""
    settings.GITHUB_CLIENT_ID = "the-expiring-app"
    person = sandbox.world.account("sandbox-owner")
    code = sandbox.oauth.grant("the-expiring-app", person, frozenset({"repo", "read:org"}))
    answer = sandbox.oauth.token({"client_id": "the-expiring-app", "client_secret": "its-secret", "code": code})
    with team_scope(connected.team_id):
        credential = IntegrationCredential.objects.get()
        credential.access_token, credential.refresh_token = "revoked", answer["refresh_token"]
        credential.expires_at = timezone.now() + timedelta(hours=7)
        credential.save()
    return credential


def test_what_github_says_is_shared_with_everybody(connected):
    graphql(connected).run("deployments_by_ids", ids=[])
    budget = budget_of(OWNER)
    assert (budget.limit, budget.remaining) == (5000, 4999)
    found = standing()
    assert (found.budget, found.in_flight, found.reserved) == (budget, 0, 0)
    assert budget_of(OWNER, "core") is None


def test_a_secondary_limit_holds_everybody_back(sandbox, connected):
    sandbox.faults.add("*", "secondary")
    with pytest.raises(RateLimited):
        graphql(connected).run("deployments_by_ids", ids=[])
    with (
        pytest.raises(RateLimited) as caught,
        closing(rest_of(team_id=connected.team_id, integration_id=connected.pk)) as rest,
    ):
        rest.get("/user")
    assert caught.value.secondary
    assert standing().blocked_until == pytest.approx(caught.value.reset_at, abs=timedelta(seconds=1))


def test_a_used_up_budget_is_not_asked_again(sandbox, connected):
    sandbox.limits.preset(remaining=0, reset_in=900)
    with pytest.raises(RateLimited):
        graphql(connected).run("deployments_by_ids", ids=[])
    sandbox.limits.preset(remaining=5000, reset_in=3600)
    with pytest.raises(RateLimited) as caught:
        graphql(connected).run("deployments_by_ids", ids=[])
    assert caught.value.reset_at - timezone.now() == pytest.approx(timedelta(seconds=900), abs=timedelta(seconds=10))


def test_a_server_without_limits_is_never_waited_for(sandbox, connected):
    sandbox.limits.enabled = False
    try:
        for _ in range(5):
            graphql(connected).run("deployments_by_ids", ids=[])
    finally:
        sandbox.limits.enabled = True
    found = standing()
    assert (found.is_unlimited, found.budget, found.blocked_until) == (True, None, None)


def test_a_refused_token_is_renewed_once_and_the_request_repeated(expiring, connected):
    answer = graphql(connected).run("deployments_by_ids", ids=[])
    assert answer.requests == 2
    [credential] = credentials(connected)
    assert credential.access_token != "revoked"
    assert credential.is_valid
    assert graphql(connected).run("deployments_by_ids", ids=[]).requests == 1


def test_rest_renews_a_refused_token_too(expiring, connected):
    with closing(rest_of(team_id=connected.team_id, integration_id=connected.pk)) as rest:
        assert rest.get("/user")["login"] == "sandbox-owner"
        assert rest.requests == 2


def test_the_token_that_another_worker_renewed_is_taken(expiring, connected):
    tokens = graphql(connected)
    with team_scope(connected.team_id):
        credential = IntegrationCredential.objects.get()
        credential.access_token = "sandbox-token"
        credential.save()
    assert tokens.run("deployments_by_ids", ids=[]).requests == 2
    assert credentials(connected)[0].refresh_token == expiring.refresh_token  # not spent


def test_a_renewal_by_another_worker_is_waited_for(expiring, connected):
    with team_scope(connected.team_id):
        IntegrationCredential.objects.update(renewing_at=timezone.now())

    def meanwhile(seconds: float) -> None:
        with team_scope(connected.team_id):
            credential = IntegrationCredential.objects.get()
            credential.access_token, credential.renewing_at = "theirs", None
            credential.save()

    assert again(expiring, sleep=meanwhile) == "theirs"


def test_a_renewal_that_takes_for_ever_refuses_nobody(expiring, connected):
    with team_scope(connected.team_id):
        IntegrationCredential.objects.update(renewing_at=timezone.now())
    times = iter(range(100))
    with pytest.raises(Unavailable):
        again(expiring, sleep=lambda seconds: None, clock=lambda: float(next(times)))
    assert credentials(connected)[0].is_valid


def again(credential: IntegrationCredential, **more) -> str | None:
    return another_token(
        team_id=credential.team_id, credential_id=credential.pk, refused=credential.access_token, **more
    )


def test_a_refused_credential_is_used_no_more_and_the_others_go_on(connected):
    with team_scope(connected.team_id):
        IntegrationCredential.objects.update(access_token="revoked")
    IntegrationCredentialFactory.create(
        team=connected.team,
        integration=connected,
        access_token="sandbox-token",
        github_user_id=secrets.randbelow(2**40),
    )
    assert graphql(connected).run("deployments_by_ids", ids=[]).requests == 2
    assert [credential.is_valid for credential in credentials(connected)] == [False, True]
    assert graphql(connected).run("deployments_by_ids", ids=[]).requests == 1


def test_bad_credentials_go_up_when_none_is_left(connected):
    with team_scope(connected.team_id):
        IntegrationCredential.objects.update(access_token="revoked")
    with pytest.raises(BadCredentials):
        graphql(connected).run("deployments_by_ids", ids=[])
    assert [credential.is_valid for credential in credentials(connected)] == [False]


def test_a_spent_refresh_token_ends_the_credential(sandbox, expiring, connected):
    spent = {"grant_type": "refresh_token", "refresh_token": expiring.refresh_token}
    sandbox.oauth.token(spent | {"client_id": "the-expiring-app", "client_secret": "its-secret"})
    with pytest.raises(BadCredentials):
        graphql(connected).run("deployments_by_ids", ids=[])
    assert [credential.is_valid for credential in credentials(connected)] == [False]


def test_github_being_away_during_a_renewal_ends_no_credential(expiring, connected, settings):
    settings.GITHUB_WEB_URL = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        again(expiring)
    [credential] = credentials(connected)
    assert (credential.is_valid, credential.renewing_at) == (True, None)


def test_a_credential_that_was_replaced_meanwhile_has_no_other_token(expiring, connected):
    with team_scope(connected.team_id):
        IntegrationCredential.objects.all().delete()
    assert again(expiring) is None


@pytest.mark.django_db(transaction=True)
def test_the_thread_that_fetches_ahead_keeps_no_database_connection(expiring, connected):
    client, found = graphql(connected), []

    def fetch() -> None:
        found.append(client.run("deployments_by_ids", ids=[]).requests)
        found.append(connection.connection)

    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join()
    assert found == [2, None]
    assert credentials(connected)[0].access_token != "revoked"


def test_the_floor_is_handed_on(connected):
    made = tokens_of(team_id=connected.team_id, integration_id=connected.pk, floor=0)
    spend(made, 1)
    assert made.lease(cost=1, resource="graphql").credential.endswith(str(OWNER))

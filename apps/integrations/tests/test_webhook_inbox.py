"""The inbox: each event has its effect once, whatever becomes of its worker."""

from __future__ import annotations

from datetime import timedelta

import orjson
import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.integrations.factories import GitHubIntegrationFactory, WebhookDeliveryFactory, WebhookEndpointFactory
from apps.integrations.models import TouchedWeeks, TrackedRepository, WebhookDelivery
from apps.integrations.services.webhooks import inbox, touched
from apps.integrations.tests.looks_support import mutate, some_pull
from apps.integrations.tests.webhook_support import SECRET, delivered, heard, listening, open_deliveries, ping
from apps.metrics.models import PRComment, PullRequest, WeeklyMetrics
from apps.teams.scope import team_scope
from tests.worker_support import database

SHOP = "acme/r-1"


@pytest.fixture
def endpoint(team):
    integration = GitHubIntegrationFactory.create(team=team, webhook_secret=SECRET)
    return WebhookEndpointFactory.create(team=team, integration=integration)


def emptied(endpoint):
    return inbox.empty(endpoint.pk)


def let_pass(time) -> None:
    WebhookDelivery.objects.update(claimed_at=F("claimed_at") - time, received_at=F("received_at") - time)


def nonsense(guid="nonsense"):
    return "pull_request", orjson.dumps({"action": "opened", "pull_request": 7}), guid


def test_what_waits_is_processed_and_noted(endpoint):
    delivered(endpoint, [ping(number) for number in range(120)])
    result = emptied(endpoint)
    assert (result.done, result.failed, result.is_unfinished) == (120, 0, False)
    assert open_deliveries() == 0
    assert emptied(endpoint).done == 0


def test_an_endpoint_that_is_no_more_has_nothing_to_do(endpoint):
    assert inbox.empty(endpoint.pk + 1) is None


def test_what_changes_at_github_changes_here(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "edit", number=pull.number, title="Now with another title")
    delivered(endpoint, heard(busy_github, SHOP))
    assert emptied(endpoint).done == 1
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).title == "Now with another title"


def test_an_event_that_comes_twice_has_its_effect_once(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    mutate(busy_github, SHOP, "comment", number=some_pull(busy_github, SHOP).number, body="once")
    [event] = [each for each in heard(busy_github, SHOP) if each[0] == "issue_comment"]
    assert delivered(endpoint, [event, event]) == ["stored", "duplicate"]
    assert emptied(endpoint).done == 1
    assert delivered(endpoint, [event]) == ["duplicate"]
    assert emptied(endpoint).done == 0
    with team_scope(team.pk):
        assert PRComment.objects.filter(body="once").count() == 1


def test_two_teams_that_follow_one_repository_both_get_an_event_of_one_guid(busy_github, team, other_team):
    endpoints = [listening(busy_github, each, SHOP) for each in (team, other_team)]
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "edit", number=pull.number, title="For both")
    events = heard(busy_github, SHOP)
    for endpoint in endpoints:
        assert delivered(endpoint, events) == ["stored"]
        assert emptied(endpoint).done == 1
    for each in (team, other_team):
        with team_scope(each.pk):
            assert PullRequest.objects.get(number=pull.number).title == "For both"


def half_a_payload(endpoint):
    """What no view lets in: it fails for another reason than that it cannot be read."""
    return WebhookDeliveryFactory.create(endpoint=endpoint, event="push", payload=b'{"ref": ')


def test_a_delivery_that_fails_keeps_its_error_and_holds_nobody_up(endpoint):
    delivered(endpoint, [ping()])
    half_a_payload(endpoint)
    delivered(endpoint, [ping()])
    result = emptied(endpoint)
    assert (result.done, result.failed) == (2, 1)
    failed = WebhookDelivery.objects.get(processed_at=None)
    assert failed.attempts == 1
    assert failed.error.startswith("JSONDecodeError: ")


@pytest.mark.django_db(transaction=True)
def test_an_event_that_postgresql_does_not_manage_holds_nobody_up(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "edit", number=pull.number, title="Somebody holds it")
    delivered(endpoint, [*heard(busy_github, SHOP), ping()])
    with psycopg.connect(database()) as somebody, connection.cursor() as cursor:
        somebody.execute("SELECT FROM metrics_pullrequest FOR UPDATE")
        cursor.execute("SET statement_timeout = '2s'")
        try:
            result = emptied(endpoint)
        finally:
            cursor.execute("RESET statement_timeout")
    assert (result.done, result.failed) == (1, 1)
    held = WebhookDelivery.objects.get(processed_at=None)
    assert (held.attempts, held.error.split(":")[0]) == (1, "QueryCanceled")
    let_pass(timedelta(minutes=3))
    assert emptied(endpoint).done == 1


def test_it_is_tried_three_times_more_each_time_later_and_then_left(endpoint):
    half_a_payload(endpoint)
    assert emptied(endpoint).failed == 1
    for attempt, minutes in ((2, 2), (3, 6), (4, 18)):
        let_pass(timedelta(minutes=minutes, seconds=-20))
        assert (inbox.overlooked(), emptied(endpoint).failed) == ([], 0)
        let_pass(timedelta(seconds=30))
        assert (inbox.overlooked(), emptied(endpoint).failed) == ([endpoint.pk], 1)
        assert WebhookDelivery.objects.get().attempts == attempt
    let_pass(timedelta(days=2))
    assert inbox.overlooked() == []
    assert emptied(endpoint).failed == 0


def test_what_cannot_be_read_is_settled_at_once_with_its_reason_and_tried_no_more(endpoint):
    delivered(endpoint, [ping(), nonsense(), ping()])
    result = emptied(endpoint)
    assert (result.done, result.failed) == (2, 1)
    settled = WebhookDelivery.objects.exclude(error="").get()
    assert (settled.guid, settled.attempts, settled.processed_at is None) == ("nonsense", 1, False)
    assert settled.error.startswith("The pull_request event has not its published shape")
    let_pass(timedelta(days=2))
    assert inbox.overlooked() == []
    result = emptied(endpoint)
    assert (result.done, result.failed) == (0, 0)


def test_a_claim_whose_worker_is_gone_is_taken_over_one_at_a_time(endpoint):
    delivered(endpoint, [ping(1), ping(2)])
    WebhookDelivery.objects.update(claimed_at=timezone.now(), attempts=1)
    assert emptied(endpoint).done == 0
    assert inbox.overlooked() == []
    let_pass(timedelta(minutes=3))
    assert inbox.overlooked() == [endpoint.pk]
    assert len(inbox._claim(endpoint.pk).ids) == 1
    assert emptied(endpoint).done == 1


def test_who_lost_its_claim_has_no_effect(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    mutate(busy_github, SHOP, "comment", number=some_pull(busy_github, SHOP).number, body="mine")
    delivered(endpoint, heard(busy_github, SHOP))
    claim = inbox._claim(endpoint.pk)
    let_pass(timedelta(minutes=3))
    outcomes = [inbox._processed(endpoint, delivery_id, claim.at) for delivery_id in claim.ids]
    assert set(outcomes) == {None}
    assert open_deliveries() == len(claim.ids)
    with team_scope(team.pk):
        assert not PRComment.objects.filter(body="mine").exists()


def test_one_message_stands_for_all_that_come_until_it_is_read(endpoint):
    inbox.empty(endpoint.pk)
    assert inbox.needs_waking(endpoint.pk)
    assert not inbox.needs_waking(endpoint.pk)
    inbox.empty(endpoint.pk)
    assert inbox.needs_waking(endpoint.pk)


def test_a_delivery_whose_message_was_lost_is_overlooked_for_half_a_minute(endpoint):
    delivered(endpoint, [ping()])
    assert inbox.overlooked() == []
    let_pass(timedelta(seconds=31))
    assert inbox.overlooked() == [endpoint.pk]


def test_the_weeks_that_an_event_touches_are_rebuilt(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "merge", number=pull.number)
    delivered(endpoint, heard(busy_github, SHOP))
    assert emptied(endpoint).touched
    assert touched.is_any(team.pk)
    assert touched.rebuild(team.pk) >= 1
    assert not touched.is_any(team.pk)
    with team_scope(team.pk):
        assert not TouchedWeeks.objects.exists()
        assert WeeklyMetrics.objects.exists()


def test_deliveries_of_more_than_thirty_days_ago_go(endpoint):
    kept, gone = (WebhookDeliveryFactory.create(endpoint=endpoint) for _ in range(2))
    WebhookDelivery.objects.filter(pk=gone.pk).update(received_at=timezone.now() - timedelta(days=30, minutes=1))
    WebhookDelivery.objects.filter(pk=kept.pk).update(received_at=timezone.now() - timedelta(days=29))
    assert inbox.delete_old() == 1
    assert list(WebhookDelivery.objects.values_list("pk", flat=True)) == [kept.pk]


def test_the_card_learns_when_the_last_event_came_once_a_minute(busy_github, team):
    endpoint = listening(busy_github, team, SHOP, "acme/r-2")
    pull = some_pull(busy_github, SHOP)

    def noted(ago):
        with team_scope(team.pk):
            before = timezone.now() - ago
            TrackedRepository.objects.update(last_delivery_at=before)
        mutate(busy_github, SHOP, "edit", number=pull.number, title=f"{ago}")
        delivered(endpoint, heard(busy_github, SHOP))
        emptied(endpoint)
        with team_scope(team.pk):
            moved = TrackedRepository.objects.exclude(last_delivery_at=before)
            return list(moved.values_list("repository__full_name", flat=True))

    assert noted(timedelta(seconds=30)) == []
    assert noted(timedelta(seconds=90)) == [SHOP]

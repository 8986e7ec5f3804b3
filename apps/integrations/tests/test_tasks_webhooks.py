"""The tasks behind webhooks: what one enqueues, and what the tasks of the minute make up for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import Task
from django.utils import timezone

from apps.integrations.factories import ScheduledFetchFactory, TouchedWeeksFactory, TrackedRepositoryFactory
from apps.integrations.models import ScheduledFetch, TouchedWeeks, TrackedRepository, WebhookDelivery
from apps.integrations.services.webhooks import due_fetches
from apps.integrations.tasks import (
    aggregate_touched_weeks_task,
    catch_up_with_webhooks_task,
    fetch_due_pull_requests_task,
    fetch_pr_complete_data_task,
    process_webhook_deliveries_task,
    see_to_webhooks_task,
    tidy_webhooks_task,
)
from apps.integrations.tests.looks_support import mutate, some_pull
from apps.integrations.tests.webhook_support import delivered, due_now, fetches, heard, listening, ping
from apps.metrics.models import PullRequest, WeeklyMetrics
from apps.teams.scope import team_scope

SHOP = "acme/r-1"


@pytest.fixture
def sent(monkeypatch):
    """The names, arguments and countdowns of what is enqueued; nothing is."""
    found = []
    monkeypatch.setattr(
        Task,
        "apply_async",
        lambda task, args, countdown=None, **options: found.append((task.name.rpartition(".")[2], *args, countdown)),
    )
    return found


@pytest.fixture
def endpoint(busy_github, team):
    endpoint = listening(busy_github, team, SHOP)
    due_fetches.has_come(endpoint.integration_id)  # of an earlier test
    return endpoint


def stored(team, number) -> PullRequest:
    with team_scope(team.pk):
        return PullRequest.objects.get(number=number)


def test_a_merge_has_all_of_it_fetched_within_seconds(busy_github, team, endpoint, sent):
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "merge", number=pull.number)
    delivered(endpoint, heard(busy_github, SHOP))
    process_webhook_deliveries_task(endpoint.pk)
    assert ("fetch_pr_complete_data_task", team.pk, stored(team, pull.number).pk, True, 2.0) in sent
    assert ("aggregate_touched_weeks_task", team.pk, 3.0) in sent


def test_other_events_have_it_fetched_once_they_were_gathered(busy_github, team, endpoint, sent):
    number = some_pull(busy_github, SHOP).number
    for _ in range(3):
        mutate(busy_github, SHOP, "push", number=number)
    delivered(endpoint, heard(busy_github, SHOP))
    process_webhook_deliveries_task(endpoint.pk)
    assert [each for each in sent if each[0].startswith("fetch")] == [
        ("fetch_due_pull_requests_task", team.pk, endpoint.integration_id, 6.0)
    ]


def test_the_fetch_after_a_merge_brings_the_aggregates_up_to_date(busy_github, team, endpoint, sent):
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "merge", number=pull.number)
    fetch_pr_complete_data_task(team.pk, stored(team, pull.number).pk)
    assert stored(team, pull.number).state == "merged"
    assert ("aggregate_touched_weeks_task", team.pk, 3.0) in sent
    aggregate_touched_weeks_task(team.pk)
    with team_scope(team.pk):
        assert WeeklyMetrics.objects.exists()
        assert not TouchedWeeks.objects.exists()


def test_a_merge_that_could_not_be_fetched_is_tried_again_within_seconds(busy_github, team, endpoint, sent):
    pull = some_pull(busy_github, SHOP)
    mutate(busy_github, SHOP, "merge", number=pull.number)
    busy_github.faults.add("PullRequestsByIds", "drop", times=-1)
    fetch_pr_complete_data_task(team.pk, stored(team, pull.number).pk)
    [(name, _, integration_id, countdown)] = sent
    assert (name, integration_id) == ("fetch_due_pull_requests_task", endpoint.integration_id)
    assert 3 < countdown <= 6


def test_what_is_due_soon_has_its_fetch_come_back(busy_github, team, endpoint, sent):
    mutate(busy_github, SHOP, "push", number=some_pull(busy_github, SHOP).number)
    delivered(endpoint, heard(busy_github, SHOP))
    process_webhook_deliveries_task(endpoint.pk)
    sent.clear()
    fetch_due_pull_requests_task(team.pk, endpoint.integration_id)
    [(name, _, _, countdown)] = sent
    assert (name, 1 < countdown <= 6) == ("fetch_due_pull_requests_task", True)


def test_a_stream_of_events_has_one_fetch_on_its_way(busy_github, team, endpoint, sent):
    for pull in list(busy_github.world.repository(SHOP).contents.pulls.values())[:3]:
        mutate(busy_github, SHOP, "push", number=pull.number)
        delivered(endpoint, heard(busy_github, SHOP))
        process_webhook_deliveries_task(endpoint.pk)
    assert len(fetches(team)) == 3
    assert [each[0] for each in sent if each[0].startswith("fetch")] == ["fetch_due_pull_requests_task"]


def test_the_minute_makes_up_for_every_message_that_was_lost(team, endpoint, sent):
    delivered(endpoint, [ping()])
    WebhookDelivery.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    with team_scope(team.pk):
        tracked = TrackedRepository.objects.select_related("repository").get()
    ScheduledFetchFactory.create(team=team, repository=tracked.repository)
    TouchedWeeksFactory.create(team=team)
    catch_up_with_webhooks_task()
    assert sorted(sent) == [
        ("aggregate_touched_weeks_task", team.pk, None),
        ("fetch_due_pull_requests_task", team.pk, endpoint.integration_id, None),
        ("process_webhook_deliveries_task", endpoint.pk, None),
    ]


def test_the_minute_leaves_alone_what_is_not_due(team, endpoint, sent):
    delivered(endpoint, [ping()])
    with team_scope(team.pk):
        tracked = TrackedRepository.objects.select_related("repository").get()
    ScheduledFetchFactory.create(
        team=team, repository=tracked.repository, due_at=timezone.now() + timedelta(minutes=10)
    )
    catch_up_with_webhooks_task()
    assert sent == []


def test_every_five_minutes_the_hooks_are_seen_to(team, sent):
    tracked = TrackedRepositoryFactory.create(team=team, webhook_id=7, webhook_status="active")
    see_to_webhooks_task()
    assert sent == [("redeliver_webhooks_task", team.pk, tracked.integration_id, None)]


def test_the_night_forgets_what_was_given_up(team, endpoint, sent):
    delivered(endpoint, [ping()])
    WebhookDelivery.objects.update(received_at=timezone.now() - timedelta(days=31))
    ScheduledFetchFactory.create(team=team, done_at=timezone.now() - timedelta(days=31))
    tidy_webhooks_task()
    assert not WebhookDelivery.objects.exists()
    with team_scope(team.pk):
        assert not ScheduledFetch.objects.exists()


def test_an_emptied_redis_delays_and_loses_nothing(busy_github, team, endpoint, sent):
    number = some_pull(busy_github, SHOP).number
    mutate(busy_github, SHOP, "push", number=number)
    delivered(endpoint, heard(busy_github, SHOP))  # and no message comes
    WebhookDelivery.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    catch_up_with_webhooks_task()
    for _, endpoint_id, _ in [each for each in sent if each[0].startswith("process")]:
        process_webhook_deliveries_task(endpoint_id)
    assert len(fetches(team)) == 1
    due_now(team)
    sent.clear()
    catch_up_with_webhooks_task()
    for _, team_id, integration_id, _ in [each for each in sent if each[0].startswith("fetch")]:
        fetch_due_pull_requests_task(team_id, integration_id)
    assert fetches(team) == []

"""Events from GitHub: kept raw and once, or refused with nothing kept."""

from __future__ import annotations

import json
import time
from threading import Event, Thread, Timer

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.common.roles import as_owner
from apps.integrations.factories import (
    GitHubIntegrationFactory,
    TrackedRepositoryFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)
from apps.integrations.github.signature import sign
from apps.integrations.models import GitHubIntegration, TrackedRepository, WebhookDelivery
from apps.integrations.services.webhooks import inbox
from apps.integrations.services.webhooks.receiving import LARGEST_PAYLOAD, TRUSTED_FOR
from apps.teams.scope import team_scope

BODY = b'{ "action": "opened",\n  "zen": "caf\xc3\xa9" }'


@pytest.fixture
def endpoint(team):
    integration = GitHubIntegrationFactory.create(team=team, webhook_secret="s3cret")
    return WebhookEndpointFactory.create(team=team, integration=integration)


def send(endpoint, body=BODY, *, secret="s3cret", guid="guid-1", event="pull_request", client=None, **headers):
    given = {"X-GitHub-Event": event, "X-GitHub-Delivery": guid, "X-Hub-Signature-256": sign(body, secret)} | headers
    return (client or Client(enforce_csrf_checks=True)).post(
        reverse("integrations:github_webhook", args=[endpoint.opaque_id]),
        data=body,
        content_type="application/json",
        headers={name: value for name, value in given.items() if value is not None},
    )


def test_it_keeps_the_event_raw_and_answers_202(endpoint):
    assert send(endpoint).status_code == 202
    delivery = WebhookDelivery.objects.get()
    assert (bytes(delivery.payload), delivery.guid, delivery.event) == (BODY, "guid-1", "pull_request")
    assert (delivery.endpoint, delivery.claimed_at, delivery.processed_at) == (endpoint, None, None)


def test_a_ping_is_kept_like_any_other(endpoint):
    assert send(endpoint, b'{"zen": "Keep it logically awesome."}', event="ping").status_code == 202


def test_the_same_delivery_is_kept_once(endpoint):
    assert [send(endpoint).status_code for _ in range(3)] == [202, 202, 202]
    assert WebhookDelivery.objects.count() == 1


def test_one_guid_may_come_to_two_endpoints(endpoint, other_team):
    other = WebhookEndpointFactory.create(team=other_team)
    with team_scope(other_team.pk):
        secret = GitHubIntegration.objects.get().webhook_secret
    assert send(endpoint).status_code == 202
    assert send(other, secret=secret).status_code == 202
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "é" * 10, sign(BODY, ""), sign(BODY + b" ", "s3cret")],
)
def test_a_missing_or_wrong_signature_is_refused_and_nothing_kept(endpoint, signature):
    if signature is not None:
        signature = signature.encode().decode("latin-1")
    assert send(endpoint, **{"X-Hub-Signature-256": signature}).status_code == 403
    assert not WebhookDelivery.objects.exists()


def test_what_is_not_signed_is_not_even_parsed(endpoint):
    assert send(endpoint, b"not json", secret="wrong").status_code == 403


def test_another_teams_secret_opens_nothing(endpoint, other_team):
    other = WebhookEndpointFactory.create(team=other_team)
    assert send(other, secret="s3cret").status_code == 403


def test_both_secrets_count_while_they_are_rotated(team, endpoint):
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get(pk=endpoint.integration_id)
        integration.webhook_secret, integration.webhook_secret_before = "new", "s3cret"
        integration.save()
    assert send(endpoint, secret="s3cret", guid="a").status_code == 202
    assert send(endpoint, secret="new", guid="b").status_code == 202
    assert send(endpoint, secret="older", guid="c").status_code == 403


def test_an_empty_secret_never_opens(team):
    integration = GitHubIntegrationFactory.create(team=team, webhook_secret="")
    endpoint = WebhookEndpointFactory.create(team=team, integration=integration)
    assert send(endpoint, secret="").status_code == 403


def test_an_unknown_address_is_404(endpoint):
    endpoint.opaque_id = "nobody-knows-this"
    assert send(endpoint).status_code == 404


@pytest.mark.parametrize("body", [b"", b"zen", b"[1]", b'"text"', b"payload=%7B%7D", b"\xff\xfe", b"{", b"NaN"])
def test_what_is_no_json_object_is_400(endpoint, body):
    assert send(endpoint, body).status_code == 400
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("missing", [{"X-GitHub-Event": None}, {"X-GitHub-Delivery": None}, {"guid": "x" * 65}])
def test_without_event_or_guid_it_is_400(endpoint, missing):
    assert send(endpoint, **missing).status_code == 400


def test_more_than_github_sends_is_413(endpoint, settings):
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == LARGEST_PAYLOAD
    body = b'{"a": "' + b"x" * LARGEST_PAYLOAD + b'"}'
    assert send(endpoint, body).status_code == 413
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_only_post_is_answered(endpoint, method):
    response = getattr(Client(), method)(reverse("integrations:github_webhook", args=[endpoint.opaque_id]))
    assert response.status_code == 405


@pytest.mark.parametrize("repository", [None, 5, [], {}, {"id": None}, {"id": "7"}, {"id": 10**30}])
def test_odd_repositories_do_no_harm(endpoint, repository):
    assert send(endpoint, json.dumps({"repository": repository}).encode()).status_code == 202


def test_what_is_stored_wakes_one_worker_for_all_that_follow(endpoint, queued):
    inbox.empty(endpoint.pk)
    with queued() as tasks:
        for number in range(5):
            send(endpoint, guid=f"guid-{number}")
        send(endpoint, guid="guid-1")
        send(endpoint, secret="wrong", guid="forged")
    assert tasks == [("process_webhook_deliveries_task", endpoint.pk)]


def test_an_event_that_nobody_knows_is_taken_and_ignored(endpoint):
    assert send(endpoint, event="something_new_at_github").status_code == 202
    assert inbox.empty(endpoint.pk).done == 1


def test_github_gets_its_answer_while_redis_is_away(endpoint, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    assert send(endpoint).status_code == 202
    assert WebhookDelivery.objects.count() == 1


def test_nothing_of_what_is_refused_is_kept(team, endpoint):
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
    shop = TrackedRepositoryFactory.create(team=team, integration=integration)
    body = json.dumps({"repository": {"id": shop.repository.github_repo_id}}).encode()
    assert send(endpoint, body, secret="wrong").status_code == 403
    assert send(endpoint, body, guid="a\0b").status_code == 400
    with team_scope(team.pk):
        assert TrackedRepository.objects.get().last_delivery_at is None
    assert not WebhookDelivery.objects.exists()


def test_a_delivery_takes_one_statement_once_its_listener_is_known(endpoint, django_assert_num_queries):
    with django_assert_num_queries(7):  # with the scope's, and a savepoint that is a transaction elsewhere
        send(endpoint)
    with django_assert_num_queries(1):
        send(endpoint, guid="guid-2")


def test_a_new_secret_counts_at_once_and_a_former_one_for_seconds_at_most(team, endpoint, monkeypatch):
    assert send(endpoint, guid="a").status_code == 202
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get(pk=endpoint.integration_id)
        integration.webhook_secret = "new"
        integration.save()
    assert send(endpoint, secret="new", guid="b").status_code == 202
    assert send(endpoint, secret="s3cret", guid="c").status_code == 403
    integration.webhook_secret = "newer"
    with team_scope(team.pk):
        integration.save()
    later = time.monotonic() + TRUSTED_FOR
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert send(endpoint, secret="new", guid="d").status_code == 403


def test_a_deleted_endpoint_takes_nothing_more(endpoint):
    assert send(endpoint, guid="a").status_code == 202
    endpoint.delete()
    assert send(endpoint, guid="b").status_code == 404
    assert send(endpoint, guid="c", secret="wrong").status_code == 404
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_is_deleted_while_its_event_is_stored_takes_nothing(endpoint):
    assert send(endpoint, guid="a").status_code == 202
    read, deleted = Event(), Event()

    def delete() -> None:
        with transaction.atomic():
            endpoint.delete()
            read.set()
            deleted.wait(60)
        connection.close()

    deleting = Thread(target=delete)
    deleting.start()
    assert read.wait(60)
    Timer(0.3, deleted.set).start()
    assert send(endpoint, guid="b").status_code == 404
    deleting.join()
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_is_stored_though_postgresql_was_restarted(endpoint):
    assert send(endpoint, guid="a").status_code == 202
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        kept = cursor.fetchone()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", kept)
    assert send(endpoint, guid="b").status_code == 202
    assert WebhookDelivery.objects.count() == 2


def test_a_payload_takes_a_fraction_of_its_size_on_the_disk(endpoint):
    body = json.dumps({"urls": [f"https://api.github.com/repos/acme/shop/issues/{n}" for n in range(500)]}).encode()
    send(endpoint, body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT length(payload) FROM integrations_webhookdelivery")
        assert cursor.fetchone()[0] < len(body) / 5
    assert WebhookDelivery.objects.get().payload == body


def test_what_was_stored_before_payloads_were_compressed_is_read(endpoint):
    delivery = WebhookDeliveryFactory.create(endpoint=endpoint)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_webhookdelivery SET payload = %s", [BODY])
    delivery.refresh_from_db()
    assert delivery.payload == BODY


def test_what_was_given_up_is_on_the_page_of_connections(team, endpoint, as_owner_of_team):
    url = reverse("integrations:connect", args=[team.slug])
    delivery = WebhookDeliveryFactory.create(endpoint=endpoint, event="push", attempts=3, error="no <b>commit</b>")
    assert b"could not be processed" not in as_owner_of_team.get(url).content
    WebhookDelivery.objects.filter(pk=delivery.pk).update(attempts=4)
    page = as_owner_of_team.get(url).content.decode()
    assert "1 event “push”" in page
    assert "no &lt;b&gt;commit&lt;/b&gt;" in page


def test_what_can_never_be_read_is_on_the_page_of_connections_too(team, endpoint, as_owner_of_team):
    at = timezone.now()
    WebhookDeliveryFactory.create(endpoint=endpoint, event="status", attempts=1, error="no sha", processed_at=at)
    WebhookDeliveryFactory.create(endpoint=endpoint, event="ping", attempts=1, processed_at=at)
    page = as_owner_of_team.get(reverse("integrations:connect", args=[team.slug])).content.decode()
    assert "1 event “status”" in page
    assert "no sha" in page
    assert "“ping”" not in page


def test_another_teams_failures_are_on_no_page_of_ours(team, other_team, as_owner_of_team):
    other = WebhookEndpointFactory.create(team=other_team)
    WebhookDeliveryFactory.create(endpoint=other, attempts=4, error="theirs")
    page = as_owner_of_team.get(reverse("integrations:connect", args=[team.slug])).content
    assert b"theirs" not in page


def test_github_may_keep_its_connection(endpoint):
    response = send(endpoint)
    assert response.headers["Content-Length"] == str(len(response.content))

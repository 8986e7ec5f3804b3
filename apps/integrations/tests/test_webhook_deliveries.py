"""What did not arrive is delivered again, what is wrong with a hook is on its card, secrets change without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import TrackedRepositoryFactory
from apps.integrations.github.signature import sign
from apps.integrations.models import GitHubIntegration, TrackedRepository, WebhookEndpoint
from apps.integrations.services.github_sync.due import healthy_webhook
from apps.integrations.services.github_webhooks import register
from apps.integrations.services.repositories import request_hook
from apps.integrations.services.webhooks import deliveries, receiving, rotation
from apps.integrations.tests.test_github_webhooks import at_github, followed, fresh, registered, use_token
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

Hook = TrackedRepository.WebhookStatus
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def shop(sandbox, connected):
    """Registered, and nothing was delivered yet."""
    tracked = followed(sandbox, connected, "acme/shop")
    registered(tracked)
    sandbox.hooks.drain()
    hook = at_github(sandbox, tracked)
    hook.deliveries.clear()
    hook.updated_at = LONG_AGO
    yield tracked
    sandbox.hooks.delete(hook)


@pytest.fixture
def hook(sandbox, shop):
    return at_github(sandbox, shop)


def seen_to(tracked, *, later=True):
    if later:
        with team_scope(tracked.team_id):
            TrackedRepository.objects.filter(webhook_checked_at__isnull=False).update(
                webhook_checked_at=F("webhook_checked_at") - deliveries.EVERY
            )
    return deliveries.see_to(tracked.team_id, tracked.integration_id)


def sent(sandbox, hook, code, *, ago=60, guid=None):
    """A delivery that was answered with `code` a while ago (0: not at all)."""
    delivery = sandbox.hooks.send(hook, "push", {"ref": "refs/heads/main"}, guid)
    sandbox.hooks.drain()
    answered(delivery, code, ago)
    return delivery


def answered(delivery, code, ago=60):
    delivery.status_code = code
    delivery.delivered_at = (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def attempts(hook, guid):
    return [each for each in hook.deliveries if each.guid == guid]


def test_what_failed_is_asked_for_again_once_in_each_round_until_it_arrives(sandbox, shop, hook):
    lost, arrived = sent(sandbox, hook, 502), sent(sandbox, hook, 202)
    assert seen_to(shop).redelivered == 1
    assert seen_to(shop, later=False).hooks == 0
    sandbox.hooks.drain()
    answered(attempts(hook, lost.guid)[0], 502, ago=40)
    assert seen_to(shop).redelivered == 1
    sandbox.hooks.drain()
    answered(attempts(hook, lost.guid)[0], 202, ago=35)
    assert seen_to(shop).redelivered == 0
    assert (len(attempts(hook, lost.guid)), len(attempts(hook, arrived.guid))) == (3, 1)


def test_an_attempt_that_may_still_be_answered_is_left_alone(sandbox, shop, hook):
    sent(sandbox, hook, 0, ago=5)
    assert seen_to(shop).redelivered == 0


def test_what_we_shall_never_take_is_not_asked_for_again(sandbox, shop, hook):
    sent(sandbox, hook, 400)
    assert seen_to(shop).redelivered == 0
    assert fresh(shop).webhook_status == Hook.ACTIVE


@pytest.mark.parametrize(
    ("fault", "options"),
    [("502", {}), ("status", {"status": 200, "body": ["nonsense"]}), ("status", {"status": 200, "body": {"id": 1}})],
)
def test_a_hook_of_which_github_says_nothing_does_not_keep_the_others_waiting(
    sandbox, connected, shop, hook, fault, options
):
    silent = TrackedRepositoryFactory.create(
        team=connected.team,
        integration=connected,
        repository__full_name="acme/site",
        webhook_id=7,
        webhook_status=Hook.ACTIVE,
    )
    with team_scope(shop.team_id):
        TrackedRepository.objects.filter(pk=shop.pk).update(webhook_checked_at=timezone.now() - 2 * deliveries.EVERY)
    sandbox.faults.add("/repos/acme/site/hooks", fault, times=-1, **options)
    sent(sandbox, hook, 502)
    assert (seen_to(shop).redelivered, fresh(silent).webhook_status) == (1, Hook.ACTIVE)
    assert fresh(silent).webhook_checked_at is None  # what failed until now is asked for again when it is heard of
    assert seen_to(shop).hooks == 1  # it is left out for a while
    cache.delete(f"hooks-silent:{shop.integration_id}")


def test_a_round_has_an_end_and_the_next_one_goes_on(sandbox, shop, hook, monkeypatch):
    monkeypatch.setattr(deliveries, "MOST", 1)
    first, second = sent(sandbox, hook, 502, ago=120), sent(sandbox, hook, 502, ago=60)
    assert seen_to(shop).redelivered == 1
    assert [len(attempts(hook, each.guid)) for each in (first, second)] == [2, 1]
    sandbox.hooks.drain()
    answered(attempts(hook, first.guid)[0], 202, ago=35)
    assert seen_to(shop).redelivered == 1
    assert len(attempts(hook, second.guid)) == 2


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [(403, Hook.MISSIGNED, "another secret"), (502, Hook.FAILING, "502"), (0, Hook.FAILING, "no answer")],
)
def test_the_card_learns_what_is_wrong_with_the_hook(sandbox, shop, hook, code, status, words):
    sent(sandbox, hook, code)
    seen_to(shop)
    stored = fresh(shop)
    assert stored.webhook_status == status
    assert words in stored.webhook_error
    with team_scope(shop.team_id):
        assert not TrackedRepository.objects.filter(healthy_webhook(), pk=shop.pk).exists()


def test_events_that_a_wrong_secret_signs_are_asked_for_once_it_is_repaired(sandbox, shop, hook):
    lost = sent(sandbox, hook, 403)
    assert seen_to(shop).redelivered == 0
    assert request_hook(tracked=fresh(shop))
    assert register(team_id=shop.team_id, tracked_id=shop.pk)
    sandbox.hooks.drain()
    answered(hook.deliveries[0], 202, ago=35) if hook.deliveries[0].event == "ping" else sent(sandbox, hook, 202)
    assert seen_to(shop).redelivered == 1
    assert len(attempts(hook, lost.guid)) == 2


@pytest.mark.parametrize("code", [403, 502, 0])
def test_a_repaired_hook_is_not_judged_by_what_failed_before(sandbox, shop, hook, code):
    lost = sent(sandbox, hook, code)
    seen_to(shop)
    assert request_hook(tracked=fresh(shop))
    assert register(team_id=shop.team_id, tracked_id=shop.pk)
    seen_to(shop)
    assert (fresh(shop).webhook_status, fresh(shop).webhook_error) == (Hook.ACTIVE, "")
    sandbox.hooks.drain()
    answered(attempts(hook, lost.guid)[0], code, ago=31)  # it was asked for again, and the repair did not help
    hook.updated_at = LONG_AGO
    seen_to(shop)
    assert fresh(shop).webhook_status in TrackedRepository.WRONG


def test_a_hook_that_is_taken_over_is_not_judged_by_what_it_sent_to_its_former_owner(sandbox, shop, hook):
    sent(sandbox, hook, 403)  # the ping that GitHub signed with the secret of that time
    hook.updated_at = (datetime.now(UTC) - timedelta(seconds=50)).strftime("%Y-%m-%dT%H:%M:%SZ")
    seen_to(shop)
    assert (fresh(shop).webhook_status, fresh(shop).webhook_error) == (Hook.ACTIVE, "")


def test_what_a_wrong_secret_had_refused_for_two_days_is_asked_for_once_it_is_repaired(sandbox, shop, hook):
    lost = sent(sandbox, hook, 403, ago=2 * 86400)
    seen_to(shop)
    for _ in range(3):
        seen_to(shop)
    assert fresh(shop).webhook_status == Hook.MISSIGNED
    assert request_hook(tracked=fresh(shop))
    assert register(team_id=shop.team_id, tracked_id=shop.pk)
    assert seen_to(shop).redelivered == 1
    assert len(attempts(hook, lost.guid)) == 2


def test_a_hook_that_was_switched_off_after_its_last_event_says_so_with_the_next_round(sandbox, shop, hook):
    sent(sandbox, hook, 202, ago=400)
    hook.active = False
    seen_to(shop)
    assert fresh(shop).webhook_status == Hook.DISABLED


def test_a_hook_that_was_removed_at_github_is_missing_and_repaired_by_a_new_one(sandbox, shop, hook):
    sandbox.hooks.delete(hook)
    seen_to(shop)
    assert fresh(shop).webhook_status == Hook.MISSING
    assert request_hook(tracked=fresh(shop))
    assert register(team_id=shop.team_id, tracked_id=shop.pk)
    assert fresh(shop).webhook_status == Hook.ACTIVE
    assert at_github(sandbox, shop).id == fresh(shop).webhook_id != hook.id
    sandbox.hooks.delete(at_github(sandbox, shop))


def test_a_hook_that_was_switched_off_at_github_says_so_and_is_switched_on_by_the_repair(sandbox, shop, hook):
    hook.active = False
    seen_to(shop)
    assert fresh(shop).webhook_status == Hook.DISABLED
    assert fresh(shop).reconcile_asked_at is None
    assert request_hook(tracked=fresh(shop))
    assert fresh(shop).reconcile_asked_at is not None  # what it did not send nobody delivers again
    assert register(team_id=shop.team_id, tracked_id=shop.pk)
    assert hook.active
    assert (fresh(shop).webhook_status, fresh(shop).webhook_id) == (Hook.ACTIVE, hook.id)


def test_a_hook_that_works_again_is_healthy_by_itself(sandbox, shop, hook):
    hook.active = False
    seen_to(shop)
    hook.active = True
    seen_to(shop)
    assert (fresh(shop).webhook_status, fresh(shop).webhook_error) == (Hook.ACTIVE, "")
    assert fresh(shop).reconcile_asked_at is not None


def test_a_hook_whose_events_were_only_refused_has_nothing_compared_when_it_is_repaired(sandbox, shop, hook):
    sent(sandbox, hook, 403)
    seen_to(shop)
    assert request_hook(tracked=fresh(shop))
    assert fresh(shop).reconcile_asked_at is None


def test_a_refused_token_disconnects_and_no_hook_is_called_missing(shop):
    use_token(shop, "revoked")
    seen_to(shop)
    with team_scope(shop.team_id):
        assert GitHubIntegration.objects.get().sync_status == GitHubIntegration.SyncStatus.DISCONNECTED
    assert fresh(shop).webhook_status == Hook.ACTIVE
    assert deliveries.connections_due(shop.team_id) == []


@pytest.mark.parametrize(("fault", "options"), [("rate_limited", {"reset_in": 60}), ("drop", {})])
def test_what_passes_by_is_left_for_the_next_round(sandbox, shop, hook, fault, options):
    sandbox.faults.add("/repos/acme/shop/hooks", fault, times=-1, **options)
    assert seen_to(shop).hooks == 0
    assert fresh(shop).webhook_checked_at is None
    assert deliveries.connections_due(shop.team_id) == [shop.integration_id]


def test_two_rounds_at_once_ask_for_nothing_twice(sandbox, shop, hook):
    sent(sandbox, hook, 502)
    cache.add(f"hooks:{shop.integration_id}", 1, 60)
    assert seen_to(shop).hooks == 0
    cache.delete(f"hooks:{shop.integration_id}")
    assert seen_to(shop).hooks == 1


def test_hooks_take_turns_where_there_are_many(sandbox, connected, shop, monkeypatch):
    monkeypatch.setattr(deliveries, "AT_ONCE", 1)
    other = TrackedRepositoryFactory.create(
        team=connected.team, integration=connected, webhook_id=7, webhook_status=Hook.ACTIVE
    )
    seen_to(shop, later=False)
    seen_to(shop, later=False)
    assert fresh(shop).webhook_checked_at is not None
    assert fresh(other).webhook_checked_at is not None


def received(connected, secret) -> bool:
    listener = receiving.listener_at(WebhookEndpoint.objects.get().opaque_id)
    body = b"{}"
    try:
        receiving.receive(listener=listener, body=body, signed=sign(body, secret), event="ping", guid=secret[:20])
    except receiving.Refused:
        return False
    return True


def secret_of(connected) -> str:
    with team_scope(connected.team_id):
        connected.refresh_from_db()
        return connected.webhook_secret


def ended(connected, *, after) -> int:
    with team_scope(connected.team_id):
        GitHubIntegration.objects.update(secret_rotated_at=timezone.now() - after)
    return rotation.end_rotations(connected.team_id)


def test_a_secret_is_rotated_without_a_gap(connected, shop, hook, monkeypatch):
    monkeypatch.setattr(receiving, "TRUSTED_FOR", 0.0)
    before = secret_of(connected)
    assert rotation.rotate_secret(integration=connected, actor=None) == [shop.pk]
    now = secret_of(connected)
    assert now != before
    assert hook.secret == before
    assert received(connected, before)
    assert received(connected, now)
    assert ended(connected, after=timedelta(hours=1)) == 0  # a hook has the old one still
    assert registered(shop)
    assert (hook.secret, fresh(shop).webhook_status) == (now, Hook.ACTIVE)
    assert ended(connected, after=timedelta(minutes=9)) == 0  # events are on their way
    assert ended(connected, after=timedelta(minutes=11)) == 1
    assert not received(connected, before)


def test_while_a_rotation_runs_no_other_begins(connected, shop):
    rotation.rotate_secret(integration=connected, actor=None)
    now = secret_of(connected)
    assert rotation.rotate_secret(integration=connected, actor=None) == []
    assert secret_of(connected) == now


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_is_replaced_while_its_hook_is_written_is_written_again(
    sandbox, connected, shop, hook, monkeypatch
):
    rotation.rotate_secret(integration=connected, actor=None)
    find = sandbox.hooks.find

    def find_while_somebody_replaces_the_secret(owner, hook_id):
        with team_scope(connected.team_id):
            integration = GitHubIntegration.objects.get()
            integration.webhook_secret = "another one"
            integration.save()
        connection.close()
        return find(owner, hook_id)

    monkeypatch.setattr(sandbox.hooks, "find", find_while_somebody_replaces_the_secret)
    assert not registered(shop)
    assert fresh(shop).webhook_status == Hook.PENDING
    monkeypatch.undo()
    assert registered(shop)
    assert hook.secret == "another one"


def test_a_hook_that_cannot_be_repaired_is_not_forgotten(shop, hook):
    use_token(shop, "sandbox-readonly")
    with team_scope(shop.team_id):
        TrackedRepository.objects.update(webhook_status=Hook.PENDING)
    assert not registered(shop)
    assert (fresh(shop).webhook_status, fresh(shop).webhook_id) == (Hook.FORBIDDEN, hook.id)


def test_an_admin_rotates_with_a_button(connected, shop, as_owner_of_team, queued):
    url = reverse("integrations:rotate_secret", args=[connected.team.slug, connected.pk])
    before = secret_of(connected)
    with queued() as tasks:
        assert as_owner_of_team.post(url).status_code == 302
    assert tasks == [("register_webhook_task", connected.team_id, shop.pk)]
    assert secret_of(connected) != before
    with team_scope(connected.team_id):
        assert AuditEvent.objects.filter(action="github.secret_rotated").count() == 1
    with queued() as tasks:
        as_owner_of_team.post(url)
    assert tasks == []


def test_a_command_rotates_too(connected, shop, queued, capsys):
    with queued() as tasks:
        call_command("rotate_webhook_secret", team=connected.team.slug, json=True)
    assert tasks == [("register_webhook_task", connected.team_id, shop.pk)]
    assert '"acme": 1' in capsys.readouterr().out

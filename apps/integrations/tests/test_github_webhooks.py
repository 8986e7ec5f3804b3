"""Hooks at GitHub: registered, adopted, refused, removed, one a second."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db import connection

from apps.integrations.factories import TrackedRepositoryFactory
from apps.integrations.github.errors import RateLimited, Unavailable
from apps.integrations.models import GitHubIntegration, IntegrationCredential, TrackedRepository, WebhookEndpoint
from apps.integrations.services.connections import disconnect
from apps.integrations.services.github_webhooks import (
    endpoint_url,
    register,
    remove,
    remove_of_disconnected,
    reserve_write,
)
from apps.integrations.services.repositories import untrack_repository
from apps.metrics.factories import RepositoryFactory
from apps.teams.scope import team_scope

Hook = TrackedRepository.WebhookStatus


def followed(sandbox, connected, full_name) -> TrackedRepository:
    remote = sandbox.world.repository(full_name)
    repository = RepositoryFactory.create(team=connected.team, github_repo_id=remote.database_id, full_name=full_name)
    return TrackedRepositoryFactory.create(
        team=connected.team,
        integration=connected,
        repository=repository,
        webhook_wanted=True,
        webhook_status=Hook.PENDING,
    )


@pytest.fixture
def shop(sandbox, connected) -> TrackedRepository:
    return followed(sandbox, connected, "acme/shop")


def fresh(tracked) -> TrackedRepository:
    with team_scope(tracked.team_id):
        return TrackedRepository.objects.get(pk=tracked.pk)


def registered(tracked) -> bool:
    return register(team_id=tracked.team_id, tracked_id=tracked.pk)


def removed(tracked) -> bool:
    return remove(team_id=tracked.team_id, tracked_id=tracked.pk)


def at_github(sandbox, tracked):
    """Our hook in the sandbox, None without one."""
    url = endpoint_url(WebhookEndpoint.objects.get(integration_id=tracked.integration_id))
    hooks = sandbox.hooks.of(sandbox.world.repository("acme/shop"))
    return next((hook for hook in hooks if hook.url == url), None)


def use_token(tracked, token) -> None:
    with team_scope(tracked.team_id):
        credential = IntegrationCredential.objects.get()
        credential.access_token = token
        credential.save()


def test_it_registers_a_hook_with_the_connections_secret(sandbox, connected, shop):
    assert registered(shop)
    hook = at_github(sandbox, shop)
    assert hook.secret == connected.webhook_secret
    assert (hook.content_type, hook.active) == ("json", True)
    assert {"pull_request", "check_run", "push"} <= set(hook.events)
    stored = fresh(shop)
    assert (stored.webhook_status, stored.webhook_id, stored.webhook_error) == (Hook.ACTIVE, hook.id, "")


def test_it_adopts_the_hook_that_is_there_already(sandbox, shop):
    registered(shop)
    with team_scope(shop.team_id):
        TrackedRepository.objects.update(webhook_id=None, webhook_status=Hook.PENDING)
    known = at_github(sandbox, shop)
    assert registered(shop)
    assert fresh(shop).webhook_id == known.id


def test_one_that_works_is_left_alone(sandbox, shop):
    registered(shop)
    assert not registered(shop)


def test_without_the_right_the_card_says_so_and_nothing_raises(shop):
    use_token(shop, "sandbox-readonly")
    assert not registered(shop)
    stored = fresh(shop)
    assert stored.webhook_status == Hook.FORBIDDEN
    assert "admin:repo_hook" in stored.webhook_error


def test_an_answer_that_nobody_expected_is_on_the_card_too(sandbox, shop):
    sandbox.faults.add("/repos/acme/shop/hooks", "status", status=451, body={"message": "blocked"})
    assert not registered(shop)
    assert (fresh(shop).webhook_status, "legal" in fresh(shop).webhook_error) == (Hook.FAILED, True)


@pytest.mark.parametrize(
    ("fault", "options", "error"),
    [
        ("rate_limited", {"reset_in": 60}, RateLimited),
        ("secondary", {}, RateLimited),
        ("drop", {}, Unavailable),
        ("502", {}, Unavailable),
        ("504", {}, Unavailable),
    ],
)
def test_what_passes_by_is_tried_again_later(sandbox, shop, fault, options, error):
    sandbox.faults.add("/repos/acme/shop/hooks", fault, times=-1, **options)
    with pytest.raises(error):
        registered(shop)
    assert fresh(shop).webhook_status == Hook.PENDING


@pytest.mark.parametrize("fault", ["502", "504", "drop"])
def test_a_hook_that_cannot_be_removed_now_is_not_forgotten(sandbox, shop, fault):
    registered(shop)
    untrack_repository(tracked=fresh(shop), actor=None)
    sandbox.faults.add("/repos/acme/shop/hooks", fault, times=-1)
    with pytest.raises(Unavailable):
        removed(shop)
    sandbox.faults.clear()
    assert removed(shop)
    assert at_github(sandbox, shop) is None


def test_a_refused_token_disconnects(shop):
    use_token(shop, "revoked")
    assert not registered(shop)
    with team_scope(shop.team_id):
        assert GitHubIntegration.objects.get().sync_status == GitHubIntegration.SyncStatus.DISCONNECTED


def test_a_switch_that_was_moved_back_meanwhile_registers_nothing(sandbox, shop):
    untrack_repository(tracked=shop, actor=None)
    assert not registered(shop)
    assert at_github(sandbox, shop) is None


def test_it_removes_the_hook_of_what_is_no_longer_followed(sandbox, shop):
    registered(shop)
    untrack_repository(tracked=fresh(shop), actor=None)
    assert removed(shop)
    assert at_github(sandbox, shop) is None
    stored = fresh(shop)
    assert (stored.webhook_id, stored.webhook_status) == (None, Hook.NONE)


def test_one_that_somebody_removed_at_github_is_no_failure(sandbox, shop):
    registered(shop)
    sandbox.hooks.delete(at_github(sandbox, shop))
    untrack_repository(tracked=fresh(shop), actor=None)
    assert not removed(shop)
    assert fresh(shop).webhook_id is None


def test_the_hook_of_what_is_followed_again_stays(sandbox, shop):
    registered(shop)
    assert not removed(shop)
    assert at_github(sandbox, shop) is not None


@pytest.mark.django_db(transaction=True)
def test_a_switch_that_is_moved_back_while_its_hook_goes_wants_a_new_one(sandbox, shop, monkeypatch):
    registered(shop)
    untrack_repository(tracked=fresh(shop), actor=None)
    delete = sandbox.hooks.delete

    def delete_while_somebody_switches_on(hook):
        delete(hook)
        with team_scope(shop.team_id):
            TrackedRepository.objects.update(is_active=True)
        connection.close()

    monkeypatch.setattr(sandbox.hooks, "delete", delete_while_somebody_switches_on)
    assert removed(shop)
    stored = fresh(shop)
    assert (stored.webhook_id, stored.webhook_status) == (None, Hook.PENDING)


def test_giving_a_connection_up_removes_its_hooks_one_by_one(sandbox, connected, shop):
    registered(shop)
    disconnect(integration=connected, actor=None)
    given_up = {"team_id": connected.team_id, "integration_id": connected.pk}
    assert remove_of_disconnected(**given_up)
    assert at_github(sandbox, shop) is None
    assert not remove_of_disconnected(**given_up)


def test_a_connection_that_works_keeps_its_hooks(sandbox, connected, shop):
    registered(shop)
    assert not remove_of_disconnected(team_id=connected.team_id, integration_id=connected.pk)
    assert at_github(sandbox, shop) is not None


def test_hooks_that_cannot_be_removed_do_not_hold_the_token_back(connected, shop):
    registered(shop)
    use_token(shop, "revoked")
    disconnect(integration=connected, actor=None)
    given_up = {"team_id": connected.team_id, "integration_id": connected.pk}
    assert remove_of_disconnected(**given_up)
    assert not remove_of_disconnected(**given_up)


def test_writers_get_seconds_of_their_own(connected, shop):
    waits = [reserve_write(team_id=shop.team_id, tracked_id=shop.pk) for _ in range(4)]
    assert waits[0] == 0
    assert [round(later - earlier) for earlier, later in pairwise(waits)] == [1, 1, 1]

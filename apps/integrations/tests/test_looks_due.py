"""Which connection is looked at when, by one at a time, and what becomes of a look that fails."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import FreshnessCheck, GitHubIntegration
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import due
from apps.integrations.tests.looks_support import (
    bare,
    begun,
    covered,
    look,
    mutate,
    some_pull,
)
from apps.teams.scope import team_scope


@pytest.mark.parametrize(
    ("webhook", "minutes", "is_due"),
    [
        ({}, 9, False),
        ({}, 11, True),
        ({"webhook_status": "active"}, 11, False),
        ({"webhook_status": "active"}, 61, True),
        ({"webhook_status": "active", "webhook_error": "GitHub could not deliver"}, 11, True),
        ({"webhook_status": "forbidden"}, 11, True),
        ({"sync_status": "syncing"}, 61, False),
        ({"is_active": False}, 61, False),
        ({"watermark": None}, 61, False),
    ],
)
def test_it_is_asked_hourly_and_more_often_without_a_webhook(quiet_github, team, webhook, minutes, is_due):
    now = timezone.now()
    fields = {"watermark": now, "last_sync_at": now - timedelta(minutes=minutes)} | webhook
    tracked = bare(quiet_github, team, 1, **fields)
    assert github_sync.ask_for_looks(team.pk) == ([tracked.integration_id] if is_due else [])


def test_a_look_is_asked_for_once_and_again_when_its_message_is_lost(quiet_github, team):
    tracked = bare(quiet_github, team, 1)
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    assert github_sync.ask_for_looks(team.pk) == []
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_asked_at=timezone.now() - timedelta(minutes=6))
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    look(team)
    assert github_sync.ask_for_looks(team.pk) == []


def test_what_is_nearly_due_comes_along(quiet_github, team):
    now = timezone.now()
    for number, minutes in ((1, 11), (2, 8), (3, 7)):
        bare(quiet_github, team, number, last_sync_at=now - timedelta(minutes=minutes))
    assert look(team).repositories == 2


def test_two_never_look_at_one_connection_at_once(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_claimed_until=timezone.now() + timedelta(minutes=1))
    assert look(team) is None


def test_a_look_whose_worker_was_lost_is_repeated(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_claimed_until=timezone.now() - timedelta(seconds=1))
    assert look(team).repositories == 1


def test_a_look_without_time_leaves_everything_due(quiet_github, team):
    bare(quiet_github, team, 1)
    found = look(team, seconds=0.0)
    assert (found.repositories, found.is_unfinished) == (0, True)
    assert look(team).repositories == 1


def test_a_rate_limit_ends_the_look_and_loses_nothing(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    number = some_pull(busy_github, "acme/r-1").number
    mutate(busy_github, "acme/r-1", "edit", number=number, title="New")
    busy_github.limits.preset(remaining=0, reset_in=600)
    found = look(team)
    assert (found.repositories, found.is_unfinished, begun(team)) == (0, False, {})
    assert "rate limit" in found.error
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
        assert FreshnessCheck.objects.get().error == found.error
        assert timedelta(minutes=8) < integration.look_claimed_until - timezone.now() < timedelta(minutes=11)
        assert not due.connections_to_look_at(timezone.now()).exists()
        assert due.connections_to_look_at(timezone.now() + timedelta(minutes=11)).exists()


def test_a_refused_token_disconnects(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    busy_github.faults.add("*", "bad_credentials", times=10)
    assert look(team).error
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().sync_status == "disconnected"
        assert not due.connections_to_look_at(timezone.now() + timedelta(days=1)).exists()

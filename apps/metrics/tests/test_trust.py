"""The line that says what the numbers rest on: how fresh they are, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.metrics.factories import RepositoryFactory
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.tests.pages import ALWAYS, client_of
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


def synced(**hours_ago):
    """Repositories by name, synced so many hours ago; None: never."""
    for name, hours in hours_ago.items():
        at = None if hours is None else timezone.now() - timedelta(hours=hours)
        RepositoryFactory.create(full_name=f"acme/{name}", covered_from=ALWAYS, synced_to=at)


def line_of(team, name="overview"):
    page = " ".join(client_of(team).get(reverse(f"metrics:{name}", args=[team.slug])).content.decode().split())
    return page.partition('<p class="trust">')[2].partition("</p>")[0]


@pytest.mark.parametrize("name", ["overview", "pull_requests"])
def test_what_was_synced_within_two_hours_has_its_tick(team, name):
    with team_scope(team.pk):
        synced(api=0.1, web=1.9)
    line = line_of(team, name)
    assert "i-okc" in line
    assert "Synced <time" in line
    assert "since <time" not in line


@pytest.mark.parametrize("name", ["overview", "pull_requests"])
def test_where_nothing_is_synced_any_more_there_is_no_tick_but_the_last_sync(team, name):
    with team_scope(team.pk):
        synced(api=2.1, web=50)
    line = line_of(team, name)
    assert "i-okc" not in line
    assert "No sync since <time" in line
    assert "not synced since" not in line  # once is enough


def test_repositories_that_fell_behind_the_others_are_named_the_longest_ago_first(team):
    with team_scope(team.pk):
        synced(api=0.1, a=3, b=70, c=5, d=4, never=None)
        assert [repository.name for repository in trust_of_team().stale] == ["b", "c", "d", "a"]
    line = line_of(team)
    assert "Synced <time" in line
    assert [f"{name} not synced since <time" in line for name in "abcd"] == [False, True, True, True]
    assert "1 more not synced either" in line


def test_before_the_first_sync_it_says_so(team):
    with team_scope(team.pk):
        synced(api=None)
        assert (trust_of_team().is_stale, trust_of_team().stale) == (False, ())
    assert "Not synced yet" in line_of(team)

"""What the pages of the connection say in a demo team, and between connecting and the first repository."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.integrations.factories import GitHubIntegrationFactory
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.tests.pages import client_of
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope

REPOSITORIES, LOG = "integrations:repositories", "integrations:sync_log"
OVERVIEW, LIST = "metrics:overview", "metrics:pull_requests"


@pytest.fixture
def demo(team):
    Team.objects.filter(pk=team.pk).update(is_demo=True)
    with team_scope(team.pk):
        for name, count in (("shop", 3), ("api", 1)):
            repository = RepositoryFactory.create(full_name=f"acme/{name}")
            PullRequestFactory.create_batch(count, repository=repository)
    team.refresh_from_db()
    return team


def page_of(team, name, role=Membership.Role.ADMIN) -> str:
    return client_of(team, role).get(reverse(name, args=[team.slug])).content.decode()


def test_the_repositories_page_of_a_demo_lists_what_is_in_it(demo):
    page = page_of(demo, REPOSITORIES)
    assert 'acme/shop</a></th><td class="n">3</td>' in page
    assert page.index("acme/api") < page.index("acme/shop")
    assert 'data-count="repo">2<' in page
    assert "GitHub is not connected" not in page
    assert "once an admin connects GitHub" in page_of(demo, REPOSITORIES, Membership.Role.MEMBER)


def test_the_sync_log_of_a_demo_says_that_nothing_is_synced(demo):
    assert "Demo data is not synced" in page_of(demo, LOG)


def test_a_demo_that_is_being_connected_shows_its_connection(demo):
    with team_scope(demo.pk):
        GitHubIntegrationFactory.create(organization_slug="harbour")
    page = page_of(demo, REPOSITORIES)
    assert "harbour" in page
    assert "In the demo data" not in page


@pytest.mark.parametrize("name", [OVERVIEW, LIST])
def test_between_connecting_and_the_first_repository_it_says_what_comes_next(team, name):
    with team_scope(team.pk):
        GitHubIntegrationFactory.create()
    page = page_of(team, name)
    assert "Switch on a repository" in page
    assert f'href="{reverse(REPOSITORIES, args=[team.slug])}"' in page
    assert reverse("integrations:connect", args=[team.slug]) not in page
    assert "No repository is switched on yet" in page_of(team, name, Membership.Role.MEMBER)

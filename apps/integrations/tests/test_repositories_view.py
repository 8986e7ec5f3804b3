"""The Repositories page: complete, searchable, quick with thousands, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    SyncRunFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.queries.repositories import ROWS_BESIDE_CARDS, ROWS_PER_PAGE, connections
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.scope import team_scope

Sync = TrackedRepository.SyncStatus


@pytest.fixture
def integration(team):
    integration = GitHubIntegrationFactory.create(team=team, organization_slug="acme")
    IntegrationCredentialFactory.create(team=team, integration=integration)
    return integration


@pytest.fixture
def url(team):
    return reverse("integrations:repositories", args=[team.slug])


def seen(integration, name, **fields):
    return AvailableRepositoryFactory.create(
        team=integration.team, integration=integration, full_name=f"acme/{name}", **fields
    )


def tracked(integration, name, *, stored=0, partial=0, **fields) -> TrackedRepository:
    completeness = {"stored": stored, "partial": partial} if stored else {}
    repository = RepositoryFactory.create(team=integration.team, full_name=f"acme/{name}", completeness=completeness)
    seen(integration, name, github_repo_id=repository.github_repo_id, language="Go")
    return TrackedRepositoryFactory.create(
        team=integration.team, integration=integration, repository=repository, **fields
    )


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_without_a_connection_it_says_what_to_do(team, url, as_owner_of_team, as_teammate):
    assert reverse("integrations:connect", args=[team.slug]) in text(as_owner_of_team.get(url))
    page = text(as_teammate.get(url))
    assert "An admin of the team can connect it" in page
    assert reverse("integrations:connect", args=[team.slug]) not in page


def test_it_shows_what_is_tracked_and_what_else_there_is(integration, url, as_owner_of_team):
    tracked(integration, "shop", stored=462, sync_status=Sync.COMPLETE)
    seen(integration, "docs", is_archived=True)
    seen(integration, "fork", is_fork=True, is_private=True)
    page = text(as_owner_of_team.get(url))
    assert "Tracked 1" in page
    assert "Not tracked 2" in page
    assert "<b>462</b> of 462" in page
    assert page.index("acme/</span>fork") < page.index("acme/</span>docs")  # archived ones come last
    assert all(f">{word}</span>" in page for word in ("archived", "fork", "private"))


def test_each_state_has_its_word(integration, url, as_owner_of_team):
    tracked(integration, "a", sync_status=Sync.ERROR, last_sync_error="GitHub answers 404.")
    b = tracked(integration, "b", stored=171, partial=3, sync_status=Sync.PARTIAL)
    PullRequestFactory.create(
        team=integration.team,
        repository=b.repository,
        number=588,
        is_partial=True,
        partial={"files": "timed out 3 times"},
    )
    tracked(
        integration,
        "c",
        sync_status=Sync.PAUSED,
        rate_limited=True,
        sync_progress=31,
        rate_limit_reset_at=timezone.now() + timedelta(minutes=24),
    )
    d = tracked(
        integration,
        "d",
        sync_status=Sync.SYNCING,
        sync_progress=62,
        sync_prs_completed=500,
        sync_prs_total=800,
        sync_started_at=timezone.now() - timedelta(minutes=10),
        sync_activity="Reading pull requests",
    )
    SyncRunFactory.create(team=integration.team, tracked_repository=d, status="running", points=61)
    tracked(integration, "e", sync_status=Sync.PENDING, sync_requested_at=timezone.now())
    page = text(as_owner_of_team.get(url))
    for words in (
        "Sync failed",
        "GitHub answers 404.",
        "Synced, 3 partial",
        "<b>168</b> complete, <b>3</b> partial",
        "#588</a> files: timed out 3 times",
        "Paused by GitHub’s rate limit",
        "<b>500</b> of 800, newest first",
        "50 a minute, about <b>6 min</b> left",
        "Reading pull requests.",
        "61 points used",
        "Waiting to start",
        "2 of 5 need attention",
        "3 syncing",
    ):
        assert words in page, words
    order = [page.index(f"<h3>{name}</h3>") for name in "abcde"]
    assert order == sorted(order)


def test_each_partial_pull_request_opens_and_so_do_those_without_a_line(integration, url, as_owner_of_team):
    shop = tracked(integration, "shop", stored=20, partial=5, sync_status=Sync.PARTIAL)
    for number in (1, 2, 3, 4, 5):
        PullRequestFactory.create(
            team=integration.team,
            repository=shop.repository,
            number=number,
            is_partial=True,
            partial={"files": "timed out"},
        )
    page = text(as_owner_of_team.get(url))
    listed = reverse("metrics:pull_requests", args=[integration.team.slug])
    assert f'<a class="link" href="{listed}acme/shop/5/">#5</a> files: timed out' in page
    assert f"{listed}acme/shop/2/" not in page
    assert f'<a class="link" href="{listed}?repository=acme%2Fshop&amp;partial=1&amp;bots=1">and 2 more</a>' in page


def test_a_connection_that_broke_says_why_on_each_card(integration, url, as_owner_of_team):
    tracked(integration, "shop", stored=5, sync_status=Sync.COMPLETE)
    with team_scope(integration.team_id):
        GitHubIntegration.objects.update(sync_status="disconnected", status_reason="The token was revoked.")
    page = text(as_owner_of_team.get(url))
    assert page.count("The token was revoked.") == 2
    assert "Connect acme again and it goes on where it stopped" in page
    assert "1 of 1 needs attention" in page


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("?q=sho", ["shop", "shoes"], ["web", "docs"]),
        ("?q=SHOES", ["shoes"], ["shop", "web", "docs"]),
        ("?q=acme/d", ["docs"], ["shop", "web", "shoes"]),
        ("?show=untracked", ["docs", "shoes"], ["shop", "web"]),
        ("?show=untracked&q=doc", ["docs"], ["shoes", "shop", "web"]),
        ("?show=attention", ["web"], ["shop", "docs", "shoes"]),
        ("?q=%25", [], ["shop", "web", "docs", "shoes"]),
        ("?q=a_me", [], ["shop", "web", "docs", "shoes"]),
        ("?show=nonsense&page=x", ["shop", "web", "docs", "shoes"], []),
        ("?page=999", ["shop", "web", "docs", "shoes"], []),
        ("?q=%00shop", ["shop"], ["docs"]),
    ],
)
def test_filters_live_in_the_address(integration, url, as_owner_of_team, query, shown, hidden):
    tracked(integration, "shop", sync_status=Sync.COMPLETE)
    tracked(integration, "web", sync_status=Sync.ERROR)
    seen(integration, "docs")
    seen(integration, "shoes")
    response = as_owner_of_team.get(url + query)
    assert response.status_code == 200
    page = text(response)
    found = [name for name in shown + hidden if f"Track acme/{name}" in page]
    assert sorted(found) == sorted(shown)


def test_what_was_searched_for_is_escaped(integration, url, as_owner_of_team):
    assert "<script>" not in text(as_owner_of_team.get(url, {"q": '"><script>alert(1)</script>'})).replace(
        "<script src", ""
    ).replace('<script type="module"', "")


def test_five_thousand_repositories_take_no_more_queries_than_one(integration, url, as_owner_of_team):
    seen(integration, "first")
    tracked(integration, "one", sync_status=Sync.COMPLETE)
    as_owner_of_team.get(url)  # the first page of a session stores which team it was
    with CaptureQueriesContext(connection) as few:
        as_owner_of_team.get(url)
    for name in ("two", "three"):
        tracked(integration, name, sync_status=Sync.PARTIAL, stored=2, partial=1)
    with team_scope(integration.team_id):
        AvailableRepository.objects.bulk_create(
            AvailableRepository(
                integration=integration,
                github_repo_id=10_000_000_000 + number,
                full_name=f"acme/service-{number:04}",
                seen_at=timezone.now(),
            )
            for number in range(5000)
        )
    with CaptureQueriesContext(connection) as many:
        response = as_owner_of_team.get(url)
    assert len(many) == len(few)
    page = text(response)
    assert "Not tracked 5,001" in page
    assert page.count('aria-checked="false"') == ROWS_BESIDE_CARDS
    whole = text(as_owner_of_team.get(url, {"show": "untracked", "page": "100"}))
    assert whole.count('aria-checked="false"') == ROWS_PER_PAGE
    assert "5,001 repositories" in whole
    assert text(as_owner_of_team.get(url, {"q": "service-4999"})).count('aria-checked="false"') == 1


def test_htmx_gets_the_part_it_asked_for(integration, url, as_owner_of_team):
    seen(integration, "docs")
    ask = {"HX-Request": "true"}
    part = as_owner_of_team.get(url, headers=ask | {"HX-Target": "repository-list"})
    assert text(part).startswith('<div class="stack" id="repository-list"')
    whole = as_owner_of_team.get(url, headers=ask | {"HX-Target": "repositories"})
    assert text(whole).startswith('<div class="stack" id="repositories"')
    assert "<html" in text(as_owner_of_team.get(url))
    assert "HX-Request" in part["Vary"]
    assert "HX-Target" in part["Vary"]


def test_the_list_is_polled_only_while_it_is_made(team, integration, url, as_owner_of_team):
    progress = reverse("integrations:discovery_progress", args=[team.slug])
    assert "every 2s" not in text(as_owner_of_team.get(url))
    done = as_owner_of_team.get(progress)
    assert (done["HX-Trigger"], "every 2s" in text(done)) == ("repositories-listed", False)
    with team_scope(team.pk):
        GitHubIntegration.objects.update(discovery_status="running")
    assert "every 2s" in text(as_owner_of_team.get(url))
    running = as_owner_of_team.get(progress)
    assert ("HX-Trigger" in running, "listing repositories, 0 so far" in text(running)) == (False, True)


def test_why_listing_failed_stands_on_the_page(team, integration, url, as_owner_of_team):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(discovery_status="failed", discovery_error="Single sign-on is required.")
    assert "Single sign-on is required." in text(as_owner_of_team.get(url))


def test_members_see_everything_and_change_nothing(integration, url, as_teammate):
    tracked(integration, "shop", sync_status=Sync.COMPLETE)
    seen(integration, "docs")
    page = text(as_teammate.get(url))
    assert "<h3>shop</h3>" in page
    assert "Sync now" not in page
    assert "Sync all now" not in page
    assert page.count("disabled") == page.count('role="switch"') == 2
    assert "<select" not in page


def test_it_checks_ownership(integration, url, as_teammate, as_outsider, stranger):
    assert as_teammate.get(url).status_code == 200
    assert as_outsider.get(url).status_code == 404
    assert "/accounts/login/" in stranger.get(url)["Location"]


def test_another_teams_repositories_are_not_shown(integration, other_team, url, as_owner_of_team):
    foreign = GitHubIntegrationFactory.create(team=other_team, organization_slug="foreign")
    AvailableRepositoryFactory.create(team=other_team, integration=foreign, full_name="foreign/secret")
    TrackedRepositoryFactory.create(team=other_team, integration=foreign)
    page = text(as_owner_of_team.get(url))
    assert "foreign" not in page
    assert "Tracked 0" in page


def test_what_two_connections_see_is_listed_once(team, integration, url, as_owner_of_team):
    first = seen(integration, "docs")
    AvailableRepositoryFactory.create(
        team=team,
        integration=GitHubIntegrationFactory.create(team=team),
        full_name="acme/docs",
        github_repo_id=first.github_repo_id,
    )
    page = text(as_owner_of_team.get(url))
    assert "Not tracked 1" in page
    assert page.count("Track acme/docs") == 1


def test_a_broken_connection_is_listed_until_another_works_and_nothing_is_followed_through_it(team, integration):
    broken = GitHubIntegrationFactory.create(
        team=team, organization_slug="old", sync_status=GitHubIntegration.SyncStatus.DISCONNECTED
    )
    kept = tracked(broken, "shop")

    def listed():
        with team_scope(team.pk):
            return sorted(connection.integration.organization_slug for connection in connections())

    assert listed() == ["acme", "old"]
    with team_scope(team.pk):
        kept.is_active = False
        kept.save()
    assert listed() == ["acme"]
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status=GitHubIntegration.SyncStatus.DISCONNECTED)
    assert listed() == ["acme", "old"]

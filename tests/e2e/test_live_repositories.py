"""The open Repositories page follows what syncs, deliveries and colleagues do."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.services.repositories import track_repository
from apps.metrics.factories import RepositoryFactory
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope
from tests.e2e.test_frame import sign_in
from tests.e2e.test_live_pull_request import COUNTED, NOW, ago, seconds_until_asked, shoot

pytestmark = pytest.mark.django_db(transaction=True)

REPOSITORIES = "/integrations/github/repos/"


@pytest.fixture
def admin() -> Membership:
    return MembershipFactory.create(user__email=f"{uuid4().hex}@example.com", role=Membership.Role.ADMIN)


@pytest.fixture
def followed(live_server: LiveServer, page: Page, admin: Membership) -> dict[str, TrackedRepository]:
    """The Repositories page of a team with two tracked and three other repositories, nothing of which is in motion."""
    with team_scope(admin.team_id):
        integration = GitHubIntegrationFactory.create(organization_slug="acme", discovery_status="done")
        IntegrationCredentialFactory.create(integration=integration)
        found = {}
        for name in ("api", "shop", "docs", "infra", "wiki"):
            repository = RepositoryFactory.create(full_name=f"acme/{name}", covered_from=ago(900), synced_to=NOW)
            AvailableRepositoryFactory.create(
                integration=integration, github_repo_id=repository.github_repo_id, full_name=repository.full_name
            )
            if name in ("api", "shop"):
                found[name] = TrackedRepositoryFactory.create(
                    integration=integration, repository=repository, sync_status="complete", webhook_status="active"
                )
    page.goto(sign_in(page, live_server, admin) + REPOSITORIES)
    expect(page.locator("article.card")).to_have_count(2)
    return found


def changed(tracked: TrackedRepository, **fields: object) -> None:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.filter(pk=tracked.pk).update(**fields)


def test_cards_follow_what_syncs_and_deliveries_do(
    page: Page, problems: list[str], followed: dict[str, TrackedRepository]
) -> None:
    shop = page.locator("article.card", has=page.get_by_role("heading", name="shop"))
    expect(shop).to_contain_text("nothing received yet")
    changed(followed["shop"], last_delivery_at=timezone.now())
    expect(shop).to_contain_text("receiving, just now")
    moving = {"sync_status": "syncing", "sync_progress": 40, "sync_prs_total": 200, "sync_prs_completed": 80}
    changed(followed["shop"], sync_started_at=timezone.now(), **moving)
    expect(shop).to_contain_text("40%")
    expect(page.locator("#repositories-head")).to_contain_text("1 syncing")
    changed(followed["shop"], sync_progress=70)
    expect(shop).to_contain_text("70%")
    changed(followed["shop"], sync_status="error", last_sync_error="GitHub could not answer.")
    expect(shop).to_contain_text("GitHub could not answer.")
    expect(page.locator("#repositories-head")).to_contain_text("1 of 2 needs attention")
    expect(page.locator("article.card h3")).to_have_text(["api", "shop"])  # nothing changes places under the pointer
    assert problems == []


def test_a_repository_that_a_colleague_tracks_comes_in_and_what_one_was_doing_stays(
    page: Page, admin: Membership, followed: dict[str, TrackedRepository]
) -> None:
    depth = page.get_by_label("How far back, acme/docs")
    depth.select_option("90")
    search = page.get_by_role("searchbox")
    with team_scope(admin.team_id):
        integration = followed["api"].integration
        available = integration.available_repositories.get(full_name="acme/wiki")
        track_repository(integration=integration, available=available, days_back=30, actor=admin.user)
    search.focus()
    expect(page.locator("article.card h3")).to_have_text(["wiki", "api", "shop"])
    expect(page.locator(".side [data-count=repo]")).to_have_text("3")
    expect(page.locator("#untracked-count")).to_have_text("2")
    expect(page.locator("#repositories-tabs")).to_contain_text("Tracked 3")
    expect(depth).to_have_value("90")
    expect(search).to_be_focused()
    expect(page.locator("#live-word")).to_have_text("Updated just now")
    shoot(page, "repositories")


def test_what_one_switched_off_stays_to_be_switched_on_again(
    page: Page, followed: dict[str, TrackedRepository]
) -> None:
    switch = page.get_by_role("switch", name="Track acme/api")
    version = page.locator("#repositories").get_attribute("data-version")
    assert version is not None
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.locator("#repositories")).not_to_have_attribute("data-version", version)
    expect(page.locator("article.card")).to_have_count(2)
    expect(page.locator("#live-word")).to_be_empty()  # it was one's own doing
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.locator("article.card")).to_have_count(2)


def test_it_asks_every_five_seconds_and_twice_as_often_while_something_moves(
    page: Page, followed: dict[str, TrackedRepository]
) -> None:
    page.add_init_script(COUNTED)
    page.clock.install(time=NOW)
    page.reload()
    page.clock.pause_at(NOW + timedelta(hours=1))
    seconds_until_asked(page, 10)
    assert 4.5 <= seconds_until_asked(page, 10) <= 6
    changed(followed["api"], sync_status="syncing", sync_progress=40)
    seconds_until_asked(page, 10)  # which brings the news, where the one before was answered too early
    assert seconds_until_asked(page, 10) <= 3


def test_a_card_that_came_to_rest_asks_no_more(page: Page, followed: dict[str, TrackedRepository]) -> None:
    asked: list[str] = []
    changed(followed["api"], sync_status="syncing", sync_progress=40)
    expect(page.locator("article.card", has_text="40%")).to_have_count(1)
    changed(followed["api"], sync_status="complete")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the page sees it before the card does
    expect(page.locator("article.card", has_text="Up to date")).to_have_count(2)
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(lambda response: response.status == 204):
        pass
    assert [url for url in asked if "/progress/" in url] == []


def test_a_switch_that_was_pressed_with_the_keyboard_keeps_the_focus(
    page: Page, followed: dict[str, TrackedRepository]
) -> None:
    for name, states in {"shop": ("false", "true"), "infra": ("true", "false")}.items():
        switch = page.get_by_role("switch", name=f"Track acme/{name}", exact=True)
        switch.focus()
        for state in states:
            page.keyboard.press("Space")
            expect(switch).to_have_attribute("aria-checked", state)
            expect(switch).to_be_focused()


def test_the_demo_banner_goes_with_the_demo_data(
    live_server: LiveServer, page: Page, problems: list[str], admin: Membership
) -> None:
    Team.objects.filter(pk=admin.team_id).update(is_demo=True)
    with team_scope(admin.team_id):
        integration = GitHubIntegrationFactory.create(organization_slug="acme", discovery_status="running")
        IntegrationCredentialFactory.create(integration=integration)
    page.goto(sign_in(page, live_server, admin) + REPOSITORIES)
    banner = page.get_by_role("complementary", name="Demo data")
    expect(banner).to_contain_text("The demo data goes now that GitHub is connected")
    Team.objects.filter(pk=admin.team_id).update(is_demo=False)
    with team_scope(admin.team_id):
        GitHubIntegration.objects.update(discovery_status="done", discovered_at=timezone.now())
    expect(banner).to_have_count(0)
    assert problems == []


PRESS_ONCE_MORE = """id => new MutationObserver((_, observer) => {
  const now = document.getElementById(id);
  if (now?.ariaChecked !== "false") return;
  observer.disconnect();
  now.click();
}).observe(document.body, { childList: true, subtree: true })"""


def test_a_switch_that_is_pressed_again_the_moment_it_changed_loads_no_other_page(
    page: Page, problems: list[str], followed: dict[str, TrackedRepository]
) -> None:
    switch = page.get_by_role("switch", name="Track acme/shop", exact=True)
    page.evaluate("window.isTheSamePage = true")
    page.evaluate(PRESS_ONCE_MORE, switch.get_attribute("id"))
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    with page.expect_response(lambda response: response.request.method == "POST" and len(posted) == 2):
        switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    assert page.evaluate("window.isTheSamePage")
    assert problems == []

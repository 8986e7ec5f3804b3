"""What a browser makes of pages that show something: rows of their height, targets for a finger, hatched weeks."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    TrackedRepositoryFactory,
)
from apps.metrics.factories import PullRequestFactory, RepositoryFactory, TeamMemberFactory
from apps.metrics.tests.pages import merged
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from apps.teams.scope import team_scope
from tests.e2e.test_frame import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

TARGET = 40
HIDDEN = "svg, .prs thead, details:not([open]) > :not(summary)"
REACHES = """(hidden) => [...document.querySelectorAll("main :is(a, button, summary, select)")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(hidden))
    .map((element) => {
        window.scrollTo(0, element.getBoundingClientRect().top + scrollY - 400);
        const { left, top, width, height } = element.getBoundingClientRect();
        const x = Math.min(left + width / 2, innerWidth - 1);
        let reach = 0;
        for (let y = top + height / 2 - 40; y <= top + height / 2 + 40; y += 1)
            if (document.elementFromPoint(x, y)?.closest("a, button, summary, select") === element) reach += 1;
        return [element.textContent.trim() || element.ariaLabel, reach];
    })"""
"""Of everything in sight that can be touched: its name, and over how many pixels from top to bottom it answers."""


@pytest.fixture
def admin() -> Membership:
    """Of a team with two repositories, one of them covered for two weeks only, and pull requests."""
    admin = MembershipFactory.create(user__email=f"{uuid4().hex}@example.com", role=Membership.Role.ADMIN)
    now = timezone.now()
    with team_scope(admin.team_id):
        integration = GitHubIntegrationFactory.create(team=admin.team)
        IntegrationCredentialFactory.create(team=admin.team, integration=integration)
        for name, days in (("shop", 90), ("late", 14)):
            repository = RepositoryFactory.create(
                full_name=f"acme/{name}",
                covered_from=now - timedelta(days=days),
                synced_to=now,
                completeness={"stored": 9, "partial": 2},
            )
            seen = {"github_repo_id": repository.github_repo_id, "full_name": repository.full_name}
            AvailableRepositoryFactory.create(integration=integration, **seen)
            TrackedRepositoryFactory.create(integration=integration, repository=repository, sync_status="partial")
            author = TeamMemberFactory.create()
            for days in (3, 33):
                for _ in range(6):
                    merged(now - timedelta(days=days), repository=repository, title="Keep", author=author, coding=300)
            PullRequestFactory.create(repository=repository, is_partial=True, partial={"files": "timed out"})
    return admin


def test_a_row_that_is_compared_with_nothing_is_no_higher_than_the_others(
    live_server: LiveServer, page: Page, admin: Membership
) -> None:
    page.goto(sign_in(page, live_server, admin))
    rows = page.locator(".panel:has(h2:text('Repositories')) tbody tr")
    assert rows.count() == 3
    heights = [box["height"] for row in rows.all() if (box := row.bounding_box())]
    assert max(heights) < 60


def test_no_column_of_the_overview_is_cut_off(live_server: LiveServer, page: Page, admin: Membership) -> None:
    page.goto(sign_in(page, live_server, admin))
    for width in (360, 1024, 1120, 1200, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        tables = page.locator("#numbers .panel > .scroll")
        assert tables.count() == 2
        for table in tables.all():
            assert table.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 1, width  # a rounding


@pytest.mark.parametrize("path", ["/", "/pull-requests/", "/integrations/github/repos/"])
def test_everything_that_can_be_touched_is_large_enough_for_a_finger(
    live_server: LiveServer, page: Page, admin: Membership, path: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(sign_in(page, live_server, admin) + path)
    targets = page.evaluate(REACHES, HIDDEN)
    assert len(targets) > 5
    assert [target for target in targets if target[1] < TARGET - 1] == []

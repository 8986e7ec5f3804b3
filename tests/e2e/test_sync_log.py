"""The sync log in a browser: found, filtered, followed while a sync goes on, stopped by keyboard, on any screen.

Screenshots stay in `var/screenshots/sync-log/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.integrations.factories import (
    FreshnessCheckFactory,
    GitHubIntegrationFactory,
    SyncRunFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import SyncRun, TrackedRepository
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from apps.teams.scope import team_scope
from tests.e2e.test_frame import PASSWORD, sign_in
from tests.e2e.test_pages_with_numbers import HIDDEN, REACHES, TARGET
from tformance.celery import app

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = Path(project.VAR_DIR) / "screenshots" / "sync-log"
SIZES = {"desktop": (1280, 900), "phone": (360, 780)}
LIMIT = "GitHub’s hourly limit is used up until 14:32."
LOG = "/integrations/github/sync-log/"


@pytest.fixture
def admin() -> Membership:
    """Of a team with some days of syncs: updates by the hour, histories good and bad, one that goes on."""
    admin = MembershipFactory.create(user__email=f"{uuid4().hex}@example.com", role=Membership.Role.ADMIN)
    with team_scope(admin.team_id):
        integration = GitHubIntegrationFactory.create(
            organization_slug="harbourlabs", looked_at=timezone.now() - timedelta(minutes=4)
        )
        of = {
            name: TrackedRepositoryFactory.create(
                integration=integration,
                repository=RepositoryFactory.create(full_name=f"harbourlabs/{name}", covered_from=timezone.now()),
                sync_status="complete",
            )
            for name in ("billing", "infra", "mobile", "storefront", "a-repository-with-a-name-of-some-length")
        }
        _syncs(of)
        _looks(integration)
    return admin


def run(tracked: TrackedRepository, kind: str, status: str, ago: int, took: float | None, **fields: object) -> None:
    """`ago` minutes, `took` seconds (None: it goes on)."""
    began = timezone.now() - timedelta(minutes=ago)
    ended = None if took is None else began + timedelta(seconds=took)
    row = SyncRunFactory.create(
        tracked_repository=tracked, kind=kind, status=status, started_at=began, finished_at=ended, **fields
    )
    SyncRun.objects.filter(pk=row.pk).update(created_at=began - timedelta(seconds=3))


def _syncs(of: dict[str, TrackedRepository]) -> None:
    now, names = timezone.now(), list(of)
    for hour in range(55, 0, -1):
        run(
            of[names[hour % 4]],
            "incremental",
            "complete",
            60 * hour,
            1.2 + hour % 7,
            counts={"pull_requests": hour % 9},
            points=1 + hour % 3,
            requests=2 + hour % 5,
            cutoff=now - timedelta(hours=hour + 1),
        )
    run(
        of["billing"],
        "initial",
        "partial",
        400,
        1992,
        days_back=None,
        counts={"pull_requests": 1710, "reviews": 4100, "comments": 9100, "commits": 8100, "files": 18_422}
        | {"check_runs": 31_077, "events": 12_040, "labels": 2301, "deployments": 211},
        points=221,
        requests=131,
        rest_requests=14,
        pages={
            "24": {"pages": 61, "pull_requests": 1464, "seconds": 190.2},
            "7": {"pages": 34, "pull_requests": 238, "seconds": 61.1},
            "1": {"pages": 8, "pull_requests": 8, "seconds": 71.0},
        },
        waits=[
            {
                "from": (now - timedelta(minutes=395)).isoformat(),
                "until": (now - timedelta(minutes=371)).isoformat(),
                "reason": LIMIT,
            }
        ],
        errors=[LIMIT],
        partial={
            "588": {"files": "GitHub will not render 2,114 of them"},
            "601": {"files": "timed out 3 times, alone too", "review_comments": "timed out 3 times"},
            "617": {"checks": "timed out"},
            "unreadable": {"633": "#633: GitHub could not render it, alone too"},
            "permissions": {"deployments": "deployments:read"},
        },
    )
    for number, title, is_partial in (
        (588, "Regenerate the price tables of every market", True),
        (601, "Move invoices to the new ledger", True),
        (617, "Retry the bank’s webhooks", False),
    ):
        PullRequestFactory.create(
            repository=of["billing"].repository,
            number=number,
            title=title,
            is_partial=is_partial,
            partial={"files": "timed out"} if is_partial else {},
        )
    gone = "GitHub answers 404: the connection no longer has access to this repository."
    run(of["infra"], "incremental", "error", 120, 4, errors=[gone], points=1, requests=2, cutoff=now)
    run(
        of["a-repository-with-a-name-of-some-length"],
        "initial",
        "cancelled",
        60,
        33,
        days_back=90,
        known_from=now - timedelta(days=30),
        counts={"pull_requests": 131},
        points=11,
        requests=8,
    )
    run(
        of["mobile"],
        "initial",
        "paused",
        25,
        None,
        days_back=60,
        counts={"pull_requests": 131},
        points=18,
        requests=12,
        rate_limited=True,
        resume_at=now + timedelta(minutes=24),
        waits=[{"from": (now - timedelta(minutes=9)).isoformat(), "until": None, "reason": LIMIT}],
    )
    run(
        of["storefront"],
        "initial",
        "running",
        2,
        None,
        days_back=90,
        known_from=now - timedelta(days=30),
        counts={"pull_requests": 812, "reviews": 2100},
        points=71,
        requests=44,
        pages={"24": {"pages": 33, "pull_requests": 792, "seconds": 98.0}},
    )
    TrackedRepository.objects.filter(pk=of["storefront"].pk).update(
        sync_status="syncing",
        sync_progress=62,
        sync_prs_completed=812,
        sync_prs_total=1310,
        sync_activity="Merged and closed pull requests, latest first",
    )
    TrackedRepository.objects.filter(pk=of["mobile"].pk).update(
        sync_status="paused", sync_progress=31, sync_prs_completed=131, sync_prs_total=423
    )


def _looks(integration: object) -> None:
    for place in range(30, 0, -1):
        began = timezone.now() - timedelta(minutes=10 * place)
        FreshnessCheckFactory.create(
            integration=integration,
            started_at=began,
            finished_at=began + timedelta(seconds=1.4),
            repositories=5,
            changed=(0, 0, 1, 0, 3)[place % 5],
            checks_refreshed=7 * place % 40,
            points=1 + place % 2,
            requests=2,
            error="GitHub answered 502 three times." if place == 10 else "",
        )


@pytest.fixture
def nobody_works() -> Iterator[None]:
    """What is enqueued here goes nowhere."""
    before = app.conf.broker_url
    app.conf.broker_url = app.conf.broker_write_url = "memory://"
    app._pool = app.amqp._producer_pool = None
    yield
    app.conf.broker_url = app.conf.broker_write_url = before
    app._pool = app.amqp._producer_pool = None


def shoot(page: Page, name: str) -> None:
    """Desktop and phone, light and dark; nothing is wider than the screen."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the {size}"
            page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=True, animations="disabled")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_the_log_is_found_filtered_and_read(live_server: LiveServer, page: Page, admin: Membership) -> None:
    base = sign_in(page, live_server, admin)
    page.locator(".side").get_by_role("link", name="Sync log").click()
    expect(page.get_by_role("heading", name="Sync log", level=1)).to_be_visible()
    rows = page.locator("#runs tbody tr")
    expect(rows).to_have_count(5)  # the hourly updates that went well are elsewhere
    expect(rows.first).to_contain_text("Running")
    shoot(page, "log")
    page.get_by_label("Status").select_option("error")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{base}{LOG}?status=error")
    expect(page.get_by_role("link", name="All syncs")).to_have_attribute("aria-current", "true")
    page.get_by_label("Status").select_option("")
    page.get_by_label("Repository").fill("harbourlabs/billing")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("repository=harbourlabs%2Fbilling"))
    expect(rows.first).to_contain_text("full history")
    expect(page.get_by_label("Repository")).to_have_value("harbourlabs/billing")
    page.goto(f"{base}{LOG}?show=all")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(rows).to_have_count(10)
    page.get_by_role("link", name="Newer").click()
    expect(rows).to_have_count(50)
    shoot(page, "all")
    page.get_by_role("link", name="Looks for changes").click()
    expect(page.get_by_text("3 changed").first).to_be_visible()
    shoot(page, "looks")


def test_one_sync_says_everything_about_itself(live_server: LiveServer, page: Page, admin: Membership) -> None:
    base = sign_in(page, live_server, admin)
    page.goto(f"{base}{LOG}")
    page.get_by_role("link", name="billing").click()
    expect(page.get_by_role("heading", name="History of billing")).to_be_visible()
    expect(page.get_by_role("button", name="Try the 2 again")).to_be_visible()
    expect(page.get_by_role("link", name="#601 Move invoices to the new ledger")).to_be_visible()
    shoot(page, "run-partial")
    page.goto(f"{base}{LOG}")
    page.get_by_role("link", name="infra").click()
    expect(page.get_by_role("button", name="Sync again")).to_be_visible()
    shoot(page, "run-failed")
    page.goto(f"{base}{LOG}")
    page.get_by_role("link", name="mobile").click()
    expect(page.get_by_text("Paused by GitHub’s rate limit")).to_be_visible()
    shoot(page, "run-paused")


def test_a_sync_that_goes_on_is_followed_without_a_reload(
    live_server: LiveServer, page: Page, admin: Membership
) -> None:
    base = sign_in(page, live_server, admin)
    page.goto(f"{base}{LOG}")
    page.get_by_role("link", name="storefront").click()
    expect(page.get_by_text("812 of 1,310 pull requests")).to_be_visible()
    shoot(page, "run-running")
    page.evaluate("window.isTheSamePage = true")
    page.get_by_role("button", name="Pause").focus()
    with team_scope(admin.team_id):
        TrackedRepository.objects.filter(sync_status="syncing").update(sync_prs_completed=1200)
    expect(page.get_by_text("1,200 of 1,310 pull requests")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    with team_scope(admin.team_id):
        SyncRun.objects.filter(status="running").update(status="complete", finished_at=timezone.now())
    expect(page.locator("#run").get_by_text("Complete", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert page.evaluate("window.isTheSamePage")


def test_a_sync_is_held_and_cancelled_by_keyboard(
    live_server: LiveServer, page: Page, admin: Membership, nobody_works: None
) -> None:
    base = sign_in(page, live_server, admin)
    page.goto(f"{base}{LOG}")
    page.get_by_role("link", name="storefront").click()
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("until somebody lets it go on")).to_be_visible()
    shoot(page, "run-held")
    page.get_by_role("button", name="Go on").press("Enter")
    expect(page.get_by_text("its turn comes again within a minute")).to_be_visible()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.locator("#run").get_by_text("Cancelled", exact=True)).to_be_visible()
    shoot(page, "run-cancelled")
    page.goto(f"{base}/integrations/github/repos/")
    expect(page.locator(".card").filter(has_text="storefront")).to_contain_text("Cancelled by")


def test_it_works_without_javascript(live_server: LiveServer, browser: Browser, admin: Membership) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{live_server.url}/accounts/login/")
        page.get_by_label("Email").fill(admin.user.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.goto(f"{live_server.url}/a/{admin.team.slug}{LOG}")
        page.get_by_label("Kind").select_option("initial")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#runs tbody tr")).to_have_count(4)
        page.get_by_role("link", name="billing").click()
        expect(page.get_by_role("heading", name="What is partial")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 1024, 1440])
def test_nothing_is_cut_off_at_any_width(live_server: LiveServer, page: Page, admin: Membership, width: int) -> None:
    base = sign_in(page, live_server, admin)
    page.set_viewport_size({"width": width, "height": 800})
    with team_scope(admin.team_id):
        partial = SyncRun.objects.get(status="partial").pk
    for path in (LOG, f"{LOG}?show=all", f"{LOG}?show=looks", f"{LOG}{partial}/"):
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        for table in page.locator(".scroll").all():
            assert table.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 1, path


def test_a_finger_hits_everything_on_a_phone(live_server: LiveServer, page: Page, admin: Membership) -> None:
    base = sign_in(page, live_server, admin)
    page.set_viewport_size({"width": 360, "height": 800})
    with team_scope(admin.team_id):
        runs = [SyncRun.objects.get(status=status).pk for status in ("partial", "running")]
    for path in (LOG, f"{LOG}?show=looks", *(f"{LOG}{pk}/" for pk in runs)):
        page.goto(base + path)
        targets = page.evaluate(REACHES, HIDDEN.replace(".prs", ".runs"))
        assert len(targets) > 3
        assert [target for target in targets if target[1] < TARGET - 1] == [], path

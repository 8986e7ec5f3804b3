"""Journey 1, as far as the team; and the frame around every page: themes, menus, keyboard, phone."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Membership:
    # A name of its own: the rate limits count by address, in a Redis that outlives the test.
    return MembershipFactory.create(user__email=f"{uuid4().hex}@example.com", role=Membership.Role.ADMIN)


def sign_in(page: Page, live_server: LiveServer, admin: Membership) -> str:
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("Email").fill(admin.user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/a/{admin.team.slug}/")
    return f"{live_server.url}/a/{admin.team.slug}"


def test_from_the_home_page_to_a_team_of_ones_own(live_server: LiveServer, page: Page) -> None:
    page.goto(live_server.url)
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill(f"{uuid4().hex}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Name of the team").fill("Straße & Söhne 42")
    expect(page.get_by_label("Address")).to_have_value("strasse-sohne-42")
    page.get_by_label("Address").fill("Two words")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_text("Use lower-case letters, digits and single hyphens")).to_be_visible()
    page.get_by_label("Address").fill("soehne")
    page.get_by_role("button", name="Create team").click()
    page.wait_for_url("**/a/soehne/")
    expect(page.get_by_text("Straße & Söhne 42 is ready.")).to_be_visible()


def test_the_theme_is_remembered_and_there_before_the_first_paint(
    live_server: LiveServer, page: Page, admin: Membership
) -> None:
    sign_in(page, live_server, admin)
    toggle = page.locator(".side").get_by_role("button", name="Theme")
    for theme in ("light", "dark"):
        toggle.click()
        expect(toggle).to_have_accessible_name(f"Theme: {theme}")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
    # Whoever paints first sees the theme: the attribute is there when the parser reaches the body.
    page.add_init_script(
        "new MutationObserver((_, seen) => { if (document.body) {"
        " window.atBody = document.documentElement.dataset.theme; seen.disconnect(); } })"
        ".observe(document, { childList: true, subtree: true });"
    )
    page.reload()
    assert page.evaluate("window.atBody") == "dark"
    toggle.click()
    assert page.evaluate("document.documentElement.dataset.theme ?? 'system'") == "system"


def test_the_keyboard_reaches_content_and_menus(live_server: LiveServer, page: Page, admin: Membership) -> None:
    sign_in(page, live_server, admin)
    page.reload()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    new_team = page.locator(".side").get_by_role("link", name="New team")
    expect(new_team).to_be_visible()
    page.keyboard.press("Escape")
    expect(new_team).to_be_hidden()


def test_a_time_is_shown_in_the_zone_of_who_looks(live_server: LiveServer, browser: Browser, admin: Membership) -> None:
    type(admin.team).objects.filter(pk=admin.team_id).update(created_at=datetime(2026, 3, 31, 20, 6, 12, tzinfo=UTC))
    context = browser.new_context(timezone_id="Asia/Kolkata", locale="en-GB")
    page = context.new_page()
    page.goto(sign_in(page, live_server, admin) + "/settings/")
    since = page.locator("header time")
    expect(since).to_have_text("1 Apr 2026")
    expect(since).to_have_attribute("title", "1 Apr 2026, 01:36:12 GMT+5:30")
    context.close()


def test_september_is_shortened_as_by_the_server(live_server: LiveServer, page: Page, admin: Membership) -> None:
    type(admin.team).objects.filter(pk=admin.team_id).update(created_at=datetime(2026, 9, 21, 12, 6, 12, tzinfo=UTC))
    page.goto(sign_in(page, live_server, admin) + "/settings/")
    expect(page.locator("header time")).to_have_text("21 Sep 2026")
    expect(page.locator("header time")).to_have_attribute("title", re.compile("21 Sep 2026, "))


@pytest.mark.parametrize("width", [360, 390, 1024, 1440])
def test_no_page_is_wider_than_the_window(live_server: LiveServer, page: Page, admin: Membership, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    home = sign_in(page, live_server, admin)
    for path in ("/", "/pull-requests/", "/integrations/github/repos/", "/integrations/github/connect/", "/settings/"):
        page.goto(home + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_phone_has_the_pages_in_a_menu(live_server: LiveServer, page: Page, admin: Membership) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    sign_in(page, live_server, admin)
    page.locator(".topbar summary").click()
    page.locator(".topbar").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.locator(".topbar summary").click()
    page.locator(".topbar").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("See where pull requests wait")).to_be_visible()


def test_an_expired_session_leads_from_a_fragment_to_the_login(
    live_server: LiveServer, page: Page, admin: Membership
) -> None:
    home = sign_in(page, live_server, admin)
    page.context.clear_cookies()
    page.evaluate("htmx.ajax('GET', location.pathname + 'pull-requests/', { target: '#main' })")
    page.wait_for_url(f"**/accounts/login/?next=/a/{admin.team.slug}/")
    page.get_by_label("Email").fill(admin.user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{home}/")


def test_a_fragment_that_does_not_load_says_so(live_server: LiveServer, page: Page, admin: Membership) -> None:
    sign_in(page, live_server, admin)
    page.evaluate("htmx.ajax('GET', '/nothing/here/', { target: '#main' })")
    expect(page.locator("#trouble")).to_have_text("That does not exist any more. Load the page again.")
    expect(page.get_by_role("heading", level=1)).to_be_visible()  # what was there stays

"""The browser, the live server and the database work together: what every other test here stands on."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from apps.users.factories import UserFactory


@pytest.mark.django_db(transaction=True)
def test_a_page_is_shown_with_its_style_and_without_errors(live_server: LiveServer, page: Page) -> None:
    UserFactory.create()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(f"{live_server.url}/accounts/login/")

    assert page.locator("form").first.is_visible()
    assert page.evaluate("document.styleSheets.length") > 0
    assert errors == []

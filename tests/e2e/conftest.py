"""A real browser: Debian's chromium or any other on this machine, driven by Playwright.

Without one these tests are skipped and say so; where CI=true that is a failure. Everything here is made when the first
test of this folder asks for it and ends with the last: Playwright's event loop runs in the main thread, and Django
refuses database work beside one unless DJANGO_ALLOW_ASYNC_UNSAFE says otherwise. It is set as long as the loop runs.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 30_000
"""Milliseconds for whatever a page takes: a machine may be busy. How soon something has to come is asked of the page's
own clock.
"""
FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.e2e)


def find_browser() -> str | None:
    """The path of `CHROMIUM_PATH`, or of a Chromium on the PATH."""
    configured = os.environ.get("CHROMIUM_PATH")
    return configured or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="package")
def browser_path() -> str:
    path = find_browser()
    if path is None:
        word = "No Chromium was found: install it (apt install chromium), or set CHROMIUM_PATH."
        if os.environ.get("CI") == "true":
            pytest.fail(word)
        pytest.skip(word)
    return path


@pytest.fixture(scope="package")
def playwright(django_db_setup: None) -> Iterator[Playwright]:
    """Made after the test database and gone before it is dropped: beside a loop, Django has other connections."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as running:
        yield running
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="package")
def browser(browser_path: str, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests, with a home folder of its own: the user's may be missing or read-only."""
    home = str(tmp_path_factory.mktemp("browser"))
    env: dict[str, str | float | bool] = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    started = playwright.chromium.launch(executable_path=browser_path, args=flags, env=env)
    expect.set_options(timeout=PATIENCE)
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Cookies and storage of one test."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC")
    fresh.set_default_timeout(PATIENCE)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def problems(page: Page) -> list[str]:
    """What the page's scripts threw, and what its content policy refused."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found

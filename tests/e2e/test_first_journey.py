"""Journey 1: sign up, name a team, connect GitHub, track a repository, watch it, get the e-mail, read the numbers.

A real browser, worker, PostgreSQL and Redis, and the sandbox GitHub. Screenshots stay in `var/screenshots/`.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from playwright.sync_api import Page, expect

from devtools.github_sandbox.sandbox import DEFAULT_CLIENTS
from devtools.github_sandbox.server import SandboxServer
from tests.worker_support import broker, wait_until, worker
from tformance.celery import app

DONE = re.compile("Up to date|Synced")
SHOTS = Path(project.VAR_DIR) / "screenshots" / "first-journey"
SIZES = {"desktop": (1280, 900), "phone": (360, 780)}


def shoot(page: Page, name: str) -> None:
    """Desktop and phone, light and dark."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the {size}"
            page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


@pytest.fixture
def messages() -> Iterator[str]:
    """This process sends its tasks to the worker of this test alone."""
    url, before = broker(10), app.conf.broker_url
    app.conf.broker_url = app.conf.broker_write_url = url
    app._pool = app.amqp._producer_pool = None
    yield url
    app.conf.broker_url = app.conf.broker_write_url = before
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def github(live_server, settings) -> Iterator[SandboxServer]:
    with SandboxServer(latency_ms=700) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = (
            DEFAULT_CLIENTS[0].id,
            DEFAULT_CLIENTS[0].secret,
        )
        settings.BASE_URL = live_server.url
        settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(sandbox.url)
        yield sandbox
        settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].remove(sandbox.url)


@pytest.mark.django_db(transaction=True)
def test_from_signing_up_to_the_first_numbers(live_server, page, github, messages, tmp_path):
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    surroundings = {
        "GITHUB_API_URL": github.url,
        "GITHUB_WEB_URL": github.url,
        "BASE_URL": live_server.url,
        "TFORMANCE_VAR": tmp_path,
    }
    with worker(messages, **surroundings):
        _sign_up(page, live_server.url)
        _connect(page)
        _track(page)
        _watch(page)
    _read_the_mail(tmp_path / "mail")
    _read_the_numbers(page)
    assert problems == []


def _sign_up(page: Page, url: str) -> None:
    page.goto(url)
    shoot(page, "1-home")
    page.get_by_role("link", name=re.compile("sign up|create an account|get started", re.I)).first.click()
    page.get_by_label("Email").fill("mira@example.com")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=False).first.fill("Harbour")
    shoot(page, "2-name-a-team")
    page.locator("main button[type=submit]").first.click()
    expect(page).to_have_url(re.compile("/a/harbour/"))


def _connect(page: Page) -> None:
    page.get_by_role("link", name="Connect GitHub").first.click()
    shoot(page, "3-connect")
    page.get_by_role("button", name="Connect GitHub").click()
    page.get_by_role("button", name=re.compile("authorize|approve", re.I)).first.click()
    expect(page.get_by_role("heading", name="Choose the organisation")).to_be_visible()
    shoot(page, "4-choose")
    page.get_by_role("button", name=re.compile("Connect harbourlabs")).click()
    expect(page.get_by_role("heading", name="Repositories", exact=True)).to_be_visible()


def _track(page: Page) -> None:
    switch = page.get_by_role("switch", name="Track harbourlabs/quay-api")
    expect(switch).to_be_visible(timeout=20_000)
    shoot(page, "5-repositories")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")


def _watch(page: Page) -> None:
    card = page.locator("article.card", has_text="quay-api").first
    expect(card).to_contain_text(re.compile("Syncing|Waiting"))
    shoot(page, "6-syncing")
    expect(card).to_contain_text(DONE, timeout=180_000)
    shoot(page, "7-synced")


def _read_the_mail(folder: Path) -> None:
    def mails() -> list[str]:
        return [path.read_text() for path in folder.glob("*")] if folder.exists() else []

    wait_until(lambda: any("is synced" in mail for mail in mails()))
    [mail] = [text for text in mails() if "is synced" in text]
    message = email.message_from_string(mail, policy=email.policy.default)
    assert message["To"] == "mira@example.com"
    assert re.search(r"harbourlabs/quay-api is synced: [\d,]+ pull requests", message["Subject"])
    body = message.get_body(("plain",))
    assert body is not None
    assert "Covered since" in body.get_content()
    assert "/a/harbour/" in body.get_content()


def _read_the_numbers(page: Page) -> None:
    page.get_by_role("link", name="Overview").first.click()
    expect(page.locator("article.figure", has_text="PRs merged a week")).to_contain_text(re.compile(r"\d"))
    shoot(page, "8-overview")
    page.get_by_role("link", name="Pull requests").first.click()
    shoot(page, "9-pull-requests")
    page.locator("main a.title-link").first.click()
    expect(page.get_by_role("heading", name="Everything that happened")).to_be_visible()
    shoot(page, "10-pull-request")

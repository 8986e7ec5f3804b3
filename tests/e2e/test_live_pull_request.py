"""An open page of a pull request follows what the ingest stores.

Screenshots stay in `var/screenshots/live/`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import Repository
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    FileRecord,
    LabelRecord,
    PullRequestRecord,
    ReviewRecord,
)
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from apps.teams.scope import team_scope
from tests.e2e.test_frame import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

SHOTS = Path(project.VAR_DIR) / "screenshots" / "live"
SIZES = {"desktop": (1280, 900), "phone": (360, 780)}
PRIYA, SAM = Account(1, "pnair", name="Priya Nair"), Account(2, "schen", name="Sam Chen")


@pytest.fixture
def admin() -> Membership:
    return MembershipFactory.create(user__email=f"{uuid4().hex}@example.com", role=Membership.Role.ADMIN)


def shoot(page: Page, name: str) -> None:
    """Desktop and phone, light and dark, as it stands in the window."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the {size}"
            page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", animations="disabled")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


NOW = datetime.now(UTC).replace(microsecond=0)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def commit(sha: str, hours: float, message: str) -> CommitRecord:
    return CommitRecord(sha=sha * 40, authored_at=ago(hours), committed_at=ago(hours), message=message, author=PRIYA)


OPEN = PullRequestRecord(
    id=1,
    number=2291,
    node_id="PR_1",
    title="Retry webhooks",
    state="open",
    is_draft=False,
    author=PRIYA,
    created_at=ago(40),
    updated_at=ago(30),
    url="https://github.com/acme/api/pull/2291",
    additions=318,
    deletions=94,
    changed_files=1,
    base_ref="main",
    head_ref="retry",
    head_sha="a" * 40,
    labels=(),
    assignees=(),
    linked_issues=(),
    reviews=(),
    threads=(),
    review_comments=(),
    issue_comments=tuple(CommentRecord(n, "issue", ago(39 - n / 10), SAM) for n in range(1, 4)),
    commits=(commit("a", 41, "Retry with jitter"),),
    files=(FileRecord("api/retry.py", "modified", 318, 94),),
    events=(),
    checks=(CheckRecord(1, "tests", "a" * 40, "in_progress", "", ago(39), None, app="ci"),),
    totals={},
)
MERGED = replace(
    OPEN,
    state="merged",
    title="Retry webhooks with jitter",
    updated_at=ago(1),
    merged_at=ago(1),
    merged_by=SAM,
    closed_at=ago(1),
    labels=(LabelRecord("bug", "d73a4a"),),
    reviews=(ReviewRecord(11, "approved", ago(2), SAM),),
    checks=(CheckRecord(1, "tests", "a" * 40, "completed", "failure", ago(39), ago(38.8), app="ci"),),
)


def store(admin: Membership, record: PullRequestRecord) -> None:
    with team_scope(admin.team_id):
        repository = Repository.objects.filter(full_name="acme/api").first()
        repository = repository or RepositoryFactory.create(full_name="acme/api", covered_from=ago(900))
        ingest_pull_requests(repository, [record], synced_at=timezone.now())


@pytest.fixture
def opened(live_server: LiveServer, page: Page, admin: Membership, problems: list[str]) -> str:
    """The address of the page of an open pull request, which the browser shows."""
    store(admin, OPEN)
    url = sign_in(page, live_server, admin) + "/pull-requests/acme/api/2291/"
    page.goto(url)
    expect(page.get_by_role("heading", name="Retry webhooks")).to_be_visible()
    return url


def test_a_merge_with_everything_around_it_shows_without_a_reload(
    page: Page, admin: Membership, opened: str, problems: list[str]
) -> None:
    page.evaluate("window.isTheSame = true")
    store(admin, MERGED)
    expect(page.locator(".meta")).to_contain_text("Merged")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry webhooks with jitter")
    expect(page.locator(".meta")).to_contain_text("bug")
    expect(page.get_by_label("Stages", exact=True)).to_be_visible()
    expect(page.locator(".log")).to_contain_text("Sam Chen approved")
    expect(page.locator(".log")).to_contain_text("tests failed")
    expect(page.locator(".facts").first).to_contain_text("1 run, 1 failed")
    expect(page.locator("svg.chart g.mark title", has_text="Sam Chen approved")).to_have_count(1)
    expect(page.locator("#live-word")).to_have_text("Updated just now")
    assert page.title().startswith("#2291 Retry webhooks with jitter · ")
    shoot(page, "pull-request-merged")
    assert page.evaluate("window.isTheSame")
    assert problems == []


@pytest.mark.parametrize(
    ("change", "selector", "words"),
    [
        ({"checks": MERGED.checks}, ".log", "tests failed"),
        ({"issue_comments": (*(OPEN.issue_comments or ()), CommentRecord(9, "issue", ago(3), PRIYA))}, ".log", "Priya"),
        ({"files": (FileRecord("a.py", "added", 1, 0),), "changed_files": 7, "updated_at": ago(2)}, ".meta", "7 files"),
        ({"commits": (*(OPEN.commits or ()), commit("b", 5, "Cap the wait"))}, ".log", "Cap the wait"),
        ({"partial": {"files": "GitHub timed out"}, "files": None}, "#rests", "GitHub timed out"),
    ],
    ids=["check", "comment", "file", "commit", "partial"],
)
def test_whatever_is_stored_of_it_shows_soon(
    page: Page, admin: Membership, opened: str, change: dict[str, object], selector: str, words: str
) -> None:
    store(admin, replace(OPEN, **change))  # type: ignore[arg-type]
    expect(page.locator(selector)).to_contain_text(words)


def test_where_one_looks_and_what_one_holds_stays(page: Page, admin: Membership, opened: str) -> None:
    page.set_viewport_size({"width": 360, "height": 500})
    page.route(f"{opened}*", with_details)
    page.reload()
    page.locator("#extra summary").click()
    page.locator(".life-scroll").evaluate("(element) => { element.scrollLeft = 120; }")
    page.locator(".crumb a").first.focus()
    page.evaluate("window.scrollTo(0, 700)")
    page.evaluate("getSelection().selectAllChildren([...document.querySelectorAll('.log .what')][0])")
    before = page.evaluate(HELD)
    assert before["selected"].startswith("Commit")
    store(admin, MERGED)
    expect(page.locator(".meta")).to_contain_text("Merged")
    expect(page.get_by_label("Stages", exact=True)).to_be_attached()
    after = page.evaluate(HELD)
    assert after == before | {"top": after["top"]}
    assert abs(after["top"] - before["top"]) < 40  # of the stages above it, 300 pixels, one sees nothing


HELD = """() => ({
    focused: document.activeElement.textContent,
    selected: getSelection().toString(),
    life: document.querySelector(".life-scroll").scrollLeft,
    open: document.querySelector("#extra").open,
    top: document.querySelector(".log .what").getBoundingClientRect().top,
})"""


def with_details(route: Route) -> None:
    """The page has none today: one is put in on its way."""
    answer = route.fetch()
    extra = '<details id="extra"><summary>More</summary><p>of it</p></details>'
    rests = '<section class="panel" id="rests">'
    route.fulfill(response=answer, body=answer.text().replace(rests, extra + rests))


COUNTED = """
    window.asked = 0;
    window.answered = Promise.resolve();
    const real = window.fetch;
    window.fetch = (...all) => {
        window.asked += 1;
        if (window.isBroken) return Promise.reject(new TypeError("no network"));
        const answer = real(...all);
        window.answered = answer.then((it) => it.clone().text()).catch(() => "");
        return answer;
    };
"""


def seconds_until_asked(page: Page, most: float) -> float:
    """From its last answer on, on the page's own clock, in half seconds; `most` if it does not ask until then."""
    page.evaluate("answered")  # the server does not know that clock
    before, passed = page.evaluate("asked"), 0.0
    while passed < most and page.evaluate("asked") == before:
        page.clock.run_for(500)
        passed += 0.5
    return passed


@pytest.fixture
def clocked(page: Page, opened: str) -> str:
    page.add_init_script(COUNTED)
    page.clock.install(time=NOW)
    page.goto(opened)
    page.clock.pause_at(NOW + timedelta(hours=1))  # from here on it runs when it is told to
    return opened


def test_an_absent_server_is_asked_less_and_less_often(page: Page, admin: Membership, clocked: str) -> None:
    page.evaluate("window.isBroken = true")
    seconds_until_asked(page, 90)
    gaps = [seconds_until_asked(page, 90) for _ in range(6)]
    for gap, wanted in zip(gaps, (5, 10, 20, 40, 60, 60), strict=True):
        assert 0.9 * wanted - 0.5 <= gap <= 1.1 * wanted + 0.5, gaps
    expect(page.locator("#live-word")).to_contain_text("No connection to the server. What you see may be old")
    expect(page.locator("#trouble")).to_be_empty()
    shoot(page, "no-connection")
    page.evaluate("window.isBroken = false")
    store(admin, MERGED)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.clock.run_for(1000)
    expect(page.locator(".meta")).to_contain_text("Merged")
    expect(page.locator("#live-word")).to_have_text("Updated just now")
    page.clock.run_for(6000)
    expect(page.locator("#live-word")).to_be_empty()


SEEN = """(is) => {
    Object.defineProperty(document, "hidden", { value: !is, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_nobody_sees_asks_nothing_and_is_right_when_somebody_does(
    page: Page, admin: Membership, clocked: str
) -> None:
    seconds_until_asked(page, 10)
    assert seconds_until_asked(page, 10) <= 3
    page.evaluate(SEEN, False)
    store(admin, MERGED)
    before = page.evaluate("asked")
    page.clock.run_for(600_000)
    assert page.evaluate("asked") == before
    page.evaluate(SEEN, True)
    assert seconds_until_asked(page, 10) <= 0.5
    expect(page.locator(".meta")).to_contain_text("Merged")


def test_an_ended_session_leads_to_the_login_and_back_and_is_not_shown_inside(
    page: Page, opened: str, live_server: LiveServer
) -> None:
    Session.objects.all().delete()
    path = opened.removeprefix(live_server.url)
    expect(page).to_have_url(f"{live_server.url}/accounts/login/?next={path}")
    expect(page.locator("[data-live]")).to_have_count(0)


def test_somebody_elses_page_is_not_shown_inside(page: Page, opened: str) -> None:
    page.route(f"{opened}*", lambda route: route.fulfill(body="<h1>Log in to the proxy</h1>", content_type="text/html"))
    expect(page.locator("#live-word")).to_contain_text("no longer follows changes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry webhooks")


def test_a_pull_request_that_is_gone_says_so_and_stays_readable(page: Page, admin: Membership, opened: str) -> None:
    with team_scope(admin.team_id):
        Repository.objects.get().pull_requests.update(gone_at=NOW)
    expect(page.locator("#live-word")).to_contain_text("no longer there")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry webhooks")

"""The sync log: every sync, newest first, filtered by address, in pages, at a price that does not grow."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import FreshnessCheckFactory, GitHubIntegrationFactory
from apps.integrations.models import SyncRun
from apps.integrations.queries.sync_log import PAGE_SIZE, LogFilters, runs_of
from apps.integrations.tests.sync_log_support import (
    HTMX,
    THEN,
    Kind,
    Status,
    followed,
    run,
    run_url,
    statements,
    text,
    very_many_updates,
)
from apps.teams.scope import team_scope


@pytest.fixture
def integration(team):
    return GitHubIntegrationFactory.create(team=team, organization_slug="acme")


@pytest.fixture
def shop(integration):
    return followed(integration, "acme/shop")


@pytest.fixture
def web(integration):
    return followed(integration, "acme/web")


@pytest.fixture
def url(team):
    return reverse("integrations:sync_log", args=[team.slug])


def shown(response, *runs) -> list[bool]:
    return [f'href="{run_url(one)}"' in text(response) for one in runs]


# ── what it shows ─────────────────────────────────────────


def test_without_a_repository_it_says_what_to_do(team, url, as_owner_of_team, as_teammate):
    assert reverse("integrations:repositories", args=[team.slug]) in text(as_owner_of_team.get(url))
    assert "An admin of the team chooses repositories" in text(as_teammate.get(url))


def test_updates_that_went_well_do_not_drown_the_others(shop, url, as_teammate):
    quiet = run(shop, Kind.INCREMENTAL)
    compared = run(shop, Kind.RECONCILE)
    history = run(shop)
    failed = run(shop, Kind.INCREMENTAL, Status.ERROR)
    partial = run(shop, Kind.INCREMENTAL, Status.PARTIAL)
    everything = (quiet, compared, history, failed, partial)
    assert shown(as_teammate.get(url), *everything) == [False, False, True, True, True]
    assert shown(as_teammate.get(url, {"show": "all"}), *everything) == [True] * 5


def test_when_nothing_stands_out_it_leads_to_all_of_them(shop, url, as_teammate):
    run(shop, Kind.INCREMENTAL)
    page = text(as_teammate.get(url))
    assert "Nothing stands out" in page
    assert f"{url}?show=all" in page


def test_the_newest_come_first(shop, url, as_teammate):
    older, newer = run(shop), run(shop)
    page = text(as_teammate.get(url))
    assert page.index(run_url(newer)) < page.index(run_url(older))


def test_a_line_says_what_it_was_about_and_what_it_cost(shop, url, as_teammate):
    run(
        shop,
        status=Status.PARTIAL,
        days_back=30,
        finished_at=THEN + timedelta(seconds=192),
        counts={"pull_requests": 1240},
        points=107,
        requests=60,
        rest_requests=3,
        waits=[{"from": THEN.isoformat(), "until": (THEN + timedelta(seconds=75)).isoformat(), "reason": "limit"}],
        partial={"588": {"files": "too large"}, "unreadable": {"9": "#9: timed out", "11": "#11: timed out"}},
    )
    page = text(as_teammate.get(url))
    for words in ("<b>History</b>", "30 days", "1,240", ">107<", ">63<", "3 min 12 s", "1 min 15 s", "Partial"):
        assert words in page
    assert (
        '<span class="state warn"><svg class="icon" aria-hidden="true"><use href="/static/icons.svg#i-half"/></svg>3<'
        in page
    )
    assert 'title="31 Mar 2026, 12:00:00 UTC"' in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"days_back": 30}, "30 days"),
        ({"days_back": 1}, "1 day"),
        ({"days_back": None}, "full history"),
        ({"kind": Kind.INCREMENTAL, "status": Status.ERROR, "cutoff": THEN}, "changes since"),
        ({"kind": Kind.INCREMENTAL, "status": Status.ERROR, "cutoff": None}, "changes"),
        ({"kind": Kind.RECONCILE, "status": Status.ERROR}, "what differs from GitHub’s counts"),
        ({"kind": Kind.PR, "status": Status.ERROR}, "fetched again"),
        ({"days_back": 90, "known": 30}, "31 to 90 days back"),
        ({"days_back": None, "known": 30}, "everything older than 30 days"),
    ],
)
def test_the_window_is_in_words(shop, url, as_teammate, fields, words):
    known = fields.pop("known", None)
    run(shop, **fields, known_from=timezone.now() - timedelta(days=known) if known else None)
    page = text(as_teammate.get(url))
    assert f"<span>{words}" in page
    assert ("<b>Widening</b>" in page) is (known is not None)


def test_why_it_failed_stands_in_its_line(shop, url, as_teammate):
    run(shop, status=Status.ERROR, errors=["Timed out.", "The token was revoked."])
    page = text(as_teammate.get(url))
    assert "The token was revoked." in page
    assert "Timed out." not in page


def test_what_goes_on_is_asked_for_again(shop, url, as_teammate):
    one = run(shop)
    assert "every 5s" not in text(as_teammate.get(url))
    with team_scope(shop.team_id):
        SyncRun.objects.filter(pk=one.pk).update(status=Status.RUNNING)
    page = text(as_teammate.get(url, {"show": "all"}))
    assert 'hx-get="?show=all" hx-trigger="every 5s"' in page
    assert "1 sync going on" in page
    again = as_teammate.get(url, {"show": "all"}, headers=HTMX | {"HX-Target": "runs"})
    assert text(again).startswith('<section class="panel" id="runs"')
    assert "HX-Push-Url" not in again.headers


def test_looks_for_changes_have_a_list_of_their_own(integration, shop, url, as_teammate):
    begun = {"team": integration.team, "integration": integration, "repositories": 87}
    FreshnessCheckFactory.create(
        **begun, started_at=THEN, finished_at=THEN + timedelta(seconds=2), changed=3, checks_refreshed=41, points=4
    )
    FreshnessCheckFactory.create(**begun, started_at=THEN, finished_at=THEN)
    FreshnessCheckFactory.create(**begun, started_at=THEN, finished_at=THEN, error="GitHub is away.")
    FreshnessCheckFactory.create(**begun, started_at=THEN)
    FreshnessCheckFactory.create(**begun, started_at=timezone.now())
    page = text(as_teammate.get(url, {"show": "looks"}))
    for words in ("3 changed", ">41<", "2.0 s", "Nothing new", "GitHub is away.", "Failed", "Broke off", "Looking"):
        assert words in page
    assert "87" in page
    assert "every 5s" in page


# ── filters ───────────────────────────────────────────────


def test_it_is_filtered_by_repository_kind_and_status(shop, web, url, as_teammate):
    a = run(shop, Kind.INCREMENTAL)
    b = run(shop, Kind.INITIAL, Status.ERROR)
    c = run(web, Kind.INITIAL)
    everything = (a, b, c)
    assert shown(as_teammate.get(url, {"repository": "acme/shop"}), *everything) == [True, True, False]
    notable = {"repository": "acme/shop", "show": "notable"}
    assert shown(as_teammate.get(url, notable), *everything) == [False, True, False]
    assert shown(as_teammate.get(url, {"repository": "ACME/Web"}), *everything) == [False, False, True]
    assert shown(as_teammate.get(url, {"kind": "initial"}), *everything) == [False, True, True]
    assert shown(as_teammate.get(url, {"status": "error"}), *everything) == [False, True, False]
    # Whoever names a kind means all of that kind.
    assert shown(as_teammate.get(url, {"kind": "incremental"}), *everything) == [True, False, False]
    both = {"kind": "initial", "status": "complete", "repository": "acme/web"}
    assert shown(as_teammate.get(url, both), *everything) == [False, False, True]


def test_a_repository_and_its_predecessor_of_the_same_name_are_found_together(shop, integration, url, as_teammate):
    runs = run(shop), run(followed(integration, "acme/shop"))
    assert shown(as_teammate.get(url, {"repository": "acme/shop"}), *runs) == [True, True]


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ({}, ""),
        ({"show": "notable"}, ""),
        ({"show": "all"}, "?show=all"),
        ({"show": "all", "repository": "acme/shop"}, "?repository=acme%2Fshop"),
        ({"show": "notable", "repository": "acme/shop"}, "?show=notable&repository=acme%2Fshop"),
        ({"show": "notable", "status": "error"}, "?status=error"),
        ({"show": "looks", "before": "7"}, "?show=looks&before=7"),
        ({"show": "what"}, ""),
    ],
)
def test_the_address_says_what_is_shown_and_no_more(shop, url, as_teammate, query, address):
    run(shop)
    answer = as_teammate.get(url, query, headers=HTMX | {"HX-Target": "log"})
    assert answer["HX-Push-Url"] == url + address


def test_the_address_holds_the_filters_for_htmx_too(shop, url, as_teammate):
    run(shop)
    answer = as_teammate.get(
        url, {"repository": "acme/shop", "kind": "", "status": ""}, headers=HTMX | {"HX-Target": "log"}
    )
    assert text(answer).startswith('<div class="stack" id="log">')
    assert answer["HX-Push-Url"] == f"{url}?repository=acme%2Fshop"
    assert answer["Vary"].startswith("HX-Request, HX-Target")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"repository": "acme/nowhere"}, "No repository here is called “acme/nowhere”."),
        ({"status": "splendid"}, "Status cannot be “splendid”; that filter was left out."),
        ({"kind": "x\x00y"}, "Kind cannot be “xy”"),
        ({"status": "cancelled"}, "No sync fits all of these filters"),
    ],
)
def test_what_finds_nothing_or_means_nothing_is_said(shop, url, as_teammate, query, words):
    run(shop)
    assert words in text(as_teammate.get(url, query))


@pytest.mark.parametrize("place", ["", "-1", "x", "0", "9" * 19, "9" * 40, "٣"])
@pytest.mark.parametrize("key", ["before", "after"])
def test_a_place_that_is_none_is_the_newest(shop, url, as_teammate, key, place):
    one = run(shop)
    assert shown(as_teammate.get(url, {key: place}), one) == [True]


# ── pages ─────────────────────────────────────────────────


def test_pages_lead_back_in_time_and_forth_again(shop, url, as_teammate):
    runs = [run(shop) for _ in range(2 * PAGE_SIZE + 3)]
    first = as_teammate.get(url)
    assert shown(first, runs[-1], runs[-PAGE_SIZE], runs[-PAGE_SIZE - 1]) == [True, True, False]
    assert "Newer" not in text(first)
    second = as_teammate.get(url, {"before": runs[-PAGE_SIZE].pk})
    assert shown(second, runs[-PAGE_SIZE - 1], runs[3], runs[2]) == [True, True, False]
    third = as_teammate.get(url, {"before": runs[3].pk})
    assert shown(third, runs[2], runs[0]) == [True, True]
    assert "Older" not in text(third)
    assert f"?after={runs[2].pk}" in text(third)
    back = as_teammate.get(url, {"after": runs[2].pk})
    assert shown(back, runs[3], runs[PAGE_SIZE + 2], runs[PAGE_SIZE + 3]) == [True, True, False]
    newest = as_teammate.get(url, {"after": runs[PAGE_SIZE + 2].pk})
    assert shown(newest, runs[-1], runs[-PAGE_SIZE], runs[-PAGE_SIZE - 1]) == [True, True, False]
    assert "Newer" not in text(newest)


def test_its_queries_do_not_grow_with_the_runs(team, shop, integration, url, as_teammate):
    queries = ({}, {"show": "all"}, {"show": "looks"}, {"repository": "acme/shop"})
    run(shop, partial={"1": {"files": "no"}})
    FreshnessCheckFactory.create(team=team, integration=integration)
    text(as_teammate.get(url))
    before = [statements(as_teammate, url, query) for query in queries]
    for number in range(12):
        run(followed(integration, f"acme/r{number}"), partial={str(n): {"files": "no"} for n in range(30)})
        FreshnessCheckFactory.create(team=team, integration=integration)
    after = [statements(as_teammate, url, query) for query in queries]
    assert after == before
    assert max(before) <= 16  # of them five for the log itself


@pytest.mark.django_db(transaction=True)
def test_what_stands_out_is_found_by_an_index(shop):
    """It holds only these rows: PostgreSQL uses it where it sees that the question implies its condition."""
    very_many_updates(shop)
    with team_scope(shop.team_id):
        plan = runs_of(LogFilters()).order_by("-pk")[:51].explain()
    assert "Index Scan Backward using sync_run_notable" in plan


# ── as a file ─────────────────────────────────────────────


def test_the_log_is_a_file_too(shop, web, team, as_teammate):
    run(shop, Kind.INCREMENTAL)
    one = run(
        shop,
        status=Status.ERROR,
        finished_at=THEN + timedelta(seconds=2),
        counts={"pull_requests": 3},
        errors=["=1+1"],
        partial={"5": {"files": "no"}},
    )
    run(web)
    answer = as_teammate.get(
        reverse("integrations:sync_log_csv", args=[team.slug]), {"show": "notable", "repository": "acme/shop"}
    )
    assert answer["Content-Disposition"] == f'attachment; filename="sync-log-{team.slug}.csv"'
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(lines) == 1
    expected = {
        "run": str(one.pk),
        "repository": "acme/shop",
        "kind": "initial",
        "window": "30 days",
        "status": "error",
        "started_at": "2026-03-31T12:00:00Z",
        "seconds": "2.0",
        "seconds_waited": "0",
        "pull_requests": "3",
        "reviews": "0",
        "partial_pull_requests": "1",
        "error": "'=1+1",
    }
    assert {key: lines[0][key] for key in expected} == expected

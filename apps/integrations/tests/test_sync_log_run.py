"""The page of one sync: what it brought, what it cost, what is partial, and what it waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import GitHubIntegrationFactory, SyncRunFactory
from apps.integrations.models import GitHubIntegration
from apps.integrations.tests.sync_log_support import HTMX, THEN, Status, followed, run, run_url, statements, text
from apps.metrics.factories import PullRequestFactory
from apps.teams.scope import team_scope


@pytest.fixture
def shop(team):
    return followed(GitHubIntegrationFactory.create(team=team, organization_slug="acme"), "acme/shop")


def test_a_run_shows_everything_about_itself(shop, as_teammate, settings):
    settings.GITHUB_WEB_URL = "https://github.com"
    PullRequestFactory.create(
        team=shop.team, repository=shop.repository, number=588, title="Wide", is_partial=True, partial={"files": "x"}
    )
    PullRequestFactory.create(team=shop.team, repository=shop.repository, number=601, title="Mended")
    one = run(
        shop,
        status=Status.PARTIAL,
        days_back=None,
        finished_at=THEN + timedelta(seconds=100),
        counts={"pull_requests": 240, "reviews": 512, "check_runs": 4410},
        points=20,
        requests=14,
        rest_requests=2,
        pages={
            "24": {"pages": 10, "pull_requests": 240, "seconds": 31.2},
            "7": {"pages": 1, "pull_requests": 7, "seconds": 2},
        },
        waits=[{"from": THEN.isoformat(), "until": (THEN + timedelta(seconds=40)).isoformat(), "reason": "Used up."}],
        errors=["GitHub was away."],
        partial={
            "588": {"files": "too large", "review_comments": "timed out"},
            "601": {"checks": "timed out"},
            "unreadable": {"9": "#9: timed out alone, too", "-2": "no number at all"},
            "permissions": {"deployments": "deployments:read"},
        },
    )
    page = text(as_teammate.get(run_url(one)))
    for words in (
        "History of shop",
        "full history",
        "3 partial",
        "0.08 a pull request",
        "14 GraphQL",
        "2 REST",
        "40 s of it waited",
        "4.0 PRs a second",
        "<b>512</b>",
        "<b>4,410</b>",
        "3.1 s",
        "7.7",
        "Used up.",
        "GitHub was away.",
        "#588 Wide",
        "<b>files</b> too large",
        "<b>review comments</b> timed out",
        "still partial",
        "complete now",
        "<b>all of it</b> timed out alone, too",
        "not stored",
        "no number at all",
        "<b>Deployments</b> permission missing: deployments:read",
    ):
        assert words in page, words
    assert reverse("metrics:pull_request", args=[shop.team.slug, "acme", "shop", 588]) in page
    assert "https://github.com/acme/shop/pull/9" in page
    assert reverse("metrics:pull_request", args=[shop.team.slug, "acme", "shop", 9]) not in page
    assert "every 2s" not in page


def test_a_run_that_goes_on_is_live(shop, as_teammate):
    one = run(shop, status=Status.RUNNING, started_at=timezone.now())
    assert 'hx-trigger="every 2s"' in text(as_teammate.get(run_url(one)))
    answer = as_teammate.get(run_url(one), headers=HTMX | {"HX-Target": "run"})
    assert text(answer).startswith('<div class="stack" id="run"')
    assert "HX-Push-Url" not in answer.headers


def test_a_wait_that_lasts_counts_up_to_now(shop, as_teammate):
    begun = timezone.now() - timedelta(minutes=5)
    waits = [{"from": begun.isoformat(), "until": None, "reason": "Paused by Mira."}]
    one = run(shop, status=Status.PAUSED, started_at=begun, waits=waits)
    page = text(as_teammate.get(run_url(one)))
    assert "5 min of it waited" in page
    assert "Paused by Mira." in page
    assert "until somebody lets it go on" in page


def test_a_limit_says_when_it_goes_on(shop, as_teammate):
    one = run(
        shop, status=Status.PAUSED, rate_limited=True, resume_at=timezone.now() + timedelta(minutes=24, seconds=9)
    )
    page = text(as_teammate.get(run_url(one)))
    assert "Paused by GitHub’s rate limit" in page
    assert "in 24 min" in page


def test_a_sync_that_rests_with_its_connection_promises_no_time(shop, as_teammate):
    one = run(shop, status=Status.PAUSED, resume_at=timezone.now() - timedelta(minutes=5))
    assert "its turn comes within a minute" in text(as_teammate.get(run_url(one)))
    with team_scope(shop.team_id):
        GitHubIntegration.objects.update(sync_status="disconnected")
    page = text(as_teammate.get(run_url(one)))
    assert "until acme is connected again" in page
    assert "by itself" not in page
    assert "until <time" not in text(as_teammate.get(reverse("integrations:sync_log", args=[shop.team.slug])))


def test_many_partial_pull_requests_are_named_up_to_a_number(shop, as_teammate):
    partial = {str(number): {"files": "too large"} for number in range(1, 251)}
    one = run(shop, status=Status.PARTIAL, partial=partial)
    page = text(as_teammate.get(run_url(one)))
    assert page.count("too large") == 200
    assert "and 50 more" in page


def test_its_price_does_not_grow_with_what_is_partial(shop, as_teammate):
    few = run(shop, status=Status.PARTIAL, partial={"1": {"files": "x"}})
    many = run(shop, status=Status.PARTIAL, partial={str(n): {"files": "x"} for n in range(1, 99)})
    text(as_teammate.get(run_url(few)))
    assert statements(as_teammate, run_url(few)) == statements(as_teammate, run_url(many))


@pytest.mark.parametrize("name", ["sync_run", "sync_run_cancel", "sync_run_retry"])
def test_a_run_of_another_team_is_404(team, other_team, as_owner_of_team, name):
    theirs = SyncRunFactory.create(team=other_team)
    where = reverse(f"integrations:{name}", args=[team.slug, theirs.pk])
    answer = as_owner_of_team.get(where) if name == "sync_run" else as_owner_of_team.post(where)
    assert answer.status_code == 404


def test_a_number_that_is_no_runs_is_404(team, as_teammate):
    for run_id in (10**6, 10**25):
        assert as_teammate.get(reverse("integrations:sync_run", args=[team.slug, run_id])).status_code == 404

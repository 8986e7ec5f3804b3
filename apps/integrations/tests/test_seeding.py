"""Seeding against an independent GitHub: what it asks, what it stores, and that it goes on where it stopped."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.seeding_support import REPO, SLUG, CtrlC, seed, seeded_rows, seeded_team
from apps.integrations.tests.sync_support import rows_of, tracked_at, versions_of
from apps.metrics.models import PullRequest, Repository, TeamMember
from apps.teams.models import Team
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture
def github(settings, tmp_path):
    """One repository of sixty pull requests and three deployments, to be changed."""
    with SandboxServer(synthetic=["acme:shop:60:7"]) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        settings.GITHUB_SEEDING_TOKENS = ["sandbox-token"]
        settings.GITHUB_BACKOFF = 0.0
        settings.VAR_DIR = tmp_path
        for state in ("SUCCESS", "FAILURE", "SUCCESS"):
            sandbox.mutations.apply({"repo": REPO, "action": "deploy", "state": state})
        yield sandbox


def synced_rows(github, team):
    """What a sync of the whole history through the product stores."""
    assert github_sync.sync_repository_history(tracked_at(github, team, REPO), None).ended == Ended.FINISHED
    return rows_of(team)


def test_its_rows_equal_a_sync_through_the_product(github, db, team):
    seed(github)
    assert seeded_rows() == synced_rows(github, team)


def test_it_fetches_the_newest_so_many(github, db):
    run = seed(github, most=20)
    with team_scope(seeded_team().pk):
        numbers = set(PullRequest.objects.values_list("number", flat=True))
    assert numbers == set(sorted(github.world.repository(REPO).contents.pulls, reverse=True)[:20])
    assert run.report["repositories"][REPO]["pull_requests"] == 20


def test_run_again_unchanged_it_costs_two_points_at_most_and_writes_nothing(github, db):
    seed(github)
    before = versions_of(seeded_team())
    again = seed(github)
    assert again.points <= 2
    assert again.requests <= 2
    assert again.report["fetched"] == 0
    assert versions_of(seeded_team()) == before


def test_after_five_updates_it_fetches_those_five(github, db, team):
    seed(github)
    numbers = sorted(github.world.repository(REPO).contents.pulls)
    for number in (*numbers[:3], *numbers[-2:]):
        github.mutations.apply({"repo": REPO, "number": number, "action": "comment", "body": "Once more."})
    again = seed(github)
    assert again.report["fetched"] == 5
    assert again.points <= 6
    assert seeded_rows() == synced_rows(github, team)


def test_a_new_pull_request_comes_with_the_next_run(github, db, team):
    seed(github)
    made = github.mutations.apply({"repo": REPO, "action": "open", "title": "One more"})
    assert seed(github).report["fetched"] == 1
    with team_scope(seeded_team().pk):
        assert PullRequest.objects.filter(number=made["number"]).exists()


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_interrupted_after_some_pages_it_asks_once_more_at_most(github, db, team, pages):
    whole = seed(github, "--no-cache", "--team", "demo-whole")
    first = seed(github, err=CtrlC(after=pages))
    assert (first.code, first.asked.count("PullRequestPage")) == (130, pages)
    assert first.err.endswith("What was fetched is kept: run the same command again to go on from there.")
    rest = seed(github)
    assert rest.code == 0
    assert first.requests + rest.requests <= whole.requests + 1
    assert seeded_rows() == synced_rows(github, team)


def test_the_same_github_gives_the_same_rows(github, db):
    seed(github)
    first = seeded_rows()
    seed(github, "--refresh", "--team", "demo-again")
    assert seeded_rows("demo-again") == first


def test_all_authors_become_members_of_a_team_that_is_marked_as_demo(github, db):
    seed(github)
    team = seeded_team()
    with team_scope(team.pk):
        authors = set(PullRequest.objects.exclude(author=None).values_list("author__login", flat=True))
        members = set(TeamMember.objects.values_list("login", flat=True))
        repository = Repository.objects.get()
    assert authors and authors <= members
    assert (team.is_demo, team.slug) == (True, SLUG)
    assert repository.covered_from is not None
    assert django_settings.BASE_URL in seed(github).out
    assert Team.objects.filter(slug=SLUG).count() == 1

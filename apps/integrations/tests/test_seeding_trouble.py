"""What stands in the way of seeding: each is said with what to do about it, and nothing that was fetched is lost."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from apps.integrations.seeding.cache import PRCache
from apps.integrations.tests.seeding_support import (
    REPO,
    SLUG,
    no_file_larger_than,
    seed,
    seeded_rows,
    seeded_team,
    synced_rows,
)
from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import PullRequest
from apps.teams.factories import TeamFactory
from apps.teams.models import Team
from apps.teams.scope import team_scope

KEPT = "What was fetched is kept: run the same command again to go on from there."


def stored():
    with team_scope(seeded_team().pk):
        return PullRequest.objects.filter(gone_at=None).count()


def test_a_full_disk_is_said_and_what_came_before_is_kept(public_github, db):
    with no_file_larger_than(96 * 1024):
        run = seed(public_github)
    assert run.code == 1
    assert "acme__shop.sqlite3 cannot be written" in run.err
    assert "Make room there, or set TFORMANCE_VAR" in run.err
    came = stored()
    assert came >= 7
    assert seed(public_github).report["fetched"] == 60 - came


def test_a_full_disk_is_said_whatever_was_kept_before(public_github, db):
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "number": 3, "action": "comment", "body": "Once more."})
    with no_file_larger_than(12 * 1024):
        run = seed(public_github)
    assert (run.code, "acme__shop.sqlite3 cannot be written" in run.err) == (1, True)
    assert seed(public_github).report["fetched"] == 1


def test_a_folder_that_cannot_be_made_is_said(public_github, db, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "file"
    run = seed(public_github)
    assert (run.code, run.requests) == (1, 0)
    assert "or use --no-cache" in run.err


def test_while_another_run_uses_the_cache_it_says_so(public_github, db):
    other = PRCache.at(django_settings.VAR_DIR / "seeding", REPO)
    run = seed(public_github)
    other.close()
    assert (run.code, run.requests) == (1, 0)
    assert run.err.endswith("Wait until it is done.")
    assert seed(public_github).code == 0


def test_an_unknown_project_names_those_that_are_known(public_github, db):
    run = seed(public_github, project="nothing")
    assert run.code == 1
    assert "“nothing” is no project" in run.err
    assert "django, fastapi" in run.err


@pytest.mark.parametrize("name", ["a/b/c", "../etc", "-a/b", "a /b", ""])
def test_what_cannot_be_a_repository_is_not_asked_for(public_github, db, name):
    run = seed(public_github, project=name)
    assert (run.code, run.requests) == (1, 0)


def test_a_repository_that_github_does_not_know_is_said(public_github, db):
    run = seed(public_github, project="acme/none")
    assert run.code == 1
    assert run.err.endswith("GitHub does not know acme/none, or the connection may not see it.")
    assert not Team.objects.exists()


def test_a_private_repository_is_refused_and_leaves_nothing(public_github, db):
    public_github.mutations.apply({"repo": REPO, "action": "privatize"})
    run = seed(public_github)
    assert run.code == 1
    assert "acme/shop is private" in run.err
    assert not Team.objects.exists()


def test_a_renamed_repository_is_followed(public_github, db):
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "action": "rename", "name": "store"})
    public_github.mutations.apply({"repo": "acme/store", "number": 3, "action": "comment", "body": "Still here."})
    run = seed(public_github)
    assert (run.code, run.report["fetched"]) == (0, 1)
    with team_scope(seeded_team().pk):
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme/store"}


def test_a_former_name_leads_to_the_repository(public_github, db):
    public_github.mutations.apply({"repo": REPO, "action": "rename", "name": "store"})
    run = seed(public_github)
    assert run.code == 0
    assert "acme/shop is called acme/store by now." in run.err


def test_what_was_fetched_of_a_repository_that_is_gone_is_still_used(public_github, db):
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "action": "delete_repository"})
    run = seed(public_github, "--team", "demo-late")
    assert (run.code, run.report["repositories"][REPO]["pull_requests"]) == (0, 60)
    assert "GitHub no longer shows acme/shop" in run.err


def test_a_team_with_data_of_its_own_is_not_touched(public_github, db):
    TeamFactory.create(slug=SLUG)
    run = seed(public_github)
    assert (run.code, run.requests) == (1, 0)
    assert "must not mix" in run.err


def test_a_github_that_is_away_is_said_and_the_next_run_goes_on(public_github, db, team):
    public_github.faults.add("PullRequestPage", "drop", times=-1, skip=2)
    run = seed(public_github)
    assert run.code == 1
    assert run.err.endswith(KEPT)
    public_github.faults.clear()
    assert seed(public_github).report["fetched"] == 60 - 31
    assert seeded_rows() == synced_rows(public_github, team)


def test_what_is_too_much_for_github_comes_all_the_same(public_github, db, team):
    public_github.faults.poison(REPO, 30)
    run = seed(public_github)
    assert run.code == 0
    assert run.report["repositories"][REPO]["pull_requests"] == 60


@pytest.mark.parametrize("slug", ["Not A Slug", "admin", "x" * 60])
def test_what_cannot_be_a_teams_address_is_said_before_anything_is_asked(public_github, db, slug):
    run = seed(public_github, "--team", slug)
    assert (run.code, run.requests) == (1, 0)
    assert "--team: " in run.err


@pytest.mark.parametrize("most", [0, -1, 10**23])
def test_what_cannot_be_a_number_of_pull_requests_is_said(public_github, db, most):
    run = seed(public_github, f"--max-prs={most}")
    assert (run.code, run.requests) == (1, 0)
    assert "write a number from 1 to 10000000" in run.err


def test_a_team_of_made_up_pull_requests_gets_no_copies(public_github, db):
    team = TeamFactory.create(is_demo=True)
    with team_scope(team.pk):
        RepositoryFactory.create(github_repo_id=-7)
    run = seed(public_github, "--team", team.slug)
    assert run.code == 1
    assert "holds the pull requests that seed_demo_data made up" in run.err
    assert run.requests == 0


def test_it_says_when_it_asks_another_github_than_the_public_one(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = ["a-real-token"]
    run = seed(public_github, "--no-cache")
    assert run.err.startswith(f"This asks {public_github.url}, as GITHUB_API_URL says")
    assert "accepts none of the tokens" in run.err

"""What happens between two runs: pull requests that vanish, runs that are killed, other teams, other names."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from apps.integrations.factories import GitHubIntegrationFactory
from apps.integrations.tests.seeding_support import REPO, SLUG, CtrlC, seed, seeded_rows, seeded_team, synced_rows
from apps.metrics.models import PullRequest, Repository, WeeklyMetrics
from apps.metrics.services.aggregate import aggregate_weeks
from apps.teams.models import Team
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer


def stored(slug=SLUG):
    with team_scope(seeded_team(slug).pk):
        return PullRequest.objects.filter(gone_at=None).count()


def newest(github):
    return max(github.world.repository(REPO).contents.pulls)


def delete(github, number):
    github.mutations.apply({"repo": REPO, "number": number, "action": "delete"})


def test_what_a_killed_run_did_not_add_up_is_added_up_by_the_next(public_github, db):
    seed(public_github)
    team = seeded_team()
    with team_scope(team.pk):  # as a run leaves it that is killed before its end
        WeeklyMetrics.objects.all().delete()
    seed(public_github)
    assert aggregate_weeks(team.pk, None).changed == 0
    with team_scope(team.pk):
        assert WeeklyMetrics.objects.exists()


def test_what_was_deleted_is_gone_in_each_team_that_has_it(public_github, db):
    seed(public_github)
    delete(public_github, newest(public_github))
    seed(public_github, "--team", "demo-other")
    seed(public_github)
    assert (stored("demo-other"), stored()) == (59, 59)


@pytest.mark.parametrize("option", ["--refresh", "--no-cache"])
def test_what_was_deleted_before_all_is_fetched_anew_is_gone_too(public_github, db, option):
    seed(public_github)
    delete(public_github, newest(public_github))
    seed(public_github, option)
    assert stored() == 59


def test_what_was_deleted_among_the_newest_is_gone(public_github, db):
    seed(public_github, most=20)
    number = newest(public_github)
    delete(public_github, number)
    seed(public_github, most=20)
    with team_scope(seeded_team().pk):
        assert PullRequest.objects.get(number=number).gone_at is not None


def test_a_new_name_alone_is_followed_at_once(public_github, db):
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "action": "rename", "name": "store"})
    assert seed(public_github).report["fetched"] == 0
    with team_scope(seeded_team().pk):
        assert Repository.objects.get().full_name == "acme/store"


def test_a_file_of_another_repository_is_not_taken_for_this_ones(public_github, db):
    public_github.mutations.apply({"repo": "acme/web", "action": "create_repository", "pulls": 3})
    seed(public_github, project="acme/web")
    folder = django_settings.VAR_DIR / "seeding"
    (folder / "acme__web.sqlite3").rename(folder / "acme__shop.sqlite3")
    run = seed(public_github)
    assert "is of acme/web: the repository is fetched again." in run.err
    with team_scope(seeded_team().pk):
        assert set(Repository.objects.values_list("full_name", flat=True)) == {REPO}


def test_a_team_that_is_just_being_connected_is_not_emptied(public_github, db):
    seed(public_github, most=5)
    with team_scope(seeded_team().pk):
        GitHubIntegrationFactory.create(team=seeded_team())
    run = seed(public_github, "--clear", most=5)
    assert (run.code, run.requests) == (1, 0)
    assert "holds data of its own" in run.err
    assert Team.objects.filter(slug=SLUG).exists()


def test_an_interrupted_refresh_says_how_it_goes_on(public_github, db):
    first = seed(public_github, "--refresh", err=CtrlC(after=1))
    assert "run the command again without --refresh" in first.err
    assert 0 < seed(public_github).report["fetched"] < 60


def test_what_an_outage_took_comes_with_the_next_run(public_github, db, team):
    public_github.faults.add("*", "502", skip=8, times=-1)
    first = seed(public_github)
    assert first.report["repositories"][REPO]["partial"] > 0
    public_github.faults.clear()
    assert seed(public_github).report["repositories"][REPO]["lost"] == []
    assert seeded_rows() == synced_rows(public_github, team)
    assert seed(public_github).points <= 2


def test_what_github_cannot_give_is_asked_for_once_more_and_not_for_ever(public_github, db):
    number = newest(public_github)
    public_github.faults.poison(REPO, number, "files")
    public_github.faults.add(f"/repos/acme/shop/pulls/{number}/files", "502", times=-1)
    seed(public_github)
    seed(public_github)
    run = seed(public_github)
    assert (run.report["fetched"], run.report["repositories"][REPO]["partial"]) == (0, 1)
    assert run.points <= 2


def test_a_look_that_fails_once_is_not_taken_for_a_repository_that_is_gone(public_github, db):
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "number": 3, "action": "comment", "body": "Once more."})
    public_github.faults.add("RepositoriesUpdated", "502")
    assert seed(public_github).report["fetched"] == 1


def test_checks_that_have_not_ended_cost_a_point_for_all_repositories(db, settings, tmp_path):
    names = ["pallets/flask", "pallets/werkzeug", "pallets/jinja", "pallets/click"]
    with SandboxServer(synthetic=[f"{name.replace('/', ':')}:3:{seed_}" for seed_, name in enumerate(names)]) as github:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = github.url
        settings.GITHUB_SEEDING_TOKENS = ["sandbox-token"]
        settings.VAR_DIR = tmp_path
        for name in names:
            change = {"repo": name, "number": 1, "action": "check", "name": "slow", "status": "IN_PROGRESS"}
            github.mutations.apply(change)
        seed(github, project="pallets")
        assert seed(github, project="pallets").points <= 2

"""Seeding against an independent GitHub: what it asks, what it stores, and that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.conf import settings as django_settings

from apps.integrations.tests.seeding_support import REPO, SLUG, CtrlC, seed, seeded_rows, seeded_team, synced_rows
from apps.integrations.tests.sync_support import versions_of
from apps.integrations.tests.test_commands import connect
from apps.metrics.models import PullRequest, Repository, TeamMember
from apps.teams.models import Team
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory


def test_its_rows_equal_a_sync_through_the_product(public_github, db, team):
    seed(public_github)
    assert seeded_rows() == synced_rows(public_github, team)


def test_it_fetches_the_newest_so_many(public_github, db):
    run = seed(public_github, most=20)
    with team_scope(seeded_team().pk):
        numbers = set(PullRequest.objects.values_list("number", flat=True))
    assert numbers == set(sorted(public_github.world.repository(REPO).contents.pulls, reverse=True)[:20])
    assert run.report["repositories"][REPO]["pull_requests"] == 20


def test_its_requests_go_one_after_the_other(public_github, db):
    seed(public_github)
    assert public_github.stats.max_in_flight == 1


def test_run_again_unchanged_it_costs_two_points_at_most_and_writes_nothing(public_github, db):
    seed(public_github)
    before = versions_of(seeded_team())
    again = seed(public_github)
    assert again.points <= 2
    assert again.requests <= 2
    assert again.report["fetched"] == 0
    assert versions_of(seeded_team()) == before


def test_after_five_updates_it_fetches_those_five(public_github, db, team):
    seed(public_github)
    numbers = sorted(public_github.world.repository(REPO).contents.pulls)
    for number in (*numbers[:3], *numbers[-2:]):
        public_github.mutations.apply({"repo": REPO, "number": number, "action": "comment", "body": "Once more."})
    again = seed(public_github)
    assert again.report["fetched"] == 5
    assert again.points <= 6
    assert seeded_rows() == synced_rows(public_github, team)


def test_a_new_pull_request_comes_with_the_next_run(public_github, db, team):
    seed(public_github)
    made = public_github.mutations.apply({"repo": REPO, "action": "open", "title": "One more"})
    assert seed(public_github).report["fetched"] == 1
    with team_scope(seeded_team().pk):
        assert PullRequest.objects.filter(number=made["number"]).exists()


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_interrupted_after_some_pages_it_asks_once_more_at_most(public_github, db, team, pages):
    whole = seed(public_github, "--no-cache", "--team", "demo-whole")
    first = seed(public_github, err=CtrlC(after=pages))
    assert (first.code, first.asked.count("PullRequestPage")) == (130, pages)
    assert first.err.endswith("What was fetched is kept: run the same command again to go on from there.")
    rest = seed(public_github)
    assert rest.code == 0
    assert first.requests + rest.requests <= whole.requests + 1
    assert seeded_rows() == synced_rows(public_github, team)


def test_the_same_github_gives_the_same_rows(public_github, db):
    seed(public_github)
    first = seeded_rows()
    seed(public_github, "--refresh", "--team", "demo-again")
    assert seeded_rows("demo-again") == first


def test_all_authors_become_members_of_a_team_that_is_marked_as_demo(public_github, db):
    seed(public_github)
    team = seeded_team()
    with team_scope(team.pk):
        authors = set(PullRequest.objects.exclude(author=None).values_list("author__login", flat=True))
        members = set(TeamMember.objects.values_list("login", flat=True))
        repository = Repository.objects.get()
    assert authors
    assert authors <= members
    assert (team.is_demo, team.slug) == (True, SLUG)
    assert repository.covered_from is not None
    assert django_settings.BASE_URL in seed(public_github).out
    assert Team.objects.filter(slug=SLUG).count() == 1


def test_a_larger_number_goes_on_where_the_last_run_stopped(public_github, db, team):
    first = seed(public_github, most=20)
    rest = seed(public_github)
    assert first.report["fetched"] + rest.report["fetched"] == 60
    assert seeded_rows() == synced_rows(public_github, team)


def test_deployments_that_are_new_or_went_on_come_with_the_next_run(public_github, db, team):
    first = public_github.mutations.apply({"repo": REPO, "action": "deploy", "state": "IN_PROGRESS"})
    seed(public_github)
    public_github.mutations.apply({"repo": REPO, "action": "deployment_status", "id": first["id"], "state": "SUCCESS"})
    public_github.mutations.apply({"repo": REPO, "action": "deploy", "state": "SUCCESS"})
    assert seed(public_github).points <= 3
    assert seeded_rows() == synced_rows(public_github, team)


def test_what_was_deleted_at_its_source_is_gone(public_github, db):
    seed(public_github)
    number = max(public_github.world.repository(REPO).contents.pulls)
    public_github.mutations.apply({"repo": REPO, "number": number, "action": "delete"})
    assert seed(public_github).report["repositories"][REPO]["pull_requests"] == 59


def test_refresh_fetches_all_anew(public_github, db):
    seed(public_github)
    assert seed(public_github, "--refresh").report["fetched"] == 60
    assert seed(public_github).report["fetched"] == 0


def test_without_a_cache_no_file_is_touched(public_github, db, tmp_path):
    assert seed(public_github, "--no-cache").code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_clear_empties_the_team_and_keeps_its_people(public_github):
    user = UserFactory.create(email="eve@example.com")
    seed(public_github, "--admin-email", "eve@example.com")
    seed(public_github, "--clear", most=5)
    team = seeded_team()
    with team_scope(team.pk):
        assert PullRequest.objects.count() == 5
    assert [(each.user_id, each.role) for each in team.memberships.all()] == [(user.pk, "admin")]


def test_the_login_of_make_dev_may_open_it(public_github, db):
    user = UserFactory.create(email="demo@example.com")
    seed(public_github, most=5)
    assert [(each.user_id, each.role) for each in seeded_team().memberships.all()] == [(user.pk, "admin")]


class Connects(StringIO):
    """A console at which somebody connects the team when the first progress is shown."""

    def __init__(self, connect: Callable[[], object]) -> None:
        super().__init__()
        self._connect: Callable[[], object] | None = connect

    def write(self, text: str) -> int:
        if text.startswith("[") and self._connect:
            connect, self._connect = self._connect, None
            connect()
        return super().write(text)


def test_a_connection_takes_away_what_was_copied_and_syncs_it_whole(public_github, db, team, monkeypatch):
    seed(public_github, most=20)
    copied = seeded_team()
    for each in (copied, team):
        connect(each, monkeypatch)
    copied.refresh_from_db()
    with team_scope(copied.pk):
        assert (copied.is_demo, PullRequest.objects.count(), Repository.objects.count()) == (False, 0, 0)
    assert synced_rows(public_github, copied) == synced_rows(public_github, team)


def test_who_connects_while_it_is_copied_gets_none_of_it(public_github, db, monkeypatch):
    run = seed(public_github, err=Connects(lambda: connect(seeded_team(), monkeypatch)))
    assert (run.code, "holds data of its own" in run.err) == (1, True)
    with team_scope(seeded_team().pk):
        assert (PullRequest.objects.count(), Repository.objects.count()) == (0, 0)
    assert seed(public_github).code == 1

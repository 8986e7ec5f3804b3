"""The look at all repositories of a connection at once, against a sandbox GitHub over real HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.factories import TrackedRepositoryFactory
from apps.integrations.github.changes import pulses
from apps.integrations.github.tests.world import graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.models import FreshnessCheck, SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs
from apps.integrations.services.github_sync.looks.look import _settle_what_can_be, _Work
from apps.integrations.tasks import ask_for_looks_task
from apps.integrations.tests.looks_support import (
    ALL_FOUR,
    an_hour_later,
    bare,
    begun,
    covered,
    look,
    mutate,
    settled,
    some_pull,
    statements,
    stored,
    work_off,
)
from apps.integrations.tests.sync_support import rows_of, tracked_at, versions_of
from apps.metrics.models import PullRequest, Repository
from apps.teams.scope import team_scope
from tformance.celery import app


def test_nothing_new_in_a_hundred_repositories_costs_next_to_nothing_and_writes_no_row(quiet_github, team):
    for number in range(1, 71):
        bare(quiet_github, team, number)
    tracked = stored(quiet_github, team, *(f"acme/r-{n}" for n in range(1, 31)))
    with team_scope(team.pk):
        open_ones = PullRequest.objects.filter(state="open").count()
    assert open_ones > 20
    before, versions = rows_of(team), versions_of(team)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = look(team)
    assert versions_of(team) == versions
    assert rows_of(team) == before
    assert (found.repositories, found.changed, found.error, found.is_unfinished) == (100, 0, "", False)
    assert found.checks_refreshed == open_ones
    assert quiet_github.stats.points == found.points <= 2 + ceil(open_ones / 100)
    assert len(statements(queries)) <= 25
    assert begun(team) == {}
    with team_scope(team.pk):
        check = FreshnessCheck.objects.get()
        moved = list(TrackedRepository.objects.select_related("repository").order_by("pk"))
    assert (check.repositories, check.changed, check.checks_refreshed) == (100, 0, open_ones)
    assert (check.points, check.requests, check.error) == (found.points, found.requests, "")
    for before_it, row in zip(tracked, moved, strict=True):
        assert row.watermark == row.repository.synced_to == check.started_at - runs.WATERMARK_OVERLAP
        assert row.watermark > before_it.watermark
        assert (row.last_sync_at, row.sync_status) == (check.started_at, "complete")


def test_the_statements_do_not_grow_with_the_pull_requests(quiet_github, team, other_team):
    stored(quiet_github, team, "acme/r-1")
    stored(quiet_github, other_team, *(f"acme/r-{n}" for n in range(1, 9)))
    counts = []
    for each in (team, other_team):
        with CaptureQueriesContext(connection) as queries:
            look(each)
        counts.append(len(statements(queries)))
    assert counts[0] == counts[1]


def test_what_changed_in_three_repositories_is_fetched_and_nothing_else(busy_github, team):
    covered(busy_github, team, *ALL_FOUR)
    merged, edited = some_pull(busy_github, "acme/r-1"), some_pull(busy_github, "acme/r-2", "MERGED")
    mutate(busy_github, "acme/r-1", "merge", number=merged.number)
    mutate(busy_github, "acme/r-2", "edit", number=edited.number, title="Another title")
    opened = mutate(busy_github, "acme/r-3", "open", title="Something new")["number"]
    found = look(team)
    assert (found.repositories, found.changed) == (4, 3)
    assert begun(team) == {"acme/r-1": [merged.number], "acme/r-2": [edited.number], "acme/r-3": [opened]}
    work_off(team)
    with team_scope(team.pk):
        finished = SyncRun.objects.filter(kind=SyncRun.Kind.INCREMENTAL)
        assert [(run.status, run.counts["pull_requests"]) for run in finished] == [("complete", 1)] * 3
        of = {(pull.github_repo, pull.number): pull for pull in PullRequest.objects.all()}
        [check] = FreshnessCheck.objects.all()
        horizons = set(TrackedRepository.objects.values_list("watermark", flat=True))
    assert of["acme/r-1", merged.number].state == "merged"
    assert of["acme/r-2", edited.number].title == "Another title"
    assert of["acme/r-3", opened].title == "Something new"
    assert horizons == {check.started_at - runs.WATERMARK_OVERLAP}


def test_what_is_stored_already_is_not_fetched_again(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    number = some_pull(busy_github, "acme/r-1").number
    mutate(busy_github, "acme/r-1", "edit", number=number, title="New")
    assert look(team).changed == 1
    work_off(team)
    settled(team)
    an_hour_later(team)
    assert look(team).changed == 0


def test_a_second_change_within_the_second_of_the_first_is_not_lost(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    pull = some_pull(busy_github, "acme/r-1")
    mutate(busy_github, "acme/r-1", "edit", number=pull.number, title="First")
    look(team)
    work_off(team)
    pull.title = "Second"  # in the same second: GitHub's updatedAt stays as it is
    an_hour_later(team)
    assert look(team).changed == 1
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).title == "Second"


def test_a_change_in_the_second_of_the_watermark_is_seen(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    pull = some_pull(busy_github, "acme/r-1")
    mutate(busy_github, "acme/r-1", "edit", number=pull.number, title="New")
    with team_scope(team.pk):
        at = datetime.fromisoformat(pull.updated_at)
        TrackedRepository.objects.update(watermark=at + timedelta(microseconds=999_999))
    assert look(team).changed == 1


def test_what_changes_during_a_look_is_found_by_the_next(busy_github, team, settings):
    covered(busy_github, team, "acme/r-1")
    number = some_pull(busy_github, "acme/r-1").number
    found = look(team)
    mutate(busy_github, "acme/r-1", "edit", number=number, title="Meanwhile")
    with team_scope(team.pk):
        assert TrackedRepository.objects.get().watermark < timezone.now() - timedelta(minutes=4)
    an_hour_later(team)
    assert (found.changed, look(team).changed) == (0, 1)


def test_two_hundred_and_fifty_repositories_are_three_questions(quiet_github, team):
    past = timezone.now() - timedelta(hours=2)
    for number in range(1, 251):
        tracked_at(quiet_github, team, f"acme/bare-{number}", watermark=past, last_sync_at=past, sync_status="complete")
    quiet_github.stats.reset()
    found = look(team)
    assert (found.repositories, found.changed, found.requests) == (250, 0, 3)
    assert (quiet_github.stats.points, quiet_github.stats.operations) == (5, ["RepositoriesUpdated"] * 3)
    assert look(team) is None


def test_more_changes_than_a_pulse_tells_are_listed_by_the_run(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    numbers = sorted(busy_github.world.repository("acme/r-1").contents.pulls)[:11]
    for number in numbers:
        mutate(busy_github, "acme/r-1", "edit", number=number, title=f"Edited {number}")
    look(team)
    assert begun(team) == {"acme/r-1": None}
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.filter(title__startswith="Edited").count() == 11


def test_a_rename_is_followed_at_once(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    mutate(busy_github, "acme/r-1", "rename", name="shop")
    assert look(team).changed == 0
    with team_scope(team.pk):
        assert Repository.objects.get().full_name == "acme/shop"
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme/shop"}


def test_a_repository_without_an_answer_is_synced_for_itself(busy_github, team):
    covered(busy_github, team, "acme/r-1", "acme/r-2")
    with team_scope(team.pk):
        Repository.objects.filter(full_name="acme/r-1").update(node_id="R_gone")
    assert look(team).changed == 1
    assert begun(team) == {"acme/r-1": None}


def test_a_question_that_github_refuses_leaves_each_repository_to_its_own_sync(busy_github, team):
    covered(busy_github, team, "acme/r-1", "acme/r-2")
    busy_github.faults.add("RepositoriesUpdated", "status", status=400, body={"message": "No such field"})
    found = look(team)
    assert (found.changed, begun(team)) == (2, {"acme/r-1": None, "acme/r-2": None})
    assert "No such field" in found.error


def test_pulses_that_are_too_heavy_together_are_asked_in_halves(busy_github, team):
    covered(busy_github, team, *ALL_FOUR)
    busy_github.faults.add("RepositoriesUpdated", "502", times=1)
    found = look(team)
    assert (found.repositories, found.changed, found.error) == (4, 0, "")
    assert busy_github.stats.operations.count("RepositoriesUpdated") == 3


@pytest.fixture
def eagerly():
    """Tasks run where they are sent."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("eagerly")
def test_the_minutes_task_brings_what_is_new(busy_github, team):
    covered(busy_github, team, "acme/r-1", "acme/r-2")
    number = some_pull(busy_github, "acme/r-1").number
    mutate(busy_github, "acme/r-1", "edit", number=number, title="Another title")
    ask_for_looks_task()
    with team_scope(team.pk):
        assert PullRequest.objects.get(github_repo="acme/r-1", number=number).title == "Another title"
        [run] = SyncRun.objects.filter(kind=SyncRun.Kind.INCREMENTAL)
        assert (run.status, run.counts["pull_requests"], run.points) == ("complete", 1, 1)
        assert FreshnessCheck.objects.get().changed == 1
    ask_for_looks_task()
    with team_scope(team.pk):
        assert FreshnessCheck.objects.count() == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        {"number": 2**40},
        {"updatedAt": "0000-13-01T00:00:00Z"},
        {"updatedAt": None},
        {"headRefOid": None, "number": None},
    ],
)
def test_a_repository_of_which_github_tells_nonsense_keeps_no_other_back(team, settings, nonsense):
    tracked = [
        TrackedRepositoryFactory.create(
            team=team,
            integration__team=team,
            repository__node_id=f"R_{number}",
            sync_status="complete",
            watermark=timezone.now() - timedelta(days=1),
        )
        for number in range(2)
    ]
    newest = {"id": "PR_1", "number": 1, "updatedAt": "2999-01-01T00:00:00Z", "state": "OPEN", "headRefOid": "a" * 40}
    nodes = [
        {
            "id": each.repository.node_id,
            "nameWithOwner": each.repository.full_name,
            "isArchived": False,
            "pushedAt": None,
            "pullRequests": {"totalCount": 50, "nodes": [newest | (nonsense if each is tracked[0] else {})]},
        }
        for each in tracked
    ]
    answer = Response(200, {}, orjson.dumps({"data": {"nodes": nodes}}))
    found = pulses(graphql_over(lambda **request: answer), [each.repository.node_id for each in tracked])
    work = _Work(team.pk, tracked[0].integration_id, timezone.now(), is_over=lambda: False)
    _settle_what_can_be(work, tracked, found)
    with team_scope(team.pk):
        assert {run.tracked_repository_id for run in SyncRun.objects.all()} == {each.pk for each in tracked}

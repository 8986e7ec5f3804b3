"""Deriving again, from rows alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from apps.metrics.factories import DeploymentFactory, RepositoryFactory
from apps.metrics.models import PRFile, PullRequest, TeamMember, WeeklyMetrics
from apps.metrics.services import recalculate
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.services.ingest.pull_requests import DERIVED
from apps.metrics.services.recalculate import recalculate_team
from apps.metrics.tests.whole_records import NOW, hours, whole
from apps.teams.scope import team_scope

WRONG = {
    "cycle_time_seconds": 1,
    "first_review_at": None,
    "size": "XL",
    "total_comments": 0,
    "ci_status": "failure",
    "ai_tools": ["nobody"],
    "coding_seconds": None,
    "is_hotfix": True,
}


@pytest.fixture
def repository(team):
    repository = RepositoryFactory(team=team, full_name="acme/api", covered_from=hours(-100))
    with team_scope(team.pk):
        records = [whole(1), whole(2), whole(3, title='Revert "Change 1"'), whole(4, reviews=())]
        ingest_pull_requests(repository, records, synced_at=NOW)
    return repository


def derived() -> list[dict[str, object]]:
    return list(PullRequest.objects.order_by("number").values(*DERIVED, "reverts__number", "deploy_seconds"))


def test_every_derived_field_comes_back_from_the_stored_facts(team, repository, monkeypatch):
    monkeypatch.setattr(recalculate, "CHUNK", 3)
    with team_scope(team.pk):
        before = derived()
        PullRequest.objects.update(**WRONG, reverts=None)
        PRFile.objects.update(category="wrong")
    done = recalculate_team(team.pk)
    assert (done.pull_requests, done.changed, done.files) == (4, 4, 4)
    with team_scope(team.pk):
        assert derived() == before
        assert PullRequest.objects.get(number=3).reverts.number == 1
        assert WeeklyMetrics.objects.get(member=None).prs_merged == 4


def test_nothing_changes_when_everything_is_right(team, repository):
    recalculate_team(team.pk)
    done = recalculate_team(team.pk)
    assert (done.pull_requests, done.changed, done.files, done.weeks) == (4, 0, 0, 0)


def test_a_mark_changes_what_depends_on_it(team, repository):
    with team_scope(team.pk):
        TeamMember.objects.filter(login="ben").update(marked_bot=True)
    assert recalculate_team(team.pk).changed == 4
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("first_review_at", "merged_without_review")) == {(None, True)}


def test_the_deploy_stage_is_part_of_it(team, repository):
    DeploymentFactory(team=team, repository=repository, deployed_at=hours(50), finished_at=hours(51))
    recalculate_team(team.pk)
    with team_scope(team.pk):
        waited = PullRequest.objects.annotate(end=F("merged_at") + timedelta(hours=3)).values_list(
            "deploy_seconds", "end"
        )
        assert set(waited) == {(3 * 3600, hours(51))}


def test_another_teams_rows_are_left_alone(team, other_team, repository):
    with team_scope(team.pk):
        PullRequest.objects.update(**WRONG)
    assert recalculate_team(other_team.pk).pull_requests == 0
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("size", flat=True)) == {"XL"}


def test_the_command_says_last_in_json_what_it_did(team, repository, capsys):
    call_command("recalculate_metrics", "--team", team.slug, "--json")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"team": team.slug, "pull_requests": 4, "changed": 0, "files": 0, "weeks": 4}


def test_the_command_refuses_a_team_that_is_not_there(db):
    with pytest.raises(CommandError, match="There is no team “nobody”"):
        call_command("recalculate_metrics", "--team", "nobody")

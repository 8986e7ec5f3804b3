"""What changes without a trace, and is read again with each look: checks, and deployments under way."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import due, runs
from apps.integrations.services.github_sync.looks import recheck
from apps.integrations.tests.looks_support import (
    ALL_FOUR,
    an_hour_later,
    bare,
    begun,
    covered,
    look,
    mutate,
    open_pull_requests,
    settled,
    some_pull,
    work_off,
)
from apps.integrations.tests.sync_support import versions_of
from apps.metrics.models import Deployment, PRCheckRun, PullRequest
from apps.teams.scope import team_scope


def test_a_check_that_turned_red_shows_without_a_change_of_its_pull_request(busy_github, team):
    covered(busy_github, team, *ALL_FOUR)
    with team_scope(team.pk):
        green = PullRequest.objects.filter(state="open").exclude(ci_status="failure").first()
    pull = busy_github.world.repository(green.github_repo).contents.pulls[green.number]
    updated_at = pull.updated_at
    mutate(busy_github, green.github_repo, "check", number=pull.number, name="nightly", conclusion="failure")
    assert pull.updated_at == updated_at
    versions = versions_of(team)
    found = look(team)
    assert (found.changed, begun(team)) == (0, {})
    assert found.weeks
    with team_scope(team.pk):
        assert PullRequest.objects.get(pk=green.pk).ci_status == "failure"
        assert PRCheckRun.objects.get(name="nightly").conclusion == "failure"
    after = versions_of(team)
    assert len(set(after["pullrequest"]) - set(versions["pullrequest"])) == 1
    assert len(set(after["prcheckrun"]) - set(versions["prcheckrun"])) == 1


def test_the_checks_of_a_fresh_merge_are_followed_and_those_of_an_old_one_are_not(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    fresh, old = [p for p in busy_github.world.repository("acme/r-1").contents.pulls.values() if p.state == "MERGED"][
        :2
    ]
    with team_scope(team.pk):
        PullRequest.objects.filter(number=fresh.number).update(merged_at=timezone.now() - timedelta(hours=23))
    for pull in (fresh, old):
        mutate(busy_github, "acme/r-1", "check", number=pull.number, name="nightly", conclusion="failure")
    look(team)
    with team_scope(team.pk):
        assert list(PRCheckRun.objects.filter(name="nightly").values_list("head_sha", flat=True)) == [
            fresh.head_ref_oid
        ]


def test_between_the_hours_only_restless_checks_are_read(busy_github, team):
    covered(busy_github, team, *ALL_FOUR)
    assert look(team).checks_refreshed > 2
    with team_scope(team.pk):
        first, second = PullRequest.objects.filter(state="open").exclude(ci_status="pending")[:2]
        PullRequest.objects.filter(pk=first.pk).update(ci_status="pending")
        PullRequest.objects.filter(pk=second.pk).update(pr_updated_at=timezone.now() - timedelta(hours=23))
        TrackedRepository.objects.update(last_sync_at=timezone.now() - timedelta(minutes=11))
    assert look(team).checks_refreshed == 2


def test_another_head_is_fetched_at_once(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    pull = some_pull(busy_github, "acme/r-1")
    with team_scope(team.pk):
        PullRequest.objects.filter(number=pull.number).update(head_sha="0" * 40)
    look(team)
    assert begun(team) == {"acme/r-1": [pull.number]}
    with team_scope(team.pk):
        assert SyncRun.objects.get(status="pending").kind == "pr"
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).head_sha == pull.head_ref_oid


def test_a_reading_of_checks_that_the_time_cuts_off_goes_on_where_it_was(quiet_github, team):
    tracked = bare(quiet_github, team, 1)
    open_pull_requests(tracked, 250)
    with team_scope(team.pk):
        GitHubIntegration.objects.update(checks_cursor=0)
        TrackedRepository.objects.update(last_sync_at=timezone.now())
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    looks = [look(team, seconds=0.0) for _ in range(3)]
    assert [(found.checks_refreshed, found.is_unfinished) for found in looks] == [(100, True), (100, True), (50, False)]
    assert look(team) is None


def test_thousands_of_open_pull_requests_are_read_block_by_block(quiet_github, team):
    open_pull_requests(bare(quiet_github, team, 1), recheck.BLOCK + 50)
    found = look(team, seconds=None)
    assert (found.checks_refreshed, found.is_unfinished) == (recheck.BLOCK + 50, False)
    assert quiet_github.stats.operations.count("PullRequestChecks") == 21
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().checks_cursor is None


def test_a_deployment_appears_and_finishes(busy_github, team):
    covered(busy_github, team, "acme/r-1", "acme/r-2")
    made = mutate(busy_github, "acme/r-1", "deploy", environment="production", state="in_progress")
    assert look(team).changed == 1
    assert begun(team) == {"acme/r-1": []}
    work_off(team)
    with team_scope(team.pk):
        deployment = Deployment.objects.get(github_deployment_id=made["id"])
    assert (deployment.state, deployment.finished_at) == ("in_progress", None)
    mutate(busy_github, "acme/r-1", "deployment_status", id=made["id"], state="success")
    an_hour_later(team)
    settled(team)
    found = look(team)
    assert (found.changed, bool(found.weeks)) == (0, True)
    with team_scope(team.pk):
        deployment.refresh_from_db()
        assert deployment.finished_at is not None
    busy_github.stats.reset()
    an_hour_later(team)
    look(team)
    assert "DeploymentsByIds" not in busy_github.stats.operations


def test_a_deployment_that_had_ended_and_went_on_is_read_again(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    made = mutate(busy_github, "acme/r-1", "deploy", environment="production", state="failure")
    look(team)
    work_off(team)
    mutate(busy_github, "acme/r-1", "deployment_status", id=made["id"], state="success")
    an_hour_later(team)
    busy_github.stats.reset()
    look(team)
    assert busy_github.stats.operations.count("DeploymentsByIds") == 1
    with team_scope(team.pk):
        deployment = Deployment.objects.get(github_deployment_id=made["id"])
        assert list(deployment.statuses.order_by("pk").values_list("state", flat=True)) == ["failure", "success"]
        assert deployment.finished_at is not None


def test_deployments_that_may_not_be_read_are_not_asked_for(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    with team_scope(team.pk):
        noted = {"permission": "deployments", "since": timezone.now().isoformat()}
        GitHubIntegration.objects.update(permissions_missing={"deployments": noted})
    mutate(busy_github, "acme/r-1", "deploy")
    assert (look(team).changed, busy_github.stats.points) == (0, 2)


def test_a_permission_that_was_taken_away_is_noted_and_noted_again_when_it_is_back(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    mutate(busy_github, "acme/r-1", "forbid", part="deployments")
    assert look(team).changed == 0
    with team_scope(team.pk):
        noted = GitHubIntegration.objects.get().permissions_missing
        assert noted["deployments"]["permission"] == "deployments"
        yesterday = (timezone.now() - timedelta(days=2)).isoformat()
        noted = {"deployments": {"permission": "deployments", "since": yesterday, "asked": yesterday}}
        GitHubIntegration.objects.update(permissions_missing=noted)
    mutate(busy_github, "acme/r-1", "forbid", part="deployments", on=False)
    an_hour_later(team)
    assert look(team).changed == 0
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().permissions_missing == {}


def test_checks_that_may_not_be_read_are_noted_and_not_asked_for(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    mutate(busy_github, "acme/r-1", "forbid", part="statusCheckRollup")
    look(team)
    with team_scope(team.pk):
        assert list(GitHubIntegration.objects.get().permissions_missing) == ["checks"]
    busy_github.stats.reset()
    an_hour_later(team)
    look(team)
    assert busy_github.stats.operations == ["RepositoriesUpdated"]


def test_a_failure_between_pulses_and_checks_leaves_the_checks_for_the_next_look(busy_github, team):
    covered(busy_github, team, "acme/r-1")
    pull = some_pull(busy_github, "acme/r-1")
    mutate(busy_github, "acme/r-1", "check", number=pull.number, name="nightly", conclusion="failure")
    busy_github.faults.add("PullRequestChecks", "drop", times=3)
    found = look(team)
    assert (found.repositories, found.checks_refreshed) == (1, 0)
    assert found.error
    later = timezone.now() + timedelta(minutes=6)
    with team_scope(team.pk):
        [waiting] = due.connections_to_look_at(later)
        GitHubIntegration.objects.update(look_claimed_until=None)
    assert github_sync.look(team.pk, waiting.pk).checks_refreshed > 0
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).ci_status == "failure"


def test_checks_that_are_too_heavy_are_left_for_next_time_and_the_others_read(busy_github, team):
    covered(busy_github, team, *ALL_FOUR)
    with team_scope(team.pk):
        open_ones = PullRequest.objects.filter(state="open").count()
    busy_github.faults.add("PullRequestChecks", "502", times=1)
    found = look(team)
    assert (found.checks_refreshed, found.error, found.is_unfinished) == (open_ones, "", False)


def test_an_unfinished_sync_is_not_disturbed(busy_github, team):
    tracked, _ = covered(busy_github, team, "acme/r-1", "acme/r-2")
    with team_scope(team.pk):
        runs.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=30)
        of_other = PullRequest.objects.filter(github_repo="acme/r-2", state="open").count()
    found = look(team)
    assert (found.repositories, found.checks_refreshed) == (1, of_other)

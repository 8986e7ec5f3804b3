"""Pushes, checks and deployments, as events tell of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.integrations.processors import Reason, process
from apps.integrations.tests.processors.support import present, reasons, the_pull_request
from apps.metrics.models import Deployment, DeploymentStatus, PRCheckRun, Repository
from apps.teams.scope import team_scope


def test_a_push_has_the_pull_requests_of_its_branch_fetched(github, number, team, shop):
    push, synchronize = github.tell("push", number=number)
    assert reasons([process(team.pk, *push)]) == [Reason.CODE]
    process(team.pk, *synchronize)
    assert reasons([process(team.pk, *push)]) == []
    event, payload = push
    assert process(team.pk, event, payload | {"ref": "refs/tags/v1"}).ignored


def test_every_attempt_of_a_check_is_kept_and_the_last_one_counts(happens, number, team):
    for conclusion in ("FAILURE", "SUCCESS"):
        happens("check", number=number, name="unit tests", conclusion=conclusion)
    assert [run.conclusion for run in present(team, PRCheckRun)] == ["failure", "success"]
    assert the_pull_request(team, number).ci_status == "success"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_check_run_never_goes_back(github, number, team, order):
    events = [
        github.tell("check", number=number, status="IN_PROGRESS")[0],
        github.tell("finish_check", number=number, conclusion="FAILURE")[0],
    ]
    event, payload = events[0]
    queued = payload | {"check_run": payload["check_run"] | {"status": "queued", "started_at": None}}
    for place in order:
        process(team.pk, *events[place])
    process(team.pk, event, queued)
    [run] = present(team, PRCheckRun)
    assert (run.status, run.conclusion, the_pull_request(team, number).ci_status) == (
        "completed",
        "failure",
        "failure",
    )


def test_a_status_of_a_commit_that_is_in_no_pull_request_is_not_kept(github, number, team, shop):
    [(event, payload)] = github.tell("status", number=number)
    assert process(team.pk, event, payload | {"sha": "f" * 40}).ignored
    assert present(team, PRCheckRun) == []
    assert process(team.pk, event, payload).changed == 1


def test_a_check_that_is_quicker_than_its_push_is_kept_and_the_push_is_fetched(github, number, team, shop):
    github.tell("push", number=number)
    [check, _] = github.tell("check", number=number)
    assert reasons([process(team.pk, *check)]) == [Reason.CODE]
    assert len(present(team, PRCheckRun)) == 1


def test_a_suite_that_ended_unheard_has_its_checks_fetched(github, number, team, shop):
    [start] = github.tell("check", number=number, status="IN_PROGRESS")
    finish, suite = github.tell("finish_check", number=number)
    process(team.pk, *start)
    assert reasons([process(team.pk, *suite)]) == [Reason.CHECKS]
    process(team.pk, *finish)
    assert reasons([process(team.pk, *suite)]) == []


def test_a_deployment_ends_with_its_success_and_keeps_its_other_statuses(github, happens, number, team):
    with team_scope(team.pk):
        Repository.objects.update(covered_from=github.at - timedelta(days=1))
    happens("merge", number=number)
    deployment, begun = github.tell("deploy", state="IN_PROGRESS")
    [done] = github.tell("deployment_status", state="SUCCESS")
    process(team.pk, *deployment)
    assert [row.state for row in present(team, Deployment)] == ["pending"]
    for event in (done, begun, deployment):
        process(team.pk, *event)
    [row] = present(team, Deployment)
    assert (row.state, row.is_production) == ("active", True)
    assert row.finished_at == datetime.fromisoformat(done[1]["deployment_status"]["created_at"])
    assert sorted(status.state for status in present(team, DeploymentStatus)) == ["in_progress", "success"]
    assert the_pull_request(team, number).deploy_seconds == 20


def test_a_merge_that_is_told_after_its_deployment_is_deployed_all_the_same(github, number, team, shop):
    with team_scope(team.pk):
        Repository.objects.update(covered_from=github.at - timedelta(days=1))
    events = [*github.tell("merge", number=number), *github.tell("deploy", state="SUCCESS")]
    for event in reversed(events):
        process(team.pk, *event)
    assert the_pull_request(team, number).deploy_seconds == 10

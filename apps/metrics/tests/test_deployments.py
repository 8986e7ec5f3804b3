"""Deployments, when they ended, and how long merged pull requests waited for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.metrics.factories import DeploymentFactory, PullRequestFactory, RepositoryFactory
from apps.metrics.models import Deployment, DeploymentStatus, PullRequest
from apps.metrics.records import Account, DeploymentRecord, DeploymentStatusRecord
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest import ingest_deployments

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


STATUSES = (
    DeploymentStatusRecord("DS_1", "in_progress", at(1), Account(1, "anna")),
    DeploymentStatusRecord("DS_2", "success", at(2)),
    DeploymentStatusRecord("DS_3", "success", at(3)),
    DeploymentStatusRecord("DS_4", "inactive", at(9)),
)
RECORD = DeploymentRecord(
    6_000_000_001,
    "production",
    "a" * 40,
    "active",
    at(0.5),
    "DE_1",
    creator=Account(1, "anna"),
    statuses=STATUSES,
    statuses_total=4,
)


@pytest.fixture
def repository(scope):
    return RepositoryFactory(team=scope, covered_from=at(-1000))


def test_a_deployment_ends_with_its_first_success(repository):
    done = ingest_deployments(repository, [RECORD], synced_at=NOW)
    assert (done.inserted, done.statuses, done.touched_weeks) == (1, 4, {date(2026, 3, 2)})
    deployment = Deployment.objects.get()
    assert (deployment.finished_at, deployment.creator.login, deployment.deployed_at) == (at(2), "anna", at(0.5))


def test_nothing_changes_the_second_time(repository, django_assert_max_num_queries):
    ingest_deployments(repository, [RECORD], synced_at=NOW)
    many = [replace(RECORD, id=n, statuses=None) for n in range(1, 60)]
    ingest_deployments(repository, many, synced_at=NOW)
    with django_assert_max_num_queries(7):
        done = ingest_deployments(repository, [RECORD, *many], synced_at=NOW)
    assert (done.inserted, done.updated, done.unchanged, done.statuses) == (0, 0, 60, 0)
    assert done.touched_weeks == frozenset()


def test_a_status_that_is_gone_counts_no_longer(repository):
    ingest_deployments(repository, [RECORD], synced_at=NOW)
    ingest_deployments(repository, [replace(RECORD, statuses=STATUSES[2:], statuses_total=2)], synced_at=NOW)
    assert DeploymentStatus.objects.filter(gone_at=NOW).count() == 2
    assert Deployment.objects.get().finished_at == at(3)


@pytest.mark.parametrize("statuses", [None, STATUSES[2:]])
def test_statuses_that_were_not_fetched_whole_take_nothing_away(repository, statuses):
    ingest_deployments(repository, [RECORD], synced_at=NOW)
    ingest_deployments(repository, [replace(RECORD, statuses=statuses)], synced_at=NOW)
    assert not DeploymentStatus.objects.exclude(gone_at=None).exists()
    assert Deployment.objects.get().finished_at == at(2)


def test_what_rest_said_of_production_is_kept_where_graphql_is_silent(repository):
    ingest_deployments(repository, [replace(RECORD, is_production=True)], synced_at=NOW)
    ingest_deployments(repository, [RECORD], synced_at=NOW)
    assert Deployment.objects.get().is_production is True


def deploy_hours(repository, **merges: float) -> dict[str, float | None]:
    for title, merged in merges.items():
        PullRequestFactory(repository=repository, title=title, merged_at=at(merged))
    set_deploy_seconds(repository)
    return {
        title: seconds and seconds / 3600
        for title, seconds in PullRequest.objects.values_list("title", "deploy_seconds")
    }


def deployed(repository, created: float, *, finished: float | None, **more) -> None:
    DeploymentFactory(
        repository=repository, deployed_at=at(created), finished_at=at(finished) if finished else None, **more
    )


def test_it_is_the_first_successful_production_deployment_after_the_merge(repository):
    deployed(repository, 5, finished=6)
    deployed(repository, 10, finished=None, state="failure")
    deployed(repository, 11, finished=12, environment="staging")
    deployed(repository, 20, finished=21)
    deployed(repository, 30, finished=31)
    assert deploy_hours(repository, before=4, between=8, late=25, waiting=31) == {
        "before": 2.0,
        "between": 13.0,
        "late": 6.0,
        "waiting": None,
    }
    assert set_deploy_seconds(repository) == 0


@pytest.mark.parametrize(
    ("environment", "said", "counts"),
    [
        ("production", None, True),
        ("Prod-eu", None, True),
        ("live", None, True),
        ("preprod", None, False),
        ("products", None, False),
        ("staging", None, False),
        ("staging", True, True),
        ("production", False, False),
    ],
)
def test_production_is_what_the_source_says_or_the_name(repository, environment, said, counts):
    deployed(repository, 10, finished=12, environment=environment, is_production=said)
    assert deploy_hours(repository, one=2) == {"one": 10.0 if counts else None}


def test_the_first_deployment_known_claims_nothing_from_before_the_covered_time(repository):
    repository.covered_from = at(5)
    deployed(repository, 10, finished=11)
    deployed(repository, 20, finished=21)
    assert deploy_hours(repository, earlier=2, covered=7) == {"earlier": 19.0, "covered": 4.0}


def test_another_repositorys_deployment_contains_nothing(repository, team):
    deployed(RepositoryFactory(team=team), 10, finished=11)
    assert deploy_hours(repository, one=2) == {"one": None}


def test_a_deployment_that_turned_out_gone_takes_its_time_back(repository):
    deployed(repository, 10, finished=11)
    assert deploy_hours(repository, one=2) == {"one": 9.0}
    Deployment.objects.update(gone_at=NOW)
    assert set_deploy_seconds(repository) == 1
    assert PullRequest.objects.get().deploy_seconds is None

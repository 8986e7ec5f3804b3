"""What is gone at the source is kept, and counts nowhere: as if it had never been."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import (
    Commit,
    Deployment,
    DeploymentStatus,
    LinkedIssue,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestCommit,
    Repository,
    ReviewThread,
)
from apps.metrics.queries.completeness import stored_of
from apps.metrics.queries.overview import overview_for
from apps.metrics.queries.population import population_from
from apps.metrics.queries.pull_request_filters import filters_from
from apps.metrics.queries.pull_request_list import pull_request_list
from apps.metrics.queries.review_load import review_load_for
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.queries.weekly import weekly_numbers
from apps.metrics.records import DeploymentRecord, DeploymentStatusRecord
from apps.metrics.services.gone import Gone, mark_deployments_gone, mark_gone
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.metrics.tests.whole_records import whole
from apps.teams.scope import team_scope

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
WEEKS = [date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9)]
CHILDREN = (LinkedIssue, PRCheckRun, PRComment, PREvent, PRFile, PRReview, PullRequestCommit, ReviewThread)


def repository_of(team) -> Repository:
    return RepositoryFactory.create(team=team, full_name="acme/api", covered_from=MONDAY, synced_to=NOW)


@pytest.fixture
def repository(scope) -> Repository:
    found = repository_of(scope)
    ingest_pull_requests(found, [whole(1), whole(2)], synced_at=NOW)
    return found


def counted() -> str:
    """Every number of the pages, without primary keys."""
    trust = trust_of_team()
    population = population_from(QueryDict("days=90"), time_zone="UTC", now=NOW, trust=trust)
    listed = pull_request_list(filters_from(QueryDict(""), time_zone="UTC", trust=trust))
    weekly = [{k: v for k, v in row.items() if k != "member_id"} for row in weekly_numbers(WEEKS, "UTC")]
    told = (
        sorted(map(repr, weekly)),
        overview_for(population, trust, now=NOW),
        review_load_for(population),
        [(row.number, row.title) for row in listed.rows],
        listed.count,
        [(each.stored, each.partial) for each in trust.repositories],
    )
    return re.sub(r"\b(member|id|pk|repository_id|author_id)=\d+|'member': \d+", "", repr(told))


def test_a_pull_request_that_is_gone_counts_as_if_it_had_never_been(repository, team, other_team):
    with_both = counted()
    gone = mark_gone(repository, ["PR_2"], at=NOW)
    assert gone == Gone(1, frozenset({date(2026, 3, 2)}))
    told = counted()
    assert told != with_both
    assert stored_of(repository).pull_requests == 1


def test_that_holds_for_every_number_of_the_pages(team, other_team):
    told = []
    for each, records, marked in ((team, [whole(1), whole(2)], ["PR_2"]), (other_team, [whole(1)], [])):
        with team_scope(each.pk):
            repository = repository_of(each)
            ingest_pull_requests(repository, records, synced_at=NOW)
            mark_gone(repository, marked, at=NOW)
            told.append(counted())
    assert told[0] == told[1]


def test_all_that_belongs_to_it_alone_is_marked_and_nothing_else(repository):
    mark_gone(repository, ["PR_2"], at=NOW)
    for model in CHILDREN:
        gone = model.objects.exclude(gone_at=None)
        assert gone.exists(), model
        if model is PRCheckRun:
            assert set(gone.values_list("head_sha", flat=True)) == {f"{2:040x}"}
        else:
            assert set(gone.values_list("pull_request__number", flat=True)) == {2}
    assert not Commit.objects.exclude(gone_at=None).exists()


def test_it_comes_back_with_everything(repository):
    before = counted()
    mark_gone(repository, ["PR_2"], at=NOW)
    ingest_pull_requests(repository, [whole(2)], synced_at=NOW + timedelta(hours=1))
    assert counted() == before
    for model in (*CHILDREN, PullRequest):
        assert not model.objects.exclude(gone_at=None).exists()


def test_marking_twice_or_what_is_not_here_changes_nothing(repository):
    assert mark_gone(repository, ["PR_2"], at=NOW).marked == 1
    assert mark_gone(repository, ["PR_2", "PR_404"], at=NOW + timedelta(days=1)) == Gone()
    assert PullRequest.objects.get(number=2).gone_at == NOW


def test_a_deployment_is_marked_with_its_statuses_and_its_week_touched(repository):
    done = DeploymentStatusRecord("DES_1", "success", MONDAY + timedelta(hours=1))
    record = DeploymentRecord(
        id=1,
        environment="production",
        sha="a" * 40,
        state="active",
        created_at=MONDAY,
        node_id="DE_1",
        statuses=(done,),
        statuses_total=1,
    )
    ingest_deployments(repository, [record], synced_at=NOW)
    gone = mark_deployments_gone(repository, [1, 404], at=NOW)
    assert gone == Gone(1, frozenset({date(2026, 3, 2)}))
    assert (Deployment.objects.get().gone_at, DeploymentStatus.objects.get().gone_at) == (NOW, NOW)
    ingest_deployments(repository, [record], synced_at=NOW)
    assert (Deployment.objects.get().gone_at, DeploymentStatus.objects.get().gone_at) == (None, None)

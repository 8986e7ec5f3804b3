"""Records made of rows again: what they hold, and who counts as a bot in them."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import PullRequest, TeamMember
from apps.metrics.queries.stored_records import life_record_of, records_of
from apps.metrics.records import Account, CheckRecord, CommentRecord, Part
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.services.recalculate import recalculate_team
from apps.metrics.tests.whole_records import BEN, NOW, hours, whole
from apps.teams.scope import team_scope

LIFE = {Part.REVIEWS, Part.REVIEW_COMMENTS, Part.ISSUE_COMMENTS, Part.COMMITS, Part.EVENTS, Part.CHECKS}


@pytest.fixture
def repository(team):
    return RepositoryFactory(team=team, full_name="acme/api", covered_from=hours(-100))


@pytest.fixture
def store(team, repository):
    def store(*records):
        with team_scope(team.pk):
            return ingest_pull_requests(repository, records, synced_at=NOW)

    return store


def only_pull_request() -> PullRequest:
    return PullRequest.objects.select_related("repository", "milestone").get()


def test_a_life_is_what_was_stored_without_the_texts(team, store):
    record = whole(1)
    store(record)
    with team_scope(team.pk):
        life = life_record_of(only_pull_request())
    assert set(Part) - life.missing == LIFE
    assert (life.commits, life.events) == (record.commits, record.events)
    for name in ("reviews", "review_comments", "issue_comments"):
        assert getattr(life, name) == tuple(replace(each, body="") for each in getattr(record, name))


def test_a_life_has_the_checks_of_all_its_commits(team, store):
    record = whole(1)
    shas = [commit.sha for commit in record.commits or ()]
    checks = tuple(CheckRecord(n, "unit", sha, "completed", "success", hours(n)) for n, sha in enumerate(shas, start=1))
    store(replace(record, checks=checks))
    with team_scope(team.pk):
        life = life_record_of(only_pull_request())
    assert {check.head_sha for check in life.checks or ()} == set(shas)


def test_a_life_costs_six_statements_and_never_loads_the_texts(team, store):
    store(whole(1, issue_comments=tuple(CommentRecord(100 + n, "issue", hours(n), BEN, body="x") for n in range(50))))
    with team_scope(team.pk):
        pull_request = only_pull_request()
        with CaptureQueriesContext(connection) as queries:
            life_record_of(pull_request)
    assert len(queries) == 6
    assert not [query["sql"] for query in queries if '"body"' in query["sql"]]


def test_many_records_cost_as_many_statements_as_one(team, repository, store, django_assert_num_queries):
    store(*(whole(number) for number in range(1, 6)))
    with team_scope(team.pk):
        everything = list(PullRequest.objects.select_related("milestone").order_by("number"))
        for pull_requests in (everything[:1], everything):
            with django_assert_num_queries(11):
                assert list(records_of(repository, pull_requests)) == [row.pk for row in pull_requests]


@pytest.mark.parametrize(("said", "marked"), [(False, True), (True, False)])
def test_a_mark_counts_in_a_life_and_not_in_what_is_derived_anew(team, repository, store, said, marked):
    ben = replace(BEN, is_bot=said)
    store(whole(1, author=ben))
    with team_scope(team.pk):
        TeamMember.objects.filter(login="ben").update(marked_bot=marked)
        pull_request = only_pull_request()
        life, stored = life_record_of(pull_request), records_of(repository, [pull_request])[pull_request.pk]
    assert (life.author.is_bot, stored.author.is_bot) == (marked, said)


@pytest.mark.parametrize(
    ("author", "marked", "tools"),
    [(Account(7, "Copilot", is_bot=True), False, ["GitHub Copilot"]), (Account(7, "Claude"), True, [])],
)
def test_a_mark_makes_nobody_an_agent_and_no_agent_a_person(team, store, author, marked, tools):
    store(whole(1, author=author))
    with team_scope(team.pk):
        assert only_pull_request().ai_tools == tools
        TeamMember.objects.filter(github_user_id=7).update(marked_bot=marked)
    recalculate_team(team.pk)
    with team_scope(team.pk):
        assert only_pull_request().ai_tools == tools


def test_a_mark_counts_for_people_of_parts_that_did_not_come_again(team, store):
    store(whole(1))
    with team_scope(team.pk):
        TeamMember.objects.filter(login="ben").update(marked_bot=True)
    thin = {part.value: None for part in Part}
    store(whole(1, merged_by=None, updated_at=NOW, title="Other", **thin))
    with team_scope(team.pk):
        assert only_pull_request().first_review_at is None

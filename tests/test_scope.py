"""The scope of a team is a transaction that shows and takes one team's rows."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from django.db import DatabaseError, connection, transaction

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import Repository
from apps.teams.factories import TeamFactory
from apps.teams.scope import NoTeamScope, WrongTeam, current_team_id, required_team_id, scoped_chunks, team_scope


def sql(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def setting() -> object:
    return sql("SELECT current_setting('app.team_id', true)") or ""


@pytest.mark.django_db(transaction=True)
def test_it_is_a_transaction_and_two_statements(django_assert_num_queries):
    team = TeamFactory()
    with django_assert_num_queries(4) as queries, team_scope(team.pk):
        pass
    assert [query["sql"].split()[0] for query in queries] == ["BEGIN", "SELECT", "SELECT", "COMMIT"]
    assert (setting(), current_team_id()) == ("", None)


def test_inside_a_transaction_it_restores_what_was_set(team, django_assert_num_queries):
    with django_assert_num_queries(4), team_scope(team.pk):
        pass
    assert (setting(), current_team_id()) == ("", None)


def test_an_exception_restores_it_too(team):
    with contextlib.suppress(ValueError), team_scope(team.pk):
        RepositoryFactory()
        raise ValueError
    assert (setting(), current_team_id()) == ("", None)
    with team_scope(team.pk):
        assert not Repository.objects.exists()


def test_the_same_team_may_be_entered_again_for_nothing(team, django_assert_num_queries):
    with team_scope(team.pk):
        with django_assert_num_queries(0), team_scope(team.pk):
            pass
        assert (setting(), current_team_id()) == (str(team.pk), team.pk)


def test_another_team_inside_a_scope_raises(team, other_team):
    with team_scope(team.pk), pytest.raises(WrongTeam), team_scope(other_team.pk):
        pass


@pytest.mark.django_db(transaction=True)
def test_on_commit_callbacks_run_without_a_team():
    team, seen = TeamFactory(), []
    with team_scope(team.pk), team_scope(team.pk):
        transaction.on_commit(lambda: seen.append((current_team_id(), setting(), connection.in_atomic_block)))
    assert seen == [(None, "", False)]


def test_another_thread_has_no_team_even_with_a_copied_context(team):
    with team_scope(team.pk), ThreadPoolExecutor(1) as pool, pytest.raises(NoTeamScope):
        pool.submit(copy_context().run, required_team_id).result()


@pytest.mark.django_db(transaction=True)
def test_a_swallowed_database_error_does_not_turn_the_commit_into_a_silent_rollback():
    team = TeamFactory()
    with pytest.raises(DatabaseError), team_scope(team.pk), contextlib.suppress(DatabaseError):
        sql("SELECT 1/0")


def test_chunks_hold_no_scope_while_the_caller_has_them(team, other_team):
    RepositoryFactory(team=other_team)
    names = [RepositoryFactory(team=team).full_name for _ in range(5)]
    seen = []
    for chunk in scoped_chunks(team.pk, Repository.objects.all(), 2):
        assert (current_team_id(), setting()) == (None, "")
        seen.append([repository.full_name for repository in chunk])
    assert seen == [names[:2], names[2:4], names[4:]]


@pytest.mark.django_db(transaction=True)
def test_a_generator_that_holds_a_scope_leaks_it_to_its_caller():
    """Why `scoped_chunks` exists. Nothing forbids it; reviewers do."""
    team = TeamFactory()

    def leaky():
        with team_scope(team.pk):
            yield

    generator = leaky()
    next(generator)
    assert current_team_id() == team.pk
    generator.close()

"""The first wall: a team's rows are asked for in its scope or not at all. And what the second holds of them."""

import pytest
from django import forms
from django.db import IntegrityError, ProgrammingError, models, transaction

from apps.metrics.factories import (
    CommitFactory,
    LabelFactory,
    MilestoneFactory,
    PRReviewFactory,
    PullRequestFactory,
    RepositoryFactory,
)
from apps.metrics.models import Commit, Label, PRReview, PullRequest, PullRequestCommit
from apps.teams.factories import TeamFactory
from apps.teams.models import Team
from apps.teams.scope import NoTeamScope, WrongTeam, team_scope
from apps.teams.services import delete_team


class ReviewForm(forms.ModelForm):  # at import, where no team is current
    class Meta:
        model = PRReview
        fields = ("pull_request",)


objects = Label.objects
ASKS = {
    "list": lambda: list(objects.all()),
    "get": lambda: objects.get(name="a"),
    "count": lambda: objects.count(),
    "exists": lambda: objects.exists(),
    "first": lambda: objects.first(),
    "in_bulk": lambda: objects.in_bulk([1]),
    "aggregate": lambda: objects.aggregate(models.Max("name")),
    "iterator": lambda: list(objects.iterator(10)),
    "values": lambda: list(objects.values("name")),
    "values_list": lambda: list(objects.values_list("name", flat=True)),
    "raw": lambda: list(objects.raw("SELECT * FROM metrics_label")),
    "union": lambda: list(objects.all().union(objects.all())),
    "subquery": lambda: list(Team.objects.filter(pk__in=objects.values("team_id"))),
    "create": lambda: objects.create(name="a"),
    "bulk_create": lambda: objects.bulk_create([Label(name="a")]),
    "get_or_create": lambda: objects.get_or_create(name="a"),
    "update_or_create": lambda: objects.update_or_create(name="a"),
    "update": lambda: objects.update(name="b"),
    "bulk_update": lambda: objects.bulk_update([Label(pk=1, name="a")], ["name"]),
    "delete": lambda: objects.all().delete(),
    "save": lambda: Label(name="a").save(),
    "save again": lambda: Label(pk=1, team_id=1, name="a").save(),
    "instance delete": lambda: Label(pk=1, team_id=1).delete(),
    "refresh": lambda: Label(pk=1, team_id=1).refresh_from_db(),
    "related": lambda: PRReview(pull_request_id=1).pull_request,
    "reverse": lambda: list(PullRequest(pk=1).reviews.all()),
    "many to many": lambda: list(Commit(pk=1).pull_requests.all()),
    "unscoped create": lambda: Label.unscoped.create(name="a"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_it_fails_without_a_scope(ask, db):
    with pytest.raises(NoTeamScope):
        ask()


def test_a_queryset_may_be_built_before_and_shows_the_team_of_its_evaluation(team, other_team):
    queryset = Label.objects.order_by("name")
    LabelFactory(team=team, name="mine")
    LabelFactory(team=other_team, name="theirs")
    for owner, name in ((team, "mine"), (other_team, "theirs")):
        with team_scope(owner.pk):
            assert [label.name for label in queryset.all()] == [name]
            assert Label.unscoped.get().name == name  # the database's wall alone


def test_a_form_class_made_at_import_offers_the_teams_rows_only(team, other_team):
    mine, theirs = PullRequestFactory(team=team), PullRequestFactory(team=other_team)
    with team_scope(team.pk):
        assert list(ReviewForm().fields["pull_request"].queryset) == [mine]
        assert not ReviewForm({"pull_request": theirs.pk}).is_valid()
        assert ReviewForm({"pull_request": mine.pk}).is_valid()


def test_the_team_comes_from_the_scope(team):
    with team_scope(team.pk):
        repository = RepositoryFactory()
    early = Label(name="c", repository_id=repository.pk)
    with team_scope(team.pk):
        Label.objects.create(name="a", repository=repository)
        Label.objects.bulk_create([Label(name="b", repository=repository), early])
        assert set(Label.objects.values_list("team_id", "name")) == {(team.pk, name) for name in "abc"}


def test_another_teams_row_is_refused_before_the_database(team, other_team, django_assert_num_queries):
    theirs = LabelFactory(team=other_team)
    with team_scope(team.pk), django_assert_num_queries(0):
        for write in (
            theirs.save,
            theirs.delete,
            lambda: Label.objects.create(team=other_team, name="a"),
            lambda: Label.objects.bulk_create([Label(team=other_team, name="a")]),
        ):
            with pytest.raises(WrongTeam):
                write()


def test_the_database_refuses_it_too(team, other_team):
    with team_scope(team.pk):
        mine = LabelFactory()
        for write in (
            lambda: Label.objects.update(team=other_team),
            lambda: Label.unscoped.bulk_create([Label(team=other_team, name="a", repository_id=mine.repository_id)]),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                write()
        assert Label.objects.get() == mine


def test_a_child_of_another_teams_parent_is_refused_at_once(team, other_team):
    theirs = PullRequestFactory(team=other_team)
    with pytest.raises(IntegrityError, match="metrics_prreview_pull_request_id_team"), team_scope(team.pk):
        PRReviewFactory(pull_request=theirs)


def test_many_to_many_add_needs_no_team(team):
    with team_scope(team.pk):
        pull_request = PullRequestFactory()
        commit = CommitFactory(repository=pull_request.repository)
        commit.pull_requests.add(pull_request)
        commit.pull_requests.add(pull_request)
        assert list(commit.pull_requests.all()) == [pull_request]
        assert PullRequestCommit.objects.get().team_id == team.pk


@pytest.mark.parametrize("by", ["collector", "sql"])
def test_deleting_a_parent_nulls_or_takes_its_children(team, by):
    with team_scope(team.pk):
        milestone = MilestoneFactory()
        review = PRReviewFactory(pull_request__milestone=milestone)
        pull_request = review.pull_request

        def remove(row):
            row.delete() if by == "collector" else type(row).objects.filter(pk=row.pk)._raw_delete("default")

        remove(milestone)
        pull_request.refresh_from_db()
        assert (pull_request.milestone_id, pull_request.team_id) == (None, team.pk)
        remove(pull_request)
        assert not PRReview.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_delete_team_takes_everything_of_it_and_nothing_else():
    mine, theirs = (PRReviewFactory(team=TeamFactory()) for _ in range(2))
    delete_team(team_id=mine.team_id)
    assert Team.objects.get().pk == theirs.team_id
    with team_scope(theirs.team_id):
        assert PRReview.objects.count() == PullRequest.objects.count() == 1


def test_queries_stay_as_few_as_without_walls(team, django_assert_num_queries):
    for _ in range(3):
        PRReviewFactory(team=team)
    with team_scope(team.pk), django_assert_num_queries(2):
        assert [len(pr.reviews.all()) for pr in PullRequest.objects.prefetch_related("reviews")] == [1, 1, 1]

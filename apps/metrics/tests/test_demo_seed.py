"""Demo data in the database: the rows of the ordinary ingest, replaced as a whole, and never beside what is real."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.urls import reverse

from apps.metrics import models
from apps.metrics.demo.clear import DemoBusy, alone, drop_demo_data
from apps.metrics.demo.deployments import Deployments
from apps.metrics.demo.organisation import everybody
from apps.metrics.demo.plan import Plan, plan_for
from apps.metrics.demo.pull_requests import pull_requests_of
from apps.metrics.demo.seed import NotADemoTeam, needs_demo, seed_demo
from apps.metrics.factories import PullRequestFactory, RepositoryFactory, TeamMemberFactory
from apps.metrics.queries.insight import insights_of
from apps.metrics.queries.overview import overview_for
from apps.metrics.queries.population import population_from
from apps.metrics.queries.review_load import review_load_for
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.queries.weekly import weekly_numbers, weeks_with_anything
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.metrics.services.members import ensure_members
from apps.metrics.tests.pages import client_of
from apps.teams.factories import TeamFactory
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope

UNTIL = date(2026, 11, 20)
PRS = 200
MODELS = [each for each in models.__dict__.values() if isinstance(each, type)]
NAMES = {
    "repository": "repository__github_repo_id",
    "pull_request": "pull_request__github_pr_id",
    "commit": "commit__github_sha",
    "label": "label__name",
    "milestone": "milestone__number",
    "thread": "thread__node_id",
    "deployment": "deployment__github_deployment_id",
    "reverts": "reverts__github_pr_id",
}
"""What the rows that foreign keys point to are called at the source; members by their ids there."""


def seed(team: Team, *, prs: int = PRS, number: int = 3, processes: int = 1, progress: Any = None) -> None:
    seed_demo(team, prs=prs, seed=number, until=UNTIL, processes=processes, progress=progress or (lambda done: None))


def rows_of(team: Team) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the metrics, without primary keys and when it was computed."""
    with team_scope(team.pk):
        return {model.__name__: sorted(model.objects.values_list(*columns(model)), key=repr) for model in MODELS}


def columns(model: Any) -> list[str]:
    fields = [field for field in model._meta.local_concrete_fields if field.name not in ("id", "team", "computed_at")]
    return [
        f"{field.name}__github_user_id"
        if field.related_model is models.TeamMember
        else NAMES.get(field.name, field.name)
        for field in fields
    ]


def ingest_in_the_ordinary_way(team: Team, plan: Plan) -> None:
    """As a sync: pages of 24, the newest first, deployments at the end."""
    at = plan.ended_at
    with team_scope(team.pk):
        ensure_members(everybody(plan.repositories))
    for made_up in plan.repositories:
        train = Deployments(plan, made_up)
        records = list(pull_requests_of(plan, made_up))
        deployments = [each for record in records for each in train.after(record)] + list(train.rest())
        with team_scope(team.pk):
            repository = models.Repository.objects.create(
                github_repo_id=made_up.first_id,
                node_id=f"demo-repository-{made_up.index}",
                full_name=made_up.full_name,
                default_branch="main",
                is_private=True,
                covered_from=plan.started_at,
                synced_to=at,
                prs_stated=len(records),
            )
            for start in range(len(records), 0, -24):
                ingest_pull_requests(repository, records[max(0, start - 24) : start], synced_at=at)
            ingest_deployments(repository, deployments, synced_at=at)
            set_deploy_seconds(repository)
    aggregate_weeks(team.pk, None)


@pytest.mark.django_db(transaction=True)
def test_two_processes_write_the_rows_that_the_ordinary_ingest_makes_of_the_same_records() -> None:
    here, there = TeamFactory.create(), TeamFactory.create()
    heard: list[int] = []
    seed(here, processes=2, progress=heard.append)
    ingest_in_the_ordinary_way(there, plan_for(seed=3, prs=PRS, until=UNTIL))
    seeded, ordinary = rows_of(here), rows_of(there)

    assert heard[-1] == PRS
    assert {name for name in seeded if seeded[name] != ordinary[name]} == set()
    assert [name for name in seeded if not seeded[name]] == []
    assert len(seeded["PullRequest"]) == PRS


@pytest.mark.django_db
class TestSeeding:
    def test_again_makes_the_same_rows_and_another_seed_others(self, team, other_team):
        seed(team)
        first = rows_of(team)
        seed(team)
        seed(other_team, number=4)

        assert rows_of(team) == first
        assert rows_of(other_team)["PullRequest"] != first["PullRequest"]

    def test_weekly_aggregates_are_what_the_live_query_gives(self, team):
        seed(team)
        with team_scope(team.pk):
            live = weekly_numbers(weeks_with_anything("UTC"), "UTC")
            stored = list(models.WeeklyMetrics.objects.values(*live[0]))
        assert sorted(stored, key=repr) == sorted(live, key=repr)

    def test_what_an_interruption_left_is_replaced_by_the_next_time(self, team, other_team):
        def interrupt(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            seed(team, number=9, progress=interrupt)
        with team_scope(team.pk):
            assert 0 < models.PullRequest.objects.count() < PRS
        assert needs_demo(team, UNTIL, days=7)
        seed(team)
        seed(other_team)
        assert rows_of(team) == rows_of(other_team)
        assert not needs_demo(team, UNTIL, days=7)
        assert needs_demo(team, date(2026, 11, 28), days=7)

    def test_a_team_with_real_pull_requests_is_refused_and_keeps_them(self, team):
        real = PullRequestFactory.create(team=team)
        with pytest.raises(NotADemoTeam, match=real.github_repo):
            seed(team)
        team.refresh_from_db()
        with team_scope(team.pk):
            assert models.PullRequest.objects.get() == real
        assert (team.is_demo, needs_demo(team, UNTIL, days=7)) == (False, False)

    def test_what_makes_way_is_neither_what_is_kept_nor_another_teams(self, team, other_team):
        seed(team)
        seed(other_team)
        with team_scope(team.pk):
            real = PullRequestFactory.create(repository=RepositoryFactory.create(full_name="acme/real"))
            person = TeamMemberFactory.create(login="real-person")
        before = rows_of(other_team)
        drop_demo_data(team.pk, keep=[real.repository_id])

        team.refresh_from_db()
        with team_scope(team.pk):
            assert [each.full_name for each in models.Repository.objects.all()] == ["acme/real"]
            assert set(models.PullRequest.objects.all()) == {real}
            assert person in models.TeamMember.objects.all()
            assert not models.TeamMember.objects.filter(github_user_id__lt=0).exists()
            assert {each.member_id for each in models.WeeklyMetrics.objects.all()} <= {None, real.author_id}
            kept = {model.__name__: model.objects.count() for model in MODELS}
        assert not team.is_demo
        assert (kept["PRComment"], kept["PREvent"], kept["Commit"], kept["PRCheckRun"], kept["Deployment"]) == (0,) * 5
        assert rows_of(other_team) == before

    def test_a_team_that_is_no_demo_loses_nothing(self, team):
        real = PullRequestFactory.create(team=team)
        drop_demo_data(team.pk)
        with team_scope(team.pk):
            assert models.PullRequest.objects.get() == real

    def test_nobody_makes_it_while_somebody_else_does(self, team):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        elsewhere = connection.copy()
        try:
            with elsewhere.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(hashtextextended('demo data', %s))", [team.pk])
            with pytest.raises(DemoBusy), alone(team.pk):
                pass
        finally:
            elsewhere.close()


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def demo(self, team):
        seed(team, prs=600)
        team.refresh_from_db()
        return team

    def test_the_overview_says_what_happened_and_the_review_load_why(self, demo):
        with team_scope(demo.pk):
            trust = trust_of_team()
            now = datetime(2026, 11, 20, 9, tzinfo=UTC)
            population = population_from(QueryDict(""), time_zone="UTC", now=now, trust=trust)
            insight = insights_of(overview_for(population, trust, now=now))[0]
            load = review_load_for(population)
        stopped = [one for one in load.busiest if not one.pull_requests and one.pull_requests_before]

        assert (insight.row.repository.name, insight.stage) == ("checkout", "pickup")
        assert insight.factor > 2
        assert len(stopped) == 2
        assert min(one.pull_requests_before for one in stopped) >= 5

    def test_every_page_says_that_it_is_demo_data_and_how_to_connect(self, demo):
        connect = reverse("integrations:connect", args=[demo.slug])
        admin, member = client_of(demo, Membership.Role.ADMIN), client_of(demo)
        for url in (reverse("metrics:overview", args=[demo.slug]), reverse("metrics:pull_requests", args=[demo.slug])):
            page = admin.get(url).content.decode()
            assert "This is demo data." in page
            assert f'href="{connect}"' in page
            assert "Demo data up to" in page
            assert "No sync since" not in page
            assert f'href="{connect}"' not in member.get(url).content.decode()

    def test_a_team_without_demo_data_says_nothing_of_it(self, team):
        PullRequestFactory.create(team=team)
        page = client_of(team).get(reverse("metrics:overview", args=[team.slug])).content.decode()
        assert "demo data" not in page.lower()

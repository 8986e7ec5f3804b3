"""An open Repositories page asks whether anything changed: what counts as a change, and what the answer costs."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.common.live import VERSION
from apps.integrations.factories import GitHubIntegrationFactory, IntegrationCredentialFactory, TrackedRepositoryFactory
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.queries.live import UPKEEP, repositories_version
from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import Repository
from apps.metrics.tests.pages import client_of, outsider, statements_of
from apps.teams.models import Team
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db
Sync = TrackedRepository.SyncStatus
SIGNED_IN = 7
"""Session, user, membership with team, and the scope: begin, name the team, take it back, commit."""


@pytest.fixture
def tracked(team: Team) -> TrackedRepository:
    with team_scope(team.pk):
        integration = GitHubIntegrationFactory.create(team=team)
        IntegrationCredentialFactory.create(team=team, integration=integration)
        return TrackedRepositoryFactory.create(
            integration=integration, repository__full_name="acme/api", sync_status=Sync.COMPLETE
        )


def version(team: Team) -> str:
    with team_scope(team.pk):
        return repositories_version()


def changed(tracked: TrackedRepository, **fields: object) -> str:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.filter(pk=tracked.pk).update(**fields)
    return version(tracked.team)


class TestWhatIsAChange:
    @pytest.mark.parametrize(
        "fields",
        [
            {"last_delivery_at": timezone.now()},
            {"webhook_status": "failed"},
            {"is_active": False},
            {"days_back": 90},
            {"sync_status": Sync.SYNCING},
            {"sync_status": Sync.ERROR},
            {"last_sync_error": "GitHub could not answer."},
            {"stopped_at": timezone.now()},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_whatever_a_card_says_is_one(self, tracked: TrackedRepository, fields: dict[str, object]) -> None:
        before = version(tracked.team)
        assert changed(tracked, **fields) != before

    def test_what_is_known_of_the_repository_is_one(self, team: Team, tracked: TrackedRepository) -> None:
        before = version(team)
        with team_scope(team.pk):
            Repository.objects.filter(pk=tracked.repository_id).update(completeness={"stored": 9, "partial": 1})
        assert version(team) != before

    def test_a_repository_that_is_tracked_from_now_on_is_one(self, team: Team, tracked: TrackedRepository) -> None:
        before = version(team)
        with team_scope(team.pk):
            TrackedRepositoryFactory.create(integration=tracked.integration, repository=RepositoryFactory.create())
        assert version(team) != before

    def test_the_steps_of_a_sync_are_none_for_the_page_since_the_card_asks_itself(
        self, team: Team, tracked: TrackedRepository
    ) -> None:
        before = changed(tracked, sync_status=Sync.SYNCING)
        assert changed(tracked, sync_progress=70, sync_prs_completed=80, last_delivery_at=timezone.now()) == before
        assert changed(tracked, days_back=90) != before  # of this the card's live part says nothing

    def test_a_sync_that_rests_with_a_broken_connection_follows_again(
        self, team: Team, tracked: TrackedRepository
    ) -> None:
        with team_scope(team.pk):
            GitHubIntegration.objects.update(sync_status=GitHubIntegration.SyncStatus.DISCONNECTED)
        before = changed(tracked, sync_status=Sync.SYNCING)
        assert changed(tracked, last_sync_error="The token was refused.") != before

    def test_the_upkeep_of_a_connection_is_none_and_its_end_is_one(
        self, team: Team, tracked: TrackedRepository
    ) -> None:
        before = version(team)
        with team_scope(team.pk):
            GitHubIntegration.objects.update(looked_at=timezone.now(), checks_cursor=4, look_asked_at=timezone.now())
        assert version(team) == before
        with team_scope(team.pk):
            GitHubIntegration.objects.update(status_reason="The token was refused.")
        assert version(team) != before

    def test_the_columns_of_the_upkeep_are_there(self) -> None:
        assert set(UPKEEP) <= {field.column for field in GitHubIntegration._meta.fields}

    def test_another_team_is_none(self, team: Team, other_team: Team, tracked: TrackedRepository) -> None:
        before = version(team)
        with team_scope(other_team.pk):
            TrackedRepositoryFactory.create(team=other_team)
        assert version(team) == before
        assert version(other_team) != before


@pytest.mark.usefixtures("in_one_moment")
class TestTheAnswer:
    def ask(self, client: Client, url: str, known: str) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": "repositories", VERSION: known}
        return client.get(url, headers=headers)  # type: ignore[return-value]

    @pytest.fixture
    def url(self, tracked: TrackedRepository) -> str:
        return reverse("integrations:repositories", args=[tracked.team.slug])

    def known(self, client: Client, url: str) -> str:
        return str(client.get(url).context["version"])

    def test_nothing_new_is_an_empty_answer_of_one_statement_beside_the_log_in(self, team: Team, url: str) -> None:
        client = client_of(team)
        known = self.known(client, url)
        assert statements_of(lambda: self.ask(client, url, known)) == SIGNED_IN + 1
        answer = self.ask(client, url, known)
        assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")

    def test_it_costs_the_same_with_many_repositories(self, team: Team, url: str, tracked: TrackedRepository) -> None:
        with team_scope(team.pk):
            TrackedRepositoryFactory.create_batch(30, integration=tracked.integration)
        client = client_of(team)
        known = self.known(client, url)
        assert statements_of(lambda: self.ask(client, url, known)) == SIGNED_IN + 1

    def test_what_is_new_is_the_part_that_follows_and_the_count_beside_it(
        self, team: Team, url: str, tracked: TrackedRepository
    ) -> None:
        client = client_of(team)
        known = self.known(client, url)
        changed(tracked, sync_status=Sync.ERROR)
        answer = self.ask(client, url, known)
        text = answer.content.decode()
        assert "Sync failed" in text
        assert "<html" not in text
        assert """<span hx-swap-oob="innerHTML:[data-count='repo']">1</span>""" in text
        assert self.ask(client, url, answer.headers[VERSION]).status_code == 204

    def test_it_follows_what_the_address_asks_for(self, team: Team, url: str, tracked: TrackedRepository) -> None:
        client = client_of(team)
        known = self.known(client, url)
        changed(tracked, sync_status=Sync.ERROR)
        assert "Sync failed" not in self.ask(client, f"{url}?show=syncing", known).content.decode()

    def test_it_asks_more_often_while_something_goes_on(self, team: Team, url: str, tracked: TrackedRepository) -> None:
        client = client_of(team)
        assert 'data-live="5"' in client.get(url).content.decode()
        changed(tracked, sync_status=Sync.SYNCING)
        assert 'data-live="2.5"' in client.get(url).content.decode()

    def test_an_outsider_learns_nothing(self, team: Team, url: str) -> None:
        known = self.known(client_of(team), url)
        assert self.ask(outsider(), url, known).status_code == 404

    def test_the_list_of_a_search_stays_a_list(self, team: Team, url: str) -> None:
        headers = {"HX-Request": "true", "HX-Target": "repository-list"}
        text = client_of(team).get(url, headers=headers).content.decode()
        assert 'id="repository-list"' in text
        assert "data-version" not in text

"""A team is deleted while workers are at its repositories: nobody waits in a circle, nothing is left, nothing fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from apps.common.roles import as_owner
from apps.integrations.models import ScheduledFetch, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.services.webhooks import fetching, gathering
from apps.integrations.tests.failure_support import NOW, sync
from apps.integrations.tests.looks_support import an_hour_later
from apps.integrations.tests.sync_support import begun, run_of, tracked_at
from apps.metrics.models import PullRequest
from apps.teams.models import BaseTeamModel, Team
from apps.teams.scope import team_scope
from apps.teams.services import delete_team
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:60:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        yield sandbox


def history(tracked, page_written):
    """A first sync, from its first page on."""
    handle = begun(tracked)

    def on_page(run):
        page_written.set()

    return lambda: github_sync.advance(handle, on_page=on_page).ended


def a_look(tracked, page_written):
    sync(tracked)
    an_hour_later(tracked.team)
    page_written.set()

    def looks():
        github_sync.look(tracked.team_id, tracked.integration_id)

    return looks


def a_night(tracked, page_written):
    sync(tracked)
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(hours=31), sync_requested_at=None)
    nightly.begin_due(tracked.team_id)
    handle = github_sync.handle_of(run_of(tracked))

    def on_page(run):
        page_written.set()

    return lambda: github_sync.advance(handle, on_page=on_page).ended


def a_fetch(tracked, page_written):
    """Of all that events could ask for: four questions."""
    sync(tracked)
    with team_scope(tracked.team_id):
        for pull_request in PullRequest.objects.all():
            gathering.note_now(pull_request)
        ScheduledFetch.objects.update(due_at=timezone.now())
    page_written.set()

    def fetches():
        fetching.fetch_due(tracked.team_id, tracked.integration_id)

    return fetches


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [history, a_look, a_night, a_fetch])
def test_deleting_a_team_ends_what_works_for_it(github, team, work):
    tracked, team_id = tracked_at(github, team, "acme/shop"), team.pk
    page_written = Event()
    working = work(tracked, page_written)

    def in_thread():
        try:
            return working()
        except OperationalError as error:  # PostgreSQL chose us: the task is tried again
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            connection.close()
            return working()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(in_thread)
        assert page_written.wait(120)
        delete_team(team_id=team_id)
        assert worker.result(timeout=120) in {None, Ended.FENCED, Ended.FINISHED}
    assert not Team.objects.filter(pk=team_id).exists()
    left = {}
    with as_owner(), connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, BaseTeamModel):
                cursor.execute(f'SELECT count(*) FROM "{model._meta.db_table}" WHERE team_id = %s', [team_id])
                left[model._meta.db_table] = cursor.fetchone()[0]
    assert {table: count for table, count in left.items() if count} == {}

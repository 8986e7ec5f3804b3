"""Everything goes wrong at once, at random: the sync ends as if nothing had happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.integrations.models import SyncRun
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.integrations.tests.accidents import Accidents, Workers
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.metrics.models import Repository
from apps.teams.factories import TeamFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer
from tests.worker_support import broker

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PULL_REQUESTS = 250
AT_GITHUB = ("502", "504", "truncate", "drop", "resource_limits", "graphql_error")
"""Faults that pass without a wait."""


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=[f"acme:shop:{PULL_REQUESTS}:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


@pytest.fixture
def wanted(github, transactional_db):
    """The rows of a sync that nothing disturbed."""
    team = TeamFactory.create()
    github_sync.sync_repository_history(tracked_at(github, team, "acme/shop"), None)
    return rows_of(team)


@pytest.fixture
def workers():
    with Workers(broker(8)) as them:
        yield them


def ended_well(run: SyncRun) -> bool:
    with team_scope(run.team_id):
        said = completeness_in_words(Repository.objects.get())
    total = f"{PULL_REQUESTS:,}"
    return (run.status, run.partial, said) == (SyncRun.Status.COMPLETE, {}, f"{total} of {total}")


@pytest.mark.parametrize("seed", [3, 5])
def test_random_faults_and_lost_workers_leave_the_rows_of_a_sync_without_any(github, wanted, workers, team, seed):
    faults = github.faults.random(seed=seed, rate=0.15)
    accidents = Accidents(workers, github.url, seed=seed, every=0.8)
    run = accidents.synced(tracked_at(github, team, "acme/shop"))
    faults.stop()
    assert faults.struck
    assert ended_well(run)
    assert rows_of(team) == wanted


@pytest.mark.parametrize("seed", [1, 8, 12])
def test_of_many_faults_that_pass_none_leaves_a_part_out(github, wanted, team, seed):
    faults = github.faults.random(seed=seed, rate=0.3, kinds=AT_GITHUB)
    tracked = tracked_at(github, team, "acme/shop")
    outcome = github_sync.sync_repository_history(tracked, None)
    while outcome.ended != "finished":  # GitHub was away, and the pause is over
        outcome = github_sync.sync_repository_history(tracked, None)
    faults.stop()
    with team_scope(team.pk):
        run = SyncRun.objects.get()
    assert len(faults.struck) > 10
    assert ended_well(run)
    assert rows_of(team) == wanted

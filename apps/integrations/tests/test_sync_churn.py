"""People work in a repository while it is synced; in the end what is stored is what is there."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tests.looks_support import an_hour_later
from apps.integrations.tests.sync_support import reaped, rows_of, tracked_at
from apps.teams.factories import TeamFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.churn import Churn
from devtools.github_sandbox.server import SandboxServer

DATA = Path(configured.BASE_DIR).parent / "shared" / "data" / "github"

UNTOLD = ("finish_check", "run_check_again", "rename_user", "rename_repository")
"""What GitHub's events alone tell at once: a check of a closed pull request after which its checks stand as before, and
other names of people and repositories in what is not read again.
"""

BY_NIGHT = ("delete", "deployment_status", "resolve", "unresolve")
"""What its times of change do not tell: without GitHub's events it is found at night."""

KEPT = frozenset({"commit", "prcheckrun"})
"""Tables that hold more than GitHub shows, on purpose: the commits that a force push left behind, the checks of former
heads, and former attempts.
"""


def work_off(tracked: TrackedRepository) -> None:
    while handles := reaped(tracked.team_id):
        for handle in handles:
            assert github_sync.advance(handle, seconds=None).ended == Ended.FINISHED


def synced_amid(churn: Churn, tracked: TrackedRepository, *, steps: int) -> None:
    """The first sync, with so many changes after each page; then a look for what it missed."""
    outcome = github_sync.sync_repository_history(tracked, None, on_page=lambda run: churn.run(steps))
    assert outcome.ended == Ended.FINISHED
    assert len(churn.log) >= 5 * steps
    an_hour_later(tracked.team)
    found = github_sync.look(tracked.team_id, tracked.integration_id, seconds=None)
    assert found is not None
    assert found.error == ""
    work_off(tracked)


def a_night_later(tracked: TrackedRepository) -> None:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(hours=31), sync_requested_at=None)
    assert nightly.begin_due(tracked.team_id) == [tracked.integration_id]
    work_off(tracked)
    with team_scope(tracked.team_id):
        assert SyncRun.objects.latest("pk").kind == SyncRun.Kind.RECONCILE


def differences(github: SandboxServer, team, full_name: str) -> dict[str, list[str]]:
    """By table: the rows that only `team` has, and those that only a team has which syncs it now for the first time."""
    newcomer = TeamFactory.create()
    assert github_sync.sync_repository_history(tracked_at(github, newcomer, full_name), None).ended == Ended.FINISHED
    here, there = counted(team), counted(newcomer)
    found = {}
    for table in here:
        more = Counter() if table in KEPT else here[table] - there[table]
        less = there[table] - here[table]
        if more or less:
            found[table] = [*(f"only here: {row}" for row in more), *(f"only there: {row}" for row in less)]
    return found


def counted(team) -> dict[str, Counter[str]]:
    """A pull request's `totals` tell how many checks GitHub stated when all of it was read; checks that are read again
    by themselves leave that number.
    """
    rows_by_table = rows_of(team, present=True)
    return {
        table: Counter(re.sub(r'"checks": \d+', '"checks": any', repr(row)) for row in rows)
        for table, rows in rows_by_table.items()
    }


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:120:7"]) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


@pytest.mark.parametrize("seed", [1, 2])
def test_what_changes_during_a_sync_is_stored_as_it_is_after_one_look(github, team, seed):
    tracked = tracked_at(github, team, "acme/shop", days_back=None)
    synced_amid(Churn(github, "acme/shop", seed, without=(*BY_NIGHT, *UNTOLD)), tracked, steps=20)
    assert differences(github, team, "acme/shop") == {}


@pytest.mark.parametrize("seed", [3, 4])
def test_what_changes_during_a_sync_without_a_word_is_stored_as_it_is_after_a_night(github, team, seed):
    tracked = tracked_at(github, team, "acme/shop", days_back=None)
    churn = Churn(github, "acme/shop", seed, without=UNTOLD)
    synced_amid(churn, tracked, steps=20)
    a_night_later(tracked)
    assert {"resolve", "deployment_status"} <= {request["action"] for request in churn.log}
    assert differences(github, team, "acme/shop") == {}


@pytest.mark.skipif(not DATA.exists(), reason="the recorded pull requests are not here")
def test_recorded_pull_requests_that_change_meanwhile_are_stored_as_they_are_in_the_end(settings, team):
    with SandboxServer(data=DATA) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "bitcoin-core/gui", days_back=None)
        synced_amid(Churn(github, "bitcoin-core/gui", 5, without=UNTOLD), tracked, steps=5)
        a_night_later(tracked)
        assert differences(github, team, "bitcoin-core/gui") == {}

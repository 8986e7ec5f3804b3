"""What leaves the log by itself after a month: what says nothing, and never anything else."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.integrations.factories import FreshnessCheckFactory, SyncRunFactory
from apps.integrations.models import FreshnessCheck, SyncRun
from apps.integrations.services import sync_log_upkeep
from apps.integrations.services.sync_log_upkeep import Tidied, tidy_sync_log
from apps.integrations.tasks import tidy_sync_log_task
from apps.teams.scope import team_scope

OLD = timedelta(days=31)


def run(team, age=OLD, **fields) -> int:
    one = SyncRunFactory.create(team=team, **{"kind": "incremental", "status": "complete"} | fields)
    with team_scope(team.pk):
        SyncRun.objects.filter(pk=one.pk).update(created_at=timezone.now() - age)
    return one.pk


def test_only_quiet_syncs_of_long_ago_go(team, other_team):
    run(team)
    run(team, counts={"pull_requests": 0, "deployments": 0})
    run(team, kind="reconcile")
    kept = [
        run(team, age=timedelta(days=29)),
        run(team, counts={"pull_requests": 1}),
        run(team, counts={"pull_requests": 0, "deployments": 2}),
        run(team, status="partial"),
        run(team, status="error"),
        run(team, status="cancelled"),
        run(team, kind="initial"),
        run(team, kind="manual"),
        run(team, kind="pr"),
    ]
    theirs = run(other_team)
    assert tidy_sync_log(team.pk) == Tidied(runs=3, looks=0)
    with team_scope(team.pk):
        assert list(SyncRun.objects.order_by("pk").values_list("pk", flat=True)) == kept
    with team_scope(other_team.pk):
        assert SyncRun.objects.get().pk == theirs


def test_old_looks_go_a_few_at_a_time(team, monkeypatch):
    monkeypatch.setattr(sync_log_upkeep, "AT_ONCE", 2)
    for _ in range(5):
        FreshnessCheckFactory.create(team=team, started_at=timezone.now() - OLD)
    recent = FreshnessCheckFactory.create(team=team)
    assert tidy_sync_log(team.pk) == Tidied(runs=0, looks=5)
    with team_scope(team.pk):
        assert FreshnessCheck.objects.get().pk == recent.pk


def test_the_night_tidies_every_team(team, other_team):
    for one in (team, other_team):
        run(one)
    tidy_sync_log_task()
    for one in (team, other_team):
        with team_scope(one.pk):
            assert not SyncRun.objects.exists()

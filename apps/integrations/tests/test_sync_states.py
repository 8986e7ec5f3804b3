"""No sequence of events leaves a repository that nobody syncs again: random ones, without GitHub.

Workers, messages, people and the clock act on rows as they do in life; a worker's work is only written down. Messages
are lost, doubled and late, workers vanish, a look is settled long after it asked.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from apps.integrations.factories import (
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.github.types import Pulse
from apps.integrations.models import AvailableRepository, GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import connection_state, github_sync, sync_control
from apps.integrations.services import repositories as chosen
from apps.integrations.services.access_check import Account, GrantedAccess
from apps.integrations.services.connections import connect, disconnect
from apps.integrations.services.github_sync import Handle, coverage, resting, runs, trouble
from apps.integrations.services.github_sync.looks.look import _next_batch, _settle, _Work
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.scope import team_scope

Sync, Status = TrackedRepository.SyncStatus, SyncRun.Status
DEPTHS = TrackedRepository.DEPTHS
CLOCKS: dict[type, tuple[str, ...]] = {
    SyncRun: ("heartbeat_at", "queued_at", "resume_at", "started_at", "created_at", "finished_at"),
    TrackedRepository: ("sync_requested_at", "last_sync_at", "watermark", "reconciled_at", "created_at"),
    GitHubIntegration: ("look_claimed_until", "look_asked_at", "looked_at", "checks_read_at"),
}


class World:
    """One connection with three repositories, and all that may happen to it."""

    def __init__(self, team: Any, owner: Any, seed: int) -> None:
        self.team, self.owner, self.dice = team, owner, random.Random(seed)
        self.integration = GitHubIntegrationFactory.create(team=team)
        IntegrationCredentialFactory.create(team=team, integration=self.integration)
        self.keys = []
        for number in range(3):
            repository = RepositoryFactory.create(team=team, full_name=f"acme/shop-{number}")
            PullRequestFactory.create(
                team=team, repository=repository, number=7, node_id=f"PR_{number}", is_partial=True, partial={"x": "y"}
            )
            tracked = TrackedRepositoryFactory.create(
                team=team, repository=repository, integration=self.integration, sync_requested_at=timezone.now()
            )
            self.keys.append(tracked.pk)
        self.messages: list[Any] = []
        self.in_hand: list[SyncRun] = []
        self.batch: list[TrackedRepository] = []
        self.done: list[str] = []

    # ── what is there ──

    def scope(self) -> Any:
        return team_scope(self.team.pk)

    def tracked(self) -> TrackedRepository:
        with self.scope():
            rows = TrackedRepository.objects.select_related("repository", "integration", "team")
            return rows.get(pk=self.dice.choice(self.keys))

    def run(self) -> SyncRun | None:
        with self.scope():
            related = ("team", "tracked_repository__repository", "tracked_repository__integration")
            found = list(SyncRun.objects.select_related(*related).order_by("-pk")[:6])
        return self.dice.choice(found) if found else None

    def connection(self) -> GitHubIntegration:
        with self.scope():
            return GitHubIntegration.objects.select_related("team").get()

    # ── people ──

    def person_toggles(self) -> None:
        tracked = self.tracked()
        if tracked.is_active:
            chosen.untrack_repository(tracked=tracked, actor=self.owner)
        elif self.connection().sync_status == "connected":
            self.track(tracked, self.dice.choice(DEPTHS))

    def track(self, tracked: TrackedRepository, days: int | None) -> None:
        available = AvailableRepository(
            integration=self.connection(),
            github_repo_id=tracked.repository.github_repo_id,
            full_name=tracked.repository.full_name,
        )
        tracked = chosen.track_repository(
            integration=available.integration, available=available, days_back=days, actor=self.owner
        )
        if tracked.sync_status == Sync.PENDING:
            self.messages.append(("initial", tracked.pk))

    def person_changes_the_depth(self) -> None:
        tracked = self.tracked()
        if tracked.is_active and chosen.set_depth(
            tracked=tracked, days_back=self.dice.choice(DEPTHS), actor=self.owner
        ):
            self.messages.append(("initial", tracked.pk))

    def person_asks(self) -> None:
        tracked = self.tracked()
        if chosen.request_sync(tracked=tracked, actor=self.owner):
            self.messages.append(("sync", tracked.pk))

    def person_pauses(self) -> None:
        sync_control.pause_sync(tracked=self.tracked(), actor=self.owner)

    def person_resumes(self) -> None:
        sync_control.resume_sync(tracked=self.tracked(), actor=self.owner)

    def person_cancels(self) -> None:
        if run := self.run():
            sync_control.cancel_sync(run=run, actor=self.owner)

    def person_fetches_again(self) -> None:
        if run := self.run():
            sync_control.fetch_again(run=run, actor=self.owner)

    def person_disconnects(self) -> None:
        disconnect(integration=self.connection(), actor=self.owner)

    def person_connects(self) -> None:
        if (known := self.connection()).sync_status != "connected":
            account = Account(known.organization_id, known.organization_slug)
            access = GrantedAccess("token", "secret", 5, "mira", ("repo",), (account,))
            connect(team=self.team, access=access, account=account, actor=self.owner)

    # ── GitHub ──

    def github_refuses(self) -> None:
        with self.scope():
            resting.rest_all(self.integration.pk, reason="refused")
            connection_state.disconnect(self.integration.pk, reason="refused")

    def github_holds(self) -> None:
        with self.scope():
            resting.rest_all(self.integration.pk, reason="single sign-on")
            connection_state.hold(self.integration.pk, reason="single sign-on")

    def github_opens(self) -> None:
        with self.scope():
            if self.connection().sync_status == "held":
                resting.resume_all(self.integration.pk)
                connection_state.works_again(self.integration.pk)

    # ── the clock's tasks ──

    def reaper(self) -> None:
        github_sync.reap_team(self.team.pk)
        for key in github_sync.connections_in_waiting(self.team.pk):
            self.turns(key)

    def turns(self, key: int) -> None:
        self.messages += github_sync.next_turns(team_id=self.team.pk, integration_id=key)

    def night(self) -> None:
        for key in nightly.begin_due(self.team.pk):
            self.turns(key)

    def look_asks(self) -> None:
        with self.scope():
            if self.connection().sync_status == "connected":
                self.batch = _next_batch(self.looking(), 0)

    def looking(self) -> Any:
        work = _Work(self.team.pk, self.integration.pk, timezone.now(), is_over=lambda: False)
        work.row = self.connection()
        return work

    def look_settles(self) -> None:
        news = {
            each.repository.node_id: pulse_of(each, self.dice.random() < 0.5)
            for each in self.batch
            if self.dice.random() < 0.8
        }
        _settle(self.looking(), self.batch, news)
        self.batch = []

    # ── messages and workers ──

    def message_comes(self) -> None:
        if self.messages:
            message = self.messages.pop(self.dice.randrange(len(self.messages)))
            if self.dice.random() < 0.1:
                self.messages.append(message)
            self.deliver(message)

    def deliver(self, message: Any) -> None:
        with self.scope():
            if isinstance(message, Handle):
                try:
                    self.in_hand.append(runs.take(run_id=message.run_id, token=message.token))
                except runs.Fenced:
                    return
                return
            what, key = message
            rows = TrackedRepository.objects.select_related("repository")
            tracked = rows.filter(pk=key, is_active=True, integration__sync_status="connected").first()
            if tracked is None:
                return
            if what == "sync":
                github_sync.begin_asked(tracked)
            else:
                github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=tracked.days_back)
        self.turns(self.integration.pk)

    def message_is_lost(self) -> None:
        if self.messages:
            self.messages.pop(self.dice.randrange(len(self.messages)))

    def worker_goes_on(self) -> None:
        if not self.in_hand:
            return
        run = self.in_hand.pop(self.dice.randrange(len(self.in_hand)))
        try:
            self.dice.choice([self.writes, self.hands_on, self.is_limited, self.fails, self.finishes, self.vanishes])(
                run
            )
        except runs.Fenced:
            return

    def writes(self, run: SyncRun) -> None:
        with self.scope():
            partial = {"7": {"files": "timed out"}}
            runs.hold(run, heartbeat_at=timezone.now(), checkpoint={"phase": "all", "cursor": "c"}, partial=partial)
        self.in_hand.append(run)

    def hands_on(self, run: SyncRun) -> None:
        with self.scope():
            runs.hand_on(run)

    def is_limited(self, run: SyncRun) -> None:
        with self.scope():
            runs.pause(run, until=timezone.now() + timedelta(minutes=30), reason="budget", rate_limited=True)

    def fails(self, run: SyncRun) -> None:
        if self.dice.random() < 0.5:
            trouble._stop(run, "gone")
        else:
            with self.scope():
                runs.fail(run, "rejected")

    def finishes(self, run: SyncRun) -> None:
        coverage.finish(run)

    def vanishes(self, run: SyncRun) -> None:
        pass

    def time_passes(self, minutes: int = 0) -> None:
        by = timedelta(minutes=minutes or self.dice.choice([1, 3, 45, 1800]))
        with self.scope():
            for model, clocks in CLOCKS.items():
                model.objects.update(**{clock: F(clock) - by for clock in clocks})

    # ── all of it ──

    def happen(self, times: int) -> None:
        events = [getattr(self, name) for name in EVENTS]
        weights = [EVENTS[name] for name in EVENTS]
        for event in self.dice.choices(events, weights, k=times):
            self.done.append(event.__name__)
            event()
            self.check()

    def check(self) -> None:
        """What holds at all times."""
        with self.scope():
            unfinished = {
                run.tracked_repository_id: run for run in SyncRun.objects.filter(status__in=SyncRun.UNFINISHED)
            }
            for tracked in TrackedRepository.objects.filter(is_active=True):
                seen = (tracked.sync_status, self.done[-12:])
                run = unfinished.get(tracked.pk)
                if tracked.sync_status in {Sync.SYNCING, Sync.PAUSED}:
                    assert run is not None, seen
                if tracked.sync_status == Sync.PENDING:
                    is_asked = tracked.sync_requested_at is not None or tracked.last_sync_error.startswith("Cancelled")
                    assert is_asked or self.integration_is_off(), seen
                if tracked.sync_status in {Sync.COMPLETE, Sync.PARTIAL}:
                    assert tracked.watermark is not None, seen
                    assert run is None, seen

    def integration_is_off(self) -> bool:
        return self.connection().sync_status != "connected"

    def come_to_rest(self) -> None:
        """GitHub works, people let go of what they held and ask for what failed; then only the clock acts."""
        self.github_opens()
        self.person_connects()
        with self.scope():
            rows = list(TrackedRepository.objects.select_related("repository", "integration", "team"))
        for tracked in rows:
            if not tracked.is_active:
                continue
            if tracked.sync_status == Sync.ERROR or tracked.last_sync_error.startswith("Cancelled"):
                chosen.request_sync(tracked=tracked, actor=self.owner)
            with self.scope():
                held = SyncRun.objects.filter(tracked_repository=tracked, status=Status.PAUSED, resume_at=None)
                is_held = held.exists()
            if is_held:
                sync_control.resume_sync(tracked=tracked, actor=self.owner)
        self.in_hand, self.messages = [], []
        for _ in range(12):
            self.time_passes(45)
            self.reaper()
            while self.messages:
                self.deliver(self.messages.pop(0))
                while self.in_hand:
                    coverage.finish(self.in_hand.pop())
                    self.turns(self.integration.pk)


EVENTS = {
    "person_toggles": 2,
    "person_changes_the_depth": 2,
    "person_asks": 2,
    "person_pauses": 2,
    "person_resumes": 3,
    "person_cancels": 2,
    "person_fetches_again": 2,
    "person_disconnects": 1,
    "person_connects": 3,
    "github_refuses": 1,
    "github_holds": 1,
    "github_opens": 3,
    "reaper": 8,
    "night": 3,
    "look_asks": 4,
    "look_settles": 4,
    "message_comes": 14,
    "message_is_lost": 2,
    "worker_goes_on": 14,
    "time_passes": 6,
}


def pulse_of(tracked: TrackedRepository, is_quiet: bool) -> Pulse:
    repository = tracked.repository
    return Pulse(
        id=repository.node_id,
        full_name=repository.full_name,
        is_archived=repository.is_archived,
        pushed_at=None,
        pull_requests=0 if is_quiet else 50,
        touched=(),
        deployments=(),
    )


@pytest.mark.parametrize("seed", range(6))
def test_it_comes_to_rest_with_everything_synced_whatever_happened(team, owner, seed):
    world = World(team, owner, seed)
    world.happen(120)
    world.come_to_rest()
    with team_scope(team.pk):
        assert not SyncRun.objects.filter(status__in=SyncRun.UNFINISHED, tracked_repository__is_active=True).exists(), (
            world.done
        )
        for tracked in TrackedRepository.objects.filter(is_active=True).select_related("repository"):
            assert tracked.sync_status in {Sync.COMPLETE, Sync.PARTIAL}, (tracked.sync_status, world.done)
            assert runs.is_covered(tracked), (tracked.days_back, tracked.repository.covered_from, world.done)

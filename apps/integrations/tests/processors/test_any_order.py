"""Events come late, twice, in another order or not at all: what follows brings the same rows in any case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from django.apps import apps as django_apps
from django.utils import timezone

from apps.integrations.models import TrackedRepository
from apps.integrations.processors import Reason, process
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.services.webhooks import gathering
from apps.integrations.services.webhooks.fetching import fetch_due
from apps.integrations.tests.looks_support import an_hour_later, look, work_off
from apps.integrations.tests.sync_support import LEFT_OUT, rows_of, tracked_at
from apps.integrations.tests.webhook_support import due_now, heard, hook_at
from apps.metrics.models import DeploymentStatus, PRReview
from apps.teams.factories import TeamFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.churn import Churn
from devtools.github_sandbox.mutations import Mutations
from devtools.github_sandbox.server import SandboxServer

pytestmark = pytest.mark.django_db

SHOP = "acme/shop"
STEPS = 60
LOST = 0.3

UNSEEN_BY_SYNCS = {
    "reviewthread": ("is_resolved", "resolved_by"),
    "prcheckrun": None,
    "pullrequest": ("ci_status",),
}
"""What can change without a word that a look at the repository sees, where the event that told it was lost: threads,
checks of what is closed. The night finds it.
"""


class Clock:
    """Each change comes some of `seconds` after the one before."""

    def __init__(self, random: Random, seconds: tuple[int, ...]) -> None:
        self._at, self._random, self._seconds = datetime.now(UTC).replace(microsecond=0), random, seconds

    def __call__(self) -> str:
        self._at += timedelta(seconds=self._random.choice(self._seconds))
        return self._at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def github(settings) -> Iterator[SandboxServer]:
    with SandboxServer(synthetic=["acme:shop:14:7"]) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


def synced(github, name=SHOP):
    """A new team with all that GitHub has now."""
    team = TeamFactory.create()
    assert github_sync.sync_repository_history(tracked_at(github, team, name, days_back=None), None).ended == (
        Ended.FINISHED
    )
    return team


def happened(github, random, *, seconds=(0, 0, 1, 2), without=("delete",)) -> list[tuple[str, dict[str, Any]]]:
    """What life in the repository told, in order. That somebody at GitHub removes a pull request is never told."""
    hook_at(github, SHOP)
    clock = Clock(random, seconds)
    mutations = Mutations(github.world, github.hooks, github.payloads, now=clock, tokens=github.tokens)
    life = Churn(SimpleNamespace(world=github.world, mutations=mutations), SHOP, random.randrange(2**32), without)
    life.run(STEPS)
    name = life.repository.full_name
    return [(event, orjson.loads(payload)) for event, payload, _ in heard(github, name)]


def mangled(events, random) -> list[tuple[str, dict[str, Any]]]:
    """Some lost, some told twice, all of them out of order: near to where they belong or anywhere."""
    lost = random.uniform(0, LOST)
    kept = [event for event in events if random.random() >= lost]
    kept += random.sample(kept, len(kept) // 5)
    distance = random.choice((0, 3, len(kept)))
    return [event for _, event in sorted(enumerate(kept), key=lambda pair: pair[0] + random.uniform(0, distance))]


def told(team, events, random, *, fetching: bool) -> None:
    """The events, one after the other; with `fetching`, at some moments what they asked for is fetched."""
    for event, payload in events:
        with team_scope(team.pk):
            gathering.note(process(team.pk, event, payload).needs)
            integration_id = TrackedRepository.objects.get().integration_id
        if fetching and random.random() < 0.05:
            due_now(team)
            fetch_due(team.pk, integration_id)


def a_night(team) -> None:
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(hours=31), sync_requested_at=None)
    assert nightly.begin_due(team.pk)
    work_off(team)


EVENTS_TELL_MORE = {"deployment": ("is_production",), "pullrequest": ("deploy_seconds",)}
"""Whether an environment is production GraphQL does not say, and the last stage rests on it."""

OF_THEIR_TIME = {
    "linkedissue": ("issue_repository", "url"),
    "prcheckrun": ("url", "workflow"),
    "pullrequest": ("reverts",),
}
"""Addresses as they were when they were read: they lead to where the repository is now. The workflow of a check that an
event told is known when its head is read next. A revert stays connected with what it quoted when it was read.
"""

KEPT_FOR_GOOD = {"prcheckrun", "label", "commit"}
"""Checks of earlier attempts and heads, commits and labels that no pull request has any more."""


def differences(team, full, *, but=None) -> dict[str, Any]:
    """Where what the team has differs from a full sync, without the columns in `but` (None: the whole table)."""
    ours_of, found = rows_of(team, present=True), {}
    for table, expected in rows_of(full, present=True).items():
        hidden = (but or {}).get(table, ())
        if hidden is None:
            continue
        hidden = (*hidden, *EVENTS_TELL_MORE.get(table, ()), *OF_THEIR_TIME.get(table, ()))
        ours = {_row(table, row, hidden) for row in ours_of[table]}
        theirs = {_row(table, row, hidden) for row in expected}
        extra = set() if table in KEPT_FOR_GOOD else ours - theirs
        if extra or theirs - ours:
            found[table] = {"more": extra, "less": theirs - ours}
    return found


def _row(table, row, hidden) -> str:
    fields = [f for f in django_apps.get_model("metrics", table)._meta.fields if f.column not in LEFT_OUT]
    return repr([value for field, value in zip(fields, row, strict=True) if field.name not in hidden])


@pytest.mark.parametrize("seed", range(4))
def test_any_order_any_repetition_and_any_loss_end_in_the_rows_of_a_full_sync(github, seed):
    random = Random(seed)
    teams = [synced(github), synced(github)]
    events = happened(github, random)
    for number, team in enumerate(teams):
        told(team, mangled(events, random), random, fetching=number == 1)
    full = synced(github, github.world.repository(SHOP).full_name)
    for team in teams:
        an_hour_later(team)
        look(team)
        work_off(team)
        assert differences(team, full, but=UNSEEN_BY_SYNCS) == {}
        a_night(team)
        assert differences(team, full) == {}


def test_nothing_lost_and_in_order_it_is_all_there_before_any_sync_but_what_is_to_be_fetched(github):
    random = Random(1)
    team = synced(github)
    events = happened(github, random)
    with team_scope(team.pk):
        for event, payload in events:
            gathering.note(process(team.pk, event, payload).needs)
        integration_id = TrackedRepository.objects.get().integration_id
    due_now(team)
    fetch_due(team.pk, integration_id)
    full = synced(github, github.world.repository(SHOP).full_name)
    assert differences(team, full) == {}


def test_what_was_fetched_later_is_never_taken_back(github):
    """Names of people apart, and threads, of which no event says when: what is to be fetched brings those again."""
    random = Random(2)
    timeless = ("resolve", "unresolve", "review_comment", "edit_review_comment", "delete_review_comment", "rename_user")
    events = happened(github, random, seconds=(1, 2), without=("delete", *timeless))
    name = github.world.repository(SHOP).full_name
    team, full = synced(github, name), synced(github, name)
    random.shuffle(events)
    needs = [need for event, payload in events for need in process(team.pk, event, payload).needs]
    assert differences(team, full) == {}
    assert Reason.DOUBT not in {need.reason for need in needs}


def test_a_status_that_came_hides_none_of_its_deployment_that_was_lost_before_it(github):
    team = synced(github)
    hook_at(github, SHOP)
    mutations = Mutations(github.world, github.hooks, github.payloads, now=Clock(Random(3), (0,)), tokens=github.tokens)
    made = mutations.apply({"repo": SHOP, "action": "deploy", "environment": "production", "state": "in_progress"})
    mutations.apply({"repo": SHOP, "action": "deployment_status", "id": made["id"], "state": "success"})
    *_, (event, payload, _) = heard(github, SHOP)
    process(team.pk, event, orjson.loads(payload))
    statuses = DeploymentStatus.objects.filter(deployment__github_deployment_id=made["id"])
    with team_scope(team.pk):
        assert [status.state for status in statuses.all()] == ["success"]
    an_hour_later(team)
    look(team)
    with team_scope(team.pk):
        assert {status.state for status in statuses.all()} == {"in_progress", "success"}


def test_an_event_that_came_hides_none_that_was_lost_before_it(github):
    team = synced(github)
    hook_at(github, SHOP)
    mutations = Mutations(
        github.world, github.hooks, github.payloads, now=Clock(Random(3), (60,)), tokens=github.tokens
    )
    number = max(github.world.repository(SHOP).contents.pulls)
    mutations.apply({"repo": SHOP, "action": "review", "number": number, "state": "APPROVED", "body": "Lost"})
    mutations.apply({"repo": SHOP, "action": "label", "number": number, "name": "came"})
    [_, (event, payload, _)] = heard(github, SHOP)
    assert process(team.pk, event, orjson.loads(payload)).needs == ()
    with team_scope(team.pk):
        assert not PRReview.objects.filter(body="Lost").exists()
    an_hour_later(team)
    look(team)
    work_off(team)
    with team_scope(team.pk):
        assert PRReview.objects.filter(body="Lost").exists()

"""What changed since the last sync is listed and fetched a hundred at a time: no page carries all of it along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.services.github_sync import steps

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def world_of(count: int) -> World:
    """Pull request n was updated n hours after the beginning."""
    world = World()
    made = [
        builders.pull_request(world, number, updatedAt=f"{BEGAN + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}")
        for number in range(count)
    ]
    builders.repository(world, made)
    world.root["search"] = {"issueCount": count + 3}  # it is an estimate
    return world


def walked(world: World, *, phase: str = "updated", since: datetime = BEGAN, **plan) -> list[steps.Learned]:
    """The steps of a phase. Each begins with what is left of the checkpoint after PostgreSQL has kept it."""
    made = steps.Plan("o", "r", (phase,), since, since, 24, **plan)
    clients = steps.Clients(world.client(), lambda: pytest.fail("no REST"))
    learned = [steps.fetch(clients, made, steps.first_checkpoint(made))]
    while (following := learned[-1].next) is not None:
        learned.append(steps.fetch(clients, made, orjson.loads(orjson.dumps(following))))
    return learned


def numbers(learned: list[steps.Learned]) -> list[int]:
    return [record.number for step in learned for record in step.pull_requests]


def largest(learned: list[steps.Learned]) -> int:
    """Bytes of the largest checkpoint."""
    return max(len(orjson.dumps(step.next)) for step in learned)


def test_an_update_fetches_what_changed_and_stops_at_the_watermark():
    learned = walked(world_of(150), since=BEGAN + timedelta(hours=120))
    assert numbers(learned) == list(range(149, 119, -1))
    assert (learned[0].total, learned[0].stated) == (30, 150)


def test_what_is_written_with_a_page_does_not_grow_with_what_changed():
    world = world_of(330)
    some, many = walked(world, since=BEGAN + timedelta(hours=220)), walked(world, phase="closing")
    assert numbers(some) == list(range(329, 219, -1))
    assert numbers(many) == list(range(329, -1, -1))
    assert largest(many) <= largest(some) + 50  # the names of cursors and phases, and a few digits


def test_more_than_a_page_of_changes_is_counted_once():
    world = world_of(101)
    asked = []
    world.refuse = lambda document, variables: asked.append(variables["found"]) if "found" in variables else None
    learned = walked(world)
    assert [step.total for step in learned if step.total is not None] == [104]
    assert asked == ["repo:o/r is:pr updated:>=2026-01-01T00:00:00Z"]


def test_what_could_not_be_read_by_the_last_runs_is_fetched_with_the_first_page():
    late = BEGAN + timedelta(hours=50)
    learned = walked(world_of(60), since=late, outdated=(("PR_7", 7), ("PR_55", 55)))
    assert numbers(learned) == [*range(59, 49, -1), 7]
    assert learned[0].total == 11


def test_what_a_checkpoint_names_is_fetched_and_nothing_listed():
    world = world_of(30)
    made = steps.Plan("o", "r", ("updated",), BEGAN, BEGAN, 24)
    clients = steps.Clients(world.client(), lambda: pytest.fail("no REST"))
    named = {"phase": "updated", "cursor": None, "ids": [["PR_3", 3], ["PR_9", 9]]}
    learned = steps.fetch(clients, made, named)
    assert (numbers([learned]), learned.total, learned.next) == ([3, 9], 2, None)
    assert steps.fetch(clients, made, {**named, "ids": []}).next is None
    assert world.requests == 1

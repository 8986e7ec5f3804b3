"""Steps fetched ahead of the writer."""

from __future__ import annotations

import threading

import pytest

from apps.integrations.services.github_sync.ahead import AHEAD, Ahead
from apps.integrations.services.github_sync.steps import Learned


class Walk:
    """Ten steps, each worth a point; `fails_at` raises instead."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fetched: list[int] = []
        self.fails_at = fails_at
        self.paused = threading.Event()

    def __call__(self, checkpoint: dict[str, int]) -> Learned:
        place = checkpoint["place"]
        if place == self.fails_at:
            raise ConnectionError("gone")
        self.fetched.append(place)
        if len(self.fetched) > AHEAD:
            self.paused.set()
        return Learned(next={"place": place + 1} if place < 9 else None, points=1)


def taken(coming: Ahead, *, together: bool = False) -> list[Learned]:
    found = []
    while (learned := coming.take(patience=1, while_waiting=lambda: None, together=together)) is not None:
        found.append(learned)
        if learned.next is None:
            break
    return found


def test_every_step_comes_once_and_in_order():
    with Ahead(Walk(), {"place": 0}, lambda: False) as coming:
        steps = taken(coming)
    assert [step.next and step.next["place"] for step in steps] == [*range(1, 10), None]


def test_steps_that_are_there_are_taken_together_and_none_is_lost():
    walk = Walk()
    with Ahead(walk, {"place": 0}, lambda: False) as coming:
        walk.paused.wait(5)
        steps = taken(coming, together=True)
    assert sum(step.points for step in steps) == 10
    assert len(steps) < 10


def test_it_fetches_no_further_ahead_than_it_may():
    walk = Walk()
    with Ahead(walk, {"place": 0}, lambda: False):
        walk.paused.wait(5)
    assert walk.fetched == [0, 1, 2]


def test_what_fetching_raised_comes_after_the_steps_before_it():
    with Ahead(Walk(fails_at=2), {"place": 0}, lambda: False) as coming:
        assert sum(coming.take(patience=1, while_waiting=lambda: None, together=False).points for _ in range(2)) == 2
        with pytest.raises(ConnectionError):
            coming.take(patience=1, while_waiting=lambda: None, together=False)


def test_when_the_time_is_up_nothing_is_fetched_for_nothing():
    walk = Walk()
    with Ahead(walk, {"place": 0}, lambda: True) as coming:
        assert [step.next for step in taken(coming)] == [{"place": 1}]
    assert walk.fetched == [0]

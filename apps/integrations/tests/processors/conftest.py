"""A repository that a team follows, and what happens in it."""

from __future__ import annotations

import pytest

from apps.integrations.models import TrackedRepository
from apps.integrations.processors import process
from apps.integrations.tests.processors.support import SHOP, GitHub
from apps.integrations.tests.sync_support import tracked_at


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def shop(github, team) -> TrackedRepository:
    return tracked_at(github.sandbox, team, SHOP)


@pytest.fixture
def happens(github, shop, team):
    """What came of the events of a change."""

    def happens(action, **more):
        return [process(team.pk, *event) for event in github.tell(action, **more)]

    return happens


@pytest.fixture
def number(github, shop, team) -> int:
    """A pull request that an event told of."""
    [(event, payload)] = github.tell("open", title="Count the gulls")
    process(team.pk, event, payload)
    return payload["number"]

"""The record of a pull request that GitHub answers, and the people in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.services.mapping import pull_request_record
from apps.metrics.records import Account, PullRequestRecord

OCTOCAT = Account(583231, "octocat", "U_octocat", "Octocat", "https://avatars.example/octocat")
REVIEWER = Account(7, "reviewer", "U_reviewer", "Reviewer", "https://avatars.example/reviewer")


def at(day: int, hour: int, minute: int = 0, second: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def mapped(number: int = 1, skip: dict[str, str] | None = None, **parts: Any) -> PullRequestRecord:
    """The record of a pull request that GitHub answers like this."""
    world = World()
    builders.repository(world, [builders.pull_request(world, number, **parts)])
    [node] = fetch_page(world.client(), owner="o", name="r", skip=skip).nodes
    return pull_request_record(node)

"""A world of one repository, whose pull requests are as large as a test wants them."""

from __future__ import annotations

from typing import Any

from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.github.transport import Response
from apps.integrations.github.types import PullRequestPage

PARTS = {
    "labels": 2,
    "assignees": 1,
    "closingIssuesReferences": 1,
    "reviews": 2,
    "reviewThreads": 2,
    "comments": 3,
    "commits": 2,
    "files": 4,
    "timelineItems": 3,
    "contexts": 2,
}
MANY = dict.fromkeys(PARTS, 230)
TOO_HEAVY = Response(502, {}, b"<html>")


def world_of(*pull_requests: dict[str, Any]) -> World:
    world = World()
    builders.repository(world, [builders.pull_request(world, i, **parts) for i, parts in enumerate(pull_requests, 1)])
    return world


def page_of(world: World, **more: Any) -> PullRequestPage:
    return fetch_page(world.client(), owner="o", name="r", **more)


def sizes(node: dict[str, Any]) -> dict[str, int | None]:
    """How many of each part a raw pull request holds, all different."""
    found: dict[str, int | None] = {}
    for name in PARTS:
        holder = node["statusCheckRollup"] if name == "contexts" else node
        items = holder[name] if holder else None
        key = "path" if name == "files" else "id"
        found[name] = len({item[key] for item in items["nodes"]}) if items else None
        assert items is None or len(items["nodes"]) == found[name]
    return found

"""Pull requests by their ids: in halves or part by part where they are too heavy, and never lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.integrations.github.pull_requests import ALL_PARTS, fetch_by_ids, fetch_checks
from apps.integrations.github.tests.repository_world import PARTS, TOO_HEAVY, page_of, sizes, world_of
from apps.integrations.github.transport import Response
from apps.integrations.github.types import Lost


def test_fourteen_ids_cost_a_point():
    world = world_of(*[{}] * 15)
    page = fetch_by_ids(world.client(), [f"PR_{i}" for i in range(1, 15)])
    assert (len(page.nodes), page.points, page.requests) == (14, 1, 1)
    assert fetch_by_ids(world.client(), [f"PR_{i}" for i in range(1, 16)]).points == 2


def test_ids_that_are_too_heavy_together_are_fetched_in_halves():
    world = world_of(*[PARTS] * 5)
    world.refuse = lambda document, variables: TOO_HEAVY if len(variables.get("ids", ())) > 2 else None
    page = fetch_by_ids(world.client(), [f"PR_{i}" for i in range(1, 6)])
    assert [sizes(node) for node in page.nodes] == [PARTS] * 5
    assert [node["number"] for node in page.nodes] == [1, 2, 3, 4, 5]
    assert page.requests == world.requests == 6  # 5 and 3 refused; 2, 1 and 2; the rest of them


def test_one_that_is_too_heavy_by_itself_is_fetched_part_by_part():
    world = world_of(PARTS, PARTS)
    world.refuse = lambda document, variables: (
        TOO_HEAVY if variables.get("files") and "PR_2" in variables["ids"] else None
    )
    page = fetch_by_ids(world.client(), ["PR_1", "PR_2"], skip={"labels": "off"})
    assert [sizes(node) for node in page.nodes] == [PARTS | {"labels": None}] * 2
    assert page.unreadable == ()


def test_one_that_github_cannot_render_at_all_does_not_stop_the_others():
    world = world_of(PARTS, PARTS)
    world.refuse = lambda document, variables: TOO_HEAVY if "PR_2" in variables.get("ids", ()) else None
    page = fetch_by_ids(world.client(), ["PR_1", "PR_2"])
    assert [node["number"] for node in page.nodes] == [1]
    assert page.unreadable == (Lost("GitHub answered 502", id="PR_2"),)


def test_one_that_is_too_heavy_loses_its_dearest_parts_first_and_gets_them_apart():
    world = world_of(PARTS)
    asked = []

    def refuse(document: str, variables: Mapping[str, Any]) -> Response | None:
        if "ids" not in variables:
            return None
        asked.append({part for part in ALL_PARTS if not variables[part]})
        return TOO_HEAVY if variables["commits"] else None

    world.refuse = refuse
    page = fetch_by_ids(world.client(), ["PR_1"])
    assert [sizes(node) for node in page.nodes] == [PARTS]
    assert asked == [set(), {"files"}, {"files", "checks"}, {"files", "checks", "commits"}]
    assert (page.refused, page.size, page.partial) == (3, 1, {})


def test_a_hundred_pull_requests_checks_cost_a_point():
    world = world_of(*[{"contexts": 1}] * 100)
    page = fetch_checks(world.client(), [f"PR_{i}" for i in range(1, 101)])
    assert (len(page.nodes), page.points) == (100, 1)
    assert len(page.nodes[0]["statusCheckRollup"]["contexts"]["nodes"]) == 1


def test_it_says_which_ids_are_gone():
    world = world_of({}, {})
    world.errors = lambda path, parent: (
        {"type": "NOT_FOUND", "message": "Could not resolve to a node"} if path == ("nodes", 1) else None
    )
    page = fetch_by_ids(world.client(), ["PR_1", "PR_2"])
    assert ([node["id"] for node in page.nodes], page.gone, page.unreadable) == (["PR_1"], ("PR_2",), ())


def test_a_null_that_says_nothing_is_not_taken_for_gone():
    page = fetch_by_ids(world_of({}).client(), ["PR_1", "PR_2"])
    assert (page.gone, [lost.id for lost in page.unreadable]) == ((), ["PR_2"])


def test_a_pull_request_without_a_database_id_is_told_and_the_others_kept():
    world = world_of({}, {}, {})
    world.objects["PR_2"]["fullDatabaseId"] = None
    page = page_of(world)
    assert sorted(node["number"] for node in page.nodes) == [1, 3]
    assert page.unreadable == (Lost("GitHub returned nothing for this pull request", 2, "PR_2"),)
    by_ids = fetch_by_ids(world.client(), ["PR_1", "PR_2"])
    assert [node["number"] for node in by_ids.nodes] == [1]
    assert (by_ids.gone, [lost.id for lost in by_ids.unreadable]) == ((), ["PR_2"])

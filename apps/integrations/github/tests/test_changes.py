"""What changed, how much there is, what became of a repository, deployments and teams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.integrations.github import changes
from apps.integrations.github.deployments import (
    fetch_deployments,
    fetch_deployments_by_ids,
    list_teams,
)
from apps.integrations.github.errors import PermissionMissing
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World
from apps.integrations.github.transport import Response
from apps.integrations.github.types import Member, Spending, WindowCount


def world_of(count: int) -> World:
    """Pull request number n was updated on day n of a long month."""
    world = World()
    made = [
        builders.pull_request(world, i, updatedAt=f"2026-{1 + i // 28:02}-{1 + i % 28:02}T00:00:00Z")
        for i in range(count)
    ]
    builders.repository(world, made)
    return world


def test_ids_are_the_way_past_a_pull_request_that_github_cannot_render():
    world = world_of(3)
    page = changes.list_ids(world.client(), owner="o", name="r", page_size=2, order="CREATED_AT")
    assert ([touched.id for touched in page.touched], page.has_next, page.total) == (["PR_2", "PR_1"], True, 3)


def test_the_pulse_of_many_repositories_costs_a_point():
    world = world_of(30)
    found = changes.pulses(world.client(), ["R_1", "R_gone"])
    assert list(found) == ["R_1"]
    assert [touched.number for touched in found["R_1"].touched] == list(range(29, 19, -1))
    assert (found["R_1"].pull_requests, found["R_1"].full_name, world.points) == (30, "o/r", 1)


def test_a_pulse_tells_of_the_newest_deployments():
    world = World()
    made = [deployment(world, day) for day in range(12)]
    made[10]["databaseId"] = None
    builders.repository(world, [], deployments=made)
    [pulse] = changes.pulses(world.client(), ["R_1"]).values()
    assert [seen.id for seen in pulse.deployments] == [5_000_000_011, *(5_000_000_000 + day for day in range(9, 1, -1))]
    assert {(seen.updated_at - seen.created_at, seen.state) for seen in pulse.deployments} == {
        (timedelta(seconds=9), "active")
    }
    [pulse] = changes.pulses(world.client(), ["R_1"], deployments=False).values()
    assert pulse.deployments == ()


@pytest.mark.parametrize(("kind", "told"), [("FORBIDDEN", ()), ("INTERNAL", None)])
def test_deployments_that_may_not_be_read_are_no_news_and_those_that_failed_are_unknown(kind, told):
    world = world_of(1)
    world.errors = lambda path, parent: {"type": kind, "message": "No"} if path[-1] == "deployments" else None
    [pulse] = changes.pulses(world.client(), ["R_1"]).values()
    assert (pulse.deployments, pulse.refused) == (told, kind == "FORBIDDEN")


def test_what_is_too_heavy_together_is_asked_in_halves_and_one_that_is_so_alone_is_left_out():
    world = World()
    for number in range(12):
        world.add({"__typename": "Deployment", "id": f"D_{number}", "databaseId": number, "statuses": []})
    sizes = []

    def refuse(document, variables):
        sizes.append(len(variables["ids"]))
        return Response(502, {}, b"") if "D_3" in variables["ids"] else None

    world.refuse = refuse
    spending = Spending()
    found = fetch_deployments_by_ids(world.client(), [f"D_{number}" for number in range(12)], spending=spending)
    assert [node["databaseId"] for nodes in found for node in nodes] == [0, 1, 2, 4, 5, *range(6, 12)]
    assert (sizes, spending.requests) == ([12, 6, 3, 3, 2, 1, 1, 1, 6], 9)


def test_it_counts_a_window():
    world = world_of(2)
    world.objects["PR_1"]["state"] = "OPEN"
    world.root["search"] = {"issueCount": 41}
    asked = []
    world.refuse = lambda document, variables: asked.append(variables)
    since = datetime(2026, 10, 21, 9, 0, tzinfo=UTC)
    assert changes.count_window(world.client(), "o", "r", since) == WindowCount(open=1, closed=41)
    assert asked[0]["found"] == "repo:o/r is:pr is:closed updated:>=2026-10-21T09:00:00Z"
    assert changes.count_updated(world.client(), "o", "r", since, spending=Spending()) == 41
    assert asked[1]["found"] == "repo:o/r is:pr updated:>=2026-10-21T09:00:00Z"


def deployment(world: World, day: int, statuses: int = 1) -> dict:
    return world.add(
        {
            "__typename": "Deployment",
            "id": f"D_{day}",
            "databaseId": 5_000_000_000 + day,
            "createdAt": f"2026-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00Z",
            "updatedAt": f"2026-{1 + day // 28:02}-{1 + day % 28:02}T00:00:09Z",
            "state": "ACTIVE",
            "statuses": [{"id": f"DS_{day}_{i}"} for i in range(statuses)],
        }
    )


def test_deployments_come_newest_first_with_every_status():
    world = World()
    builders.repository(
        world, [], deployments=[deployment(world, day, statuses=1 + 149 * (day == 7)) for day in range(120)]
    )
    first = fetch_deployments(world.client(), owner="o", name="r")
    second = fetch_deployments(world.client(), owner="o", name="r", after=first.end_cursor)
    nodes = [*first.nodes, *second.nodes]
    assert [(len(page.nodes), page.has_next) for page in (first, second)] == [(100, True), (20, False)]
    assert [node["id"] for node in nodes] == [f"D_{day}" for day in range(119, -1, -1)]
    assert sum(len(node["statuses"]["nodes"]) for node in nodes) == 119 + 150
    assert (world.requests, world.points) == (3, 3)


def test_deployments_end_at_the_watermark():
    world = World()
    builders.repository(world, [], deployments=[deployment(world, day) for day in range(120)])
    page = fetch_deployments(world.client(), owner="o", name="r", since=datetime(2026, 4, 25, tzinfo=UTC))
    assert ([node["id"] for node in page.nodes][-1], page.has_next, page.total) == ("D_108", False, 120)


def test_deployments_that_github_cannot_give_are_told_and_the_others_kept():
    world = World()
    unnumbered, refused, short, whole = (deployment(world, day) for day in (4, 3, 2, 1))
    unnumbered["databaseId"] = None
    short["statuses"].append(None)
    builders.repository(world, [], deployments=[unnumbered, refused, short, whole])
    world.errors = lambda path, parent: {"message": "No creator"} if parent is refused else None
    page = fetch_deployments(world.client(), owner="o", name="r")
    assert [node["id"] for node in page.nodes] == ["D_2", "D_1"]
    assert page.unreadable == (
        "a deployment: GitHub returned nothing for it",
        "a deployment: No creator",
        "a deployment's statuses: some entries could not be read",
    )


def test_deployments_that_may_not_be_read_are_a_missing_permission():
    world = world_of(0)
    world.errors = lambda path, parent: (
        {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
        if path[-1] == "deployments"
        else None
    )
    with pytest.raises(PermissionMissing, match="deployments"):
        fetch_deployments(world.client(), owner="o", name="r")


def test_teams_come_with_every_member():
    world = World()
    people = [builders.user(f"u{i}", i) for i in range(130)]
    team = world.add(
        {"__typename": "Team", "id": "T_1", "databaseId": 5, "slug": "core", "name": "Core", "members": people}
    )
    world.root["organization"] = {"__typename": "Organization", "id": "O_1", "teams": [team]}
    [found] = list_teams(world.client(), "acme")
    assert (found.slug, found.id, len(found.members), found.is_partial) == ("core", 5, 130, False)
    assert found.members[0] == Member(0, "u0", "U_u0", "https://avatars.example/u0")

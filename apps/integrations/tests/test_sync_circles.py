"""A server whose pages lead in circles keeps no run for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, cycle, islice
from typing import Any

import orjson
import pytest

from apps.integrations.factories import TrackedRepositoryFactory
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World, graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.models import SyncRun
from apps.integrations.services.github_sync import runs, steps
from apps.integrations.services.github_sync.reconciliation import reconcile
from apps.integrations.services.github_sync.steps.circles import leads_back
from apps.metrics.factories import RepositoryFactory
from apps.teams.scope import team_scope

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DEPLOYED = "2026-11-19T10:00:00Z"


@pytest.mark.parametrize(("straight", "around"), [(0, 1), (3, 1), (0, 2), (5, 7), (40, 100)])
def test_a_circle_is_seen_within_three_rounds(straight, around):
    cursors = chain((f"s{n}" for n in range(straight)), cycle(f"c{n}" for n in range(around)))
    checkpoint = {"phase": "all", "cursor": None}
    for cursor in islice(cursors, 3 * (straight + around) + 1):
        is_back, checkpoint = leads_back(checkpoint, cursor)
        if is_back:
            return
        checkpoint = {**checkpoint, "cursor": cursor}
    pytest.fail("it walks on")


def test_what_leads_on_is_no_circle_and_leaves_a_small_checkpoint():
    checkpoint = {"phase": "all", "cursor": None}
    for cursor in islice((f"c{n}" for n in range(10_000)), 5_000):
        is_back, checkpoint = leads_back(checkpoint, cursor)
        assert not is_back
    assert len(str(checkpoint)) < 200


def test_the_same_cursor_in_the_next_phase_is_no_circle():
    _, checkpoint = leads_back({"phase": "open", "cursor": None}, "a")
    assert not leads_back({**checkpoint, "phase": "closed", "cursor": None}, "a")[0]


@pytest.fixture
def world():
    made = World()
    listed = {"__typename": "Deployment", "id": "D_1", "databaseId": 1, "createdAt": DEPLOYED, "updatedAt": DEPLOYED}
    builders.repository(made, [builders.pull_request(made, number) for number in range(30)], deployments=[listed])
    return made


def circling(world: World, *, connection: str = "pullRequests", around: int = 3) -> GraphQL:
    """A GitHub on which each page of `connection` leads to the next of a few, round and round."""
    cursors = cycle(str(place) for place in range(around))

    def answer(**request: Any) -> Response:
        answered = world(**request)
        content = orjson.loads(answered.body)
        listed = (content["data"].get("repository") or {}).get(connection) or {}
        if "pageInfo" in listed:
            listed |= {"totalCount": 1_000, "pageInfo": {"hasNextPage": True, "endCursor": next(cursors)}}
        return Response(answered.status, answered.headers, orjson.dumps(content))

    return graphql_over(answer)


def walk(graphql: GraphQL, plan: steps.Plan, checkpoint: steps.Checkpoint) -> list[str]:
    """What of the first phase could not be read."""
    said: list[str] = []
    for _ in range(20):
        learned = steps.fetch(steps.Clients(graphql, lambda: pytest.fail("no REST")), plan, checkpoint)
        said += map(str, learned.unreadable)
        if learned.next is None or learned.next["phase"] != checkpoint["phase"]:
            return said
        checkpoint = learned.next
    pytest.fail("it walks on")


@pytest.mark.parametrize("around", [1, 2, 3])
def test_a_history_that_leads_back_ends_and_says_so(world, around):
    plan = steps.Plan("o", "r", ("all", "closing"), None, LONG_AGO, 24)
    said = walk(circling(world, around=around), plan, {"phase": "all", "cursor": None})
    assert "lead in circles" in said[-1]


def test_the_way_to_what_is_older_ends_as_well(world):
    plan = steps.Plan("o", "r", ("older", "closing"), None, LONG_AGO, 24, known_from=LONG_AGO)
    said = walk(circling(world), plan, {"phase": "older", "cursor": None, "counted": 0})
    assert "lead in circles" in said[-1]


def test_an_update_that_leads_back_ends_and_says_so(world):
    plan = steps.Plan("o", "r", ("updated",), None, LONG_AGO, 24)
    said = walk(circling(world), plan, {"phase": "updated", "cursor": None, "counted": 0})
    assert "lead in circles" in said[-1]


def test_deployments_that_lead_back_end_and_say_so(world):
    world.root["repository"]["deployments"] = []
    plan = steps.Plan("o", "r", ("deployments", "closing"), None, LONG_AGO, 24)
    said = walk(circling(world, connection="deployments"), plan, {"phase": "deployments", "cursor": None})
    assert "deployments: GitHub's pages lead in circles" in said[-1]


@pytest.mark.parametrize(
    ("covered_from", "stage", "then", "connection"),
    [
        (runs.EVERYTHING, "all", "deployments", "pullRequests"),
        (LONG_AGO, "open", "closed", "pullRequests"),
        (LONG_AGO, "closed", "deployments", "pullRequests"),
        (LONG_AGO, "deployments", "end", "deployments"),
    ],
)
def test_a_comparison_goes_on_with_its_next_stage(world, team, covered_from, stage, then, connection):
    repository = RepositoryFactory.create(
        team=team, full_name="o/r", github_repo_id=1_296_269, covered_from=covered_from
    )
    tracked = TrackedRepositoryFactory.create(team=team, repository=repository)
    with team_scope(team.pk):
        run = runs.begin_found(tracked, kind=SyncRun.Kind.RECONCILE, ids=())
        run.checkpoint = {**reconcile.first_checkpoint(), "stage": stage}
        run.save()
        run = runs.take(run_id=run.pk, token=str(run.token))
    plan, graphql = steps.Plan("o", "r", ("updated",), None, LONG_AGO, 24), circling(world, connection=connection)
    for _ in range(20):
        reconcile.advance(run, graphql, plan, lambda plan, checkpoint: pytest.fail("nothing is to be fetched yet"))
        if run.checkpoint["stage"] != stage:
            break
    assert run.checkpoint["stage"] == then
    assert "lead in circles" in str(run.partial)

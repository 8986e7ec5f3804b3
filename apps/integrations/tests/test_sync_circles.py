"""A server whose pages lead in circles keeps no run for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, cycle, islice
from typing import Any

import orjson
import pytest

from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World, graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.services.github_sync import steps
from apps.integrations.services.github_sync.steps.circles import leads_back

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


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


def test_a_history_that_leads_back_to_its_begin_ends_and_says_so():
    world = World()
    builders.repository(world, [builders.pull_request(world, number) for number in range(60)])

    def circling(**request: Any) -> Response:
        answer = world(**request)
        content = orjson.loads(answer.body)
        page = content["data"].get("repository", {}).get("pullRequests", {}).get("pageInfo")
        if page is not None and not page["hasNextPage"]:
            page |= {"hasNextPage": True, "endCursor": "7"}
        return Response(answer.status, answer.headers, orjson.dumps(content))

    graphql = graphql_over(circling)
    plan = steps.Plan("o", "r", ("all", "closing"), None, LONG_AGO, 24)
    checkpoint, said, walked = {"phase": "all", "cursor": None}, [], 0
    while checkpoint["phase"] == "all":
        learned = steps.fetch(steps.Clients(graphql, lambda: pytest.fail("no REST")), plan, checkpoint)
        checkpoint, walked = learned.next, walked + 1
        said += learned.unreadable
        assert walked < 20
    assert "lead in circles" in str(said[-1])

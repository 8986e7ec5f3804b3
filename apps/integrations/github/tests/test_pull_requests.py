"""Complete pull requests for few points, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from apps.integrations.github.completion import PAGES_PER_QUERY
from apps.integrations.github.errors import NotFound, PermissionMissing, QueryTooHeavy, RateLimited, RepositoryGone
from apps.integrations.github.pull_requests import ALL_PARTS, fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.repository_world import MANY, PARTS, TOO_HEAVY, page_of, sizes, world_of
from apps.integrations.github.tests.world import World, graphql_over
from apps.integrations.github.transport import Response


def test_it_fetches_a_pull_request_with_every_part():
    world = world_of(PARTS)
    page = page_of(world)
    [node] = page.nodes
    assert sizes(node) == PARTS
    assert [len(thread["comments"]["nodes"]) for thread in node["reviewThreads"]["nodes"]] == [1, 1]
    assert node["reviewThreads"]["nodes"][0]["isResolved"] is True
    assert (node["partial"], node["capped"], page.partial) == ({}, {}, {})
    assert (page.total, page.has_next, page.requests, page.points) == (1, False, 2, 3)
    assert page.repository["nameWithOwner"] == "o/r"


def test_it_pages_through_all_pull_requests_newest_first():
    world = world_of(*[{}] * 30)
    first = page_of(world)
    second = page_of(world, after=first.end_cursor)
    numbers = [node["number"] for page in (first, second) for node in page.nodes]
    assert (len(first.nodes), first.has_next, first.total, second.has_next) == (24, True, 30, False)
    assert sorted(numbers) == list(range(1, 31))
    created = [node["createdAt"] for page in (first, second) for node in page.nodes]
    assert created == sorted(created, reverse=True)


def test_it_asks_only_for_the_states_that_are_wanted():
    world = world_of({"state": "OPEN"}, {}, {"state": "CLOSED"})
    page = page_of(world, states=["MERGED", "CLOSED"], order="UPDATED_AT")
    assert sorted(node["state"] for node in page.nodes) == ["CLOSED", "MERGED"]


def test_it_follows_every_connection_to_its_end():
    world = world_of(MANY)
    [node] = page_of(world).nodes
    assert sizes(node) == MANY
    assert (node["partial"], node["capped"]) == ({}, {})


def test_it_fetches_the_overflow_of_ten_pull_requests_at_once():
    """Ten pull requests with 230 of each part are 200 further pages and 2,300 threads: 18 queries, not 2,500."""
    world = world_of(*[MANY] * 10)
    page = page_of(world)
    assert all(sizes(node) == MANY for node in page.nodes)
    assert world.requests == 19
    assert page.points == world.points == 20
    assert world.largest < 500_000


def test_it_fetches_the_comments_of_long_threads():
    world = world_of({"reviewThreads": [builders.thread(comments=250), builders.thread(comments=101)]})
    [node] = page_of(world).nodes
    assert [len(thread["comments"]["nodes"]) for thread in node["reviewThreads"]["nodes"]] == [250, 101]
    assert world.requests == 4


def test_a_batch_that_is_too_heavy_is_halved_until_it_passes():
    world = world_of({"reviewThreads": 100})
    world.refuse = lambda document, variables: (
        TOO_HEAVY if any(len(ids) > 30 for ids in variables.values() if isinstance(ids, list) and ids) else None
    )
    page = page_of(world)
    assert sizes(page.nodes[0])["reviewThreads"] == 100
    assert page.partial == {}
    assert world.requests == 1 + 2 + 4  # the page; 100 and 50 refused; four of 25


def test_parts_can_be_fetched_apart_from_a_page_that_is_too_heavy():
    world = world_of(PARTS)
    page = page_of(world, page_size=1, alone={"files", "checks", "commits", "events"})
    assert sizes(page.nodes[0]) == PARTS
    assert page.partial == {}


def test_a_cursor_that_repeats_ends_the_walk():
    world = world_of({"labels": 250})
    inner = world.__call__

    def stuck(**request: Any) -> Response:
        answer = inner(**request)
        return Response(answer.status, answer.headers, answer.body.replace(b'"endCursor":"200"', b'"endCursor":"100"'))

    page = fetch_page(graphql_over(stuck), owner="o", name="r")
    assert page.partial == {1: {"labels": "GitHub repeats a page"}}


def test_cursors_that_lead_in_circles_end_the_walk():
    world = world_of({"labels": 350})

    def circling(**request: Any) -> Response:
        answer = world(**request)
        body = answer.body.replace(b'"endCursor":"300"', b'"endCursor":"100"')
        return Response(answer.status, answer.headers, body)

    page = fetch_page(graphql_over(circling), owner="o", name="r")
    assert page.partial == {1: {"labels": "GitHub repeats a page"}}
    assert world.requests < 8


def test_a_page_that_is_too_heavy_is_the_callers_to_shrink():
    world = world_of({})
    world.refuse = lambda document, variables: TOO_HEAVY
    with pytest.raises(QueryTooHeavy):
        page_of(world)
    assert world.requests == 1


def test_a_repository_that_is_gone_is_named():
    world = World(root={"repository": None})
    world.errors = lambda path, parent: (
        {"type": "NOT_FOUND", "message": "Could not resolve to a Repository"} if path == ("repository",) else None
    )
    with pytest.raises(RepositoryGone, match="o/r") as caught:
        page_of(world)
    assert isinstance(caught.value, NotFound)


def test_pull_requests_that_may_not_be_read_are_a_missing_permission():
    world = world_of({})
    world.errors = lambda path, parent: (
        {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
        if path[-1] == "pullRequests"
        else None
    )
    with pytest.raises(PermissionMissing) as caught:
        page_of(world)
    assert caught.value.name == "pullRequests"


def test_a_rate_limit_amid_the_overflow_is_raised():
    world = world_of(MANY)
    world.refuse = lambda document, variables: (
        Response(403, {"retry-after": "30"}, b"{}") if "query Completion" in document else None
    )
    with pytest.raises(RateLimited) as caught:
        page_of(world)
    assert caught.value.retry_after == 30


def test_the_parts_are_those_of_the_records():
    assert len(ALL_PARTS) == 10
    assert PAGES_PER_QUERY < 150


def test_a_batch_that_took_long_is_followed_by_smaller_ones():
    world = world_of({"reviewThreads": 100, "labels": 250})
    ticks = iter(range(0, 10_000, 8))
    page = fetch_page(world.client(clock=lambda: next(ticks)), owner="o", name="r")
    assert sizes(page.nodes[0]) == dict.fromkeys(PARTS, 0) | {"reviewThreads": 100, "labels": 250}
    assert (page.seconds, page.partial) == (8, {})
    assert world.requests == 3


def test_a_repository_that_is_null_without_a_word_is_gone_too():
    with pytest.raises(RepositoryGone, match="o/r"):
        page_of(World(root={"repository": None}))


def test_a_page_that_is_null_without_a_word_is_not_taken_for_empty():
    world = world_of({})
    world.root["repository"]["pullRequests"] = None
    with pytest.raises(QueryTooHeavy):
        page_of(world)

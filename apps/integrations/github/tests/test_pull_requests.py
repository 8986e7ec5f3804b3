"""Complete pull requests for few points, and the truth about what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from apps.integrations.github.completion import PAGES_PER_QUERY
from apps.integrations.github.errors import NotFound, PermissionMissing, QueryTooHeavy, RateLimited, RepositoryGone
from apps.integrations.github.pull_requests import ALL_PARTS, fetch_by_ids, fetch_checks, fetch_page
from apps.integrations.github.tests import builders
from apps.integrations.github.tests.world import World, graphql_over
from apps.integrations.github.transport import Response
from apps.integrations.github.types import NO_DIFF, Lost, PullRequestPage

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


def asked_for(document: str) -> str:
    """What a composed document asks for, without its fragments; nothing for the operations in files."""
    return document.partition(" fragment ")[0] if document.startswith("query Completion") else ""


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


def test_a_part_that_failed_beside_the_others_is_asked_for_once_more_by_itself():
    world = world_of(PARTS)
    world.errors = lambda path, parent: (
        {"type": "UNKNOWN", "message": "Loading failed"} if path[-1] == "files" and world.requests == 1 else None
    )
    page = page_of(world)
    assert (sizes(page.nodes[0]), page.partial) == (PARTS, {})


def test_a_failed_connection_is_partial_and_never_empty():
    world = world_of({"reviews": 2, "files": 2}, {"reviews": 3, "files": 3})
    world.errors = lambda path, parent: (
        {"type": "INTERNAL_ISH", "message": "Loading failed"} if path[-1] == "files" and parent["number"] == 2 else None
    )
    page = page_of(world)
    whole, short = sorted(page.nodes, key=lambda node: node["number"])
    assert (len(whole["files"]["nodes"]), whole["partial"]) == (2, {})
    assert (short["files"], len(short["reviews"]["nodes"])) == (None, 3)
    assert page.partial == {2: {"files": "Loading failed"}}


def test_a_missing_permission_is_named_and_the_rest_is_kept():
    world = world_of({"contexts": 1, "reviews": 1})
    world.errors = lambda path, parent: (
        {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
        if path[-1] == "statusCheckRollup"
        else None
    )
    page = page_of(world)
    assert page.permissions_missing == {"checks": "checks"}
    assert page.partial == {1: {"checks": "permission missing: checks"}}
    assert page.requests == 1
    assert len(page.nodes[0]["reviews"]["nodes"]) == 1


def test_a_head_without_checks_has_none_and_is_complete():
    [node] = page_of(world_of({"contexts": 0})).nodes
    assert node["statusCheckRollup"]["contexts"]["nodes"] == []
    assert node["partial"] == {}


def test_files_that_are_null_without_an_error_are_a_diff_that_github_could_not_compute():
    world = world_of({"changedFiles": 0})
    world.objects["PR_1"]["files"] = None
    [node] = page_of(world).nodes
    assert node["files"] is None
    assert node["partial"] == {"files": NO_DIFF}
    [node] = page_of(world, alone={"files"}).nodes
    assert (node["files"], node["partial"]) == (None, {"files": NO_DIFF})


def test_what_github_holds_back_is_capped_and_not_partial():
    world = world_of({"commits": 250, "stated": {"commits": 1639}, "files": 2, "changedFiles": 3001})
    [node] = page_of(world).nodes
    assert len(node["commits"]["nodes"]) == 250
    assert node["capped"] == {"commits": "GitHub yields 250 of 1,639", "files": "GitHub yields 2 of 3,001"}
    assert node["partial"] == {}


def test_hidden_comments_of_a_thread_are_capped():
    world = world_of({"reviewThreads": [builders.thread(stated={"comments": 3})]})
    [node] = page_of(world).nodes
    assert node["capped"] == {"review_comments": "GitHub yields 1 of 3"}


def test_a_batch_that_is_too_heavy_is_halved_until_it_passes():
    world = world_of({"reviewThreads": 100})
    world.refuse = lambda document, variables: (
        TOO_HEAVY if any(len(ids) > 30 for ids in variables.values() if isinstance(ids, list) and ids) else None
    )
    page = page_of(world)
    assert sizes(page.nodes[0])["reviewThreads"] == 100
    assert page.partial == {}
    assert world.requests == 1 + 2 + 4  # the page; 100 and 50 refused; four of 25


def test_a_part_that_is_too_heavy_even_alone_makes_the_pull_request_partial():
    world = world_of({"commits": 150, "reviews": 150})
    world.refuse = lambda document, variables: TOO_HEAVY if "commits(first: 100, after" in document else None
    [node] = page_of(world).nodes
    assert len(node["reviews"]["nodes"]) == 150
    assert len(node["commits"]["nodes"]) == 100
    assert node["partial"] == {"commits": "GitHub answered 502"}


def test_parts_can_be_fetched_apart_from_a_page_that_is_too_heavy():
    world = world_of(PARTS)
    page = page_of(world, page_size=1, alone={"files", "checks", "commits", "events"})
    assert sizes(page.nodes[0]) == PARTS
    assert page.partial == {}


def test_a_part_that_fails_when_it_is_fetched_apart_is_none():
    world = world_of(PARTS)
    world.refuse = lambda document, variables: (
        TOO_HEAVY if "query Completion" in document and "files(" in document else None
    )
    [node] = page_of(world, alone={"files"}).nodes
    assert node["files"] is None
    assert node["partial"] == {"files": "GitHub answered 502"}
    assert sizes(node)["reviewThreads"] == 2


def test_a_part_that_is_skipped_is_not_asked_for():
    asked = []
    world = world_of(PARTS)
    world.refuse = lambda document, variables: asked.append(variables)
    [node] = page_of(world, skip={"checks": "permission missing: checks"}).nodes
    assert asked[0]["checks"] is False
    assert node["statusCheckRollup"] is None
    assert node["partial"] == {"checks": "permission missing: checks"}


def test_without_threads_there_are_no_review_comments_either():
    [node] = page_of(world_of(PARTS), skip={"threads": "off"}).nodes
    assert node["partial"] == {"threads": "off", "review_comments": "off"}


def test_a_thread_that_cannot_be_read_is_left_out_and_said():
    world = world_of({"reviewThreads": 3})
    lost = world.objects["PR_1"]["reviewThreads"][1]["id"]
    world.errors = lambda path, parent: (
        {"type": "NOT_FOUND", "message": "Could not resolve"} if len(path) == 2 and parent.get("id") == lost else None
    )
    [node] = page_of(world).nodes
    assert len(node["reviewThreads"]["nodes"]) == 2
    assert node["partial"] == {"review_comments": "Could not resolve", "threads": "Could not resolve"}


def test_a_pull_request_that_comes_as_null_is_fetched_part_by_part():
    world = world_of(PARTS, PARTS)
    world.errors = lambda path, parent: (
        {"type": "UNKNOWN", "message": "Could not load"}
        if parent.get("number") == 2 and len(path) == 4 and world.requests == 1
        else None
    )
    page = page_of(world)
    assert {node["number"]: sizes(node) for node in page.nodes} == {1: PARTS, 2: PARTS}
    assert page.unreadable == ()


@pytest.mark.parametrize(
    ("answers", "known"),
    [(2, Lost("Could not load", 2, "PR_2")), (3, Lost("Could not load"))],
    ids=["named", "unnamed"],
)
def test_a_pull_request_that_stays_null_is_unreadable_and_named_if_that_can_be_had(answers, known):
    world = world_of(PARTS, {})
    world.errors = lambda path, parent: (
        {"type": "UNKNOWN", "message": "Could not load"}
        if parent.get("number") == 2 and len(path) == 4 and world.requests <= answers
        else None
    )
    page = page_of(world)
    assert [node["number"] for node in page.nodes] == [1]
    assert page.unreadable == (known,)


def test_an_entry_that_comes_as_null_makes_its_part_partial():
    world = world_of({"reviews": 2})
    world.objects["PR_1"]["reviews"][0] = None
    [node] = page_of(world).nodes
    assert len(node["reviews"]["nodes"]) == 1
    assert node["partial"] == {"reviews": "some entries could not be read"}


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


def test_a_lookup_that_fails_as_a_whole_costs_only_what_is_gone():
    world = world_of({"reviewThreads": 4})
    gone = world.objects["PR_1"]["reviewThreads"][2]["id"]
    answer = {"data": None, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node", "path": ["f0"]}]}
    world.refuse = lambda document, variables: (
        Response(200, {}, orjson.dumps(answer)) if gone in variables.get("f0", ()) else None
    )
    [node] = page_of(world).nodes
    assert len(node["reviewThreads"]["nodes"]) == 3
    assert set(node["partial"]) == {"threads", "review_comments"}


def test_a_repository_that_is_null_without_a_word_is_gone_too():
    with pytest.raises(RepositoryGone, match="o/r"):
        page_of(World(root={"repository": None}))


def test_a_page_that_is_null_without_a_word_is_not_taken_for_empty():
    world = world_of({})
    world.root["repository"]["pullRequests"] = None
    with pytest.raises(QueryTooHeavy):
        page_of(world)


def test_a_pull_request_without_a_database_id_is_told_and_the_others_kept():
    world = world_of({}, {}, {})
    world.objects["PR_2"]["fullDatabaseId"] = None
    page = page_of(world)
    assert sorted(node["number"] for node in page.nodes) == [1, 3]
    assert page.unreadable == (Lost("GitHub returned nothing for this pull request", 2, "PR_2"),)
    by_ids = fetch_by_ids(world.client(), ["PR_1", "PR_2"])
    assert [node["number"] for node in by_ids.nodes] == [1]
    assert (by_ids.gone, [lost.id for lost in by_ids.unreadable]) == ((), ["PR_2"])


def test_what_has_no_database_id_makes_its_part_partial_and_nothing_else():
    nameless = {"fullDatabaseId": None}
    said = builders.thread()
    said["comments"].append(builders.review_comment(**nameless))
    world = world_of(
        {
            "reviews": [builders.review(), builders.review(**nameless)],
            "comments": [builders.comment(), builders.comment(**nameless)],
            "reviewThreads": [said],
            "contexts": [builders.check_run(), builders.check_run(databaseId=None)],
            "commits": 2,
        }
    )
    [node] = page_of(world).nodes
    assert node["partial"] == dict.fromkeys(
        ("reviews", "issue_comments", "review_comments", "checks"), "some entries could not be read"
    )
    found = sizes(node)
    assert (found["reviews"], found["comments"], found["contexts"], found["commits"]) == (1, 1, 1, 2)

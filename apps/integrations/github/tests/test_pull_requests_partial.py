"""The truth about what is missing of a pull request: nothing that failed is taken for empty."""

from __future__ import annotations

import orjson
import pytest

from apps.integrations.github.tests import builders
from apps.integrations.github.tests.repository_world import PARTS, TOO_HEAVY, page_of, sizes, world_of
from apps.integrations.github.transport import Response
from apps.integrations.github.types import NO_DIFF, Lost


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


def test_a_part_that_is_too_heavy_even_alone_makes_the_pull_request_partial():
    world = world_of({"commits": 150, "reviews": 150})
    world.refuse = lambda document, variables: TOO_HEAVY if "commits(first: 100, after" in document else None
    [node] = page_of(world).nodes
    assert len(node["reviews"]["nodes"]) == 150
    assert len(node["commits"]["nodes"]) == 100
    assert node["partial"] == {"commits": "GitHub answered 502"}


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

"""Recorded pull requests come out as they were recorded; their own counters are the oracle."""

from __future__ import annotations

from pathlib import Path

import orjson

from devtools.github_sandbox.recorded import load_recorded
from devtools.github_sandbox.server import SandboxServer
from devtools.github_sandbox.tests.conftest import Client
from devtools.github_sandbox.world import Contents, World


def gui_contents(server: SandboxServer) -> Contents:
    repository = server.world.repository("bitcoin-core/gui")
    assert repository is not None
    return repository.contents


def test_it_has_what_the_record_states(recorded: SandboxServer) -> None:
    contents = gui_contents(recorded)
    pulls = contents.pulls.values()
    assert len(pulls) == 537
    assert sum(pull.state == "MERGED" for pull in pulls) == 332
    assert sum(pull.state == "OPEN" for pull in pulls) == 21
    assert sum(pull.is_draft for pull in pulls) == 41
    assert len(contents.issues) == 341
    assert sum(len(pull.reviews) for pull in pulls) == 1_788
    assert sum(len(pull.review_comments()) for pull in pulls) == 2_308
    assert sum(review.author is None for pull in pulls for review in pull.reviews) == 15


def test_comments_agree_with_every_counter(recorded: SandboxServer) -> None:
    pulls = gui_contents(recorded).pulls.values()
    assert [pull.number for pull in pulls if len(pull.comments) != pull.stated["comments"]] == []


def test_commits_agree_but_for_the_one_that_the_api_caps(recorded: SandboxServer) -> None:
    pulls = gui_contents(recorded).pulls.values()
    assert [pull.number for pull in pulls if len(pull.commits) != pull.stated["commits"]] == [178]


def test_review_comments_agree_but_for_eleven_that_lost_some(recorded: SandboxServer) -> None:
    pulls = gui_contents(recorded).pulls.values()
    lost = [pull.stated["review_comments"] - len(pull.review_comments()) for pull in pulls]
    assert sorted(number for number in lost if number)[0] >= 1
    assert sum(number != 0 for number in lost) == 11
    assert max(lost) <= 7


def test_files_agree_with_sizes(recorded: SandboxServer) -> None:
    for pull in gui_contents(recorded).pulls.values():
        assert pull.files is not None
        assert len(pull.files) == pull.changed_files
        assert sum(file.additions for file in pull.files) == pull.additions
        assert sum(file.deletions for file in pull.files) == pull.deletions


def test_a_capped_pull_request_states_all_its_commits_and_yields_250(gui: Client) -> None:
    query = """query($after: String) { repository(owner: "bitcoin-core", name: "gui") { pullRequest(number: 178) {
        commits(first: 100, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { commit { oid } } } } } }"""
    oids: set[str] = set()
    after = None
    while True:
        page = gui.data(query, after=after)["repository"]["pullRequest"]["commits"]
        oids |= {node["commit"]["oid"] for node in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert page["totalCount"] == 1_639
    assert len(oids) == 250
    assert gui.get("/repos/bitcoin-core/gui/pulls/178").json()["commits"] == 1_639


def test_the_dismissal_keeps_what_it_dismissed(gui: Client) -> None:
    """Worked by hand: #37, a request for changes of 2021-03-24, dismissed on 2023-06-04."""
    query = """{ repository(owner: "bitcoin-core", name: "gui") { pullRequest(number: 37) {
        reviews(first: 20, states: [DISMISSED]) { nodes { id submittedAt author { login } } }
        timelineItems(first: 10, itemTypes: [REVIEW_DISMISSED_EVENT]) { filteredCount nodes {
          ... on ReviewDismissedEvent { createdAt previousReviewState review { id } } } } } } }"""
    pull = gui.data(query)["repository"]["pullRequest"]
    (review,) = pull["reviews"]["nodes"]
    assert (review["author"]["login"], review["submittedAt"]) == ("hebasto", "2021-03-24T00:25:32Z")
    assert pull["timelineItems"]["nodes"] == [
        {
            "createdAt": "2023-06-04T12:55:37Z",
            "previousReviewState": "CHANGES_REQUESTED",
            "review": {"id": review["id"]},
        }
    ]


def test_threads_are_roots_with_their_replies(recorded: SandboxServer) -> None:
    for pull in gui_contents(recorded).pulls.values():
        for thread in pull.threads:
            assert thread.comments
            assert all(comment.reply_to in (None, thread.comments[0]) for comment in thread.comments)
            assert not thread.is_resolved


def test_issues_that_a_body_closes_are_linked(gui: Client) -> None:
    query = """{ repository(owner: "bitcoin-core", name: "gui") { pullRequests(first: 100) { nodes { body
        closingIssuesReferences(first: 5) { nodes { number } } } } } }"""
    nodes = gui.data(query)["repository"]["pullRequests"]["nodes"]
    linked = [node for node in nodes if node["closingIssuesReferences"]["nodes"]]
    assert linked
    for node in linked:
        for issue in node["closingIssuesReferences"]["nodes"]:
            assert f"#{issue['number']}" in node["body"]


def test_recorded_checks_belong_to_their_head(gui: Client) -> None:
    query = """{ repository(owner: "erwinmombay", name: "github-owners-bot-test-repo") { pullRequest(number: 35) {
        statusCheckRollup { state contexts(first: 10) { nodes {
          ... on CheckRun { name conclusion checkSuite { app { name } } } } } } } } }"""
    rollup = gui.data(query)["repository"]["pullRequest"]["statusCheckRollup"]
    assert rollup["state"] == "FAILURE"
    assert {node["checkSuite"]["app"]["name"] for node in rollup["contexts"]["nodes"]} == {"amp-owners-bot"}
    assert len(rollup["contexts"]["nodes"]) == 2


def test_a_folder_with_nothing_but_pull_requests_is_enough(tmp_path: Path) -> None:
    folder = tmp_path / "acme" / "tiny"
    folder.mkdir(parents=True)
    user = {"login": "ann", "id": 1, "node_id": "U_1", "type": "User"}
    repository = {"id": 5, "node_id": "R_5", "name": "tiny", "owner": user, "default_branch": "trunk"}
    pull = {
        "id": 2**40,
        "node_id": "PR_1",
        "number": 1,
        "state": "closed",
        "title": "Tiny",
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-02T00:00:00Z",
        "merged_at": "2024-01-02T00:00:00Z",
        "head": {"ref": "a", "sha": "1" * 40, "repo": None},
        "base": {"ref": "trunk", "sha": "2" * 40},
    }
    (folder / "repo.json").write_bytes(orjson.dumps(repository))
    (folder / "pulls.jsonl").write_bytes(orjson.dumps(pull) + b"\n")
    world = World()
    (loaded,) = load_recorded(world, tmp_path)
    found = loaded.contents.pulls[1]
    assert (found.state, found.author, found.head_repository) == ("MERGED", None, None)
    assert world.node("PR_1") is found

"""One part of one pull request over REST."""

from __future__ import annotations

import pytest

from apps.integrations.github import parts
from apps.integrations.github.errors import NotFound


def test_it_reads_every_page_of_a_part(server, rest):
    for path, read in (
        ("pulls/7/files", parts.files),
        ("pulls/7/reviews", parts.reviews),
        ("pulls/7/comments", parts.review_comments),
        ("issues/7/comments", parts.issue_comments),
    ):
        following = f"{server.url}/repos/o/r/{path}?page=2"
        server.routes[f"GET /repos/o/r/{path}"] = [
            (200, {"Link": f'<{following}>; rel="next"'}, [{"id": 1}]),
            (200, {}, [{"id": 2}]),
        ]
        assert read(rest, "o/r", 7) == [{"id": 1}, {"id": 2}]


def test_commits_come_with_the_sizes_that_github_still_knows(server, rest):
    server.on("GET /repos/o/r/pulls/7/commits", [{"sha": "a"}, {"sha": "b"}])
    server.on("GET /repos/o/r/commits/a", {"sha": "a", "stats": {"additions": 1}})
    assert parts.commits(rest, "o/r", 7) == [{"sha": "a", "stats": {"additions": 1}}, {"sha": "b"}]
    assert rest.requests == 3
    assert parts.commits(rest, "o/r", 7, sizes=False) == [{"sha": "a"}, {"sha": "b"}]
    assert rest.requests == 4


def test_checks_are_runs_and_statuses(server, rest):
    server.on("GET /repos/o/r/commits/a/check-runs", {"total_count": 1, "check_runs": [{"id": 1}]})
    server.on("GET /repos/o/r/commits/a/status", {"state": "success", "statuses": [{"context": "ci"}]})
    assert parts.checks(rest, "o/r", "a") == parts.CheckAnswers([{"id": 1}], [{"context": "ci"}])
    assert server.asked[0].parameters["filter"] == "latest"
    parts.checks(rest, "o/r", "a", every_attempt=True)
    assert server.asked[2].parameters["filter"] == "all"


def test_a_pull_request_that_is_gone_is_said(server, rest):
    server.on("GET /repos/o/r/pulls/7", {"number": 7})
    assert parts.pull_request(rest, "o/r", 7) == {"number": 7}
    with pytest.raises(NotFound):
        parts.pull_request(rest, "o/r", 8)

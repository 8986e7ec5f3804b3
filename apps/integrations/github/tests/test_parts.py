"""One part of one pull request over REST."""

from __future__ import annotations

import pytest

from apps.integrations.github import parts
from apps.integrations.github.errors import NotFound, QueryRejected


def test_it_reads_every_page_of_a_part(server, rest):
    for path, read in (
        ("pulls/7/files", parts.files),
        ("pulls/7/reviews", parts.reviews),
        ("pulls/7/comments", parts.review_comments),
        ("pulls/7/commits", parts.commits),
        ("issues/7/comments", parts.issue_comments),
        ("issues/7/events", parts.events),
    ):
        following = f"{server.url}/repos/o/r/{path}?page=2"
        server.routes[f"GET /repos/o/r/{path}"] = [
            (200, {"Link": f'<{following}>; rel="next"'}, [{"id": 1}]),
            (200, {}, [{"id": 2}]),
        ]
        assert list(read(rest, "o/r", 7)) == [{"id": 1}, {"id": 2}]


def test_what_came_before_a_failed_page_is_not_lost(server, rest):
    following = f"{server.url}/repos/o/r/pulls/7/files?page=2"
    server.routes["GET /repos/o/r/pulls/7/files"] = [
        (200, {"Link": f'<{following}>; rel="next"'}, [{"id": 1}]),
        (422, {}, {"message": "no"}),
    ]
    entries = parts.files(rest, "o/r", 7)
    assert next(entries) == {"id": 1}
    with pytest.raises(QueryRejected):
        next(entries)


def test_the_sizes_of_a_commit_are_those_that_github_still_knows(server, rest):
    stats = {"additions": 1, "deletions": 0}
    last = f'<{server.url}/repositories/1/commits/a?per_page=1&page=2>; rel="next", '
    last += f'<{server.url}/repositories/1/commits/a?per_page=1&page=41>; rel="last"'
    server.on("GET /repos/o/r/commits/a", {"sha": "a", "stats": stats, "files": [{}]}, Link=last)
    server.on("GET /repos/o/r/commits/b", {"sha": "b", "stats": stats, "files": [{}, {}]})
    server.on("GET /repos/o/r/commits/c", {"sha": "c", "stats": stats, "files": [{}, {}]}, Link=last)
    assert parts.commit_sizes(rest, "o/r", "a") == {"stats": stats, "changed_files": 41}
    assert server.asked[0].parameters["per_page"] == "1"
    assert parts.commit_sizes(rest, "o/r", "b") == {"stats": stats, "changed_files": 2}
    assert parts.commit_sizes(rest, "o/r", "c") == {"stats": stats, "changed_files": None}  # pages of 300: unknown
    assert parts.commit_sizes(rest, "o/r", "lost") == {}


def test_checks_are_runs_and_statuses(server, rest):
    server.on("GET /repos/o/r/commits/a/check-runs", {"total_count": 1, "check_runs": [{"id": 1}]})
    server.on("GET /repos/o/r/commits/a/status", {"state": "success", "statuses": [{"context": "ci"}]})
    assert list(parts.check_runs(rest, "o/r", "a")) == [{"id": 1}]
    assert list(parts.statuses(rest, "o/r", "a")) == [{"context": "ci"}]
    assert server.asked[0].parameters["filter"] == "latest"


def test_a_pull_request_that_is_gone_is_said(server, rest):
    server.on("GET /repos/o/r/pulls/7", {"number": 7})
    assert parts.pull_request(rest, "o/r", 7) == {"number": 7}
    with pytest.raises(NotFound):
        parts.pull_request(rest, "o/r", 8)

"""One part of one pull request over REST: for what GraphQL could not give, and for single refreshes.

Each call costs a request for every 100 entries. The answers are in REST's shape; `mapping.rest` knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.integrations.github.errors import NotFound, QueryRejected
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Raw


@dataclass(frozen=True, slots=True)
class CheckAnswers:
    """What machines said of a commit: its check runs, and the latest status of each context."""

    runs: list[Raw]
    statuses: list[Raw]


def pull_request(rest: Rest, full_name: str, number: int) -> Raw:
    """https://docs.github.com/rest/pulls/pulls#get-a-pull-request"""
    found: Raw = rest.get(f"/repos/{full_name}/pulls/{number}")
    return found


def commits(rest: Rest, full_name: str, number: int, *, sizes: bool = True) -> list[Raw]:
    """The first 250 commits, which is all that GitHub gives. `sizes` asks for each commit's own: a request apiece.

    https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
    """
    found = _all(rest, f"/repos/{full_name}/pulls/{number}/commits")
    if not sizes:
        return found
    return [_with_sizes(rest, full_name, commit) for commit in found]


def files(rest: Rest, full_name: str, number: int) -> list[Raw]:
    """The first 3,000 files. https://docs.github.com/rest/pulls/pulls#list-pull-requests-files"""
    return _all(rest, f"/repos/{full_name}/pulls/{number}/files")


def reviews(rest: Rest, full_name: str, number: int) -> list[Raw]:
    """https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request"""
    return _all(rest, f"/repos/{full_name}/pulls/{number}/reviews")


def review_comments(rest: Rest, full_name: str, number: int) -> list[Raw]:
    """https://docs.github.com/rest/pulls/comments#list-review-comments-on-a-pull-request"""
    return _all(rest, f"/repos/{full_name}/pulls/{number}/comments")


def issue_comments(rest: Rest, full_name: str, number: int) -> list[Raw]:
    """https://docs.github.com/rest/issues/comments#list-issue-comments"""
    return _all(rest, f"/repos/{full_name}/issues/{number}/comments")


def checks(rest: Rest, full_name: str, sha: str, *, every_attempt: bool = False) -> CheckAnswers:
    """The latest attempt of each check run (or every one), and the combined status.

    https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference
    """
    attempts = "all" if every_attempt else "latest"
    runs = _all(rest, f"/repos/{full_name}/commits/{sha}/check-runs", items="check_runs", filter=attempts)
    return CheckAnswers(runs, _all(rest, f"/repos/{full_name}/commits/{sha}/status", items="statuses"))


def _all(rest: Rest, path: str, *, items: str = "", **parameters: Any) -> list[Raw]:
    return [entry for page in rest.pages(path, items=items, **parameters) for entry in page]


def _with_sizes(rest: Rest, full_name: str, commit: Raw) -> Raw:
    """The commit with its `stats` and `files`; as it is where GitHub has lost it or cannot compare it."""
    try:
        found: Raw = rest.get(f"/repos/{full_name}/commits/{commit['sha']}", per_page=1)
    except (NotFound, QueryRejected):
        return commit
    return {**commit, "stats": found.get("stats")}

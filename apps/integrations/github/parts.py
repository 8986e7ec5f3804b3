"""One part of one pull request over REST: for what GraphQL could not give, and for single refreshes.

Each is a generator that asks for 100 entries at a time: whoever reads on gets the next page, or the named error in its
place, and keeps what came before. The answers are in REST's shape; `mapping.rest` knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from apps.integrations.github.errors import NotFound, QueryRejected
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Raw

MOST_COMMITS = 250
"""GitHub lists no more of a pull request's commits over REST."""

FILES_OF_A_COMMIT = 3_000
"""GitHub lists no more files of one commit, so that this many may be more."""

LAST_PAGE = re.compile(r'<[^>]*[?&]page=(\d+)[^>]*>;\s*rel="last"')


def pull_request(rest: Rest, full_name: str, number: int) -> Raw:
    """https://docs.github.com/rest/pulls/pulls#get-a-pull-request"""
    found: Raw = rest.get(f"/repos/{full_name}/pulls/{number}")
    return found


def commits(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """The first 250 commits, which is all that GitHub gives, without their sizes.

    https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
    """
    return _entries(rest, f"/repos/{full_name}/pulls/{number}/commits")


def commit_sizes(rest: Rest, full_name: str, sha: str) -> Raw:
    """A commit's `stats` and (a key of ours) `changed_files`; empty where GitHub has lost it or cannot compare it.

    One file is asked for, so that the number of the last page is how many there are.
    https://docs.github.com/rest/commits/commits#get-a-commit
    """
    try:
        headers, found = rest.send("GET", f"/repos/{full_name}/commits/{sha}", parameters={"per_page": 1})
    except (NotFound, QueryRejected):
        return {}
    return {"stats": found.get("stats"), "changed_files": _file_count(headers, found.get("files"))}


def files(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """The first 3,000 files. https://docs.github.com/rest/pulls/pulls#list-pull-requests-files"""
    return _entries(rest, f"/repos/{full_name}/pulls/{number}/files")


def reviews(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request"""
    return _entries(rest, f"/repos/{full_name}/pulls/{number}/reviews")


def review_comments(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """https://docs.github.com/rest/pulls/comments#list-review-comments-on-a-pull-request"""
    return _entries(rest, f"/repos/{full_name}/pulls/{number}/comments")


def issue_comments(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """https://docs.github.com/rest/issues/comments#list-issue-comments"""
    return _entries(rest, f"/repos/{full_name}/issues/{number}/comments")


def events(rest: Rest, full_name: str, number: int) -> Iterator[Raw]:
    """The turns of its life. The timeline would bring every comment and commit again, and lacks changes of the base.

    https://docs.github.com/rest/issues/events#list-issue-events
    https://docs.github.com/rest/using-the-rest-api/issue-event-types
    """
    return _entries(rest, f"/repos/{full_name}/issues/{number}/events")


def check_runs(rest: Rest, full_name: str, sha: str) -> Iterator[Raw]:
    """The latest attempt of each check run.

    https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference
    """
    return _entries(rest, f"/repos/{full_name}/commits/{sha}/check-runs", items="check_runs", filter="latest")


def statuses(rest: Rest, full_name: str, sha: str) -> Iterator[Raw]:
    """The latest status of each context.

    https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference
    """
    return _entries(rest, f"/repos/{full_name}/commits/{sha}/status", items="statuses")


def _entries(rest: Rest, path: str, *, items: str = "", **parameters: Any) -> Iterator[Raw]:
    for page in rest.pages(path, items=items, **parameters):
        yield from page


def _file_count(headers: Mapping[str, str], listed: list[Raw] | None) -> int | None:
    """How many files a commit changed, None where the answer does not tell."""
    if listed is None:
        return None
    last = LAST_PAGE.search(headers.get("link", ""))
    if last is None:
        return len(listed)
    return int(last.group(1)) if len(listed) == 1 and int(last.group(1)) < FILES_OF_A_COMMIT else None

"""Objects of the world: pull requests as large as asked for, with everything that GitHub would answer."""

from __future__ import annotations

from itertools import count
from typing import Any

from apps.integrations.github.tests.world import World

_ids = count(3_000_000_000)
SHA = "0123456789abcdef0123456789abcdef01234567"


def user(login: str = "octocat", number: int = 583231, **more: Any) -> dict[str, Any]:
    return {
        "__typename": "User",
        "id": f"U_{login}",
        "databaseId": number,
        "login": login,
        "name": login.title(),
        "avatarUrl": f"https://avatars.example/{login}",
    } | more


def review(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "PullRequestReview",
        "id": f"PRR_{number}",
        "fullDatabaseId": str(number),
        "state": "APPROVED",
        "submittedAt": "2026-11-02T10:00:00Z",
        "createdAt": "2026-11-02T09:00:00Z",
        "updatedAt": "2026-11-02T10:00:00Z",
        "body": "Looks good",
        "author": user("reviewer", 7),
        "commit": {"oid": SHA},
    } | more


def comment(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "IssueComment",
        "id": f"IC_{number}",
        "fullDatabaseId": str(number),
        "body": "Hm",
        "createdAt": "2026-11-02T10:00:00Z",
        "updatedAt": "2026-11-02T10:00:00Z",
        "author": user(),
    } | more


def review_comment(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "PullRequestReviewComment",
        "id": f"PRRC_{number}",
        "fullDatabaseId": str(number),
        "state": "SUBMITTED",
        "body": "Why?",
        "path": "a.py",
        "line": 3,
        "createdAt": "2026-11-02T10:00:00Z",
        "updatedAt": "2026-11-02T10:00:00Z",
        "author": user(),
        "replyTo": None,
        "pullRequestReview": {"fullDatabaseId": "42"},
    } | more


def thread(comments: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "__typename": "PullRequestReviewThread",
        "id": f"PRRT_{next(_ids)}",
        "isResolved": True,
        "isOutdated": False,
        "path": "a.py",
        "line": 3,
        "resolvedBy": user(),
        "comments": [review_comment() for _ in range(comments)],
    } | more


def commit(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "PullRequestCommit",
        "id": f"PRC_{number}",
        "commit": {
            "oid": f"{number:040x}",
            "message": "Change",
            "authoredDate": "2026-11-01T10:00:00Z",
            "committedDate": "2026-11-01T10:00:01Z",
            "additions": 1,
            "deletions": 0,
            "changedFilesIfAvailable": 1,
            "author": {"name": "Octo", "email": "octo@example.com", "user": user()},
            "committer": {"user": None},
        }
        | more,
    }


def file(**more: Any) -> dict[str, Any]:
    return {
        "__typename": "PullRequestChangedFile",
        "path": f"src/{next(_ids)}.py",
        "additions": 1,
        "deletions": 0,
        "changeType": "MODIFIED",
    } | more


def event(kind: str = "ReadyForReviewEvent", **more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": kind,
        "id": f"EV_{number}",
        "createdAt": f"2026-11-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "actor": user(),
    } | more


def check_run(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "CheckRun",
        "id": f"CR_{number}",
        "databaseId": number,
        "name": "tests",
        "status": "COMPLETED",
        "conclusion": "SUCCESS",
        "startedAt": "2026-11-01T10:00:00Z",
        "completedAt": "2026-11-01T10:05:00Z",
        "detailsUrl": "https://ci.example/1",
        "checkSuite": {"app": {"slug": "github-actions"}, "workflowRun": {"workflow": {"name": "CI"}}},
    } | more


def label(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {"__typename": "Label", "id": f"LA_{number}", "name": f"label {number}", "color": "ff0000"} | more


def issue(**more: Any) -> dict[str, Any]:
    number = next(_ids)
    return {
        "__typename": "Issue",
        "id": f"I_{number}",
        "number": number,
        "title": "Broken",
        "url": "https://github.com/o/r/issues/1",
        "repository": {"nameWithOwner": "o/r"},
    } | more


def pull_request(world: World, number: int, **parts: Any) -> dict[str, Any]:
    """A merged pull request; each part is a number of objects or a list of them, by the name of its field."""
    makers: dict[str, Any] = {
        "labels": label,
        "assignees": lambda: user(f"u{next(_ids)}", next(_ids)),
        "closingIssuesReferences": issue,
        "reviews": review,
        "reviewThreads": thread,
        "comments": comment,
        "commits": commit,
        "files": file,
        "timelineItems": event,
        "contexts": check_run,
    }
    made = {
        name: parts.pop(name, 0) if isinstance(parts.get(name), list) else [make() for _ in range(parts.pop(name, 0))]
        for name, make in makers.items()
    }
    for item in made["reviewThreads"]:
        world.add(item)
    contexts = made.pop("contexts")
    return world.add(
        {
            "__typename": "PullRequest",
            "id": f"PR_{number}",
            "fullDatabaseId": str(9_000_000_000 + number),
            "number": number,
            "title": "Add a thing",
            "body": "Because",
            "url": f"https://github.com/o/r/pull/{number}",
            "state": "MERGED",
            "isDraft": False,
            "createdAt": f"2026-10-{1 + number % 28:02}T{number // 28 % 24:02}:{number // 672 % 60:02}:00Z",
            "updatedAt": f"2026-11-{1 + number % 28:02}T{number // 28 % 24:02}:{number // 672 % 60:02}:00Z",
            "closedAt": "2026-11-03T10:00:00Z",
            "mergedAt": "2026-11-03T10:00:00Z",
            "additions": 10,
            "deletions": 2,
            "changedFiles": len(made["files"]),
            "baseRefName": "main",
            "headRefName": "topic",
            "headRefOid": SHA,
            "isCrossRepository": False,
            "headRepository": {"nameWithOwner": "o/r"},
            "author": user(),
            "mergedBy": user("merger", 8),
            "mergeCommit": {"oid": SHA},
            "milestone": None,
            "statusCheckRollup": {"contexts": contexts} if contexts else None,
        }
        | made
        | parts
    )


def repository(world: World, pull_requests: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The repository o/r, which every lookup by name finds."""
    found = {
        "__typename": "Repository",
        "id": "R_1",
        "databaseId": 1_296_269,
        "nameWithOwner": "o/r",
        "isPrivate": False,
        "isArchived": False,
        "isFork": False,
        "isDisabled": False,
        "pushedAt": "2026-11-19T10:00:00Z",
        "defaultBranchRef": {"name": "main"},
        "pullRequests": pull_requests,
        "deployments": [],
    } | more
    world.root["repository"] = world.add(found)
    return found

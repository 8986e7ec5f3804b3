"""https://docs.github.com/rest/repos · https://docs.github.com/rest/issues · https://docs.github.com/rest/search"""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Issue, PullRequest
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found
from devtools.github_sandbox.search import search_issues

SEARCH_CAP = 1_000


def show(call: RestCall, owner: str, name: str) -> RestAnswer:
    return RestAnswer(call.shapes.repository(call.repository(f"{owner}/{name}"), call.session))


def labels(call: RestCall, owner: str, name: str) -> RestAnswer:
    rows = list(call.repository(f"{owner}/{name}").contents.labels.values())
    return call.pages(rows, call.shapes.label)


def milestones(call: RestCall, owner: str, name: str) -> RestAnswer:
    rows = list(call.repository(f"{owner}/{name}").contents.milestones.values())
    state = call.query.get("state", "open")
    return call.pages([each for each in rows if state in ("all", each.state.lower())], call.shapes.milestone)


def issue(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    """A pull request is an issue too, in the issue's shape."""
    contents = call.repository(f"{owner}/{name}").contents
    if number in contents.issues:
        return RestAnswer(call.shapes.issue(contents.issues[number]))
    if number not in contents.pulls:
        raise not_found()
    return RestAnswer(as_issue(call, contents.pulls[number]))


def as_issue(call: RestCall, pull: PullRequest) -> dict[str, Any]:
    data = call.shapes.full_pull(pull, call.session)
    kept: tuple[str, ...] = (
        "id",
        "node_id",
        "html_url",
        "number",
        "state",
        "locked",
        "title",
        "user",
        "body",
        "labels",
        "milestone",
    )
    kept += (
        "created_at",
        "updated_at",
        "closed_at",
        "assignee",
        "assignees",
        "author_association",
        "comments",
        "draft",
    )
    links = {key: data[key] for key in ("url", "html_url", "diff_url", "patch_url", "merged_at")}
    return {key: data[key] for key in kept} | {"url": data["issue_url"], "pull_request": links}


def search(call: RestCall) -> RestAnswer:
    query = call.query.get("q")
    if not query:
        raise RestError(422, "Validation Failed", errors=[{"resource": "Search", "field": "q", "code": "missing"}])
    found = search_issues(call.world, call.session, query)
    page, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 30)), 100)
    if (page - 1) * size >= SEARCH_CAP:
        raise RestError(422, "Only the first 1000 search results are available")
    answer = call.pages(found[:SEARCH_CAP], lambda item: _item(call, item), "items")
    answer.data |= {"total_count": len(found), "incomplete_results": False}
    return answer


def _item(call: RestCall, item: PullRequest | Issue) -> dict[str, Any]:
    return call.shapes.issue(item) if isinstance(item, Issue) else as_issue(call, item)

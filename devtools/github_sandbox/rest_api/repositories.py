"""https://docs.github.com/rest/repos · https://docs.github.com/rest/issues · https://docs.github.com/rest/search"""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Issue, PullRequest
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found
from devtools.github_sandbox.search import search_issues, whole

SEARCH_CAP = 1_000


def show(call: RestCall, owner: str, name: str) -> RestAnswer:
    data = call.shapes.repository(call.repository(f"{owner}/{name}"), call.session)
    return RestAnswer(data | {"network_count": 0, "subscribers_count": 0})


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
    return RestAnswer(call.shapes.as_issue(contents.pulls[number], call.session))


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
    item = whole(item)
    return call.shapes.issue(item) if isinstance(item, Issue) else call.shapes.as_issue(item, call.session)

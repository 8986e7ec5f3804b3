"""https://docs.github.com/rest/pulls · https://docs.github.com/rest/issues/timeline"""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Comment, Commit, Issue, PullRequest, Review, Team, TimelineEvent
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found

MAX_COMMITS = 250
MAX_FILES = 3_000
_STATES: dict[str, list[str] | None] = {"open": ["OPEN"], "closed": ["CLOSED", "MERGED"], "all": None}


def _pull(call: RestCall, owner: str, name: str, number: int) -> PullRequest:
    found = call.repository(f"{owner}/{name}").contents.pulls.get(number)
    if found is None:
        raise not_found()
    return found


def listing(call: RestCall, owner: str, name: str) -> RestAnswer:
    """`state`, `sort` (created, updated), `direction`, `head`, `base`; newest created first by default."""
    query = call.query
    sort = query.get("sort", "created")
    direction = query.get("direction") or ("desc" if sort == "created" else "asc")
    contents = call.repository(f"{owner}/{name}").contents
    rows = contents.sorted_pulls(
        "UPDATED_AT" if sort == "updated" else "CREATED_AT", _STATES.get(query.get("state", "open"), ["OPEN"])
    )
    if query.get("base"):
        rows = [pull for pull in rows if pull.base_ref_name == query["base"]]
    if query.get("head"):
        rows = [pull for pull in rows if query["head"].endswith(f":{pull.head_ref_name}")]
    rows = rows[::-1] if direction == "desc" else rows
    return call.pages(rows, lambda pull: call.shapes.pull(contents.whole([pull])[0], call.session))


def show(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return RestAnswer(call.shapes.full_pull(_pull(call, owner, name, number), call.session))


def reviews(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return call.pages(_visible_reviews(call, _pull(call, owner, name, number)), call.shapes.review)


def _visible_reviews(call: RestCall, pull: PullRequest) -> list[Review]:
    viewer = call.session.account
    return [review for review in pull.reviews if review.state != "PENDING" or review.author is viewer]


def review_comments(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return call.pages(_pull(call, owner, name, number).review_comments(), call.shapes.review_comment)


def all_review_comments(call: RestCall, owner: str, name: str) -> RestAnswer:
    pulls = call.repository(f"{owner}/{name}").contents.sorted_pulls("CREATED_AT")
    rows = [comment for pull in pulls for comment in pull.review_comments()]
    since = call.query.get("since", "")
    return call.pages([row for row in rows if row.updated_at >= since], call.shapes.review_comment)


def commits(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    return call.pages(_pull(call, owner, name, number).commits[:MAX_COMMITS], call.shapes.commit)


def files(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    pull = _pull(call, owner, name, number)
    if pull.files is None:
        raise RestError(422, "Sorry, there was a problem generating this diff. The repository may be missing data.")
    return call.pages(pull.files[:MAX_FILES], lambda file: call.shapes.file(file, pull))


def requested_reviewers(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    requested = _pull(call, owner, name, number).requested_reviewers
    return RestAnswer(
        {
            "users": call.shapes.users(requested),
            "teams": [call.shapes.team(each) for each in requested if isinstance(each, Team)],
        }
    )


def _conversation(call: RestCall, owner: str, name: str, number: int) -> PullRequest | Issue:
    contents = call.repository(f"{owner}/{name}").contents
    found = contents.pulls.get(number) or contents.issues.get(number)
    if found is None:
        raise not_found()
    return found


def issue_comments(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    since = call.query.get("since", "")
    rows = _conversation(call, owner, name, number).comments
    return call.pages([row for row in rows if row.updated_at >= since], call.shapes.issue_comment)


def events(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    found = _conversation(call, owner, name, number)
    return call.pages(found.events if isinstance(found, PullRequest) else [], call.shapes.event)


def timeline(call: RestCall, owner: str, name: str, number: int) -> RestAnswer:
    """Events, commits, comments and reviews in order of time, each with its `event`."""
    found = _conversation(call, owner, name, number)
    if isinstance(found, Issue):
        return call.pages(found.comments, lambda row: _timeline_item(call, row))
    rows: list[Any] = [*found.events, *found.commits, *found.comments, *_visible_reviews(call, found)]
    rows.sort(key=_moment)
    return call.pages(rows, lambda row: _timeline_item(call, row))


def _moment(row: Any) -> str:
    if isinstance(row, Commit):
        return row.committed_date
    return str((row.submitted_at or row.created_at) if isinstance(row, Review) else row.created_at)


def _timeline_item(call: RestCall, row: Any) -> dict[str, Any]:
    shapes = call.shapes
    if isinstance(row, TimelineEvent):
        return shapes.event(row)
    if isinstance(row, Comment):
        return {"event": "commented", "actor": shapes.user(row.author), **shapes.issue_comment(row)}
    if isinstance(row, Review):
        return {"event": "reviewed", **shapes.review(row), "state": row.state.lower()}
    data = shapes.commit(row)
    return {"event": "committed", "sha": row.oid, "node_id": row.id, "url": data["url"], **data["commit"]}

"""The timeline of a pull request: events, and the commits, comments, reviews and threads between them."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Account, Commit, PullRequest, TimelineEvent
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.documents import sandbox_schema
from devtools.github_sandbox.graphql_api.registry import RESOLVERS, Call, resolves, snake_case
from devtools.github_sandbox.graphql_api.resolvers.commits import commit_for
from devtools.github_sandbox.graphql_api.resolvers.pulls import PullCommit, pull_path
from devtools.github_sandbox.graphql_api.resolvers.reviews import visible_reviews
from devtools.github_sandbox.world import Repository

_UNION: Any = sandbox_schema().type_map["PullRequestTimelineItems"]
ITEM_TYPES = {snake_case(kind.name).strip("_").upper(): kind.name for kind in _UNION.types}
"""READY_FOR_REVIEW_EVENT → ReadyForReviewEvent."""
EVENTS = [name for name in ITEM_TYPES.values() if name.endswith("Event")]
_PARENTS = ("pullRequest", "createdAt", "actor", "id", "databaseId")


@resolves("PullRequest", "timelineItems")
def timeline_items(pull: PullRequest, call: Call) -> Page:
    """`filteredCount` counts what `itemTypes` and `since` leave, `totalCount` everything."""
    wanted = call.arguments.get("itemTypes")
    kinds = set(ITEM_TYPES.values()) if wanted is None else {ITEM_TYPES[each] for each in wanted if each in ITEM_TYPES}
    rows = items_of(pull, kinds, call)
    since = call.arguments.get("since")
    if since:
        rows = [row for row in rows if moment_of(row) >= since]
    page = page_of(rows[call.arguments.get("skip") or 0 :], call.arguments)
    page.more.update(pull=pull, filtered=len(rows), kinds=kinds)
    return page


def items_of(pull: PullRequest, kinds: set[str], call: Call) -> list[Any]:
    """The timeline's items of the types `kinds`, in order of time."""
    rows: list[Any] = [event for event in pull.events if event.typename in kinds]
    if kinds.issubset(EVENTS):
        return rows
    if "PullRequestCommit" in kinds:
        rows += [PullCommit(pull, commit) for commit in pull.commits]
    if "IssueComment" in kinds:
        rows += pull.comments
    if "PullRequestReview" in kinds:
        rows += visible_reviews(pull, call)
    if "PullRequestReviewThread" in kinds:
        rows += [thread for thread in pull.threads if thread.comments]
    return sorted(rows, key=moment_of)


def moment_of(item: Any) -> str:
    if item.typename == "PullRequestCommit":
        return str(item.commit.committed_date)
    if item.typename == "PullRequestReviewThread":
        return str(item.comments[0].created_at)
    return str(item.created_at)


@resolves("PullRequestTimelineItemsConnection", "filteredCount")
def filtered_count(page: Page, _call: Call) -> int:
    return int(page.more["filtered"])


@resolves("PullRequestTimelineItemsConnection", "pageCount")
def page_count(page: Page, _call: Call) -> int:
    return len(page.nodes)


@resolves("PullRequestTimelineItemsConnection", "totalCount")
def total_count(page: Page, call: Call) -> int:
    pull: PullRequest = page.more["pull"]
    inner = len(pull.commits) + len(pull.comments) + len(visible_reviews(pull, call)) + len(pull.threads)
    return inner + sum(event.typename in EVENTS for event in pull.events)


@resolves("PullRequestTimelineItemsConnection", "updatedAt")
def timeline_updated(page: Page, _call: Call) -> str:
    return str(page.more["pull"].updated_at)


def _detail(name: str) -> Any:
    def resolve(event: TimelineEvent, _call: Call) -> Any:
        return event.details.get(name)

    return resolve


def _commit(name: str) -> Any:
    def resolve(event: TimelineEvent, _call: Call) -> Commit | None:
        oid = event.details.get(name)
        return commit_for(event.pull_request.repository, oid, event.created_at) if oid else None

    return resolve


def event_url(event: TimelineEvent, call: Call) -> str:
    return f"{call.context.web_url}{event_path(event, call)}"


def event_path(event: TimelineEvent, call: Call) -> str:
    return f"{pull_path(event.pull_request, call)}#event-{event.database_id}"


def person(event: TimelineEvent, _call: Call) -> Account | None:
    return event.actor if event.actor is not None and event.actor.typename == "User" else None


def own_repository(event: TimelineEvent, _call: Call) -> Repository:
    return event.pull_request.repository


def never(_event: TimelineEvent, _call: Call) -> bool:
    return False


_SPECIAL: dict[str, Any] = {
    "url": event_url,
    "resourcePath": event_path,
    "enabler": person,
    "disabler": person,
    "enqueuer": person,
    "commit": _commit("commit_oid"),
    "beforeCommit": _commit("before_oid"),
    "afterCommit": _commit("after_oid"),
    "commitRepository": own_repository,
    "isCrossRepository": never,
    "isDirectReference": never,
}


def _register_events() -> None:
    """Every field of every event type: its own resolver, an attribute, or an entry of `details`."""
    for name in EVENTS:
        kind: Any = sandbox_schema().type_map[name]
        for field in kind.fields:
            if field not in _PARENTS:
                RESOLVERS.setdefault((name, field), _SPECIAL.get(field) or _detail(snake_case(field)))


_register_events()

"""Events of pull requests: their own, and those of what people say on them. Pure: payload in, records out.

https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from apps.integrations.github.types import Raw
from apps.integrations.processors.outcome import Reason
from apps.integrations.processors.told import Nothing, PullRequestTold, Told
from apps.integrations.services.mapping import rest
from apps.integrations.services.mapping.values import moment, text
from apps.metrics.records import PullRequestNews, PullRequestRecord, ThreadRecord

CARRIED_WHOLE = frozenset(
    {
        *("labeled", "unlabeled", "assigned", "unassigned", "milestoned", "demilestoned"),
        *("locked", "unlocked"),
    }
)
"""Actions that change nothing but what their payload carries: facts, labels, assignees, the milestone."""

OF_CODE = frozenset({"opened", "synchronize"})
CHANGED_CODE = "base"
CHANGED_LINKS = "body"
"""What an edit may have changed that changes more than itself: the diff, the issues that it closes."""

NODE_IDS = ("PR_", "MDExOlB1bGxSZXF1ZXN0")
"""How node ids of pull requests begin, the newer and the older kind."""


LARGEST_NUMBER = 2**31 - 1


def number(value: int) -> int:
    """A pull request's, which may be asked for before anything of it is stored."""
    if not isinstance(value, int) or not 0 < value <= LARGEST_NUMBER:
        raise ValueError("no pull request has such a number")
    return value


def pull_request(payload: Raw) -> Told:
    """`pull_request`, whatever the action: its own facts are always those of now."""
    core = rest.pull_request_record(payload["pull_request"])
    return _told(payload, _news(core), core.node_id, _reason(payload["action"], core, payload.get("changes") or {}))


def _reason(action: str, core: PullRequestRecord, changes: Raw) -> Reason | None:
    if action == "closed" and core.state == "merged":
        return Reason.MERGED
    if action in CARRIED_WHOLE:
        return None
    if action == "edited":
        if CHANGED_CODE in changes:
            return Reason.CODE
        return Reason.LIFE if CHANGED_LINKS in changes else None
    return Reason.CODE if action in OF_CODE else Reason.LIFE


def review(payload: Raw) -> Told:
    """`pull_request_review`: submitted, edited or dismissed."""
    core = rest.pull_request_record(payload["pull_request"])
    record = rest.review_record(payload["review"])
    if record is None:
        return Nothing("The review was not submitted yet.")
    return _told(payload, _news(core, reviews=(record,)), core.node_id, Reason.LIFE)


def review_comment(payload: Raw) -> Told:
    """`pull_request_review_comment`: created, edited or deleted."""
    core = rest.pull_request_record(payload["pull_request"])
    record = rest.review_comment_record(payload["comment"])
    news = _news(core, review_comments=(record,), gone=payload["action"] == "deleted")
    return _told(payload, news, core.node_id, Reason.LIFE)


def review_thread(payload: Raw) -> Told:
    """`pull_request_review_thread`: resolved or unresolved, by the sender. It says in which thread comments are."""
    core = rest.pull_request_record(payload["pull_request"])
    thread = payload["thread"]
    entries = thread.get("comments") or []
    first = entries[0] if entries else {}
    is_resolved = payload["action"] == "resolved"
    record = ThreadRecord(
        node_id=thread["node_id"],
        is_resolved=is_resolved,
        is_outdated=bool(entries) and first.get("position") is None,
        path=text(first.get("path")),
        line=first.get("line"),
        resolved_by=rest.account(payload.get("sender")) if is_resolved else None,
    )
    comments = tuple(rest.review_comment_record(entry, thread_node_id=record.node_id) for entry in entries)
    news = _news(core, threads=(record,), review_comments=comments)
    return _told(payload, news, core.node_id, Reason.LIFE, is_dated=False)


def issue_comment(payload: Raw) -> Told:
    """`issue_comment`: created, edited or deleted. Issues have the same event."""
    issue = payload["issue"]
    if not issue.get("pull_request"):
        return Nothing("It is about an issue.")
    record = rest.issue_comment_record(payload["comment"])
    news = PullRequestNews(
        number=number(issue["number"]),
        updated_at=moment(issue["updated_at"]),
        issue_comments=(record,),
        gone=payload["action"] == "deleted",
    )
    node_id = issue.get("node_id") or ""
    return _told(payload, news, node_id if node_id.startswith(NODE_IDS) else "", Reason.LIFE)


def _told(payload: Raw, news: PullRequestNews, node_id: str, reason: Reason | None, *, is_dated: bool = True) -> Told:
    return PullRequestTold(news, payload["repository"]["full_name"], node_id, reason, is_dated)


def _news(core: PullRequestRecord, **entries: object) -> PullRequestNews:
    return PullRequestNews(number=core.number, updated_at=core.updated_at, core=core, **entries)  # type: ignore[arg-type]

"""REST for what a page of GraphQL lacks: a part here and there, seldom a whole pull request."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    LeftForLater,
    QueryTooHeavy,
    RateLimited,
    SsoRequired,
)
from apps.integrations.github.types import Lost, PullRequestPage, Raw
from apps.integrations.services.github_sync import rest_way
from apps.integrations.services.github_sync.steps.learned import MOST_IN_VAIN, Clients, Plan
from apps.integrations.services.mapping import pull_request_record
from apps.metrics.records import Part, PullRequestRecord

logger = logging.getLogger(__name__)

NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What an answer comes to that has not the shape which GitHub documents."""


ALL_THERE = frozenset({Part.FILES, Part.LABELS, Part.ASSIGNEES})
"""Of these REST tells all that GraphQL does; what it gave of the others is asked for once more at the end."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """The records of a page, as complete as both ways make them, and what neither could give at all."""

    records: list[PullRequestRecord]
    unreadable: tuple[Lost, ...]
    rest_requests: int


def rescued(
    clients: Clients, plan: Plan, page: PullRequestPage, *, skip: Mapping[str, str], numbers: Mapping[str, int]
) -> Rescued:
    """A page's records. `skip` and what the page itself was refused is not asked for; `numbers` by node id are known
    from elsewhere. Raises RateLimited and what is wrong with the connection as a whole.
    """
    before = clients.rest_requests
    clients.patience.begin()
    closed = {*skip, *page.permissions_missing}
    mapped = [_mapped(node) for node in page.nodes]
    records = [_filled(clients, plan, record, closed) for record in mapped if not isinstance(record, Lost)]
    unreadable: list[Lost] = []
    for lost in (*page.unreadable, *(record for record in mapped if isinstance(record, Lost))):
        lost = replace(lost, number=numbers.get(lost.id)) if lost.number is None else lost
        whole = _whole(clients, plan, lost)
        if isinstance(whole, Lost):
            unreadable.append(whole)
        else:
            records.append(whole)
    return Rescued(records, tuple(unreadable), clients.rest_requests - before)


def _mapped(node: Raw) -> PullRequestRecord | Lost:
    """A pull request's record; one that makes no sense is lost by itself, and holds nothing else up."""
    try:
        return pull_request_record(node)
    except NONSENSE as error:
        logger.error("pull request %s cannot be read", node.get("number"), exc_info=error)
        return Lost(f"its answer makes no sense ({type(error).__name__})", node.get("number"), node.get("id") or "")


def _filled(clients: Clients, plan: Plan, record: PullRequestRecord, closed: set[str]) -> PullRequestRecord:
    if Part.THREADS in closed:
        closed = {*closed, Part.REVIEW_COMMENTS}
    in_vain = clients.in_vain
    wanted = [Part(part) for part in record.partial if part not in closed and in_vain[part] < MOST_IN_VAIN]
    if not wanted:
        return record
    if not ALL_THERE.issuperset(wanted):
        clients.takes_by_rest(record.number)
    filled = rest_way.fill(clients.rest, plan.full_name, record, wanted)
    for part in wanted:
        reason = filled.partial.get(part, "")
        if LeftForLater.WORDS not in reason:
            in_vain[part] = in_vain[part] + 1 if reason else 0
    return filled


def _whole(clients: Clients, plan: Plan, lost: Lost) -> PullRequestRecord | Lost:
    if lost.number is None:
        return lost
    clients.takes_by_rest(lost.number, whole=True)
    try:
        return rest_way.whole(clients.rest, plan.full_name, lost.number)
    except (RateLimited, BadCredentials, SsoRequired):
        raise
    except (GitHubError, *NONSENSE) as error:
        words = error.reason if isinstance(error, QueryTooHeavy) else str(error).removesuffix(".")
        return replace(lost, reason=f"{lost.reason}; REST: {words}")

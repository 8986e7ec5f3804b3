"""Reviews that count, and the approval that holds (docs/metrics.md, "What a review is", "Approved")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.metrics.calculations.people import BotRule, person_of
from apps.metrics.records import EventKind, EventRecord, PullRequestRecord

APPROVED = "approved"
CHANGES_REQUESTED = "changes_requested"
DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Review:
    """A review that counts. `verdict` is what it said when it was given, "" where a dismissal has made that unknown;
    `dismissed_at` lies within the time that counts (up to the merge), else it is None."""

    id: int
    given_at: datetime
    reviewer: str | None
    verdict: str
    dismissed_at: datetime | None


def events_until_merge(pull_request: PullRequestRecord) -> list[EventRecord]:
    """The events in time order, without those after the merge."""
    merged_at = pull_request.merged_at
    events = [e for e in pull_request.events or () if merged_at is None or e.occurred_at <= merged_at]
    events.sort(key=_when)
    return events


def _when(event: EventRecord) -> tuple[datetime, str]:
    # The kind keeps the order stable within one second, wherever the events come from: closed before reopened.
    return event.occurred_at, event.kind


def reviews_that_count(pull_request: PullRequestRecord, is_bot: BotRule) -> list[Review]:
    """Reviews by somebody who is neither the author nor a bot, not after the merge, each once, in time order.

    Where author and reviewer are both deleted they may be one person: such a review does not count.
    """
    if not pull_request.reviews:
        return []
    author, merged_at = person_of(pull_request.author), pull_request.merged_at
    dismissals = {
        event.subject: event
        for event in pull_request.events or ()
        # A dismissal after the merge takes nothing back, yet it alone knows what the review had said.
        if event.kind == EventKind.REVIEW_DISMISSED
    }
    counted: dict[int, Review] = {}
    for record in pull_request.reviews:
        reviewer, given_at = person_of(record.author), record.submitted_at
        if reviewer == author or (merged_at is not None and given_at > merged_at) or is_bot(record.author):
            continue
        verdict, dismissed_at = record.state, None
        if dismissal := dismissals.get(str(record.id)):
            verdict = dismissal.previous_state or ("" if record.state == DISMISSED else record.state)
            if merged_at is None or dismissal.occurred_at <= merged_at:
                dismissed_at = max(given_at, dismissal.occurred_at)
        elif verdict == DISMISSED:
            verdict, dismissed_at = "", given_at
        counted[record.id] = Review(record.id, given_at, reviewer, verdict, dismissed_at)
    return sorted(counted.values(), key=_order)


def _order(review: Review) -> tuple[datetime, int]:
    return review.given_at, review.id


def approval_in_force(reviews: Iterable[Review]) -> datetime | None:
    """The earliest approval that its reviewer has not taken back, at the merge or now.

    `reviews` in time order. A later request for changes by the same reviewer, or a later review of theirs that was
    dismissed, takes earlier approvals back; approvals after it count again.
    """
    standing: dict[str | None, datetime] = {}
    for review in reviews:
        if review.dismissed_at is not None or review.verdict == CHANGES_REQUESTED:
            standing.pop(review.reviewer, None)
        elif review.verdict == APPROVED:
            standing.setdefault(review.reviewer, review.given_at)
    return min(standing.values(), default=None)

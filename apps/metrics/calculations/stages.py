"""Where the time went: cut points and stages (docs/metrics.md, "Ready", "First commit", "Stages")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.metrics.calculations.people import BotRule, default_rule
from apps.metrics.calculations.reviews import approval_in_force, events_until_merge, reviews_that_count
from apps.metrics.calculations.spans import seconds_between
from apps.metrics.records import EventKind, EventRecord, PullRequestRecord

# Work that was authored earlier than this before the opening is a cherry-pick or a release, not this pull request's.
OLDEST_COMMIT = timedelta(seconds=60 * 86_400)


@dataclass(frozen=True, slots=True)
class Stages:
    """The life of a merged pull request, cut into stages.

    The cut points are in order (start, ready, first_review, approved, merged); what never happened lies at the merge.
    `closed` holds the intervals between a close and the reopen after it, in time order; the seconds of the other four
    stages are without them. All five add up to the time from start to merged, to the second.
    """

    start: datetime
    ready: datetime
    first_review: datetime
    approved: datetime
    merged: datetime
    closed: tuple[tuple[datetime, datetime], ...]
    coding_seconds: int
    pickup_seconds: int
    review_seconds: int
    merge_seconds: int
    closed_seconds: int


def stages_of(pull_request: PullRequestRecord, *, is_bot: BotRule = default_rule) -> Stages | None:
    """The stages of a pull request; None until it is merged."""
    if pull_request.merged_at is None:
        return None
    events = events_until_merge(pull_request)
    reviews = reviews_that_count(pull_request, is_bot)
    first_review_at = reviews[0].given_at if reviews else None
    return cut(
        pull_request,
        events,
        first_commit_at=first_commit_of(pull_request)[0],
        ready_at=ready_at_of(pull_request, events, first_review_at),
        first_review_at=first_review_at,
        approved_at=approval_in_force(reviews),
    )


def first_commit_of(pull_request: PullRequestRecord) -> tuple[datetime | None, bool]:
    """When its earliest commit was authored, and whether older ones were left out; (None, …) when none is left."""
    oldest = pull_request.created_at - OLDEST_COMMIT
    authored = [commit.authored_at for commit in pull_request.commits or ()]
    kept = [at for at in authored if at >= oldest]
    return min(kept, default=None), len(kept) < len(authored)


def ready_at_of(
    pull_request: PullRequestRecord, events: Iterable[EventRecord], first_review_at: datetime | None
) -> datetime | None:
    """The last time it became ready before its first review (else the merge, else now); see docs/metrics.md, "Ready".

    `events` in time order, up to the merge. None for a draft that never was ready and is not merged.
    """
    turns = [e for e in events if e.kind in (EventKind.READY_FOR_REVIEW, EventKind.CONVERTED_TO_DRAFT)]
    opened_as_draft = turns[0].kind == EventKind.READY_FOR_REVIEW if turns else pull_request.is_draft
    moments = [] if opened_as_draft else [pull_request.created_at]
    moments += [turn.occurred_at for turn in turns if turn.kind == EventKind.READY_FOR_REVIEW]
    if not moments:
        return pull_request.created_at if pull_request.merged_at is not None else None
    if first_review_at is None:
        return moments[-1]
    # Reviewed while it had never been ready: the first time after that.
    return max((at for at in moments if at <= first_review_at), default=moments[0])


def closed_intervals(events: Iterable[EventRecord]) -> list[tuple[datetime, datetime]]:
    """From each close to the reopen after it, of events in time order. A close without a reopen is none."""
    intervals = []
    closed_at: datetime | None = None
    for event in events:
        if event.kind == EventKind.CLOSED and closed_at is None:
            closed_at = event.occurred_at
        elif event.kind == EventKind.REOPENED and closed_at is not None:
            intervals.append((closed_at, event.occurred_at))
            closed_at = None
    return intervals


def cut(
    pull_request: PullRequestRecord,
    events: Sequence[EventRecord],
    *,
    first_commit_at: datetime | None,
    ready_at: datetime | None,
    first_review_at: datetime | None,
    approved_at: datetime | None,
) -> Stages:
    """The stages between the points that are already known, of a merged pull request."""
    merged = pull_request.merged_at
    assert merged is not None
    start = min(first_commit_at or pull_request.created_at, pull_request.created_at, merged)
    ready = _between(start, ready_at or pull_request.created_at, merged)
    first_review = _between(ready, first_review_at or merged, merged)
    approved = _between(first_review, approved_at or merged, merged)
    points = (start, ready, first_review, approved, merged)
    closed = tuple(closed_intervals(events))
    spans = [seconds_between(points[i], points[i + 1]) for i in range(4)]
    closed_seconds = 0
    for begin, end in closed:
        for i in range(4):
            shared_from, shared_to = max(begin, points[i]), min(end, points[i + 1])
            if shared_from < shared_to:
                shared = seconds_between(shared_from, shared_to)
                spans[i] -= shared
                closed_seconds += shared
    coding, pickup, review, merge = spans
    return Stages(*points, closed, coding, pickup, review, merge, closed_seconds)


def _between(low: datetime, point: datetime, high: datetime) -> datetime:
    return min(max(low, point), high)

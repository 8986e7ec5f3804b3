"""Review rounds: a request for changes and the first fix after it (docs/metrics.md, "Review rounds")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.metrics.calculations.people import BotRule, default_rule
from apps.metrics.calculations.reviews import (
    APPROVED,
    CHANGES_REQUESTED,
    Review,
    events_until_merge,
    reviews_that_count,
)
from apps.metrics.calculations.spans import seconds_between
from apps.metrics.records import EventKind, EventRecord, PullRequestRecord


@dataclass(frozen=True, slots=True)
class Round:
    """Changes were asked for at `asked_at`; the first fix after it came at `fixed_at`."""

    asked_at: datetime
    fixed_at: datetime

    @property
    def seconds(self) -> int:
        return seconds_between(self.asked_at, self.fixed_at)


@dataclass(frozen=True, slots=True)
class RoundHistory:
    """`open_since` is the earliest request for changes that still stands at the end of the record, if any."""

    rounds: tuple[Round, ...] = ()
    open_since: datetime | None = None


def review_rounds_of(pull_request: PullRequestRecord, *, is_bot: BotRule = default_rule) -> tuple[Round, ...]:
    """The review rounds of a pull request, in time order."""
    return round_history_of(pull_request, is_bot=is_bot).rounds


def open_request_of(pull_request: PullRequestRecord, *, is_bot: BotRule = default_rule) -> datetime | None:
    """Since when the author has been asked for changes and neither fixed anything nor been released from it."""
    return round_history_of(pull_request, is_bot=is_bot).open_since


def round_history_of(pull_request: PullRequestRecord, *, is_bot: BotRule = default_rule) -> RoundHistory:
    reviews = reviews_that_count(pull_request, is_bot)
    return walk(reviews, fix_times(pull_request, events_until_merge(pull_request)))


def fix_times(pull_request: PullRequestRecord, events: Iterable[EventRecord]) -> list[datetime]:
    """When the branch was changed, in time order: the commits that it has, and head force pushes (which destroy
    commits), by anybody, not after the merge."""
    merged_at = pull_request.merged_at
    times = [event.occurred_at for event in events if event.kind == EventKind.FORCE_PUSHED]
    times += [
        commit.committed_at
        for commit in pull_request.commits or ()
        if merged_at is None or commit.committed_at <= merged_at
    ]
    times.sort()
    return times


# What comes first within one second: a fix answers earlier requests only,
# a dismissal may answer a review of its own second.
_FIX, _REVIEW, _DISMISSAL = range(3)


def walk(reviews: Sequence[Review], fixes: Iterable[datetime]) -> RoundHistory:
    """The rounds of reviews (those that count) and fixes up to the merge, both in time order."""
    if not any(review.verdict == CHANGES_REQUESTED for review in reviews):
        return RoundHistory()
    turns: list[tuple[datetime, int, int]] = [(at, _FIX, 0) for at in fixes]
    by_id = {review.id: review for review in reviews}
    for review in reviews:
        turns.append((review.given_at, _REVIEW, review.id))
        if review.dismissed_at is not None:
            turns.append((review.dismissed_at, _DISMISSAL, review.id))
    turns.sort()

    rounds: list[Round] = []
    standing: dict[int, Review] = {}  # requests for changes that nobody has answered or taken back, oldest first
    for at, turn, review_id in turns:
        if turn == _FIX:
            if standing:
                earliest = next(iter(standing.values()))
                rounds.append(Round(earliest.given_at, at))
                standing.clear()
        elif turn == _DISMISSAL:
            standing.pop(review_id, None)
        elif (review := by_id[review_id]).verdict == CHANGES_REQUESTED:
            standing[review_id] = review
        elif review.verdict == APPROVED:
            standing = {r.id: r for r in standing.values() if r.reviewer != review.reviewer}
    open_since = next((review.given_at for review in standing.values()), None)
    return RoundHistory(tuple(rounds), open_since)

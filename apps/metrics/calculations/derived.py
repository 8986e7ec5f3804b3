"""Every number that is stored with a pull request, from its record alone (docs/metrics.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from apps.metrics.calculations.ai import ai_tools_of
from apps.metrics.calculations.checks import ci_status_of
from apps.metrics.calculations.people import BotRule, default_rule, person_of
from apps.metrics.calculations.reviews import Review, approval_in_force, events_until_merge, reviews_that_count
from apps.metrics.calculations.rounds import fix_times, walk
from apps.metrics.calculations.spans import hours, rounded_mean, seconds_between
from apps.metrics.calculations.stages import cut, first_commit_of, ready_at_of
from apps.metrics.calculations.text import is_hotfix, revert_of
from apps.metrics.records import CommentRecord, EventKind, EventRecord, Part, PullRequestRecord

STAGES = ("coding", "pickup", "review", "merge", "closed")


class Size(StrEnum):
    XS = "XS"
    S = "S"
    M = "M"
    L = "L"
    XL = "XL"


@dataclass(frozen=True, slots=True)
class Derived:
    """The derived fields of a pull request, named as they are stored.

    Times are aware datetimes, `*_seconds` whole seconds, `*_hours` hours with two places. None is "not known" or "does
    not apply", never 0; a `size` that is not known is "". `ci_status` is success, failure or pending. `reverts_title`
    is set only where neither number nor sha of what is undone is known; finding that pull request is for the one who
    has the others at hand.
    """

    cycle_time_seconds: int | None
    cycle_time_hours: Decimal | None
    first_review_at: datetime | None
    ready_at: datetime | None
    review_time_seconds: int | None
    review_time_hours: Decimal | None
    first_commit_at: datetime | None
    old_commits_left_out: bool
    approved_at: datetime | None
    rework_after_approval: bool | None
    size: str
    total_comments: int
    human_comments: int
    merged_without_review: bool
    discussed_without_review: bool
    commits_after_first_review: int | None
    force_pushes_after_first_review: int | None
    review_rounds: int
    avg_fix_response_seconds: int | None
    avg_fix_response_hours: Decimal | None
    is_revert: bool
    reverts_number: int | None
    reverts_sha: str
    reverts_title: str
    is_hotfix: bool
    ci_status: str | None
    ai_assisted: bool
    ai_tools: tuple[str, ...]
    coding_seconds: int | None
    pickup_seconds: int | None
    review_seconds: int | None
    merge_seconds: int | None
    closed_seconds: int | None


DERIVED_FROM = frozenset(
    {
        *(Part.LABELS, Part.REVIEWS, Part.REVIEW_COMMENTS, Part.ISSUE_COMMENTS),
        *(Part.COMMITS, Part.EVENTS, Part.CHECKS),
    }
)
"""The parts of a pull request that `derive` looks at."""


def derive(pull_request: PullRequestRecord, *, is_bot: BotRule = default_rule) -> Derived:
    """Calculate every derived field of one pull request.

    `is_bot` is asked for accounts at the source, None (a deleted account) included; a team's marks enter through it.
    Parts that were not fetched count as empty.
    """
    pr = pull_request
    events = events_until_merge(pr)
    reviews = reviews_that_count(pr, is_bot)
    first_review_at = reviews[0].given_at if reviews else None
    ready_at = ready_at_of(pr, events, first_review_at)
    first_commit_at, old_commits_left_out = first_commit_of(pr)
    approved_at = approval_in_force(reviews)
    fixes = fix_times(pr, events)
    responses = [round_.seconds for round_ in walk(reviews, fixes).rounds]
    cycle_time, review_time = _cycle_time(pr), _review_time(ready_at, first_review_at)
    comments = _each_once(pr.issue_comments) + _each_once(pr.review_comments)
    unreviewed = pr.merged_at is not None and not reviews
    return Derived(
        cycle_time_seconds=cycle_time,
        cycle_time_hours=hours(cycle_time),
        first_review_at=first_review_at,
        ready_at=ready_at,
        review_time_seconds=review_time,
        review_time_hours=hours(review_time),
        first_commit_at=first_commit_at,
        old_commits_left_out=old_commits_left_out,
        approved_at=approved_at,
        rework_after_approval=_rework(pr, approved_at, fixes),
        size=size_of(pr.additions, pr.deletions) or "",
        total_comments=len(comments),
        human_comments=sum(not is_bot(comment.author) for comment in comments),
        merged_without_review=unreviewed,
        discussed_without_review=unreviewed and _was_discussed(pr, comments, is_bot),
        commits_after_first_review=_commits_after(pr, reviews),
        force_pushes_after_first_review=_force_pushes_after(events, reviews),
        review_rounds=len(responses),
        avg_fix_response_seconds=rounded_mean(responses),
        avg_fix_response_hours=hours(sum(responses), shared_by=len(responses)) if responses else None,
        ci_status=ci_status_of(pr.checks or (), pr.head_sha),
        **_said_in_words(pr),
        **_stage_seconds(
            pr,
            events,
            first_commit_at=first_commit_at,
            ready_at=ready_at,
            first_review_at=first_review_at,
            approved_at=approved_at,
        ),
    )


def _said_in_words(pr: PullRequestRecord) -> dict[str, Any]:
    """What titles, bodies, labels and trailers tell."""
    revert = revert_of(pr.title, pr.body, pr.url)
    tools = ai_tools_of(pr)
    return {
        "is_revert": revert.is_revert,
        "reverts_number": revert.number,
        "reverts_sha": revert.sha,
        "reverts_title": revert.title,
        "is_hotfix": is_hotfix(pr.title, (label.name for label in pr.labels or ()), pr.head_ref),
        "ai_assisted": bool(tools),
        "ai_tools": tools,
    }


def _stage_seconds(
    pr: PullRequestRecord, events: Sequence[EventRecord], **cut_points: datetime | None
) -> dict[str, Any]:
    """The stages of a merged pull request; of any other there are none."""
    stages = cut(pr, events, **cut_points) if pr.merged_at is not None else None
    return {f"{name}_seconds": getattr(stages, f"{name}_seconds", None) for name in STAGES}


def size_of(additions: int | None, deletions: int | None) -> Size | None:
    """The size by changed lines; None where GitHub did not say how many."""
    if additions is None or deletions is None:
        return None
    lines = additions + deletions
    for limit, size in ((10, Size.XS), (50, Size.S), (200, Size.M), (500, Size.L)):
        if lines <= limit:
            return size
    return Size.XL


def _cycle_time(pr: PullRequestRecord) -> int | None:
    return seconds_between(pr.created_at, pr.merged_at) if pr.merged_at else None


def _review_time(ready_at: datetime | None, first_review_at: datetime | None) -> int | None:
    if first_review_at is None:
        return None
    return 0 if ready_at is None else seconds_between(ready_at, first_review_at)


def _rework(pr: PullRequestRecord, approved_at: datetime | None, fixes: list[datetime]) -> bool | None:
    if pr.merged_at is None or approved_at is None:
        return None
    return bool(fixes) and fixes[-1] > approved_at


def _each_once(comments: tuple[CommentRecord, ...] | None) -> list[CommentRecord]:
    return list({comment.id: comment for comment in comments or ()}.values())


def _was_discussed(pr: PullRequestRecord, comments: Iterable[CommentRecord], is_bot: BotRule) -> bool:
    """Whether a human other than the author commented before the merge."""
    author, merged_at = person_of(pr.author), pr.merged_at
    return any(
        merged_at is not None
        and comment.created_at <= merged_at
        and person_of(comment.author) != author
        and not is_bot(comment.author)
        for comment in comments
    )


def _commits_after(pr: PullRequestRecord, reviews: list[Review]) -> int | None:
    """Commits by the day they were written: a rebase commits everything again, the author's date stays."""
    if not reviews:
        return None
    return sum(commit.authored_at > reviews[0].given_at for commit in pr.commits or ())


def _force_pushes_after(events: Iterable[EventRecord], reviews: list[Review]) -> int | None:
    if not reviews:
        return None
    return sum(e.kind == EventKind.FORCE_PUSHED and e.occurred_at > reviews[0].given_at for e in events)

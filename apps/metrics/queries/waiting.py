"""What one pull request waited for, in a sentence: only when it is true. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.common.durations import age
from apps.metrics.queries.pull_request import PullRequestPage
from apps.metrics.queries.story import name_of
from apps.metrics.records import EventKind

HALF = 0.5
WORTH_A_WORD = timedelta(hours=4).total_seconds()


@dataclass(frozen=True, slots=True)
class Waiting:
    """`said` in bold, then `why`."""

    said: str
    why: str = ""


def waiting_of(page: PullRequestPage) -> Waiting | None:
    """Of a merged one: the stage that took more than half of its life. Of an open one: what it waits for now."""
    if page.pr.state == "open":
        return _open(page)
    if page.pr.state == "merged":
        return _merged(page)
    return None


def _merged(page: PullRequestPage) -> Waiting | None:
    total = page.total_seconds
    longest = max(page.stages, key=lambda stage: stage.seconds, default=None)
    if longest is None or longest.seconds < WORTH_A_WORD or longest.seconds <= total * HALF:
        return None
    share = f"{longest.seconds / total:.0%}"
    if longest.name == "pickup":
        if page.pr.merged_without_review:
            return Waiting(f"{share} of its life it waited, and nobody reviewed it.", _asked(page))
        return Waiting(f"{share} of its life it waited for a first review.", _asked(page))
    if longest.name == "review":
        return Waiting(f"{share} of its life it was in review.", _rounds(page))
    if longest.name == "merge":
        why = "Its branch changed again after the approval." if page.pr.rework_after_approval else ""
        return Waiting(f"{share} of its life it was approved and not merged.", why)
    if longest.name == "closed":
        return Waiting(f"{share} of its life it was closed, before it was reopened.")
    return None


def _open(page: PullRequestPage) -> Waiting:
    pr, now = page.pr, page.now
    if pr.is_draft:
        return Waiting("It is a draft.", f"Opened {_ago(pr.pr_created_at, now)}.")
    if page.asked_since:
        return Waiting("It waits for its author.", f"Changes were asked for {_ago(page.asked_since, now)}.")
    if pr.approved_at:
        failing = " Its checks fail." if pr.ci_status == "failure" else ""
        return Waiting("It waits to be merged.", f"Approved {_ago(pr.approved_at, now)}.{failing}")
    if pr.ci_status == "failure":
        return Waiting("Its checks fail.", _rounds(page) if pr.first_review_at else _asked(page))
    if pr.first_review_at:
        return Waiting("It waits for an approval.", f"First reviewed {_ago(pr.first_review_at, now)}. {_rounds(page)}")
    return Waiting(
        "It waits for a first review.", f"Ready {_ago(pr.ready_at or pr.pr_created_at, now)}. {_asked(page)}"
    )


def _asked(page: PullRequestPage) -> str:
    """Who was asked to review, and when first."""
    requests = [
        event
        for event in page.record.events or ()
        if event.kind == EventKind.REVIEW_REQUESTED and event.subject_account and not event.subject_account.is_bot
    ]
    if not requests:
        return "Nobody was asked to review it."
    names = list(dict.fromkeys(name_of(event.subject_account) for event in requests))
    first = min(event.occurred_at for event in requests).astimezone(page.zone)
    asked = f"{_listed(names)} {'was' if len(names) == 1 else 'were'} asked on {first:%a} {first.day} {first:%b %H:%M}"
    silent = [name for name in page.never_answered if name in names]
    if silent and page.reviewers:
        return f"{asked}; {_listed(silent)} gave no review."
    return f"{asked}."


def _rounds(page: PullRequestPage) -> str:
    if not page.rounds:
        return ""
    count = len(page.rounds)
    mean = sum(round_.seconds for round_ in page.rounds) / count
    return f"It went round {'once' if count == 1 else f'{count} times'}; a fix took {age(mean)} on average."


def _listed(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ago(at: datetime, now: datetime) -> str:
    return f"{age((now - at).total_seconds())} ago"

"""What of a pull request's record the time line draws."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from apps.common.durations import age
from apps.metrics.charts.life import CHECKS, COMMENTS, COMMITS, MILESTONES, REVIEWS, LifeChart, Mark, Span, life_chart
from apps.metrics.queries.pull_request import PullRequestPage, reviews_by_others
from apps.metrics.queries.stored_records import counts_as_bot
from apps.metrics.queries.story import begin_of, check_batches, is_merge, name_of, shown_at, verdicts_of
from apps.metrics.records import EventKind, PullRequestRecord

SHAPES = {"approved": "ok", "changes_requested": "no"}
SAID = {"approved": "approved", "changes_requested": "asked for changes", "dismissed": "(dismissed)"}
TURNS = {
    EventKind.CONVERTED_TO_DRAFT: "Draft again",
    EventKind.CLOSED: "Closed",
    EventKind.REOPENED: "Reopened",
}


def life_of(page: PullRequestPage) -> LifeChart:
    record, zone = page.record, page.zone
    marks = [*_milestones(page), *_commits(record, zone), *_reviews(record, zone), *_comments(record, zone)]
    marks += _checks(record, zone)
    rounds = [
        Span(f"round {number}", one.asked_at, one.fixed_at, f"Round {number} · {age(one.seconds)}")
        for number, one in enumerate(page.rounds, start=1)
    ]
    stages = [
        Span(stage.name, stage.start, stage.end, f"{stage.name.capitalize()}: {stage.words}")
        for stage in page.stages
        if stage.name != "closed"
    ]
    return life_chart(marks, stages=stages, rounds=rounds, zone=zone, notes=_notes(page))


def _notes(page: PullRequestPage) -> dict[str, str]:
    record, pr = page.record, page.pr
    pushes = sum(event.kind == EventKind.FORCE_PUSHED for event in record.events or ())
    commits = str(len(record.commits or ())) + (f", {pushes} force push{'' if pushes == 1 else 'es'}" if pushes else "")
    rounds = f", {len(page.rounds)} round{'' if len(page.rounds) == 1 else 's'}" if page.rounds else ""
    minutes = round(page.checks.seconds / 60)
    return {
        COMMITS: commits,
        REVIEWS: f"{sum(count for _, count in page.reviewers)}{rounds}",
        COMMENTS: f"{pr.human_comments} by people",
        CHECKS: f"{page.checks.runs} runs" + (f", {minutes} min" if minutes else ""),
    }


def _milestones(page: PullRequestPage) -> Iterable[Mark]:
    pr, record, zone = page.pr, page.record, page.zone

    def mark(at: datetime, label: str) -> Mark:
        return Mark(MILESTONES, at, "dot", f"{label}, {_clock(at, zone)}", label)

    yield mark(pr.pr_created_at, "Opened")
    if pr.ready_at and pr.ready_at != pr.pr_created_at:
        yield mark(pr.ready_at, "Ready")
    if pr.first_review_at:
        yield mark(pr.first_review_at, "First review")
    if pr.approved_at:
        yield mark(pr.approved_at, "Approved")
    for event in record.events or ():
        if event.kind in TURNS and not is_merge(event, record):
            yield mark(event.occurred_at, TURNS[EventKind(event.kind)])
    if pr.merged_at:
        yield mark(pr.merged_at, "Merged without review" if pr.merged_without_review else "Merged")
    elif pr.state == "open":
        yield mark(page.now, "Now")


def _commits(record: PullRequestRecord, zone: ZoneInfo) -> Iterable[Mark]:
    begin = begin_of(record)
    for commit in record.commits or ():
        subject = commit.message.partition("\n")[0][:80]
        author = name_of(commit.author) if commit.author else commit.author_name
        at = shown_at(commit, begin)
        yield Mark(COMMITS, at, "commit", f"{subject}, {author}, {_clock(at, zone)}")
    for event in record.events or ():
        if event.kind == EventKind.FORCE_PUSHED:
            title = f"Force push by {name_of(event.actor)}, {_clock(event.occurred_at, zone)}"
            yield Mark(COMMITS, event.occurred_at, "push", title)


def _reviews(record: PullRequestRecord, zone: ZoneInfo) -> Iterable[Mark]:
    verdicts = verdicts_of(record)
    for review in reviews_by_others(record):
        state = verdicts[review.id]
        name = name_of(review.author)
        title = f"{name} {SAID.get(state, 'reviewed')}, {_clock(review.submitted_at, zone)}"
        yield Mark(REVIEWS, review.submitted_at, SHAPES.get(state, "say"), title, name.split()[0])


def _comments(record: PullRequestRecord, zone: ZoneInfo) -> Iterable[Mark]:
    """By people: bots comment on everything."""
    for comment in (*(record.issue_comments or ()), *(record.review_comments or ())):
        if not counts_as_bot(comment.author):
            title = f"{name_of(comment.author)}, {_clock(comment.created_at, zone)}"
            yield Mark(COMMENTS, comment.created_at, "comment", title)


def _checks(record: PullRequestRecord, zone: ZoneInfo) -> Iterable[Mark]:
    for batch in check_batches(record.checks or ()):
        said = f"{', '.join(batch.failed[:3])} failed" if batch.failed else f"{batch.passed} passed"
        title = f"{said}, {_clock(batch.start, zone)}, {age(batch.seconds)}"
        yield Mark(CHECKS, batch.start, "fail" if batch.failed else "pass", title, end=batch.end)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y %H:%M}"

"""One pull request: its facts, its stages, its life, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Lower

from apps.metrics.calculations import Round, Stages, open_request_of, review_rounds_of, stages_of
from apps.metrics.models import LinkedIssue, PRFile, PullRequest, PullRequestAssignee, PullRequestLabel
from apps.metrics.models.member import bot_condition
from apps.metrics.queries.comparison import Duration, Spread
from apps.metrics.queries.overview import STAGES
from apps.metrics.queries.period import zone_of
from apps.metrics.queries.stored_records import counts_as_bot, life_record_of
from apps.metrics.queries.story import Story, check_batches, exact_span, name_of, story_of
from apps.metrics.records import EventKind, PullRequestRecord, ReviewRecord

USUAL = timedelta(days=90)  # what is usual is taken from the repository's last 90 days before the merge


@dataclass(frozen=True, slots=True)
class StageOfOne:
    """`usual`: of the repository's pull requests of the 90 days before, in seconds. `above`: how many times its p90."""

    name: str
    seconds: int
    start: datetime
    end: datetime
    usual: Duration

    @property
    def words(self) -> str:
        return exact_span(self.seconds)

    @property
    def above(self) -> float | None:
        if self.usual.is_thin or not self.usual.p90 or self.seconds <= self.usual.p90:
            return None
        return self.seconds / self.usual.p90

    @property
    def above_words(self) -> str:
        above = self.above or 0
        return f"{above:.1f} × p90" if above < 10 else f"{above:,.0f} × p90"

    @property
    def is_late(self) -> bool:
        """Clearly above, and by a time that matters."""
        return (self.above or 0) >= 1.1 and self.seconds >= 3600


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of which less is stored than exists: why (the reason the sync gave), stored, and stated by the source."""

    part: str
    reason: str
    stored: int | None
    stated: int | None
    is_capped: bool


@dataclass(frozen=True, slots=True)
class CheckFacts:
    runs: int
    failed: int
    seconds: int


@dataclass(frozen=True, slots=True)
class PullRequestPage:
    """`stages` is empty until the merge, then coding, pickup, review, merge and, if it was closed between, closed.
    `assignees` are (name, login).
    """

    pr: PullRequest
    record: PullRequestRecord
    zone: ZoneInfo
    labels: tuple[str, ...]
    assignees: tuple[tuple[str, str], ...]
    issues: tuple[LinkedIssue, ...]
    stages: tuple[StageOfOne, ...]
    cut_points: Stages | None
    rounds: tuple[Round, ...]
    asked_since: datetime | None
    reviewers: tuple[tuple[str, int], ...]
    never_answered: tuple[str, ...]
    checks: CheckFacts
    story: Story
    missing: tuple[Missing, ...]
    now: datetime

    @property
    def total_seconds(self) -> int:
        return sum(stage.seconds for stage in self.stages)

    @property
    def total_words(self) -> str:
        return exact_span(self.total_seconds)

    @property
    def owner(self) -> str:
        return self.pr.repository.full_name.partition("/")[0]

    @property
    def github_url(self) -> str:
        return self.pr.url if self.pr.url.startswith(("https://", "http://")) else ""

    @property
    def lines(self) -> int | None:
        additions, deletions = self.pr.additions, self.pr.deletions
        return None if additions is None or deletions is None else additions + deletions


def pull_request_page(owner: str, name: str, number: int, *, time_zone: str, now: datetime) -> PullRequestPage | None:
    """The page of one pull request; None if there is none. The name in any case. Twelve SQL statements at most."""
    pr = _find(f"{owner}/{name}", number)
    if pr is None:
        return None
    zone = zone_of(time_zone)
    record = life_record_of(pr)
    cut_points = stages_of(record, is_bot=counts_as_bot)
    rounds = review_rounds_of(record, is_bot=counts_as_bot)
    files = PRFile.objects.filter(pull_request=pr, gone_at=None).count()
    issues = LinkedIssue.objects.filter(pull_request=pr, gone_at=None).order_by("issue_repository", "issue_number")
    labels = PullRequestLabel.objects.filter(pull_request=pr, label__gone_at=None).order_by("label__name")
    assignees = PullRequestAssignee.objects.filter(pull_request=pr).order_by("member__login")
    people = assignees.values_list("member__name", "member__login")
    reviewers = _reviewers(record)
    return PullRequestPage(
        pr=pr,
        record=record,
        zone=zone,
        labels=tuple(labels.values_list("label__name", flat=True)),
        assignees=tuple((name or login, login) for name, login in people),
        issues=tuple(issues),
        stages=_stages(pr, cut_points) if cut_points else (),
        cut_points=cut_points,
        rounds=rounds,
        asked_since=open_request_of(record, is_bot=counts_as_bot),
        reviewers=reviewers,
        never_answered=_never_answered(record),
        checks=_check_facts(record),
        story=story_of(record, rounds=rounds, stage_at=lambda at: stage_at(cut_points, at), zone=zone),
        missing=_missing(pr, _stored(record, files)),
        now=now,
    )


def reviews_by_others(record: PullRequestRecord) -> Iterator[ReviewRecord]:
    """By people other than the author."""
    return (
        review for review in record.reviews or () if not counts_as_bot(review.author) and review.author != record.author
    )


def stage_at(points: Stages | None, at: datetime) -> str:
    """The stage that an instant lies in; "" before the merge is known, and after the merge."""
    if points is None or at > points.merged:
        return ""
    ends = zip(STAGES, (points.ready, points.first_review, points.approved, points.merged), strict=True)
    return next((name for name, end in ends if at < end), STAGES[-1])


def _find(full_name: str, number: int) -> PullRequest | None:
    """One statement. A name may have belonged to two repositories: the one that is there, then the newer one."""
    # Reads the team's repositories once; served by pull_request_key (team, repository, number).
    found: QuerySet[PullRequest] = PullRequest.objects.annotate(name=Lower("repository__full_name")).filter(
        name=full_name.lower(), number=number, gone_at=None
    )
    related = found.select_related("repository", "author", "merged_by", "milestone", "reverts")
    return related.order_by(F("repository__gone_at").desc(nulls_first=True), "-repository_id").first()


def _stages(pr: PullRequest, points: Stages) -> tuple[StageOfOne, ...]:
    usual = _usual(pr)
    edges = (points.start, points.ready, points.first_review, points.approved, points.merged)
    lengths = (points.coding_seconds, points.pickup_seconds, points.review_seconds, points.merge_seconds)
    found = [
        StageOfOne(name, seconds, edges[place], edges[place + 1], usual[name])
        for place, (name, seconds) in enumerate(zip(STAGES, lengths, strict=True))
    ]
    if points.closed_seconds:
        first, last = points.closed[0][0], points.closed[-1][1]
        found.append(StageOfOne("closed", points.closed_seconds, first, last, Duration(0)))
    return tuple(found)


def _usual(pr: PullRequest) -> dict[str, Duration]:
    """One statement, served by pull_request_merged (team, merged_at)."""
    merged_at = pr.merged_at
    assert merged_at is not None
    rows = PullRequest.objects.filter(
        repository=pr.repository_id, gone_at=None, merged_at__gte=merged_at - USUAL, merged_at__lt=merged_at
    ).exclude(bot_condition("author__"))
    found = rows.aggregate(n=Count("id"), **{name: Spread(f"{name}_seconds") for name in STAGES})
    return {name: Duration.of(found[name], found["n"]) for name in STAGES}


def _reviewers(record: PullRequestRecord) -> tuple[tuple[str, int], ...]:
    """Who reviewed how often, the most reviews first."""
    counts: dict[str, int] = {}
    for review in reviews_by_others(record):
        counts[name_of(review.author)] = counts.get(name_of(review.author), 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _never_answered(record: PullRequestRecord) -> tuple[str, ...]:
    """Who was asked to review, not released from it, and gave none."""
    asked: dict[str, str] = {}
    for event in sorted(record.events or (), key=lambda event: event.occurred_at):
        who = event.subject_account
        if who is None or who.is_bot:
            continue
        if event.kind == EventKind.REVIEW_REQUESTED:
            asked[who.login] = name_of(who)
        elif event.kind == EventKind.REVIEW_REQUEST_REMOVED:
            asked.pop(who.login, None)
    gave = {review.author.login for review in record.reviews or () if review.author}
    return tuple(name for login, name in asked.items() if login not in gave)


def _check_facts(record: PullRequestRecord) -> CheckFacts:
    batches = check_batches(record.checks or ())
    return CheckFacts(
        runs=len(record.checks or ()),
        failed=sum(len(batch.failed) for batch in batches),
        seconds=sum(batch.seconds for batch in batches),
    )


def _stored(record: PullRequestRecord, files: int) -> dict[str, int]:
    return {
        "files": files,
        "reviews": len(record.reviews or ()),
        "review_comments": len(record.review_comments or ()),
        "issue_comments": len(record.issue_comments or ()),
        "commits": len(record.commits or ()),
        "events": len(record.events or ()),
        "checks": sum(check.head_sha == record.head_sha for check in record.checks or ()),
    }


def _missing(pr: PullRequest, stored: Mapping[str, int]) -> tuple[Missing, ...]:
    found = []
    for reasons, is_capped in ((pr.partial, False), (pr.capped, True)):
        for part, reason in sorted(reasons.items()):
            stated = pr.totals.get(part)
            found.append(Missing(part.replace("_", " "), str(reason), stored.get(part), stated, is_capped))
    return tuple(found)

"""What happened to one pull request, in order and in words. Pure: from its record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from apps.common.durations import age
from apps.metrics.calculations import Round
from apps.metrics.calculations.checks import FAILING
from apps.metrics.calculations.reviews import DISMISSED
from apps.metrics.calculations.spans import seconds_between
from apps.metrics.calculations.stages import first_commit_of
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    PullRequestRecord,
)

IDLE = timedelta(hours=4)
ONE_RUN = timedelta(hours=1)  # checks of one commit that start later than this after the others are a run of their own
MEANINGLESS = frozenset({"skipped", "neutral", "stale", "cancelled"})
VERDICTS = {
    "approved": ("", "approved"),
    "changes_requested": ("", "asked for changes"),
    "commented": ("reviewed", ""),
    "dismissed": ("gave a review that was dismissed", ""),
}
TURNS: Mapping[str, str] = {
    EventKind.READY_FOR_REVIEW: "marked it ready for review",
    EventKind.CONVERTED_TO_DRAFT: "made it a draft again",
    EventKind.REVIEW_DISMISSED: "dismissed a review",
    EventKind.FORCE_PUSHED: "force-pushed",
    EventKind.AUTO_MERGE_ENABLED: "turned auto-merge on",
    EventKind.AUTO_MERGE_DISABLED: "turned auto-merge off",
    EventKind.QUEUED: "put it into the merge queue",
    EventKind.DEQUEUED: "took it out of the merge queue",
    EventKind.CLOSED: "closed it",
    EventKind.REOPENED: "reopened it",
    EventKind.BASE_CHANGED: "changed its base",
}


@dataclass(frozen=True, slots=True)
class CheckBatch:
    """The checks that ran together on one commit. `failed` are names."""

    sha: str
    start: datetime
    end: datetime
    failed: tuple[str, ...]
    passed: int
    pending: int
    others: int  # skipped, neutral, cancelled

    @property
    def seconds(self) -> int:
        return seconds_between(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: `text`, then `strong`, then `code` (a sha), then `tail`, then `muted`. `stage`: its colour.
    `until`: the last event of a run that was folded into it. `key` is its own for as long as the line is there.

    `idle_seconds`: nothing happened after it for so long (None: it went on at once); `idle_words` say of what kind.
    """

    at: datetime
    kind: str
    text: str = ""
    strong: str = ""
    code: str = ""
    tail: str = ""
    muted: str = ""
    stage: str = ""
    until: datetime | None = None
    idle_seconds: int | None = None
    idle_words: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """`events`: how many there were before runs of the same kind were folded into one line."""

    days: tuple[Day, ...]
    events: int


def _with_keys(lines: Iterable[Line]) -> Iterator[Line]:
    """What happened at the same second is numbered."""
    seen: Counter[str] = Counter()
    for line in lines:
        key = f"{line.kind}-{int(line.at.timestamp())}"
        seen[key] += 1
        yield replace(line, key=key if seen[key] == 1 else f"{key}-{seen[key]}")


def name_of(account: Account | None) -> str:
    return "A deleted account" if account is None else account.name or account.login


def story_of(
    record: PullRequestRecord,
    *,
    rounds: Sequence[Round],
    stage_at: Callable[[datetime], str],
    zone: ZoneInfo,
) -> Story:
    """Days of lines in time order. Commits, comments and force pushes that follow each other are one line."""
    lines = sorted(_lines(record, rounds), key=lambda line: line.at)
    folded = _with_idle(_folded(lines, zone), zone)
    coloured = [replace(line, stage=stage_at(line.at)) for line in folded]
    days = groupby(_with_keys(coloured), key=lambda line: line.at.astimezone(zone).date())
    return Story(tuple(Day(day, tuple(of_day)) for day, of_day in days), len(lines))


def begin_of(record: PullRequestRecord) -> datetime:
    """When its life begins: with its first commit that is not left out as too old, or with its opening."""
    return min(first_commit_of(record)[0] or record.created_at, record.created_at)


def shown_at(commit: CommitRecord, begin: datetime) -> datetime:
    """When it was written (a rebase commits everything again); what was written before the life began: committed."""
    return commit.authored_at if commit.authored_at >= begin else commit.committed_at


def is_merge(event: EventRecord, record: PullRequestRecord) -> bool:
    """What is merged is closed as well, which is not worth a second word."""
    merged_at = record.merged_at
    return event.kind == EventKind.CLOSED and merged_at is not None and event.occurred_at >= merged_at


def verdicts_of(record: PullRequestRecord) -> dict[int, str]:
    """What each review said when it was given, by its id; "dismissed" where a dismissal has made that unknown."""
    before = {e.subject: e.previous_state for e in record.events or () if e.kind == EventKind.REVIEW_DISMISSED}
    return {
        review.id: (before.get(str(review.id)) or review.state) if review.state == DISMISSED else review.state
        for review in record.reviews or ()
    }


def check_batches(checks: Iterable[CheckRecord]) -> tuple[CheckBatch, ...]:
    """Checks by commit and by run, in time order; those without any time are left out."""
    timed = [(c.started_at or c.completed_at, c) for c in checks]
    ordered = sorted(((at, c) for at, c in timed if at is not None), key=lambda pair: (pair[1].head_sha, pair[0]))
    batches: list[list[tuple[datetime, CheckRecord]]] = []
    for at, check in ordered:
        last = batches[-1] if batches else None
        if last and last[-1][1].head_sha == check.head_sha and at - last[-1][0] <= ONE_RUN:
            last.append((at, check))
        else:
            batches.append([(at, check)])
    return tuple(sorted((_batch(batch) for batch in batches), key=lambda batch: batch.start))


def _batch(batch: list[tuple[datetime, CheckRecord]]) -> CheckBatch:
    checks = [check for _, check in batch]
    return CheckBatch(
        sha=checks[0].head_sha,
        start=batch[0][0],
        end=max(check.completed_at or at for at, check in batch),
        failed=tuple(dict.fromkeys(check.name for check in checks if check.conclusion in FAILING)),
        passed=sum(check.conclusion == "success" for check in checks),
        pending=sum(not check.conclusion for check in checks),
        others=sum(check.conclusion in MEANINGLESS for check in checks),
    )


def _lines(record: PullRequestRecord, rounds: Sequence[Round]) -> Iterable[Line]:
    draft = next((e.kind for e in record.events or () if e.kind in _DRAFT_TURNS), None)
    opened_as_draft = draft == EventKind.READY_FOR_REVIEW or (draft is None and record.is_draft)
    words = "opened it as a draft" if opened_as_draft else "opened it"
    yield Line(record.created_at, "opened", f"{name_of(record.author)} {words}")
    yield from _commit_lines(record, rounds)
    yield from _review_lines(record, rounds)
    yield from _comment_lines(record)
    for batch in check_batches(record.checks or ()):
        yield _check_line(batch)
    for event in record.events or ():
        if not is_merge(event, record):
            yield from _event_line(event, rounds)
    if record.merged_at:
        by = f" by {name_of(record.merged_by)}" if record.merged_by else ""
        sha = record.merge_commit_sha[:7]
        yield Line(record.merged_at, "merged", f"Merged{by}" + (" as" if sha else ""), code=sha)


_DRAFT_TURNS = (EventKind.READY_FOR_REVIEW, EventKind.CONVERTED_TO_DRAFT)


def _commit_lines(record: PullRequestRecord, rounds: Sequence[Round]) -> Iterable[Line]:
    fixes = {round_.fixed_at: round_ for round_ in rounds}
    begin = begin_of(record)
    for commit in record.commits or ():
        subject = commit.message.partition("\n")[0][:120]
        if round_ := fixes.pop(commit.committed_at, None):
            yield Line(commit.committed_at, "fix", "Fix", code=commit.sha[:7], tail=subject, muted=_after(round_))
        else:
            yield Line(shown_at(commit, begin), "commit", "Commit", code=commit.sha[:7], tail=subject)


def _review_lines(record: PullRequestRecord, rounds: Sequence[Round]) -> Iterable[Line]:
    with_review: dict[int | None, int] = {}
    for comment in record.review_comments or ():
        with_review[comment.review_id] = with_review.get(comment.review_id, 0) + 1
    numbers = {round_.asked_at: number for number, round_ in enumerate(rounds, start=1)}
    verdicts = verdicts_of(record)
    for review in record.reviews or ():
        said = verdicts[review.id]
        text, strong = VERDICTS.get(said, ("reviewed", ""))
        count = with_review.get(review.id, 0)
        is_round = said == "changes_requested" and review.submitted_at in numbers
        yield Line(
            review.submitted_at,
            "review",
            f"{name_of(review.author)} {text}".rstrip(),
            strong=strong,
            tail=f"with {_counted(count, 'comment')}" if count else "",
            muted=f"round {numbers[review.submitted_at]}" if is_round else "",
        )


def _comment_lines(record: PullRequestRecord) -> Iterable[Line]:
    """Comments that came with a review are counted there."""
    reviews = {review.id for review in record.reviews or ()}
    apart: list[CommentRecord] = [c for c in record.review_comments or () if c.review_id not in reviews]
    for comment in (*(record.issue_comments or ()), *apart):
        yield Line(comment.created_at, "comment", name_of(comment.author), tail="commented")


def _check_line(batch: CheckBatch) -> Line:
    parts = [f"{batch.passed} passed"] if batch.passed else []
    parts += [f"{batch.pending} not done"] if batch.pending else []
    parts += [f"{batch.others} skipped"] if batch.others else []
    failed = ""
    if batch.failed:
        shown = ", ".join(batch.failed[:2]) if len(batch.failed) <= 2 else f"{len(batch.failed)} checks"
        failed = f"{shown} failed"
    return Line(batch.start, "checks", "Checks:", strong=failed, code="", tail=", ".join(parts), muted=_length(batch))


def _length(batch: CheckBatch) -> str:
    minutes = round(batch.seconds / 60)
    return f"{minutes} min" if minutes else ""


def _asked(event: EventRecord) -> str:
    """Whom a request to review was for: a person, or a team."""
    if event.subject_account is not None:
        return event.subject_account.name or event.subject_account.login
    return event.detail or "somebody"


def _event_line(event: EventRecord, rounds: Sequence[Round]) -> Iterable[Line]:
    who = name_of(event.actor)
    if event.kind == EventKind.REVIEW_REQUESTED:
        yield Line(event.occurred_at, "requested", f"{who} asked {_asked(event)} to review")
    elif event.kind == EventKind.REVIEW_REQUEST_REMOVED:
        yield Line(event.occurred_at, "requested", f"{who} no longer asks {_asked(event)} to review")
    elif event.kind == EventKind.FORCE_PUSHED:
        round_ = next((one for one in rounds if one.fixed_at == event.occurred_at), None)
        yield Line(event.occurred_at, "force_push", f"{who} force-pushed", muted=_after(round_) if round_ else "")
    elif event.kind in TURNS:
        yield Line(event.occurred_at, event.kind, f"{who} {TURNS[EventKind(event.kind)]}")


def _after(round_: Round) -> str:
    return f"{age(round_.seconds)} after the request"


def _folded(lines: list[Line], zone: ZoneInfo) -> list[Line]:
    """Runs of commits, of comments and of force pushes as one line each."""
    folded: list[Line] = []
    for kind, run in groupby(lines, key=lambda line: line.kind):
        of_kind = list(run)
        if len(of_kind) == 1 or kind not in FOLDED:
            folded += of_kind
        else:
            folded.append(replace(_fold(of_kind, zone), until=of_kind[-1].at))
    return folded


FOLDED = frozenset({"commit", "comment", "force_push"})


def _fold(run: list[Line], zone: ZoneInfo) -> Line:
    first = run[0]
    if first.kind == "commit":
        return replace(first, muted=f"and {len(run) - 1} more until {_clock(first.at, run[-1].at, zone)}")
    if first.kind == "force_push":
        return replace(first, tail=f"{len(run)} times", muted=next((line.muted for line in run if line.muted), ""))
    people = list(dict.fromkeys(line.text for line in run))
    said = ", ".join(people[:3]) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
    return replace(first, text=said, tail=f"commented {len(run)} times")


def _with_idle(lines: list[Line], zone: ZoneInfo) -> list[Line]:
    """The idle time after each line. Of a folded run it begins with its last event."""
    done = []
    for place, line in enumerate(lines):
        until = line.until or line.at
        following = lines[place + 1].at if place + 1 < len(lines) else until
        if following - until >= IDLE:
            words = idle_words(until, following, zone)
            line = replace(line, idle_seconds=seconds_between(until, following), idle_words=words)
        done.append(line)
    return done


def idle_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """overnight, with a weekend, or nothing."""
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if first == last:
        return ""
    days = [first + timedelta(days=count) for count in range(min((last - first).days + 1, 9))]
    if (last - first).days > 1 and any(day.weekday() >= 5 for day in days):
        return "with a weekend" if (last - first).days < 8 else ""
    return "overnight" if (last - first).days == 1 else ""


def _clock(start: datetime, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    same_day = local.date() == start.astimezone(zone).date()
    return f"{local:%H:%M}" if same_day else f"{local.day} {local:%b %H:%M}"


def exact_span(seconds: int) -> str:
    """7 d 3 h 29 m, 15 h 0 m, 12 m, 40 s: down to the minute, for durations that are seen to add up."""
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days} d {hours} h {minutes} m"
    if hours:
        return f"{hours} h {minutes} m"
    return f"{minutes} m" if minutes or not seconds else f"{seconds} s"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

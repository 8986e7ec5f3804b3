"""One sync as people read it: what it was about, what it brought, what it cost, what it waited for, what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.integrations.models import SyncRun
from apps.metrics.models import PullRequest

Kind = SyncRun.Kind
Status = SyncRun.Status

KINDS: Mapping[str, str] = {
    Kind.INITIAL: "History",
    Kind.INCREMENTAL: "Update",
    Kind.MANUAL: "History by command",
    Kind.PR: "Single pull requests",
    Kind.RECONCILE: "Comparison",
}
STATUSES: Mapping[str, tuple[str, str, str]] = {  # (its word, kind of state, icon)
    Status.PENDING: ("Waiting", "", "clock"),
    Status.RUNNING: ("Running", "busy", "spin"),
    Status.PAUSED: ("Paused", "warn", "pause"),
    Status.COMPLETE: ("Complete", "good", "okc"),
    Status.PARTIAL: ("Partial", "warn", "half"),
    Status.ERROR: ("Failed", "bad", "stop"),
    Status.CANCELLED: ("Cancelled", "", "off"),
}
COUNTED: Mapping[str, str] = {  # the keys of SyncRun.counts that people know, in the order of the page
    "pull_requests": "Pull requests",
    "reviews": "Reviews",
    "threads": "Review threads",
    "comments": "Comments",
    "commits": "Commits",
    "files": "Files",
    "check_runs": "Checks",
    "events": "Events",
    "labels": "Labels",
    "assignees": "Assignees",
    "linked_issues": "Linked issues",
    "deployments": "Deployments",
}
UNREADABLE, NOT_PERMITTED = "unreadable", "permissions"
"""The keys of SyncRun.partial that are no pull request's number."""

MOST_PARTIAL = 200
"""Partial pull requests that the page of a run names."""

SHORT = 1.0
"""Seconds. A speed that was measured for less says nothing."""

_NUMBERED = re.compile(r"#(\d{1,9}):? ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Window:
    """What a run was about: words, and the instant that ends them if there is one ("changes since" 14:06)."""

    words: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """`seconds` so far; `until` None: until somebody lets it go on."""

    begun: datetime
    until: datetime | None
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class PageSize:
    """How pages of `size` pull requests went; `seconds` of all of them."""

    size: int
    pages: int
    pull_requests: int
    seconds: float

    @property
    def seconds_a_page(self) -> float:
        return self.seconds / self.pages if self.pages else 0.0

    @property
    def per_second(self) -> float | None:
        return self.pull_requests / self.seconds if self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartialPullRequest:
    """`title` "" and `is_stored` False: nothing of it is here. `is_complete`: a later sync brought the rest."""

    number: int
    parts: tuple[Part, ...]
    title: str = ""
    is_stored: bool = False
    is_complete: bool = False
    is_gone: bool = False
    github_url: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A SyncRun with its repository loaded, and what follows from the row alone."""

    row: SyncRun
    now: datetime

    @classmethod
    def of(cls, row: SyncRun) -> Run:
        return cls(row, timezone.now())

    @property
    def full_name(self) -> str:
        return str(self.row.tracked_repository.repository.full_name)

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    @property
    def kind(self) -> str:
        return "Widening" if self.row.known_from is not None else KINDS.get(self.row.kind, self.row.kind)

    @property
    def status(self) -> tuple[str, str, str]:
        return STATUSES.get(self.row.status, (self.row.status, "", "info"))

    @property
    def window(self) -> Window:
        return window_of(self.row)

    @property
    def began(self) -> datetime:
        return self.row.started_at or self.row.created_at

    @property
    def is_going_on(self) -> bool:
        return self.row.status in SyncRun.UNFINISHED

    @property
    def goes_on_at(self) -> datetime | None:
        """When its pause is over by itself. None for one whose time is up: it waits for its connection, or its turn."""
        resume_at = self.row.resume_at if self.row.status == Status.PAUSED else None
        return resume_at if resume_at is not None and resume_at > self.now else None

    @property
    def is_held_by_person(self) -> bool:
        return self.row.status == Status.PAUSED and self.row.resume_at is None

    @property
    def seconds(self) -> float | None:
        """From its start to its end, or until now; None before it began."""
        if self.row.started_at is None:
            return None
        return ((self.row.finished_at or self.now) - self.row.started_at).total_seconds()

    @property
    def waits(self) -> list[Wait]:
        return waits_of(self.row.waits, self.row.finished_at or self.now)

    @property
    def waited(self) -> float:
        return sum(wait.seconds for wait in self.waits)

    @property
    def working(self) -> float:
        """Seconds in which it did not wait for anything."""
        return max(0.0, (self.seconds or 0.0) - self.waited)

    @property
    def pull_requests(self) -> int:
        return int(self.row.counts.get("pull_requests", 0))

    @property
    def points_each(self) -> float | None:
        return self.row.points / self.pull_requests if self.pull_requests else None

    @property
    def per_second(self) -> float | None:
        return self.pull_requests / self.working if self.pull_requests and self.working >= SHORT else None

    @property
    def all_requests(self) -> int:
        return self.row.requests + self.row.rest_requests

    @property
    def said(self) -> str:
        """Why it failed or waits; "" where there is nothing to explain."""
        if self.row.status == Status.PAUSED and self.waits:
            return self.waits[-1].reason
        return str(self.row.errors[-1]) if self.row.status in (Status.ERROR, Status.PAUSED) and self.row.errors else ""

    @property
    def counts(self) -> list[tuple[str, int]]:
        return [(words, int(self.row.counts.get(key, 0))) for key, words in COUNTED.items()]

    @property
    def sizes(self) -> list[PageSize]:
        """The biggest pages first."""
        found = [
            PageSize(int(size), int(each["pages"]), int(each["pull_requests"]), float(each["seconds"]))
            for size, each in self.row.pages.items()
        ]
        return sorted(found, key=lambda each: -each.size)


def window_of(run: SyncRun) -> Window:
    """What the run was to bring."""
    if run.kind == Kind.INCREMENTAL:
        return Window("changes since", run.cutoff) if run.cutoff else Window("changes")
    if run.kind == Kind.RECONCILE:
        return Window("what differs from GitHub’s counts")
    if run.kind == Kind.PR:
        return Window("fetched again")
    if run.known_from is None:
        return Window("full history" if run.days_back is None else _days(run.days_back))
    near = max(0, round((run.created_at - run.known_from) / timedelta(days=1)))
    if run.days_back is None:
        return Window(f"everything older than {_days(near)}")
    return Window(f"{near + 1} to {run.days_back} days back")


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def waits_of(rows: Sequence[Mapping[str, Any]], latest: datetime) -> list[Wait]:
    """What a run waited for until `latest`, from `SyncRun.waits`."""
    return [wait for each in rows if (wait := _wait(each, latest)) is not None]


def _wait(each: Mapping[str, Any], latest: datetime) -> Wait | None:
    """A wait ends when its time is up, or with the run; what is planned counts as far as it has come."""
    begun, until = _instant(each.get("from")), _instant(each.get("until"))
    if begun is None:
        return None
    seconds = (min(until or latest, latest) - begun).total_seconds()
    return Wait(begun, until, max(0.0, seconds), str(each.get("reason", "")))


def _instant(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


@dataclass(frozen=True, slots=True)
class RunPage:
    """`partial`: pull requests by number, newest first; `more_partial`: how many are not named; `others`: what else
    could not be read, and why. `again`: of the pull requests that the run left partial, those that still are.
    """

    run: Run
    partial: Sequence[PartialPullRequest]
    more_partial: int
    others: Sequence[Part]
    again: int

    @property
    def partial_count(self) -> int:
        return len(self.partial) + self.more_partial


def run_page(run_id: int) -> RunPage | None:
    """Everything about one run; None if the team has none of that number. Three SQL statements at most."""
    rows = SyncRun.objects.select_related("tracked_repository__repository", "tracked_repository__integration")
    row: SyncRun | None = rows.filter(pk=run_id).first()
    if row is None:
        return None
    named, others = _sorted_out(row.partial)
    numbers = sorted(named, reverse=True)
    stored = _stored(row, numbers[:MOST_PARTIAL])
    partial = [_partial(row, number, named[number], stored.get(number)) for number in numbers[:MOST_PARTIAL]]
    return RunPage(
        Run.of(row),
        partial=partial,
        more_partial=max(0, len(numbers) - MOST_PARTIAL),
        others=others,
        again=still_partial(row, numbers).count() if numbers else 0,
    )


def still_partial(run: SyncRun, numbers: Sequence[int] | None = None) -> Any:
    """The pull requests that the run left partial and no later one completed, by GitHub's ids for them."""
    if numbers is None:
        numbers = list(_sorted_out(run.partial)[0])
    return PullRequest.objects.filter(
        repository=run.tracked_repository.repository_id, number__in=numbers, is_partial=True, gone_at=None
    ).exclude(node_id="")


def _sorted_out(partial: Mapping[str, Any]) -> tuple[dict[int, tuple[Part, ...]], list[Part]]:
    """What is missing by pull request, and what is missing of no pull request that has a number."""
    named: dict[int, tuple[Part, ...]] = {}
    others = []
    for key, reasons in partial.items():
        if key.isascii() and key.isdigit():
            named[int(key)] = tuple(_parts(reasons))
        elif key == UNREADABLE:
            for part in _parts(reasons):
                found = _NUMBERED.fullmatch(part.reason)
                number = found[1] if found else part.name
                if number.isascii() and number.isdigit():
                    named.setdefault(int(number), (Part("all of it", found[2] if found else part.reason),))
                else:
                    others.append(Part("unreadable", part.reason))
        elif key == NOT_PERMITTED:
            others += [
                Part(part.name, f"permission missing: {part.reason}" if part.reason else "permission missing")
                for part in _parts(reasons)
            ]
        else:
            others += [Part(key, f"{part.name}: {part.reason}") for part in _parts(reasons)]
    return named, others


def _parts(reasons: Any) -> list[Part]:
    if not isinstance(reasons, Mapping):
        return [Part("", str(reasons))]
    return [Part(str(name).replace("_", " "), str(reason)) for name, reason in reasons.items()]


def _stored(run: SyncRun, numbers: Sequence[int]) -> dict[int, tuple[str, bool, bool]]:
    """Title, whether it is partial, whether it is gone, by number; served by pull_request_key."""
    if not numbers:
        return {}
    rows = PullRequest.objects.filter(repository=run.tracked_repository.repository_id, number__in=numbers)
    return {
        number: (title, is_partial, gone_at is not None)
        for number, title, is_partial, gone_at in rows.values_list("number", "title", "is_partial", "gone_at")
    }


def _partial(
    run: SyncRun, number: int, parts: tuple[Part, ...], stored: tuple[str, bool, bool] | None
) -> PartialPullRequest:
    title, is_partial, is_gone = stored or ("", False, False)
    return PartialPullRequest(
        number,
        parts,
        title=title,
        is_stored=stored is not None,
        is_complete=stored is not None and not is_partial,
        is_gone=is_gone,
        github_url=f"{settings.GITHUB_WEB_URL}/{run.tracked_repository.repository.full_name}/pull/{number}",
    )

"""A tracked repository as its card shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from apps.integrations.models import AvailableRepository, GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.queries.sync_run import waits_of
from apps.integrations.queries.tried_again import tried_again_at
from apps.metrics.models import PullRequest, Repository
from apps.metrics.queries.completeness import completeness_in_words

Sync = TrackedRepository.SyncStatus
Connection = GitHubIntegration.SyncStatus
EXAMPLES = 3
"""Partial pull requests that a card names."""

SHORT = 5
"""Seconds. A rate that was measured for less says nothing."""


class State(StrEnum):
    """What a card says in one word; what needs a person comes first."""

    STOPPED = "stopped"  # GitHub no longer gives it to us
    DISCONNECTED = "disconnected"
    HELD = "held"  # its organisation does not let the connection in
    FAILED = "failed"
    PARTIAL = "partial"
    PAUSED = "paused"
    SYNCING = "syncing"
    PENDING = "pending"
    UP_TO_DATE = "up_to_date"
    OFF = "off"


BROKEN = frozenset({State.STOPPED, State.DISCONNECTED, State.HELD})

SHOWN = Q(is_active=True) | Q(stopped_at__isnull=False)
"""Repositories that have a card: what is followed, and what was until GitHub no longer gave it to us."""


@dataclass(frozen=True, slots=True)
class PartialExample:
    """`parts`: why each is missing, in GitHub's first words; the sync log has all of them."""

    number: int
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """`tracked` comes with its repository and integration. `points`, `resume_at` and `waited` (seconds) are of the run
    that is going on or rests; `seen_at` when the connection last listed the repository; `tried_again_at` when what
    failed is tried again by itself, if it is.
    """

    tracked: TrackedRepository
    state: State
    language: str = ""
    is_disabled: bool = False
    seen_at: datetime | None = None
    points: int | None = None
    resume_at: datetime | None = None
    waited: float = 0.0
    tried_again_at: datetime | None = None
    partial: Sequence[PartialExample] = field(default_factory=tuple)

    @property
    def repository(self) -> Repository:
        return self.tracked.repository

    @property
    def owner(self) -> str:
        return self.repository.full_name.partition("/")[0]

    @property
    def depth(self) -> str:
        """As the choice of depths has it."""
        return "all" if self.tracked.days_back is None else str(self.tracked.days_back)

    @property
    def is_live(self) -> bool:
        """Whether it changes by itself within seconds."""
        return self.is_moving or self.waits_for_hook

    @property
    def waits_for_hook(self) -> bool:
        """Whether GitHub is being asked for the webhook: the answer may come after the sync's end."""
        is_reachable = self.state not in {State.OFF, *BROKEN}
        return is_reachable and self.tracked.webhook_status == TrackedRepository.WebhookStatus.PENDING

    @property
    def hook_is_wrong(self) -> bool:
        """Whether a person may try to repair the webhook."""
        return self.tracked.webhook_status in TrackedRepository.WRONG

    @property
    def is_moving(self) -> bool:
        """Whether a sync goes on, rests, or is about to begin."""
        return self.state in {State.SYNCING, State.PENDING, State.PAUSED} and (
            self.state != State.PENDING or self.tracked.sync_requested_at is not None
        )

    @property
    def is_broken(self) -> bool:
        """Whether nothing of it comes in until a person has seen to something."""
        return self.state in BROKEN

    @property
    def broken_since(self) -> datetime | None:
        return self.tracked.stopped_at if self.state == State.STOPPED else self.tracked.integration.status_since

    @property
    def told_at(self) -> datetime | None:
        """When the admins were written to about what is wrong now."""
        of = self.tracked if self.state in {State.STOPPED, State.FAILED} else self.tracked.integration
        return of.admins_told_at

    @property
    def is_back(self) -> bool:
        """Whether the connection lists a repository again that was not found. A blocked one is listed all along."""
        stopped_at, seen_at = self.tracked.stopped_at, self.seen_at
        was_not_found = self.tracked.stopped_reason.startswith(TrackedRepository.NOT_FOUND)
        return was_not_found and stopped_at is not None and seen_at is not None and seen_at > stopped_at

    @property
    def is_paused_by_person(self) -> bool:
        return self.state == State.PAUSED and self.resume_at is None

    @property
    def other_owner(self) -> str:
        """Whose it is, where that is not the connection's organisation: it was transferred."""
        integration = self.tracked.integration
        is_elsewhere = not integration.is_personal and self.owner.lower() != integration.organization_slug.lower()
        return self.owner if is_elsewhere else ""

    @property
    def permissions_missing(self) -> list[str]:
        """What the connection may not read of it."""
        return sorted(self.tracked.integration.permissions_missing)

    @property
    def stored(self) -> int:
        """As counted at the last sync's end; before the first one ended, what it has brought so far."""
        known = self.repository.completeness
        return int(known["stored"]) if "stored" in known else self.tracked.sync_prs_completed

    @property
    def stated(self) -> int:
        """How many GitHub has by its own word; what is stored where nothing is known of that."""
        return int(self.repository.completeness.get("stated") or self.stored)

    @property
    def completeness(self) -> str:
        """How much of it is stored, and what is partial and why."""
        return completeness_in_words(self.repository)

    @property
    def partial_count(self) -> int:
        return int(self.repository.completeness.get("partial", 0))

    @property
    def other_partial(self) -> int:
        """How many partial ones `partial` does not name."""
        return max(0, self.partial_count - len(self.partial))

    @property
    def complete_count(self) -> int:
        return self.stored - self.partial_count

    @property
    def complete_share(self) -> str:
        """Percent of what is stored, for the bar."""
        return f"{self.complete_count * 100 / self.stored:.1f}" if self.stored else "100"

    @property
    def covers_everything(self) -> bool:
        since = self.repository.covered_from
        return since is not None and since.year <= 1970

    @property
    def per_minute(self) -> float | None:
        """Pull requests a minute of the run that is going on, without its pauses; None as long as that says nothing."""
        if self.tracked.sync_started_at is None or not self.tracked.sync_prs_completed:
            return None
        seconds = (timezone.now() - self.tracked.sync_started_at).total_seconds() - self.waited
        return self.tracked.sync_prs_completed * 60 / seconds if seconds >= SHORT else None

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None while speed or total are not known."""
        rate, total = self.per_minute, self.tracked.sync_prs_total
        if not rate or total is None or total <= self.tracked.sync_prs_completed:
            return None
        return (total - self.tracked.sync_prs_completed) * 60 / rate


def state_of(tracked: TrackedRepository) -> State:
    if tracked.stopped_at is not None:
        return State.STOPPED
    if not tracked.is_active:
        return State.OFF
    connection = tracked.integration.sync_status
    if connection != Connection.CONNECTED:
        return State.HELD if connection == Connection.HELD else State.DISCONNECTED
    return _BY_STATUS[Sync(tracked.sync_status)]


_BY_STATUS = {
    Sync.PENDING: State.PENDING,
    Sync.SYNCING: State.SYNCING,
    Sync.PAUSED: State.PAUSED,
    Sync.COMPLETE: State.UP_TO_DATE,
    Sync.PARTIAL: State.PARTIAL,
    Sync.ERROR: State.FAILED,
}


def tracked_rows() -> QuerySet[TrackedRepository]:
    """The rows that `cards_of` wants."""
    rows: QuerySet[TrackedRepository] = TrackedRepository.objects.select_related("repository", "integration")
    return rows


def cards_of(rows: Iterable[TrackedRepository]) -> list[Card]:
    """Cards in the order of `rows`. Three queries, however many there are, and one where some failed."""
    tracked = list(rows)
    seen = _seen(tracked)
    running = _running(tracked)
    failed = _tried_again([row for row in tracked if state_of(row) == State.FAILED])
    partial = _partial(tracked)
    return [
        Card(
            row,
            state_of(row),
            **seen.get((row.integration_id, row.repository.github_repo_id), {}),
            **running.get(row.pk, {}),
            tried_again_at=failed.get(row.pk),
            partial=partial.get(row.repository_id, ()),
        )
        for row in tracked
    ]


def _seen(tracked: Sequence[TrackedRepository]) -> dict[tuple[int, int], dict[str, Any]]:
    """What the connection's list says. Served by available_repository_id."""
    listed = AvailableRepository.objects.filter(github_repo_id__in=[row.repository.github_repo_id for row in tracked])
    return {
        (row.pop("integration_id"), row.pop("github_repo_id")): row
        for row in listed.values("integration_id", "github_repo_id", "language", "is_disabled", "seen_at")
    }


def _running(tracked: Sequence[TrackedRepository]) -> dict[int, dict[str, Any]]:
    """Served by one_unfinished_sync_run."""
    unfinished = SyncRun.objects.filter(
        tracked_repository_id__in=[row.pk for row in tracked], status__in=SyncRun.UNFINISHED
    )
    now = timezone.now()
    found: dict[int, dict[str, Any]] = {}
    for row in unfinished.values("tracked_repository_id", "points", "resume_at", "waits"):
        tracked_id, waits = row.pop("tracked_repository_id"), waits_of(row.pop("waits"), now)
        found[tracked_id] = {**row, "waited": sum(wait.seconds for wait in waits)}
    return found


def _tried_again(failed: Sequence[TrackedRepository]) -> dict[int, datetime | None]:
    """When each is tried again by itself."""
    if not failed:
        return {}
    rows = {row.pk: row for row in failed}
    last = SyncRun.objects.filter(tracked_repository_id__in=list(rows)).order_by("tracked_repository_id", "-pk")
    return {
        run.tracked_repository_id: tried_again_at(rows[run.tracked_repository_id], run)
        for run in last.distinct("tracked_repository_id").only("kind", "status", "finished_at", "tracked_repository_id")
    }


def _partial(tracked: Sequence[TrackedRepository]) -> dict[int, list[PartialExample]]:
    """The newest partial pull requests of each repository."""
    place = Window(RowNumber(), partition_by=F("repository_id"), order_by=F("number").desc())
    rows = (
        PullRequest.objects.filter(
            repository_id__in=[row.repository_id for row in tracked], is_partial=True, gone_at=None
        )
        .annotate(place=place)
        .filter(place__lte=EXAMPLES)
        .values_list("repository_id", "number", "partial")
        .order_by("repository_id", "-number")
    )
    examples: dict[int, list[PartialExample]] = {}
    for repository_id, number, parts in rows:
        first_words = {part: reason.partition("; REST: ")[0] for part, reason in parts.items()}
        examples.setdefault(repository_id, []).append(PartialExample(number, first_words))
    return examples

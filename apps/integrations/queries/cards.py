"""A tracked repository as its card shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from apps.integrations.models import AvailableRepository, GitHubIntegration, SyncRun, TrackedRepository
from apps.metrics.models import PullRequest, Repository

Sync = TrackedRepository.SyncStatus
EXAMPLES = 3
"""Partial pull requests that a card names."""

SHORT = 5
"""Seconds. A rate that was measured for less says nothing."""


class State(StrEnum):
    """What a card says in one word; what needs a person comes first."""

    UNREACHABLE = "unreachable"
    FAILED = "failed"
    PARTIAL = "partial"
    PAUSED = "paused"
    SYNCING = "syncing"
    PENDING = "pending"
    UP_TO_DATE = "up_to_date"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PartialExample:
    number: int
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """`tracked` comes with its repository and integration. `points` are those of the run that is going on."""

    tracked: TrackedRepository
    state: State
    language: str = ""
    points: int | None = None
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
        is_reachable = self.state not in {State.OFF, State.UNREACHABLE}
        return is_reachable and self.tracked.webhook_status == TrackedRepository.WebhookStatus.PENDING

    @property
    def is_moving(self) -> bool:
        """Whether a sync goes on, rests, or is about to begin."""
        return self.state in {State.SYNCING, State.PENDING, State.PAUSED} and (
            self.state != State.PENDING or self.tracked.sync_requested_at is not None
        )

    @property
    def stored(self) -> int:
        return int(self.repository.completeness.get("stored", 0))

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
        """Pull requests a minute of the run that is going on; None as long as that says nothing."""
        if self.tracked.sync_started_at is None or not self.tracked.sync_prs_completed:
            return None
        seconds = (timezone.now() - self.tracked.sync_started_at).total_seconds()
        return self.tracked.sync_prs_completed * 60 / seconds if seconds >= SHORT else None

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None while speed or total are not known."""
        rate, total = self.per_minute, self.tracked.sync_prs_total
        if not rate or total is None or total <= self.tracked.sync_prs_completed:
            return None
        return (total - self.tracked.sync_prs_completed) * 60 / rate


def state_of(tracked: TrackedRepository) -> State:
    if not tracked.is_active:
        return State.OFF
    connected = tracked.integration.sync_status == GitHubIntegration.SyncStatus.CONNECTED
    if not connected or tracked.repository.gone_at is not None:
        return State.UNREACHABLE
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
    """Cards in the order of `rows`. Three queries, however many there are."""
    tracked = list(rows)
    languages = _languages(tracked)
    points = _points(tracked)
    partial = _partial(tracked)
    return [
        Card(
            row,
            state_of(row),
            language=languages.get(row.repository.github_repo_id, ""),
            points=points.get(row.pk),
            partial=partial.get(row.repository_id, ()),
        )
        for row in tracked
    ]


def _languages(tracked: Sequence[TrackedRepository]) -> dict[int, str]:
    """Served by available_repository_id."""
    seen = AvailableRepository.objects.filter(github_repo_id__in=[row.repository.github_repo_id for row in tracked])
    return dict(seen.values_list("github_repo_id", "language"))


def _points(tracked: Sequence[TrackedRepository]) -> dict[int, int]:
    """Served by one_unfinished_sync_run."""
    running = SyncRun.objects.filter(
        tracked_repository_id__in=[row.pk for row in tracked], status__in=SyncRun.UNFINISHED
    )
    return dict(running.values_list("tracked_repository_id", "points"))


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
        examples.setdefault(repository_id, []).append(PartialExample(number, parts))
    return examples

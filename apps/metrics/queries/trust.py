"""What the numbers rest on, per repository (docs/metrics.md, "Trust")."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from apps.metrics.models import PullRequest, Repository

STALE = timedelta(hours=2)
"""Repositories are synced every hour: what is older was switched off, disconnected, or does not get through."""


@dataclass(frozen=True, slots=True)
class RepositoryTrust:
    """`covered_from` None: nothing is complete yet. `stated`: pull requests at the source, None until it said so."""

    id: int
    full_name: str
    covered_from: datetime | None
    synced_to: datetime | None
    stated: int | None
    stored: int
    partial: int

    @property
    def name(self) -> str:
        return self.full_name.rpartition("/")[2]

    def covers(self, start: datetime) -> bool:
        return self.covered_from is not None and self.covered_from <= start

    @property
    def is_first_sync(self) -> bool:
        return self.covered_from is None


def _synced_to(repository: RepositoryTrust) -> datetime:
    assert repository.synced_to is not None
    return repository.synced_to


@dataclass(frozen=True, slots=True)
class Trust:
    """Of the repositories that a page speaks about, by name."""

    repositories: tuple[RepositoryTrust, ...]

    @property
    def synced_to(self) -> datetime | None:
        """The latest successful sync of any of them."""
        return max((r.synced_to for r in self.repositories if r.synced_to), default=None)

    @property
    def is_stale(self) -> bool:
        """Whether none of them was synced in the last two hours, though one was before."""
        newest = self.synced_to
        return newest is not None and timezone.now() - newest > STALE

    @property
    def stale(self) -> tuple[RepositoryTrust, ...]:
        """Those that were not synced in the last two hours while others were; the longest ago first."""
        if self.is_stale:
            return ()
        since = timezone.now() - STALE
        return tuple(sorted((r for r in self.repositories if r.synced_to and r.synced_to < since), key=_synced_to))

    @property
    def covered_from(self) -> datetime | None:
        """Since when the most are covered: the earliest begin that at least half of the covered ones share."""
        begins = sorted(r.covered_from for r in self.repositories if r.covered_from)
        return begins[(len(begins) - 1) // 2] if begins else None

    @property
    def covered_later(self) -> tuple[RepositoryTrust, ...]:
        """The exceptions: covered from a later day on."""
        usual = self.covered_from
        return tuple(r for r in self.repositories if usual and r.covered_from and r.covered_from.date() > usual.date())

    @property
    def in_first_sync(self) -> tuple[RepositoryTrust, ...]:
        return tuple(r for r in self.repositories if r.is_first_sync)

    @property
    def stored(self) -> int:
        return sum(r.stored for r in self.repositories)

    @property
    def stated(self) -> int | None:
        """Pull requests that exist at the source; None while it is not known of every repository."""
        known = [r.stated for r in self.repositories if r.stated is not None]
        return sum(known) if len(known) == len(self.repositories) else None

    @property
    def partial(self) -> int:
        return sum(r.partial for r in self.repositories)

    def only(self, ids: Collection[int]) -> Trust:
        """Of the chosen repositories; of all when none is chosen."""
        return Trust(tuple(r for r in self.repositories if r.id in ids)) if ids else self

    def not_covering(self, start: datetime) -> tuple[RepositoryTrust, ...]:
        return tuple(r for r in self.repositories if not r.covers(start))

    def covered_since_all(self) -> datetime | None:
        """Since when all of them are covered; None if one is not covered at all, or there is none."""
        begins = [r.covered_from for r in self.repositories]
        known = [begin for begin in begins if begin is not None]
        return max(known) if known and len(known) == len(begins) else None


def trust_of_team() -> Trust:
    """Every repository of the current team. Two SQL statements."""
    counts = {
        row["repository_id"]: row
        # Reads the team's pull requests once; served by pull_request_key (team, repository, number).
        for row in PullRequest.objects.filter(gone_at=None)
        .values("repository_id")
        .annotate(stored=Count("id"), short=Count("id", filter=Q(is_partial=True)))
    }
    empty = {"stored": 0, "short": 0}
    return Trust(
        tuple(
            RepositoryTrust(
                id=repository.pk,
                full_name=repository.full_name,
                covered_from=repository.covered_from,
                synced_to=repository.synced_to,
                stated=repository.prs_stated,
                stored=counts.get(repository.pk, empty)["stored"],
                partial=counts.get(repository.pk, empty)["short"],
            )
            for repository in Repository.objects.filter(gone_at=None).order_by("full_name", "id")
        )
    )

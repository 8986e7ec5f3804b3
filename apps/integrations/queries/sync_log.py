"""The sync log: every sync of the team, newest first, and every look for changes. Pages by key: a team may have
hundreds of thousands of runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import F, Func, IntegerField, Max, Model, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.http import QueryDict
from django.utils import timezone

from apps.integrations.models import FreshnessCheck, GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.models.sync_run import ROUTINE
from apps.integrations.queries.sync_run import KINDS, NOT_PERMITTED, STATUSES, UNREADABLE, Run
from apps.metrics.queries.population import printable

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50
MOST_OPTIONS = 500
LAST_ID = 2**63 - 1

NOTABLE, ALL, LOOKS = "notable", "all", "looks"
HEAVY = ("checkpoint", "pages", "touched_weeks", "partial", "errors")
"""Columns that a line of the log does not need and that may be long."""


@dataclass(frozen=True, slots=True)
class LogFilters:
    """What the address chooses: `?show=…&repository=…&kind=…&status=…&before=…` ("" and 0 choose nothing).

    `before` and `after` are ids of runs (of looks, where those are shown): the page ends there, or begins.
    """

    show: str = NOTABLE
    repository: str = ""
    kind: str = ""
    status: str = ""
    before: int = 0
    after: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> LogFilters:
        notes = []
        chosen: dict[str, str] = {}
        for key, allowed in (("kind", KINDS), ("status", STATUSES)):
            value = printable(query.get(key, ""))
            if value and value not in allowed:
                notes.append(f"{key.capitalize()} cannot be “{value[:40]}”; that filter was left out.")
                value = ""
            chosen[key] = value
        repository = printable(query.get("repository", ""))
        show = query.get("show", "")
        if show not in {NOTABLE, ALL, LOOKS} or (show == NOTABLE and any(chosen.values())):
            show = _usual(repository, *chosen.values())
        return cls(
            show=show,
            repository=repository,
            before=_id(query.get("before", "")),
            after=_id(query.get("after", "")),
            notes=tuple(notes),
            **chosen,
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.repository or self.kind or self.status)

    def query(self, **changed: str | int | None) -> str:
        """This choice as an address with something changed (None: taken out); the place in the list falls away."""
        kept: dict[str, str | int | None] = {
            one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"before", "after", "notes"}
        }
        kept |= changed
        if kept["show"] == _usual(kept["repository"], kept["kind"], kept["status"]):
            kept["show"] = None
        return urlencode({key: value for key, value in kept.items() if value})

    @property
    def here(self) -> str:
        """The address of this very page."""
        return self.query(before=self.before or None, after=self.after or None)


def _usual(*filters: str | int | None) -> str:
    """What is shown unless the address says otherwise: whoever names a repository, a kind or a status means all."""
    return ALL if any(filters) else NOTABLE


def _id(text: str) -> int:
    return min(int(text), LAST_ID) if text.isascii() and text.isdigit() and len(text) <= 19 else 0


@dataclass(frozen=True, slots=True)
class LogLine(Run):
    """A run in the log. `partial`: pull requests that it left partial; `lacks`: what else; `error`: its last word."""

    partial: int = 0
    lacks: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[M]):
    """`rows` newest first; `older` and `newer` are the queries of the pages beside it, "" where there is none."""

    rows: Sequence[M]
    older: int = 0
    newer: int = 0


@dataclass(frozen=True, slots=True)
class SyncLog:
    """`notes`: what of the address was not understood. `lines` for runs, `looks` for looks: one of them is empty."""

    filters: LogFilters
    lines: Sequence[LogLine]
    looks: Sequence[FreshnessCheck]
    older_query: str
    newer_query: str
    notes: Sequence[str]
    repositories: Sequence[str]
    going_on: int
    looked_at: datetime | None
    has_repositories: bool

    @property
    def is_moving(self) -> bool:
        """Whether a line of it changes by itself."""
        return any(line.is_going_on for line in self.lines) or any(look.is_going_on for look in self.looks)


def sync_log(filters: LogFilters) -> SyncLog:
    """A page of 50. Five SQL statements, however many runs there are (six at the log's old end)."""
    notes, known = list(filters.notes), _known()
    lines: list[LogLine] = []
    looks: Sequence[FreshnessCheck] = ()
    page: KeyPage[Any]
    if filters.show == LOOKS:
        page = _key_page(FreshnessCheck.objects.select_related("integration"), filters)
        looks = page.rows
    else:
        page = _key_page(with_details(runs_of(filters, known)), filters)
        lines = [line_of(row) for row in page.rows]
        if filters.repository and not _keys_of(filters.repository, known):
            notes.append(f"No repository here is called “{filters.repository[:100]}”.")
    integrations = GitHubIntegration.objects.order_by()
    return SyncLog(
        filters,
        lines=lines,
        looks=looks,
        older_query=filters.query(before=page.older) if page.older else "",
        newer_query=filters.query(after=page.newer) if page.newer else "",
        notes=notes,
        repositories=tuple(known)[:MOST_OPTIONS],
        going_on=SyncRun.objects.filter(status__in=SyncRun.UNFINISHED).count(),
        looked_at=integrations.aggregate(latest=Max("looked_at"))["latest"],
        has_repositories=bool(known),
    )


def runs_of(filters: LogFilters, known: Mapping[str, list[int]] | None = None) -> QuerySet[SyncRun]:
    """The runs that the filters let through, in no order, with their repository.

    Read by key, newest first: all of them along sync_run_in_team (team, id), the notable ones along sync_run_notable,
    one status along sync_run_status, one kind along sync_run_kind, one repository along its foreign key's index.
    """
    runs: QuerySet[SyncRun] = SyncRun.objects.select_related("tracked_repository__repository")
    if filters.show == NOTABLE:
        runs = runs.filter(~ROUTINE)
    if filters.kind:
        runs = runs.filter(kind=filters.kind)
    if filters.status:
        runs = runs.filter(status=filters.status)
    if filters.repository:
        keys = _keys_of(filters.repository, _known() if known is None else known)
        runs = runs.filter(tracked_repository__in=keys)
    return runs


def line_of(row: Any) -> LogLine:
    """A row of `with_details`."""
    unreadable, not_permitted = row.unreadable or {}, row.not_permitted or {}
    keys = row.partial_keys - (row.unreadable is not None) - (row.not_permitted is not None)
    return LogLine(
        row,
        timezone.now(),
        partial=keys + len(unreadable),
        lacks=", ".join(not_permitted).replace("_", " "),
        error=row.last_error or "" if row.status in {SyncRun.Status.ERROR, SyncRun.Status.PAUSED} else "",
    )


def with_details(runs: QuerySet[SyncRun]) -> QuerySet[Any]:
    """Runs as `line_of` wants them: without the long columns, with what is to be said of them."""
    keys = Func(
        F("partial"),
        template="(SELECT count(*) FROM jsonb_object_keys(%(expressions)s))",
        output_field=IntegerField(),
    )
    return runs.defer(*HEAVY).annotate(
        partial_keys=keys,
        unreadable=KeyTransform(UNREADABLE, "partial"),
        not_permitted=KeyTransform(NOT_PERMITTED, "partial"),
        last_error=KeyTextTransform("-1", "errors"),
    )


def _key_page(rows: QuerySet[M], filters: LogFilters) -> KeyPage[M]:
    """One more than fits is asked for, to know whether there is a page behind it. One statement, two where it ends."""
    if filters.after:
        found = list(rows.filter(pk__gt=filters.after).order_by("pk")[: PAGE_SIZE + 1])
        if len(found) <= PAGE_SIZE:  # the newest ones: shown from the top, as somebody would see them who comes now
            return _key_page(rows, LogFilters())
        shown = found[:PAGE_SIZE][::-1]
        return KeyPage(shown, older=shown[-1].pk, newer=shown[0].pk)
    if filters.before:
        rows = rows.filter(pk__lt=filters.before)
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else 0
    newer = (shown[0].pk if shown else filters.before - 1) if filters.before else 0
    return KeyPage(shown, older=older, newer=newer)


def _known() -> dict[str, list[int]]:
    """Keys of everything that is or was tracked, by name: one that was deleted may share it with its successor."""
    found: dict[str, list[int]] = {}
    rows = TrackedRepository.objects.order_by("repository__full_name", "pk")
    for name, key in rows.values_list("repository__full_name", "pk"):
        found.setdefault(name, []).append(key)
    return found


def _keys_of(name: str, known: Mapping[str, list[int]]) -> list[int]:
    """In any case, as GitHub has it."""
    return [key for other, keys in known.items() if other.casefold() == name.casefold() for key in keys]

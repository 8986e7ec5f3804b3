"""What the writers of all parts share: the page they work on, and how rows are written and marked as gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models

from apps.common.copy_upsert import Pending, Upserted, begin_upsert
from apps.metrics.models import Repository
from apps.metrics.models.base import Mirrored
from apps.metrics.records import Part, PullRequestRecord
from apps.metrics.services.members import Members

Row = dict[str, Any]


@dataclass(slots=True)
class Page:
    """Pull requests of one repository on their way into the database.

    `asked_at`: when the source was. `ids`: number -> primary key. `known`: the numbers that were stored before, of
    which something may be gone. `told`: those of which events tell, not all of which was fetched.
    `changed`: primary keys of those of which a row that is counted by week changed; `instants`: when what is gone was.
    `later`: what waits until everything is sent.
    """

    repository: Repository
    records: Sequence[PullRequestRecord]
    synced_at: datetime
    asked_at: datetime
    members: Members
    ids: dict[int, int] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    told: frozenset[int] = frozenset()
    rows: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    changed: set[int] = field(default_factory=set)
    instants: set[datetime] = field(default_factory=set)
    later: list[Callable[[], None]] = field(default_factory=list)

    def complete(self, part: Part) -> list[int]:
        """Of which pull requests stored rows of `part` that are not in the record are gone at the source."""
        return [self.ids[r.number] for r in self.records if r.number in self.known and is_complete(r, part)]

    def finish(self) -> None:
        """Read the answers, and look for what is gone."""
        for step in self.later:
            step()

    def count(self, kind: str, rows: Collection[Any], written: Upserted) -> None:
        self.rows[kind] += len(rows)
        self.changes[kind] += written.changed


def find_by_index() -> None:
    """For the rest of the transaction. The look-up behind a foreign key is planned once a session: in a first sync
    while the parents are one block, quickest read from end to end, and they are read so when they fill thousands.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def is_complete(record: PullRequestRecord, part: Part) -> bool:
    """Whether what `part` does not contain does not exist. Never so where fetching failed or the source caps it."""
    if part in record.excerpts:
        return False
    return getattr(record, part.value) is not None and part not in record.partial and part not in record.capped


def write_children(
    page: Page,
    kind: str,
    model: type[models.Model],
    rows: Mapping[Any, Row],
    *,
    conflict: Sequence[str],
    update: Sequence[str],
    keep: Sequence[str] = (),
    when: str = "",
    returning: Sequence[str] = (),
    weekly: bool = False,
) -> Pending:
    """Send rows of pull requests, by their natural key. A row never moves to another pull request. `written` begins
    with the pull request's primary key, then what `returning` names. `weekly`: the rows are counted by week.
    """
    stays = "t.pull_request_id = EXCLUDED.pull_request_id"
    pending = begin_upsert(
        model,
        list(rows.values()),
        conflict=["team", *conflict],
        update=update,
        keep=keep,
        when=f"{stays} AND {when}" if when else stays,
        returning=["pull_request", *returning],
    )

    def settle() -> None:
        written = pending.result()
        page.count(kind, rows, written)
        if weekly:
            page.changed.update(row[0] for row in written.written)

    page.later.append(settle)
    return pending


def mark_gone(
    page: Page,
    kind: str,
    model: type[models.Model],
    pull_requests: Sequence[int],
    rows: Iterable[Row],
    key: Sequence[str],
    *,
    only: Mapping[str, str] | None = None,
    instant: str | None = None,
) -> None:
    """Mark (rows without `gone_at`: delete) what the pull requests have stored and `rows` lack, compared by `key`.

    `only` limits what is stored; `instant` is the path to when a row was, whose week is touched. One statement, two
    where something is gone. Compared here and not in SQL: the planner knows neither how many rows a page has nor how
    many are stored, and would compare each with each.
    """
    if pull_requests:
        page.later.append(partial(_mark_gone, page, kind, model, pull_requests, rows, key, only, instant))


def _mark_gone(
    page: Page,
    kind: str,
    model: type[models.Model],
    pull_requests: Sequence[int],
    rows: Iterable[Row],
    key: Sequence[str],
    only: Mapping[str, str] | None,
    instant: str | None,
) -> None:
    given = {tuple([row[name] for name in ("pull_request_id", *key)]) for row in rows}
    stored = model._default_manager.filter(
        team_id=page.repository.team_id, pull_request_id__in=list(pull_requests), **only or {}
    )
    if mirrored := issubclass(model, Mirrored):
        stored = stored.filter(gone_at=None)
    columns = ["id", *([instant] if instant else []), "pull_request_id", *key]
    gone = [row for row in stored.values_list(*columns) if row[-len(key) - 1 :] not in given]
    if not gone:
        return
    found = model._default_manager.filter(team_id=page.repository.team_id, id__in=[row[0] for row in gone])
    if mirrored:
        found.update(gone_at=page.synced_at)
    else:
        found._raw_delete(DEFAULT_DB_ALIAS)  # nothing hangs on a link
    page.changes[kind] += len(gone)
    if instant:
        page.changed.update(row[-len(key) - 1] for row in gone)
        page.instants.update(row[1] for row in gone)

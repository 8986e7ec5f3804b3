"""What the writers of all parts share: the page they work on, and how rows are written and marked as gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from django.db import connection, models

from apps.common.copy_upsert import Upserted, copy_upsert
from apps.metrics.models import Repository
from apps.metrics.models.base import Mirrored
from apps.metrics.records import Part, PullRequestRecord
from apps.metrics.services.members import Members

Row = dict[str, Any]


@dataclass(slots=True)
class Page:
    """Pull requests of one repository on their way into the database.

    `ids`: number -> primary key. `known`: the numbers that were stored before, of which something may be gone.
    `changed`: primary keys of those of which a row that is counted by week changed; `instants`: when what is gone was.
    """

    repository: Repository
    records: Sequence[PullRequestRecord]
    synced_at: datetime
    members: Members
    ids: dict[int, int] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    rows: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    changed: set[int] = field(default_factory=set)
    instants: set[datetime] = field(default_factory=set)

    def complete(self, part: Part) -> list[int]:
        """Of which pull requests stored rows of `part` that are not in the record are gone at the source."""
        return [self.ids[r.number] for r in self.records if r.number in self.known and is_complete(r, part)]

    def count(self, kind: str, rows: Sequence[Any], written: Upserted) -> None:
        self.rows[kind] += len(rows)
        self.changes[kind] += written.changed


def is_complete(record: PullRequestRecord, part: Part) -> bool:
    """Whether what `part` does not contain does not exist. Never so where fetching failed or the source caps it."""
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
) -> Upserted:
    """Write rows of pull requests, by their natural key. A row never moves to another pull request."""
    stays = "t.pull_request_id = EXCLUDED.pull_request_id"
    written = copy_upsert(
        model,
        list(rows.values()),
        conflict=["team", *conflict],
        update=update,
        keep=keep,
        when=f"{stays} AND {when}" if when else stays,
        returning=["pull_request"],
    )
    page.count(kind, rows.values(), written)  # type: ignore[arg-type]
    return written


def mark_gone(
    page: Page,
    kind: str,
    model: type[models.Model],
    pull_requests: Sequence[int],
    rows: Iterable[Row],
    key: Sequence[str],
    *,
    only: str = "",
    instant: str = "NULL",
) -> list[tuple[int, datetime | None]]:
    """Mark (rows without `gone_at`: delete) what the pull requests have stored and `rows` lack, compared by `key`.

    `only` is an SQL condition that limits it; `instant` an SQL expression for when the row was. None for no pull
    requests, else one statement, served by the model's unique key or the index on pull_request.
    """
    if not pull_requests:
        return []
    of = set(pull_requests)
    given = [{name: row[name] for name in ("pull_request_id", *key)} for row in rows if row["pull_request_id"] in of]
    with connection.cursor() as cursor:
        cursor.execute(
            _gone_sql(model, tuple(key), only, instant),
            {
                "team": page.repository.team_id,
                "ids": list(of),
                "now": page.synced_at,
                "given": orjson.dumps(given).decode(),
            },
        )
        gone: list[tuple[int, datetime | None]] = cursor.fetchall()
    page.changes[kind] += len(gone)
    return gone


@lru_cache(maxsize=64)
def _gone_sql(model: type[models.Model], key: tuple[str, ...], only: str, instant: str) -> str:
    table = connection.ops.quote_name(model._meta.db_table)
    fields = [model._meta.get_field(name) for name in key]
    typed = "".join(f", {name} {field.db_type(connection)}" for name, field in zip(key, fields, strict=True))
    same = "".join(f" AND given.{name} = t.{name}" for name in key)
    mirrored = issubclass(model, Mirrored)
    return (
        (f"UPDATE {table} AS t SET gone_at = %(now)s" if mirrored else f"DELETE FROM {table} AS t")
        + " WHERE t.team_id = %(team)s AND t.pull_request_id = ANY(%(ids)s::bigint[])"
        + (" AND t.gone_at IS NULL" if mirrored else "")
        + (f" AND {only}" if only else "")
        + " AND NOT EXISTS (SELECT FROM json_to_recordset(%(given)s::json)"
        + f" AS given(pull_request_id bigint{typed}) WHERE given.pull_request_id = t.pull_request_id{same})"
        + f" RETURNING t.pull_request_id, {instant}"
    )

"""What was fetched of a public repository, kept between two runs: one SQLite file for each, below `TFORMANCE_VAR`.

A page is stored in one transaction with where the walk stands, so a run that is killed goes on from its last page, and
a file is never half written by us. One that is torn all the same, or of an older version, is put aside for a new one.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from apps.integrations.seeding.stored_json import TooLarge, Unreadable, dumps, loads, shape_of
from apps.metrics.records import DeploymentRecord, Part, PullRequestRecord, RepositoryRecord

R = TypeVar("R")

VERSION = 1
"""Of the tables. What the records hold is told by their shape: a file with another one is fetched again."""

OURS = 0x7466_7072
"""SQLite's application_id of these files."""

TABLES = ("kept", "pull_request", "deployment")
BATCH = 100

CHECKS_LEFT_OUT = "left out: too few points were left"
"""Why a pull request has no checks that was fetched while the budget was nearly used up."""

SCHEMA = """
CREATE TABLE kept (id INTEGER PRIMARY KEY, content BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE pull_request (
    number INTEGER PRIMARY KEY, node_id TEXT NOT NULL, updated_at TEXT NOT NULL, created_at TEXT NOT NULL,
    wants_checks INTEGER NOT NULL, content BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE INDEX wanting_checks ON pull_request (number) WHERE wants_checks > 0;
CREATE TABLE deployment (
    id INTEGER PRIMARY KEY, created_at TEXT NOT NULL, content BLOB NOT NULL, crc INTEGER NOT NULL
);
"""

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
TORN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA})


class CacheError(Exception):
    """The cache cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the fetching of a repository stands.

    `stated`: how many pull requests GitHub has; `newest_update`: all that changed up to then is here, in as far as it
    is among those that are kept; `walk`: the checkpoint of the next page, as JSON, empty when the last one was read.
    `deployments`: the same of deployments, which are here from `deployments_from` on ("": none yet). `again`: numbers
    by node id of those of which something did not come though it may: another run asks for them once more.
    """

    full_name: str
    stated: int
    newest_update: datetime | None
    repository: RepositoryRecord | None = None
    repo_pushed_at: datetime | None = None
    walk: str = ""
    deployments: str = ""
    deployments_from: datetime | None = None
    has_all_deployments: bool = False
    lost: tuple[str, ...] = ()
    again: Mapping[str, int] = field(default_factory=dict)


SHAPE = shape_of(Kept, PullRequestRecord, DeploymentRecord)


@dataclass(slots=True)
class PRCache:
    """The pull requests of one repository by number, the newest first. Open it with `at` or `in_memory`.

    `note` says in words what became of a file that could not be read, if so.
    """

    path: Path | None
    note: str = ""
    _file: sqlite3.Connection = field(init=False, repr=False)
    _is_anew: bool = False

    @classmethod
    def in_memory(cls) -> Self:
        """One that touches no file and lasts as long as this object."""
        cache = cls(None)
        cache._file = _connected(":memory:")
        cache._make()
        return cache

    @classmethod
    def at(cls, folder: Path, full_name: str, *, anew: bool = False) -> Self:
        """The repository's file. `anew`: what is in it counts no more, and goes when the first answer is stored.

        Raises CacheError where the file cannot be had: another process uses it, the folder cannot be written, or it
        is of a newer version.
        """
        cache = cls(folder / _file_name(full_name))
        with cache._told():
            folder.mkdir(parents=True, exist_ok=True)
            cache._file = _connected(str(cache.path))
            try:
                cache._open_or_begin()
            except BaseException:
                cache.close()
                raise
        cache._is_anew = anew
        return cache

    def _open_or_begin(self) -> None:
        try:
            self._open()
            kept = self._kept()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in TORN:
                raise
            self._begin_again("is torn")
        except Unreadable:
            self._begin_again("is torn")
        else:
            if kept is not None and self.path is not None and self.path.name != _file_name(kept.full_name):
                self._begin_again(f"is of {kept.full_name}")

    def _open(self) -> None:
        found = self._number("application_id"), self._number("user_version")
        tables = self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables and found == (0, 0):
            self._make()
            return
        if found[0] != OURS:
            raise Unreadable("not one of ours")
        if found[1] > VERSION:
            raise CacheError(
                f"{self.path} was written by a newer version of tformance. Update this one, or use --no-cache; or"
                " delete the file, and everything is fetched again."
            )
        shape = self._file.execute("SELECT name FROM sqlite_master WHERE name = ?", [f"shape_{SHAPE}"]).fetchone()
        if found[1] < VERSION or shape is None:
            self._begin_again("was written by another version of tformance")
            return
        self._check()
        self._lock()

    def _check(self) -> None:
        """Raises what a torn file raises: of its pages (SQLite's own check) or of what stands in them."""
        [(verdict,), *_] = self._file.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise Unreadable(verdict)
        for table in TABLES:
            for *values, crc in self._file.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own tables' names
                if _crc(values) != crc:
                    raise Unreadable(f"a row of {table}")

    def _lock(self) -> None:
        """For this process alone, until it is closed."""
        self._file.execute("BEGIN IMMEDIATE")
        self._file.execute("COMMIT")

    def _make(self) -> None:
        script = f"BEGIN IMMEDIATE; {SCHEMA} CREATE TABLE shape_{SHAPE} (id INTEGER);"
        self._file.executescript(f"{script} PRAGMA application_id = {OURS}; PRAGMA user_version = {VERSION}; COMMIT;")

    def _begin_again(self, why: str) -> None:
        self.close()
        assert self.path is not None  # what is in memory is never torn
        self.path.unlink()
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        self.note = f"{self.path} {why}: the repository is fetched again."
        self._file = _connected(str(self.path))
        self._make()

    def _number(self, pragma: str) -> int:
        return int(self._file.execute(f"PRAGMA {pragma}").fetchone()[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the disk as sentences."""
        try:
            yield
        except Unreadable as error:
            raise CacheError(
                f"{self.path} is torn ({error}). Delete it, and the repository is fetched again."
            ) from error
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in BUSY:
                raise CacheError(f"Another run uses {self.path}. Wait until it is done.") from error
            raise CacheError(self._failed(str(error))) from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise CacheError(self._failed(str(error))) from error

    def _failed(self, reason: str) -> str:
        return (
            f"The cache {self.path} cannot be written: {reason}. Make room there, or set TFORMANCE_VAR to a folder that"
            " can be written, or use --no-cache. What was fetched before is kept: run the same command to go on."
        )

    def close(self) -> None:
        self._file.close()

    @property
    def kept(self) -> Kept | None:
        """None before anything was fetched."""
        with self._told():
            return None if self._is_anew else self._kept()

    def _kept(self) -> Kept | None:
        row = self._file.execute("SELECT content FROM kept").fetchone()
        return None if row is None else loads(Kept, zlib.decompress(row[0]))

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._told():
            return self._file.execute(query, parameters).fetchall()

    def _records(self, kind: type[R], query: str, parameters: Sequence[object] = ()) -> list[R]:
        """Of the last column."""
        rows = self._rows(query, parameters)
        with self._told():
            return [loads(kind, zlib.decompress(row[-1])) for row in rows]

    def store(
        self,
        kept: Kept,
        *,
        pull_requests: Iterable[PullRequestRecord] = (),
        deployments: Iterable[DeploymentRecord] = (),
        gone: Sequence[str] = (),
    ) -> Kept:
        """What one answer brought, and where the fetching stands: together or not at all. `gone` are node ids. What no
        row could hold is left out and named among what is `lost`. Raises CacheError.
        """
        rows, lost = [], list(kept.lost)
        for record in pull_requests:
            try:
                rows.append(_row(record))
            except TooLarge as error:
                lost.append(f"#{record.number}: what GitHub says of it cannot be kept ({error})")
        kept = replace(kept, lost=tuple(dict.fromkeys(lost)))
        with self._told(), self._transaction() as cursor:
            cursor.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", _with_crc(1, _packed(kept)))
            cursor.executemany("DELETE FROM pull_request WHERE node_id = ?", [(each,) for each in gone])
            cursor.executemany("INSERT OR REPLACE INTO pull_request VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            cursor.executemany(
                "INSERT OR REPLACE INTO deployment VALUES (?, ?, ?, ?)",
                [_with_crc(each.id, each.created_at.isoformat(), _packed(each)) for each in deployments],
            )
        return kept

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._file.execute("BEGIN IMMEDIATE")
        try:
            if self._is_anew:
                for table in TABLES:
                    cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables' names
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled it back already
                cursor.execute("ROLLBACK")
            raise
        self._is_anew = False

    @property
    def count(self) -> int:
        return 0 if self._is_anew else int(self._rows("SELECT count(*) FROM pull_request")[0][0])

    def updates(self) -> dict[int, datetime]:
        """When each was updated last, by number."""
        if self._is_anew:
            return {}
        rows = self._rows("SELECT number, updated_at FROM pull_request")
        return {number: datetime.fromisoformat(updated_at) for number, updated_at in rows}

    def node_ids(self) -> set[str]:
        if self._is_anew:
            return set()
        return {node_id for (node_id,) in self._rows("SELECT node_id FROM pull_request")}

    def newest(self, most: int) -> Iterator[list[PullRequestRecord]]:
        """The newest so many, a hundred at a time, highest number first."""
        below, left = 2**62, 0 if self._is_anew else most
        while left > 0:
            records = self._records(
                PullRequestRecord,
                "SELECT content FROM pull_request WHERE number < ? ORDER BY number DESC LIMIT ?",
                [below, min(left, BATCH)],
            )
            if not records:
                return
            below, left = records[-1].number, left - len(records)
            yield records

    def lowest(self, most: int) -> tuple[int, datetime] | None:
        """Number and time of opening of the last of the newest so many; None without any."""
        rows = self._rows(
            "SELECT number, created_at FROM (SELECT number, created_at FROM pull_request ORDER BY number DESC LIMIT ?)"
            " ORDER BY number LIMIT 1",
            [most],
        )
        return (rows[0][0], datetime.fromisoformat(rows[0][1])) if rows else None

    def wanting_checks(self, *, most: int) -> list[PullRequestRecord]:
        """The newest whose checks were left out, or had not ended when they were fetched."""
        return self._records(
            PullRequestRecord,
            "SELECT content FROM pull_request WHERE wants_checks > 0 ORDER BY wants_checks DESC, number DESC LIMIT ?",
            [most],
        )

    def unfinished_checks(self) -> set[str]:
        """Node ids of those whose checks had not ended when they were fetched."""
        rows = self._rows("SELECT node_id FROM pull_request WHERE wants_checks = ?", [UNFINISHED])
        return {node_id for (node_id,) in rows}

    def deployments(self) -> list[DeploymentRecord]:
        """All of them, the oldest first."""
        return self._records(DeploymentRecord, "SELECT content FROM deployment ORDER BY created_at, id")


def _file_name(full_name: str) -> str:
    """No two repositories have one: case makes no other name at GitHub, and no owner has an underscore."""
    return f"{full_name.replace('/', '__').lower()}.sqlite3"


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _packed(record: Any) -> bytes:
    return zlib.compress(dumps(record), level=1)


LEFT_OUT, UNFINISHED = 2, 1


def _row(record: PullRequestRecord) -> tuple[Any, ...]:
    wants = 0
    if record.partial.get(Part.CHECKS) == CHECKS_LEFT_OUT:
        wants = LEFT_OUT
    elif any(check.status != "completed" for check in record.checks or ()):
        wants = UNFINISHED
    times = record.updated_at.isoformat(), record.created_at.isoformat()
    return _with_crc(record.number, record.node_id, *times, wants, _packed(record))


def _with_crc(*values: Any) -> tuple[Any, ...]:
    return *values, _crc(values)


def _crc(values: Sequence[Any]) -> int:
    """SQLite checks how its pages hang together, not what stands in them."""
    return zlib.crc32(repr(tuple(values)).encode())

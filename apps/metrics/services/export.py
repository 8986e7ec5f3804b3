"""A team's rows as files: one per model, complete or not there at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import orjson

from apps.common.csv_lines import cell
from apps.metrics.queries.export import EXPORTS, Export

JSONL, CSV = "jsonl", "csv"
FORMATS = (JSONL, CSV)


def export_team(
    team_id: int, folder: Path, *, repository_id: int | None = None, form: str = JSONL, with_gone: bool = False
) -> dict[str, int]:
    """Write `<Model>.jsonl` (or .csv) of every model into `folder`; answers the rows of each.

    `repository_id` limits them to a repository; members and weekly aggregates are the team's. What is gone at the
    source is left out unless `with_gone`. Memory does not grow with the rows. Raises OSError.
    """
    write = _write_csv if form == CSV else _write_jsonl
    counts = {}
    for export in EXPORTS:
        rows = export.rows(team_id, repository_id=repository_id, with_gone=with_gone)
        with _replacing(folder / f"{export.name}.{form}") as file:
            counts[export.name] = write(export, rows, file)
    return counts


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is complete."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _write_jsonl(export: Export, rows: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
        file.write(orjson.dumps(row, default=_number, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
    return count


def _write_csv(export: Export, rows: Iterator[dict[str, Any]], file: IO[bytes]) -> int:
    count = 0
    lines = csv.writer(_Lines(file), lineterminator="\n")
    lines.writerow(export.columns)
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
        lines.writerow([cell(value) for value in row.values()])
    return count


class _Lines:
    """What csv writes to: text in, UTF-8 out."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, line: str) -> int:
        return self.file.write(line.encode())


def _number(value: Any) -> float:
    """Decimals have two or four places: exact enough as JSON's numbers, and what readers expect."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no value of a column")

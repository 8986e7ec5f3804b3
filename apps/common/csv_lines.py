"""Rows as the lines of a CSV file, made for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

# What a spreadsheet would run as a formula: titles and names are other people's text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A value as it stands in a file: nothing for None, ISO instants in UTC, text that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, (bool, dict, list, datetime)):
        return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode().strip('"')
    return value


def csv_lines(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The header's line, then one for each row, as they come: memory does not grow with them."""
    writer = csv.writer(_Echo(), lineterminator="\n")
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


class _Echo:
    """csv writes to it and gets the line back."""

    def write(self, line: str) -> str:
        return line

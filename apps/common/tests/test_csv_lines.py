import csv
from datetime import UTC, datetime

from apps.common.csv_lines import csv_lines


def test_lines_come_as_their_rows_do_and_no_spreadsheet_runs_them() -> None:
    asked: list[int] = []

    def rows():
        for number in (1, 2):
            asked.append(number)
            yield [number, "=1+1", 'a,"b"\nc', None, datetime(2026, 3, 2, tzinfo=UTC), True]

    lines = csv_lines(["n", "text", "quoted", "nothing", "when", "yes"], rows())
    assert next(lines) == "n,text,quoted,nothing,when,yes\n"
    assert asked == []
    first = next(lines)
    assert asked == [1]
    assert next(csv.reader([first])) == ["1", "'=1+1", 'a,"b"\nc', "", "2026-03-02T00:00:00Z", "true"]

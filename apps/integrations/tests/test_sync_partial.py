"""What a run says of pull requests that it could not fetch whole."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.integrations.models import SyncRun
from apps.integrations.services.github_sync.pages import MOST_NAMED, _partial
from apps.integrations.services.github_sync.steps import Learned
from apps.metrics.records import PullRequestRecord

LATE = {"files": "GitHub could not answer in time"}
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def said(before: dict[str, dict[str, str]], partial: dict[int, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What the run says after a page of these pull requests, each with what is missing of it."""
    records = [
        PullRequestRecord(number, number, "", "", "open", False, None, NOW, NOW, partial=reasons)
        for number, reasons in partial.items()
    ]
    return _partial(SyncRun(partial=before), Learned(next=None, pull_requests=records))


def test_it_names_what_is_partial_until_it_came_whole():
    assert said({"7": LATE}, {7: {}, 8: LATE}) == {"8": LATE}


def test_what_a_run_carries_from_page_to_page_has_an_end():
    full = {str(number): LATE for number in range(MOST_NAMED)}
    again = {"files": "too heavy"}
    found = said(full, {5: again, MOST_NAMED + 1: LATE})
    assert (len(found), found["5"]) == (MOST_NAMED, again)
    assert len(said(full, {6: {}, MOST_NAMED + 1: LATE})) == MOST_NAMED

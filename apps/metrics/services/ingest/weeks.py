"""Which weeks of a team's aggregates something falls into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.metrics.records import PullRequestRecord


def weeks_of(instants: Iterable[datetime], time_zone: str) -> set[date]:
    """The Mondays of the weeks, in the team's time zone."""
    zone = ZoneInfo(time_zone)
    days = {instant.astimezone(zone).date() for instant in instants}
    return {day - timedelta(days=day.weekday()) for day in days}


def instants_of(record: PullRequestRecord) -> Iterator[datetime]:
    """Every instant at which a pull request counts in a week."""
    yield record.created_at
    if record.merged_at is not None:
        yield record.merged_at
    for review in record.reviews or ():
        yield review.submitted_at
    for comment in (*(record.issue_comments or ()), *(record.review_comments or ())):
        yield comment.created_at
    for commit in record.commits or ():
        yield commit.authored_at
    for check in record.checks or ():
        if check.completed_at is not None:
            yield check.completed_at

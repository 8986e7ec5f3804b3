"""What the tests of pages share: who looks at them, and merged pull requests with numbers that were worked out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.metrics.factories import PullRequestFactory
from apps.metrics.models import PullRequest
from apps.teams.models import Membership, Team
from apps.users.factories import UserFactory

HOUR = 3600
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
MARCH = "from=2026-03-02&to=2026-03-29"  # four whole weeks; before: 2 Feb - 1 Mar


def at(day: int, hour: int = 12, *, month: int = 3) -> datetime:
    """A moment of March 2026, in which days 2, 9, 16, 23 and 30 are Mondays."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def client_of(team: Team, role: str = Membership.Role.MEMBER) -> Client:
    """Somebody of the team, signed in."""
    user = UserFactory.create()
    Membership.objects.create(team=team, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def outsider() -> Client:
    client = Client()
    client.force_login(UserFactory.create())
    return client


def statements_of(act: Callable[[], object]) -> int:
    """How many SQL statements it runs."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def merged(
    merged_at: datetime, *, coding: int = 0, pickup: int = 0, review: int = 0, merge: int = 0, **given: Any
) -> PullRequest:
    """A pull request that was merged then; its stages in hours. It was opened when coding ended, and reviewed unless
    `first_review_at=None`."""
    waited = pickup + review + merge
    opened = merged_at - timedelta(hours=waited)
    fields: dict[str, Any] = {
        "merged_at": merged_at,
        "pr_created_at": opened,
        "ready_at": opened,
        "first_review_at": opened + timedelta(hours=pickup),
        "cycle_time_seconds": waited * HOUR,
        "review_time_seconds": pickup * HOUR,
        "coding_seconds": coding * HOUR,
        "pickup_seconds": pickup * HOUR,
        "review_seconds": review * HOUR,
        "merge_seconds": merge * HOUR,
        "closed_seconds": 0,
        "rework_after_approval": False,
    } | given
    if fields["first_review_at"] is None:
        fields |= {"review_time_seconds": None, "rework_after_approval": None, "merged_without_review": True}
    pull_request: PullRequest = PullRequestFactory.create(**fields)
    return pull_request

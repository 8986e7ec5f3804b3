"""What passes by itself: limits and broken answers pause a sync, and it goes on without anybody.

Rows of the table "Behaviour for each failure", see test_failure_table.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.failure_support import PULLS, connection_of, stored, sync, time_passes
from apps.integrations.tests.sync_support import fresh, next_hour, rows_of, run_of


@pytest.mark.parametrize("way", ["exhausted", "fault"])
def test_the_primary_limit_pauses_until_the_reset_and_resumes_by_itself(fragile_github, fragile_shop, team, twin, way):
    if way == "exhausted":
        fragile_github.limits.preset(remaining=102, reset_in=1800)
    else:
        fragile_github.faults.add("PullRequestPage", "rate_limited", times=-1, skip=1, reset_in=1800)
    assert sync(fragile_shop).ended == Ended.PAUSED
    row, run = fresh(fragile_shop), run_of(fragile_shop)
    assert (row.sync_status, row.rate_limited, run.rate_limited) == ("paused", True, True)
    assert abs(run.resume_at - timezone.now() - timedelta(minutes=30)) < timedelta(minutes=1)
    assert row.rate_limit_reset_at == run.resume_at
    assert 0 < stored(fragile_shop) < PULLS
    assert [wait["until"] for wait in run.waits] == [None]
    fragile_github.faults.clear()
    fragile_github.limits.preset(remaining=5000, reset_in=3600)
    next_hour(fragile_shop)
    handle = time_passes(fragile_shop)
    assert handle is not None
    assert handle.run_id == run.pk
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert run_of(fragile_shop).waits[0]["until"] is not None
    assert fresh(fragile_shop).rate_limited is False
    assert mail.outbox == []
    assert rows_of(team) == twin()


@pytest.mark.parametrize("status", [403, 429, 200])
def test_the_secondary_limit_waits_as_long_as_github_says_and_is_no_missing_permission(
    fragile_github, fragile_shop, status
):
    fragile_github.faults.add("*", "secondary", times=-1, skip=1, status=status, retry_after=90)
    began = timezone.now()
    assert sync(fragile_shop).ended == Ended.PAUSED
    row, run = fresh(fragile_shop), run_of(fragile_shop)
    assert (row.sync_status, row.rate_limited, row.is_active) == ("paused", False, True)
    assert began < run.resume_at - timedelta(seconds=90) < timezone.now()
    assert row.last_sync_error == "GitHub asked to slow down."
    assert connection_of(fragile_shop).permissions_missing == {}
    assert mail.outbox == []


def test_a_server_without_limits_is_never_waited_for(fragile_github, fragile_shop, team, twin):
    fragile_github.limits.enabled = False
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert (run_of(fragile_shop).waits, fresh(fragile_shop).sync_status) == ([], "complete")
    fragile_github.limits.enabled = True
    assert rows_of(team) == twin()


@pytest.mark.parametrize("kind", ["drop", "truncate", "invalid_json"])
def test_a_broken_answer_is_tried_three_times_then_the_sync_pauses_and_resumes(
    fragile_github, fragile_shop, team, twin, kind
):
    fragile_github.faults.add("*", kind, times=-1, skip=1)
    assert sync(fragile_shop).ended == Ended.PAUSED
    assert fragile_github.stats.faults == 3
    row, run = fresh(fragile_shop), run_of(fragile_shop)
    assert (row.sync_status, row.rate_limited, row.is_active) == ("paused", False, True)
    assert timedelta(0) < run.resume_at - timezone.now() <= timedelta(minutes=2)
    assert "GitHub is not available" in row.last_sync_error
    assert mail.outbox == []
    if kind == "drop":
        assert sync(fragile_shop).ended == Ended.PAUSED
        assert run_of(fragile_shop).resume_at - timezone.now() > timedelta(minutes=3)  # longer each time
    fragile_github.faults.clear()
    handle = time_passes(fragile_shop)
    assert handle is not None
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert rows_of(team) == twin()

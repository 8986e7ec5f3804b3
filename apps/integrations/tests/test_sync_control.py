"""What a person does to a sync, against the sandbox: nothing is lost, and nothing is fetched that nobody asked for."""

from __future__ import annotations

import pytest

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import sync_repository_history
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.sync_control import cancel_sync, fetch_again, pause_sync, resume_sync
from apps.integrations.tests.sync_support import next_turn, tracked_at
from apps.metrics.models import PRFile, PullRequest
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

Status = SyncRun.Status


@pytest.fixture(scope="module")
def running_sandbox():
    with SandboxServer(synthetic=["acme:shop:60:1"]) as server:
        yield server


@pytest.fixture
def tracked(sandbox, team):
    return tracked_at(sandbox, team, "acme/shop", days_back=None)


def now_of(row):
    with team_scope(row.team_id):
        return type(row).objects.select_related("tracked_repository__repository", "team").get(pk=row.pk)


def begun(tracked, act) -> tuple[github_sync.Outcome, SyncRun]:
    """A history, and what a person does to it after its first page."""
    seen = []

    def on_page(run):
        if not seen:
            seen.append(run)
            act(run)

    outcome = sync_repository_history(tracked, None, on_page=on_page)
    return outcome, now_of(seen[0])


def test_a_cancelled_sync_stops_within_a_page_and_keeps_what_it_has(tracked, owner):
    outcome, run = begun(tracked, lambda run: cancel_sync(run=now_of(run), actor=owner))
    assert outcome.ended == Ended.FENCED
    assert run.status == Status.CANCELLED
    with team_scope(tracked.team_id):
        assert 0 < PullRequest.objects.count() < 60
        resting = TrackedRepository.objects.get()
    assert (resting.sync_status, resting.last_sync_error) == ("pending", f"Cancelled by {owner.display_name}.")


def test_a_held_sync_goes_on_where_it_stopped(tracked, owner):
    outcome, run = begun(tracked, lambda run: pause_sync(tracked=run.tracked_repository, actor=owner))
    assert outcome.ended == Ended.FENCED
    assert run.status == Status.PAUSED
    fetched = run.requests
    assert resume_sync(tracked=run.tracked_repository, actor=owner)
    assert github_sync.advance(next_turn(run.pk, tracked.team_id), seconds=None).ended == Ended.FINISHED
    done = now_of(run)
    assert done.status == Status.COMPLETE
    assert done.counts["pull_requests"] == 60  # none twice
    assert done.requests > fetched
    assert [wait["reason"] for wait in done.waits] == [f"Paused by {owner.display_name}."]
    assert done.waits[0]["until"] is not None


def test_those_that_were_partial_are_whole_afterwards_and_the_others_untouched(tracked, owner):
    sync_repository_history(tracked, None)
    with team_scope(tracked.team_id):
        run = SyncRun.objects.get()
        broken = list(PullRequest.objects.filter(files__isnull=False).distinct().order_by("-number")[:2])
        PullRequest.objects.filter(pk__in=[pr.pk for pr in broken]).update(
            is_partial=True, partial={"files": "timed out"}
        )
        PRFile.objects.filter(pull_request__in=broken).delete()
        before = dict(PullRequest.objects.exclude(pk__in=[pr.pk for pr in broken]).values_list("pk", "synced_at"))
        run.partial = {str(pr.number): {"files": "timed out"} for pr in broken}
        run.save()
    again = fetch_again(run=now_of(run), actor=owner)
    outcome = github_sync.advance(next_turn(again.pk, tracked.team_id), seconds=None)
    assert outcome.ended == Ended.FINISHED
    done = now_of(again)
    assert (done.kind, done.status, done.counts["pull_requests"], done.points) == ("pr", Status.COMPLETE, 2, 1)
    with team_scope(tracked.team_id):
        assert not PullRequest.objects.filter(is_partial=True).exists()
        assert all(PRFile.objects.filter(pull_request=pr).exists() for pr in broken)
        after = dict(PullRequest.objects.filter(pk__in=before).values_list("pk", "synced_at"))
    assert after == before
    assert fetch_again(run=now_of(run), actor=owner) is None

"""A pull request that changed and cannot be read again is stored in an older version: that is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tests.failure_support import repository_of, sync, update
from apps.integrations.tests.looks_support import an_hour_later
from apps.integrations.tests.sync_support import fresh, next_turn, rows_of, run_of, tracked_at
from apps.metrics.models import PullRequest
from apps.metrics.queries.stored_records import records_of
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REPO, BAD = "acme/shop", 3


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:30:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


@pytest.fixture
def tracked(github, team):
    row = tracked_at(github, team, REPO)
    assert sync(row).ended == Ended.FINISHED
    return row


@pytest.fixture
def unreadable(github, tracked):
    """It changed, and neither way gives it."""
    github.mutations.apply({"repo": REPO, "action": "edit", "number": BAD, "title": "Newer"})
    github.faults.poison(REPO, BAD, "body")
    github.faults.add(match=f"/repos/{REPO}/pulls/{BAD}", kind="status", status=422, times=-1)
    assert update(tracked).ended == Ended.FINISHED
    return tracked


def pull_request(tracked) -> PullRequest:
    with team_scope(tracked.team_id):
        return PullRequest.objects.get(number=BAD)


def looked_at(tracked):
    an_hour_later(tracked.team)
    github_sync.look(tracked.team_id, tracked.integration_id)
    run = run_of(tracked)
    if run.status == SyncRun.Status.PENDING:
        github_sync.advance(next_turn(run.pk, tracked.team_id), seconds=None)
    return run_of(tracked)


def two_days_later(tracked):
    with team_scope(tracked.team_id):
        known = repository_of(tracked)
        known.completeness["outdated"]["since"] = (timezone.now() - timedelta(days=2)).isoformat()
        known.save(update_fields=["completeness"])
        TrackedRepository.objects.update(watermark=timezone.now() + timedelta(seconds=2))


def test_what_is_stored_of_it_is_partial_and_the_repository_says_so(unreadable):
    row = pull_request(unreadable)
    assert (row.title == "Newer", row.is_partial, list(row.partial)) == (False, True, ["pull_request"])
    assert fresh(unreadable).sync_status == "partial"
    assert completeness_in_words(repository_of(unreadable)) == "30 of 30; 1 partial: could not be read again (1)"
    run = run_of(unreadable)
    assert (run.status, list(run.partial["unreadable"])) == ("partial", [str(BAD)])


def test_a_clean_sync_of_others_does_not_call_it_complete(unreadable):
    with team_scope(unreadable.team_id):
        other = PullRequest.objects.get(number=5)
        ids = [(other.node_id, other.number)]
        run = github_sync.begin_found(fresh(unreadable), kind=SyncRun.Kind.PR, ids=ids, deployments=False)
    github_sync.advance(github_sync.handle_of(run), seconds=None)
    assert run_of(unreadable).partial == {}
    assert fresh(unreadable).sync_status == "partial"


@pytest.mark.parametrize("again", [update, looked_at], ids=["sync", "look"])
def test_the_next_sync_or_look_fetches_it_again_and_takes_the_note_off(github, unreadable, team, other_team, again):
    github.faults.clear()
    again(unreadable)
    row = pull_request(unreadable)
    assert (row.title, row.is_partial, row.partial) == ("Newer", False, {})
    assert (fresh(unreadable).sync_status, run_of(unreadable).status) == ("complete", "complete")
    assert "outdated" not in repository_of(unreadable).completeness
    sync(tracked_at(github, other_team, REPO))
    assert rows_of(team) == rows_of(other_team)


def test_after_a_day_it_is_left_to_the_night(github, unreadable):
    github.faults.clear()
    two_days_later(unreadable)
    runs_before = run_of(unreadable).pk
    assert looked_at(unreadable).pk == runs_before
    assert pull_request(unreadable).is_partial
    [_] = nightly.begin_due(unreadable.team_id, now=timezone.now() + timedelta(days=3))
    github_sync.advance(next_turn(run_of(unreadable).pk, unreadable.team_id), seconds=None)
    assert (pull_request(unreadable).title, pull_request(unreadable).partial) == ("Newer", {})
    assert fresh(unreadable).sync_status == "complete"


def test_what_an_event_tells_of_it_alone_does_not_take_the_note_off(unreadable):
    row = pull_request(unreadable)
    with team_scope(unreadable.team_id):
        record = records_of(row.repository, [row])[row.pk]
        thin = dict.fromkeys(("reviews", "files", "commits", "events", "checks", "threads"))
        told = type(record)(**{**{name: getattr(record, name) for name in record.__slots__}, **thin, "partial": {}})
        ingest_pull_requests(row.repository, [told], synced_at=timezone.now())
    assert list(pull_request(unreadable).partial) == ["pull_request"]

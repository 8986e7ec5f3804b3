"""The sync against a sandbox GitHub over real HTTP, into a real PostgreSQL: what is stored, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import begun, fresh, rows_of, run_of, tracked_at, versions_of
from apps.metrics.models import Commit, PRComment, PRFile, PullRequest, PullRequestCommit, Repository
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory
from devtools.github_sandbox.server import SandboxServer

DATA = Path(settings.BASE_DIR).parent / "shared" / "data" / "github"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def tracked(shop_github, team) -> TrackedRepository:
    return tracked_at(shop_github, team, "acme/shop")


def sync(tracked, days=None):
    return github_sync.sync_repository_history(tracked, days)


def test_a_full_history_stores_every_pull_request_with_everything(shop_github, tracked, team):
    assert sync(tracked).ended == Ended.FINISHED
    pulls = shop_github.world.repository("acme/shop").contents.pulls
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("number", flat=True)) == set(pulls)
        stored = {
            "commits": PullRequestCommit.objects.count(),
            "files": PRFile.objects.count(),
            "issue": PRComment.objects.filter(comment_type="issue").count(),
            "review": PRComment.objects.filter(comment_type="review").count(),
        }
    assert stored == {
        "commits": sum(len(pull.commits) for pull in pulls.values()),
        "files": sum(len(pull.files) for pull in pulls.values()),
        "issue": sum(len(pull.comments) for pull in pulls.values()),
        "review": sum(len(thread.comments) for pull in pulls.values() for thread in pull.threads),
    }


def test_the_end_is_noted_everywhere(tracked, team):
    sync(tracked)
    row, run = fresh(tracked), run_of(tracked)
    assert (run.status, row.sync_status, row.sync_progress, row.sync_prs_completed) == ("complete", "complete", 100, 60)
    assert row.watermark == run.started_at - timedelta(minutes=5)
    assert row.last_sync_at == run.finished_at
    with team_scope(team.pk):
        repository = Repository.objects.get()
        assert GitHubIntegration.objects.get().last_sync_at == run.finished_at
    assert repository.covered_from == datetime(1970, 1, 1, tzinfo=UTC)
    assert completeness_in_words(repository) == "60 of 60"


def test_a_second_sync_changes_no_row(tracked, team):
    sync(tracked)
    before = versions_of(team)
    assert sync(tracked).ended == Ended.FINISHED
    assert versions_of(team) == before


def test_a_window_holds_what_is_open_or_was_touched_in_it(shop_github, tracked, team):
    assert sync(tracked, 45).ended == Ended.FINISHED
    cutoff = run_of(tracked).cutoff.strftime("%Y-%m-%dT%H:%M:%SZ")
    pulls = shop_github.world.repository("acme/shop").contents.pulls.values()
    wanted = {pull.number for pull in pulls if pull.state == "OPEN" or pull.updated_at >= cutoff}
    assert 0 < len(wanted) < 60
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("number", flat=True)) == wanted
        repository = Repository.objects.get()
    assert repository.covered_from == run_of(tracked).cutoff
    assert completeness_in_words(repository) == f"{len(wanted)} of {len(wanted)}"


def test_widening_keeps_what_is_stored_and_ends_equal_to_a_full_history(tracked, team, other_team, shop_github):
    sync(tracked, 45)
    sync(tracked)
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_a_window_after_a_gap_does_not_claim_the_gap(tracked, team):
    sync(tracked)
    with team_scope(team.pk):
        Repository.objects.update(synced_to=timezone.now() - timedelta(days=200))
    sync(fresh(tracked), 45)
    with team_scope(team.pk):
        assert Repository.objects.get().covered_from == run_of(tracked).cutoff


def test_a_narrower_window_right_after_a_full_history_takes_nothing_back(tracked, team):
    sync(tracked)
    sync(fresh(tracked), 45)
    with team_scope(team.pk):
        assert Repository.objects.get().covered_from == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["502", "504", "truncate", "drop", "invalid_json"])
def test_a_passing_fault_loses_nothing(shop_github, tracked, team, other_team, kind):
    shop_github.faults.add("PullRequestPage", kind, times=1, skip=1)
    assert sync(tracked).ended == Ended.FINISHED
    shop_github.faults.clear()
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_a_page_that_is_too_heavy_is_halved(shop_github, tracked, team, other_team):
    shop_github.faults.add("PullRequestPage", "502", times=-1, when={"variable": "n", "over": 6})
    assert sync(tracked).ended == Ended.FINISHED
    assert fresh(tracked).page_size == 3
    assert shop_github.stats.faults <= 2  # once at the beginning; a larger page is tried after eight that went well
    shop_github.faults.clear()
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_what_could_not_be_read_is_not_forgotten_by_the_next_sync(tracked, team):
    sync(tracked)
    with team_scope(team.pk):
        PullRequest.objects.filter(number=3).update(is_partial=True, partial={"files": "no diff"})
    assert github_sync.advance(begun(fresh(tracked), SyncRun.Kind.INCREMENTAL)).ended == Ended.FINISHED
    assert (run_of(tracked).status, fresh(tracked).sync_status) == ("complete", "partial")


def test_what_changed_since_is_fetched_and_nothing_else(settings, team):
    with SandboxServer(synthetic=["acme:shop:60:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        sync(tracked)
        with team_scope(team.pk):
            open_one = PullRequest.objects.filter(state="open").first().number
        github.mutations.apply({"repo": "acme/shop", "action": "merge", "number": open_one})
        github.mutations.apply({"repo": "acme/shop", "action": "open"})
        github.stats.reset()
        assert github_sync.advance(begun(fresh(tracked), SyncRun.Kind.INCREMENTAL)).ended == Ended.FINISHED
        with team_scope(team.pk):
            assert PullRequest.objects.get(number=open_one).state == "merged"
            assert completeness_in_words(Repository.objects.get()) == "61 of 61"
        assert run_of(tracked).counts["pull_requests"] == 2
        assert github.stats.points <= 4


def test_a_pull_request_that_changes_while_a_backfill_runs_is_not_missed(settings, team):
    with SandboxServer(synthetic=["acme:shop:60:3"]) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        merged = []

        def merge_one(run):
            if not merged:
                with team_scope(team.pk):
                    merged.append(PullRequest.objects.filter(state="open").first().number)
                github.mutations.apply({"repo": "acme/shop", "action": "merge", "number": merged[0]})

        assert github_sync.advance(begun(tracked), on_page=merge_one).ended == Ended.FINISHED
        with team_scope(team.pk):
            assert PullRequest.objects.get(number=merged[0]).state == "merged"


def test_a_repository_without_pull_requests_is_complete(settings, team):
    with SandboxServer(synthetic=["acme:empty:0"]) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/empty")
        assert sync(tracked).ended == Ended.FINISHED
        assert (fresh(tracked).sync_status, fresh(tracked).sync_progress) == ("complete", 100)
        assert sync(tracked, 30).ended == Ended.FINISHED


def test_two_teams_that_track_one_repository_do_not_disturb_each_other(shop_github, tracked, team, other_team):
    sync(tracked)
    before = versions_of(team)
    sync(tracked_at(shop_github, other_team, "acme/shop"), 30)
    assert versions_of(team) == before


def test_the_whole_costs_at_most_a_quarter_of_a_point_for_each_pull_request(settings, team):
    with SandboxServer(synthetic=["acme:mix:500:mix"]) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/mix")
        assert sync(tracked).ended == Ended.FINISHED
        assert run_of(tracked).points == github.stats.points <= 0.25 * 500
        assert github.stats.rest_requests <= 10
        assert run_of(tracked).partial == {}


def test_the_admins_get_one_mail_with_what_was_synced(tracked, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    MembershipFactory(team=team, user=UserFactory(email="member@example.com"))
    outcome = sync(tracked)
    assert sync_notifications.notify_about(team_id=team.pk, run_id=outcome.run_id)
    assert not sync_notifications.notify_about(team_id=team.pk, run_id=outcome.run_id)
    [message] = mail.outbox
    assert message.to == ["admin@example.com"]
    assert message.subject == "acme/shop is synced: 60 pull requests"
    assert "The full history is covered." in message.body
    assert f"/a/{team.slug}/" in message.body
    assert [kind for _, kind in message.alternatives] == ["text/html"]


@pytest.mark.skipif(not DATA.exists(), reason="the recorded pull requests are not here")
def test_recorded_pull_requests_are_stored_as_they_count_themselves(settings, team):
    with SandboxServer(data=DATA) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "bitcoin-core/gui")
        assert sync(tracked).ended == Ended.FINISHED
        run = run_of(tracked)
    assert run.partial == {}
    assert {name: run.counts[name] for name in ("pull_requests", "reviews", "commits", "files", "comments")} == {
        "pull_requests": 537,
        "reviews": 1788,
        "commits": 1303,
        "files": 2835,
        "comments": 3865 + 2308,
    }
    with team_scope(team.pk):
        assert Commit.objects.count() == 1283
        capped = PullRequest.objects.exclude(capped={})
        assert list(capped.values_list("number", "capped")) == [(178, {"commits": "GitHub yields 250 of 1,639"})]

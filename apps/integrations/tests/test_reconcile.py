"""The nightly reconciliation: what vanished behind our back and what is wrong in our own rows is found and mended."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync import due, permissions, runs
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.services.github_sync.reconciliation.comparison import rows_to_compare
from apps.integrations.tests.sync_support import next_turn, rows_of, tracked_at, versions_of
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.models import (
    Commit,
    Deployment,
    DeploymentStatus,
    PRCheckRun,
    PRComment,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestCommit,
    PullRequestLabel,
    Repository,
    ReviewThread,
)
from apps.metrics.services.gone import mark_gone
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:40:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


@pytest.fixture
def tracked(github, team) -> TrackedRepository:
    for state in ("SUCCESS", "FAILURE", "SUCCESS"):
        change(github, "deploy", state=state)
    row = tracked_at(github, team, "acme/shop")
    assert github_sync.sync_repository_history(row, None).ended == Ended.FINISHED
    return fresh(row)


def fresh(row):
    with team_scope(row.team_id):
        return type(row).objects.select_related("repository").get(pk=row.pk)


def change(github, action, **request):
    return github.mutations.apply({"repo": "acme/shop", "action": action, **request})


def begun(tracked) -> github_sync.Handle:
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(hours=31), sync_requested_at=None)
    assert nightly.begin_due(tracked.team_id) == [tracked.integration_id]
    return github_sync.handle_of(run_of(tracked))


def reconciled(tracked) -> SyncRun:
    """One night."""
    assert github_sync.advance(begun(tracked), seconds=None).ended == Ended.FINISHED
    return run_of(tracked)


def run_of(tracked) -> SyncRun:
    with team_scope(tracked.team_id):
        return SyncRun.objects.filter(tracked_repository=tracked).latest("pk")


def figures(run) -> tuple[int, int, int]:
    return run.counts["compared"], run.counts["repaired"], run.counts["gone"]


def numbers_with(github, part: str, count: int) -> list[int]:
    """Pull requests of the sandbox that have some of the part."""
    pulls = github.world.repository("acme/shop").contents.pulls.values()
    return [pull.number for pull in pulls if getattr(pull, part)][:count]


def pull_of(github, number):
    return github.world.repository("acme/shop").contents.pulls[number]


def test_nothing_to_mend_writes_nothing_and_costs_what_the_docs_say(github, tracked, team):
    before = versions_of(team)
    github.stats.reset()
    run = reconciled(tracked)
    assert figures(run) == (40, 0, 0)
    assert versions_of(team) == before
    assert run.points == github.stats.points == 1 + 1 + 1  # 40 compared, a page of ids, one of deployments
    assert (run.kind, run.status) == ("reconcile", "complete")
    assert fresh(tracked).reconciled_at == run.finished_at


def test_it_says_nothing_of_what_changed_elsewhere(tracked):
    before = fresh(tracked)
    reconciled(tracked)
    after = fresh(tracked)
    assert (after.watermark, after.last_sync_at) == (before.watermark, before.last_sync_at)
    assert after.repository.synced_to == before.repository.synced_to
    assert after.sync_status == "complete"


@pytest.mark.parametrize(
    ("action", "part", "gone"),
    [
        ("delete_comment", "comments", PRComment),
        ("delete_review_comment", "threads", PRComment),
        ("delete_review", "reviews", PRReview),
    ],
)
def test_a_silent_deletion_is_found_and_marked(github, tracked, team, action, part, gone):
    [number] = numbers_with(github, part, 1)
    change(github, action, number=number, silent=True)
    run = reconciled(tracked)
    assert run.counts["repaired"] == 1
    with team_scope(team.pk):
        assert set(gone.objects.exclude(gone_at=None).values_list("pull_request__number", flat=True)) == {number}


def silently_otherwise(github, part):
    """The number of a pull request of which a review, a thread or the checks changed without a word."""
    if part == "checks":
        number = next(
            pull.number
            for pull in github.world.repository("acme/shop").contents.pulls.values()
            if pull.state == "MERGED" and rollup_of(pull) == "SUCCESS"
        )
        change(github, "check", name="unit tests", conclusion="FAILURE", number=number, silent=True)
        return number
    number = next(n for n in numbers_with(github, "threads", 40) if any_of(github, n, part))
    found = any_of(github, number, part)[0]
    if part == "reviews":
        change(github, "dismiss", number=number, id=found.database_id, silent=True)
    else:
        change(github, "unresolve" if part == "resolved" else "resolve", number=number, id=found.id, silent=True)
    return number


def rollup_of(pull):
    suites = pull.repository.contents.suites.get(pull.head_ref_oid, ())
    ended = {run.conclusion for suite in suites for run in suite.runs}
    return "SUCCESS" if ended == {"SUCCESS"} else None


def any_of(github, number, part):
    pull = pull_of(github, number)
    return {
        "reviews": [review for review in pull.reviews if review.state == "APPROVED"],
        "resolved": [thread for thread in pull.threads if thread.is_resolved],
        "unresolved": [thread for thread in pull.threads if not thread.is_resolved],
    }[part]


@pytest.mark.parametrize("part", ["reviews", "resolved", "unresolved", "checks"])
def test_a_state_that_changed_without_a_word_is_found(github, tracked, team, other_team, part):
    number = silently_otherwise(github, part)
    run = reconciled(tracked)
    assert (run.counts["repaired"], run.points <= 1 + 1 + 1 + 2) == (1, True)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).partial == {}
    github_sync.sync_repository_history(tracked_at(github, other_team, "acme/shop"), None)
    ours, theirs = rows_of(team, present=True), rows_of(other_team, present=True)
    if part == "checks":  # earlier attempts are kept
        assert set(theirs.pop("prcheckrun")) <= set(ours.pop("prcheckrun"))
    assert ours == theirs
    assert reconciled(tracked).counts["repaired"] == 0


@pytest.mark.parametrize("way", ["asked", "connected"])
def test_what_may_be_read_again_is_fetched_where_it_is_missing(github, team, other_team, way, settings):
    settings.GITHUB_WEB_URL = github.url
    change(github, "forbid", part="statusCheckRollup")
    tracked = tracked_at(github, team, "acme/shop")
    github_sync.sync_repository_history(tracked, None)
    assert reconciled(tracked).counts["repaired"] == 0  # as long as it may not be read
    change(github, "forbid", part="statusCheckRollup", on=False)
    with team_scope(team.pk):
        integration = fresh(tracked).integration
        assert list(integration.permissions_missing) == ["checks"]
        if way == "asked":
            record = SimpleNamespace(checks=(), partial={})
            permissions.note(integration, SimpleNamespace(permissions={}, pull_requests=[record]))
        else:
            permissions.have_compared(integration, {"checks"})
            GitHubIntegration.objects.update(permissions_missing={})
    assert nightly.begin_due(team.pk) == [tracked.integration_id]
    assert github_sync.advance(github_sync.handle_of(run_of(tracked)), seconds=None).ended == Ended.FINISHED
    assert (run_of(tracked).counts["repaired"], fresh(tracked).sync_status) == (40, "complete")
    github_sync.sync_repository_history(tracked_at(github, other_team, "acme/shop"), None)
    assert rows_of(team) == rows_of(other_team)
    assert nightly.begin_due(team.pk) == []


def test_of_a_big_repository_every_pull_request_is_compared_when_that_was_asked_for(tracked, team):
    with team_scope(team.pk):
        repository = Repository.objects.get()
        PullRequest.objects.update(state="merged", pr_updated_at=NOW - timedelta(days=400))
        now = timezone.now()
        assert len(rows_to_compare(repository, after=0, now=now, big=10)) < 10
        assert len(rows_to_compare(repository, after=0, now=now, big=10, every=True)) == 40


def test_a_comparison_that_is_cancelled_leaves_the_repository_as_it_was(tracked, team):
    begun(tracked)
    assert fresh(tracked).sync_status == "syncing"
    with team_scope(team.pk):
        assert github_sync.cancel_runs(tracked=fresh(tracked)) == 1
        assert (fresh(tracked).sync_status, due.followed().count()) == ("complete", 1)
        github_sync.begin_run(tracked=fresh(tracked), kind=SyncRun.Kind.MANUAL, days_back=30)
        github_sync.cancel_runs(tracked=fresh(tracked))
    assert fresh(tracked).sync_status == "pending"


def test_what_a_silent_force_push_left_behind_is_marked_and_nobody_elses(github, tracked, team):
    number = next(n for n in numbers_with(github, "commits", 40) if len(pull_of(github, n).commits) > 1)
    dropped = {commit.oid for commit in pull_of(github, number).commits}
    change(github, "push", number=number, force=True, drop=1, silent=True)
    dropped -= {commit.oid for commit in pull_of(github, number).commits}
    assert reconciled(tracked).counts["repaired"] == 1
    with team_scope(team.pk):
        gone = PullRequestCommit.objects.exclude(gone_at=None)
        assert set(gone.values_list("pull_request__number", "commit__github_sha")) == {(number, s) for s in dropped}


def test_a_label_that_was_taken_off_silently_is_taken_off_here(github, tracked, team):
    [number] = numbers_with(github, "labels", 1)
    with team_scope(team.pk):
        before = PullRequestLabel.objects.filter(pull_request__number=number).count()
    change(github, "unlabel", number=number, silent=True)
    assert reconciled(tracked).counts["repaired"] == 1
    with team_scope(team.pk):
        assert PullRequestLabel.objects.filter(pull_request__number=number).count() == before - 1


def test_a_deleted_pull_request_is_marked_with_all_of_it_and_counts_nowhere(github, tracked, team):
    number = numbers_with(github, "reviews", 1)[0]
    change(github, "delete", number=number)
    run = reconciled(tracked)
    assert figures(run) == (40, 0, 1)
    assert run.touched_weeks
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).gone_at is not None
        for model in (PRReview, PRComment, PRFile, PullRequestCommit, ReviewThread):
            assert not model.objects.filter(pull_request__number=number, gone_at=None).exists()
        assert PullRequest.objects.filter(gone_at=None).count() == 39
        assert completeness_in_words(Repository.objects.get()) == "39 of 39"
    assert figures(reconciled(tracked)) == (39, 0, 0)


def test_a_pull_request_that_is_there_again_comes_back_whole(github, tracked, team):
    before = rows_of(team)
    with team_scope(team.pk):
        node_id = PullRequest.objects.get(number=5).node_id
        assert mark_gone(Repository.objects.get(), [node_id], at=timezone.now()).marked == 1
    assert rows_of(team) != before
    assert figures(reconciled(tracked)) == (39, 1, 0)
    assert rows_of(team) == before


def test_deployments_that_disappeared_are_marked_and_missing_ones_fetched(github, tracked, team):
    with team_scope(team.pk):
        first, second = Deployment.objects.order_by("github_deployment_id")[:2]
        total = Deployment.objects.filter(gone_at=None).count()
        Deployment.objects.filter(pk=second.pk).delete()
    change(github, "delete_deployment", id=first.github_deployment_id)
    run = reconciled(tracked)
    assert figures(run) == (40, 1, 1)
    with team_scope(team.pk):
        assert Deployment.objects.get(pk=first.pk).gone_at is not None
        assert not DeploymentStatus.objects.filter(deployment=first, gone_at=None).exists()
        assert Deployment.objects.filter(gone_at=None).count() == total - 1
        assert Deployment.objects.filter(github_deployment_id=second.github_deployment_id, gone_at=None).exists()


def _delete_children(pr):
    pr.events.all().delete()
    PRReview.objects.filter(pull_request=pr).delete()
    PRComment.objects.filter(pull_request=pr).delete()
    ReviewThread.objects.filter(pull_request=pr).delete()


def _delete_commits(pr):
    shas = PullRequestCommit.objects.filter(pull_request=pr).values_list("commit_id", flat=True)
    Commit.objects.filter(pk__in=list(shas)).delete()
    PRFile.objects.filter(pull_request=pr).delete()


def _delete_checks(pr):
    PRCheckRun.objects.filter(head_sha=pr.head_sha).delete()
    PullRequestLabel.objects.filter(pull_request=pr).delete()


def _falsify(pr):
    future = timezone.now() + timedelta(days=400)
    PullRequest.objects.filter(pk=pr.pk).update(
        title="nonsense", state="closed", additions=99_999, pr_updated_at=future, merged_at=None, is_draft=True
    )


def _mark_children_gone(pr):
    for model in (PRReview, PRComment, PRFile, PullRequestCommit):
        model.objects.filter(pull_request=pr).update(gone_at=NOW)


def _remove(pr):
    _delete_children(pr)
    pr.delete()


HARMS = (_delete_children, _delete_commits, _delete_checks, _falsify, _mark_children_gone, _remove)


@pytest.mark.parametrize("days", [None, 3_000], ids=["all", "window"])
def test_what_was_harmed_in_our_own_rows_is_mended(github, team, days):
    tracked = tracked_at(github, team, "acme/shop")
    github_sync.sync_repository_history(tracked, days)
    before = rows_of(team)
    with team_scope(team.pk):
        harmed = PullRequest.objects.filter(number__in=numbers_with(github, "reviews", len(HARMS)))
        for pull_request, harm in zip(harmed.order_by("number"), HARMS, strict=True):
            changing = rows_of(team)
            harm(pull_request)
            assert rows_of(team) != changing, harm
    assert reconciled(tracked).counts["repaired"] == len(HARMS)
    assert rows_of(team) == before
    assert figures(reconciled(tracked)) == (40, 0, 0)


def test_one_that_exists_only_here_is_marked_as_gone(github, tracked, team):
    with team_scope(team.pk):
        row = PullRequest.objects.get(number=7)
        row.pk, row.number, row.node_id, row.github_pr_id = None, 999, "PR_invented", 1
        row.save()
    assert figures(reconciled(tracked)) == (41, 0, 1)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=999).gone_at is not None


def test_a_wrong_node_id_is_corrected_and_nothing_marked(github, tracked, team):
    before = rows_of(team)
    with team_scope(team.pk):
        PullRequest.objects.filter(number=7).update(node_id="PR_wrong")
        PullRequest.objects.filter(number=8).update(node_id=PullRequest.objects.get(number=9).node_id)
    assert reconciled(tracked).counts["gone"] == 0
    assert rows_of(team) == before


def test_killed_half_way_it_goes_on_where_it_was(settings, team):
    with SandboxServer(synthetic=["acme:shop:230:5"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        github_sync.sync_repository_history(tracked, None)
        before = rows_of(team)
        with team_scope(team.pk):
            PullRequest.objects.filter(number__in=[3, 223]).update(title="nonsense")
        handle = begun(tracked)
        for _ in range(3):  # the missing ones, and twice a hundred
            assert github_sync.advance(handle, seconds=0).ended == Ended.HANDED_ON
            handle = next_turn(run_of(tracked).pk, team.pk)
        assert run_of(tracked).counts["compared"] == 200
        with team_scope(team.pk):
            runs.take(run_id=handle.run_id, token=handle.token)  # and killed
            SyncRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
        assert github_sync.advance(next_turn(run_of(tracked).pk, team.pk), seconds=None).ended == Ended.FINISHED
        assert figures(run_of(tracked)) == (230, 2, 0)
        assert rows_of(team) == before


@pytest.mark.parametrize("operation", ["PullRequestStates", "PullRequestsByNumber", "PullRequestIds", "KnownIds"])
def test_a_502_in_the_middle_marks_nothing_and_the_run_goes_on_later(github, tracked, team, operation):
    change(github, "delete", number=5)
    change(github, "delete_deployment")
    github.faults.add(operation, "502", times=-1)
    outcome = github_sync.advance(begun(tracked), seconds=None)
    assert outcome.ended == Ended.PAUSED
    with team_scope(team.pk):
        gone_before = PullRequest.objects.exclude(gone_at=None).count()
        assert gone_before == (0 if operation in {"PullRequestStates", "PullRequestsByNumber"} else 1)
        assert not Deployment.objects.exclude(gone_at=None).exists()
        github.faults.clear()
        SyncRun.objects.filter(status="paused").update(resume_at=timezone.now())
    assert github_sync.advance(next_turn(run_of(tracked).pk, team.pk), seconds=None).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert Deployment.objects.exclude(gone_at=None).count() == 1
        assert list(PullRequest.objects.exclude(gone_at=None).values_list("number", flat=True)) == [5]


def test_a_few_that_are_too_heavy_together_are_asked_in_halves(github, tracked):
    github.faults.add("PullRequestStates", "502", times=3)
    assert figures(reconciled(tracked)) == (40, 0, 0)


def test_a_repository_that_cannot_be_seen_loses_nothing(github, tracked, team):
    handle = begun(tracked)
    change(github, "delete_repository")
    assert github_sync.advance(handle, seconds=None).ended == Ended.FAILED
    with team_scope(team.pk):
        assert not PullRequest.objects.exclude(gone_at=None).exists()


def test_nobody_is_written_to_about_a_night_that_went_well(github, tracked, team):
    MembershipFactory.create(team=team, role="admin")
    change(github, "delete", number=5)
    run = reconciled(tracked)
    sync_notifications.notify_about(team_id=team.pk, run_id=run.pk)
    assert mail.outbox == []


def test_of_a_big_repository_the_old_have_their_turn_within_a_week(team):
    with team_scope(team.pk):
        repository = RepositoryFactory.create(team=team)
        first = PullRequestFactory.create(repository=repository, team=team, number=1, state="merged", node_id="PR_1")
        long_ago, lately = NOW - timedelta(days=200), NOW - timedelta(days=80)
        copies = []
        for number in range(2, 282):
            copies.append(copy(first))
            copies[-1].pk, copies[-1].number = None, number
            copies[-1].state = "open" if number == 100 else "merged"
            copies[-1].pr_updated_at = lately if number == 207 else long_ago
        first.delete()
        PullRequest.objects.bulk_create(copies)
        assert len(night_of(repository, NOW, big=280)) == 280  # it is not a big one
        nights = [night_of(repository, NOW + timedelta(days=day)) for day in range(7)]
    assert all({100, 207} <= set(night) for night in nights)
    assert all(len(night) in {42, 41, 40} for night in nights)
    assert set().union(*nights) == set(range(2, 282))


def night_of(repository, now, big=279) -> list[int]:
    """The numbers that are compared."""
    numbers: list[int] = []
    while rows := rows_to_compare(repository, after=numbers[-1] if numbers else 0, now=now, big=big):
        numbers += [row["number"] for row in rows]
    return numbers


def test_that_all_are_gone_at_once_is_not_believed(github, tracked, team):
    for number in list(github.world.repository("acme/shop").contents.pulls):
        change(github, "delete", number=number)
    run = reconciled(tracked)
    assert (figures(run), run.status) == ((0, 0, 0), "partial")
    assert "GitHub knows none of 40 pull requests" in next(iter(run.partial["unreadable"].values()))
    with team_scope(team.pk):
        assert not PullRequest.objects.exclude(gone_at=None).exists()


def test_each_repository_has_its_turn_once_a_day_at_night(tracked, team):
    night = datetime(2026, 11, 21, 3, tzinfo=UTC)
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=night - timedelta(hours=19))
    assert nightly.begin_due(team.pk, now=night) == []
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=night - timedelta(hours=21))
    assert nightly.begin_due(team.pk, now=night.replace(hour=7)) == []
    assert nightly.begin_due(team.pk, now=night) == [tracked.integration_id]
    assert nightly.begin_due(team.pk, now=night) == []
    assert run_of(tracked).kind == "reconcile"


def test_what_missed_the_night_follows_by_day(tracked, team):
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=noon - timedelta(hours=31))
    assert nightly.begin_due(team.pk, now=noon) == [tracked.integration_id]


def test_a_repository_that_something_else_is_done_for_waits(tracked, team):
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(days=3))
        github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INCREMENTAL, days_back=None)
    assert nightly.begin_due(team.pk) == []

"""The nightly comparison: what changed or vanished at GitHub without a word is found, and nothing else is touched."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from apps.integrations.models import GitHubIntegration
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import permissions
from apps.integrations.services.github_sync.coverage import completeness_in_words
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tests.reconcile_support import begun, change, figures, numbers_with, reconciled
from apps.integrations.tests.sync_support import fresh, rows_of, run_of, tracked_at, versions_of
from apps.metrics.models import (
    Deployment,
    DeploymentStatus,
    PRComment,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestCommit,
    PullRequestLabel,
    Repository,
    ReviewThread,
)
from apps.teams.scope import team_scope


def pull_of(github, number):
    return github.world.repository("acme/shop").contents.pulls[number]


def test_nothing_to_mend_writes_nothing_and_costs_what_the_docs_say(silent_github, synced_shop, team):
    before = versions_of(team)
    silent_github.stats.reset()
    run = reconciled(synced_shop)
    assert figures(run) == (40, 0, 0)
    assert versions_of(team) == before
    assert run.points == silent_github.stats.points == 1 + 1 + 1  # 40 compared, a page of ids, one of deployments
    assert (run.kind, run.status) == ("reconcile", "complete")
    assert fresh(synced_shop).reconciled_at == run.finished_at


def test_it_says_nothing_of_what_changed_elsewhere(synced_shop):
    before = fresh(synced_shop)
    reconciled(synced_shop)
    after = fresh(synced_shop)
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
def test_a_silent_deletion_is_found_and_marked(silent_github, synced_shop, team, action, part, gone):
    [number] = numbers_with(silent_github, part, 1)
    change(silent_github, action, number=number, silent=True)
    run = reconciled(synced_shop)
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
def test_a_state_that_changed_without_a_word_is_found(silent_github, synced_shop, team, other_team, part):
    number = silently_otherwise(silent_github, part)
    run = reconciled(synced_shop)
    assert (run.counts["repaired"], run.points <= 1 + 1 + 1 + 2) == (1, True)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).partial == {}
    github_sync.sync_repository_history(tracked_at(silent_github, other_team, "acme/shop"), None)
    ours, theirs = rows_of(team, present=True), rows_of(other_team, present=True)
    if part == "checks":  # earlier attempts are kept
        assert set(theirs.pop("prcheckrun")) <= set(ours.pop("prcheckrun"))
    assert ours == theirs
    assert reconciled(synced_shop).counts["repaired"] == 0


@pytest.mark.parametrize("way", ["asked", "connected"])
def test_what_may_be_read_again_is_fetched_where_it_is_missing(silent_github, team, other_team, way, settings):
    settings.GITHUB_WEB_URL = silent_github.url
    change(silent_github, "forbid", part="statusCheckRollup")
    tracked = tracked_at(silent_github, team, "acme/shop")
    github_sync.sync_repository_history(tracked, None)
    assert reconciled(tracked).counts["repaired"] == 0  # as long as it may not be read
    change(silent_github, "forbid", part="statusCheckRollup", on=False)
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
    github_sync.sync_repository_history(tracked_at(silent_github, other_team, "acme/shop"), None)
    assert rows_of(team) == rows_of(other_team)
    assert nightly.begin_due(team.pk) == []


def test_what_a_silent_force_push_left_behind_is_marked_and_nobody_elses(silent_github, synced_shop, team):
    number = next(n for n in numbers_with(silent_github, "commits", 40) if len(pull_of(silent_github, n).commits) > 1)
    dropped = {commit.oid for commit in pull_of(silent_github, number).commits}
    change(silent_github, "push", number=number, force=True, drop=1, silent=True)
    dropped -= {commit.oid for commit in pull_of(silent_github, number).commits}
    assert reconciled(synced_shop).counts["repaired"] == 1
    with team_scope(team.pk):
        gone = PullRequestCommit.objects.exclude(gone_at=None)
        assert set(gone.values_list("pull_request__number", "commit__github_sha")) == {(number, s) for s in dropped}


def test_a_label_that_was_taken_off_silently_is_taken_off_here(silent_github, synced_shop, team):
    [number] = numbers_with(silent_github, "labels", 1)
    with team_scope(team.pk):
        before = PullRequestLabel.objects.filter(pull_request__number=number).count()
    change(silent_github, "unlabel", number=number, silent=True)
    assert reconciled(synced_shop).counts["repaired"] == 1
    with team_scope(team.pk):
        assert PullRequestLabel.objects.filter(pull_request__number=number).count() == before - 1


def test_a_deleted_pull_request_is_marked_with_all_of_it_and_counts_nowhere(silent_github, synced_shop, team):
    number = numbers_with(silent_github, "reviews", 1)[0]
    change(silent_github, "delete", number=number)
    run = reconciled(synced_shop)
    assert figures(run) == (40, 0, 1)
    assert run.touched_weeks
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=number).gone_at is not None
        for model in (PRReview, PRComment, PRFile, PullRequestCommit, ReviewThread):
            assert not model.objects.filter(pull_request__number=number, gone_at=None).exists()
        assert PullRequest.objects.filter(gone_at=None).count() == 39
        assert completeness_in_words(Repository.objects.get()) == "39 of 39"
    assert figures(reconciled(synced_shop)) == (39, 0, 0)


def test_deployments_that_disappeared_are_marked_and_missing_ones_fetched(silent_github, synced_shop, team):
    with team_scope(team.pk):
        first, second = Deployment.objects.order_by("github_deployment_id")[:2]
        total = Deployment.objects.filter(gone_at=None).count()
        Deployment.objects.filter(pk=second.pk).delete()
    change(silent_github, "delete_deployment", id=first.github_deployment_id)
    run = reconciled(synced_shop)
    assert figures(run) == (40, 1, 1)
    with team_scope(team.pk):
        assert Deployment.objects.get(pk=first.pk).gone_at is not None
        assert not DeploymentStatus.objects.filter(deployment=first, gone_at=None).exists()
        assert Deployment.objects.filter(gone_at=None).count() == total - 1
        assert Deployment.objects.filter(github_deployment_id=second.github_deployment_id, gone_at=None).exists()


def test_a_repository_that_cannot_be_seen_loses_nothing(silent_github, synced_shop, team):
    handle = begun(synced_shop)
    change(silent_github, "delete_repository")
    assert github_sync.advance(handle, seconds=None).ended == Ended.FAILED
    with team_scope(team.pk):
        assert not PullRequest.objects.exclude(gone_at=None).exists()


def test_that_all_are_gone_at_once_is_not_believed(silent_github, synced_shop, team):
    for number in list(silent_github.world.repository("acme/shop").contents.pulls):
        change(silent_github, "delete", number=number)
    run = reconciled(synced_shop)
    assert (figures(run), run.status) == ((0, 0, 0), "partial")
    assert "GitHub knows none of 40 pull requests" in next(iter(run.partial["unreadable"].values()))
    with team_scope(team.pk):
        assert not PullRequest.objects.exclude(gone_at=None).exists()

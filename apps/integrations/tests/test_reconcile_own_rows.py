"""The nightly comparison: what is wrong in our own rows is mended, and what exists only here is marked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.services import github_sync
from apps.integrations.tests.reconcile_support import NOW, figures, numbers_with, reconciled
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.metrics.models import (
    Commit,
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
from apps.teams.scope import team_scope


def test_a_pull_request_that_is_there_again_comes_back_whole(silent_github, synced_shop, team):
    before = rows_of(team)
    with team_scope(team.pk):
        node_id = PullRequest.objects.get(number=5).node_id
        assert mark_gone(Repository.objects.get(), [node_id], at=timezone.now()).marked == 1
    assert rows_of(team) != before
    assert figures(reconciled(synced_shop)) == (39, 1, 0)
    assert rows_of(team) == before


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
def test_what_was_harmed_in_our_own_rows_is_mended(silent_github, team, days):
    tracked = tracked_at(silent_github, team, "acme/shop")
    github_sync.sync_repository_history(tracked, days)
    before = rows_of(team)
    with team_scope(team.pk):
        harmed = PullRequest.objects.filter(number__in=numbers_with(silent_github, "reviews", len(HARMS)))
        for pull_request, harm in zip(harmed.order_by("number"), HARMS, strict=True):
            changing = rows_of(team)
            harm(pull_request)
            assert rows_of(team) != changing, harm
    assert reconciled(tracked).counts["repaired"] == len(HARMS)
    assert rows_of(team) == before
    assert figures(reconciled(tracked)) == (40, 0, 0)


def test_one_that_exists_only_here_is_marked_as_gone(silent_github, synced_shop, team):
    with team_scope(team.pk):
        row = PullRequest.objects.get(number=7)
        row.pk, row.number, row.node_id, row.github_pr_id = None, 999, "PR_invented", 1
        row.save()
    assert figures(reconciled(synced_shop)) == (41, 0, 1)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=999).gone_at is not None


def test_a_wrong_node_id_is_corrected_and_nothing_marked(silent_github, synced_shop, team):
    before = rows_of(team)
    with team_scope(team.pk):
        PullRequest.objects.filter(number=7).update(node_id="PR_wrong")
        PullRequest.objects.filter(number=8).update(node_id=PullRequest.objects.get(number=9).node_id)
    assert reconciled(synced_shop).counts["gone"] == 0
    assert rows_of(team) == before

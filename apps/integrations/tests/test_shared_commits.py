"""Commits that several pull requests have (stacked, cherry-picked), and checks that follow from it: a later sync of one
moves nothing from another, and takes nothing away from it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.reconciliation import nightly
from apps.integrations.tests.sync_support import tracked_at
from apps.metrics.models import Commit, PRCheckRun, PullRequest, PullRequestCommit
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:5:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


class Stack:
    """A pull request of two commits, and one on top of it with a third; both are synced."""

    def __init__(self, github, team):
        self.github, self.team = github, team
        self.lower = change(github, "open", title="lower")["number"]
        change(github, "push", number=self.lower)
        self.upper = change(github, "open", title="upper")["number"]
        own = pull_of(github, self.upper).commits
        own[:] = [*pull_of(github, self.lower).commits, *own]
        self.own = own[-1].oid
        self.shared = [commit.oid for commit in own[:2]]
        self.tracked = tracked_at(github, team, "acme/shop")
        assert github_sync.sync_repository_history(self.tracked, None).ended == Ended.FINISHED

    def sync(self):
        """What changed since."""
        with team_scope(self.team.pk):
            tracked = TrackedRepository.objects.select_related("repository").get()
            run = github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INCREMENTAL, days_back=None)
            handle = github_sync.handle_of(run)
        assert github_sync.advance(handle, seconds=None).ended == Ended.FINISHED

    def touch(self, number):
        """Only this one counts as changed."""
        for pull in self.github.world.repository("acme/shop").contents.pulls.values():
            pull.updated_at = "2026-10-01T00:00:00Z"
        change(self.github, "edit", number=number, title=f"again, {timezone.now()}")

    def commits_of(self, number):
        """Its commits in their order, without those that are gone."""
        with team_scope(self.team.pk):
            links = PullRequestCommit.objects.filter(pull_request__number=number, gone_at=None).order_by("position")
            return list(links.values_list("commit__github_sha", flat=True))

    def checks_of(self, number):
        with team_scope(self.team.pk):
            return sorted(PullRequest.objects.get(number=number).check_runs.values_list("name", "conclusion"))

    def links_of(self, number):
        """The versions of its rows: what is equal before and after was not written."""
        with team_scope(self.team.pk):
            rows = PullRequestCommit.objects.filter(pull_request__number=number).extra(
                select={"version": "metrics_pullrequestcommit.xmin::text"}
            )
            return sorted(rows.values_list("pk", "version"))


@pytest.fixture
def stack(github, team) -> Stack:
    return Stack(github, team)


def change(github, action, **request):
    return github.mutations.apply({"repo": "acme/shop", "action": action, **request})


def pull_of(github, number):
    return github.world.repository("acme/shop").contents.pulls[number]


def test_a_shared_commit_is_one_row_that_both_have_at_their_own_place(stack, team):
    assert stack.commits_of(stack.lower) == stack.shared
    assert stack.commits_of(stack.upper) == [*stack.shared, stack.own]
    with team_scope(team.pk):
        assert Commit.objects.filter(github_sha__in=stack.shared).count() == 2


@pytest.mark.parametrize("changed", ["lower", "upper"])
def test_a_later_sync_of_one_writes_nothing_of_the_other(stack, changed):
    one, other = (stack.lower, stack.upper) if changed == "lower" else (stack.upper, stack.lower)
    before = stack.commits_of(other), stack.links_of(other)
    change(stack.github, "push", number=one)
    stack.touch(one)
    stack.sync()
    assert (stack.commits_of(other), stack.links_of(other)) == before
    assert len(stack.commits_of(one)) == len(pull_of(stack.github, one).commits)


@pytest.mark.parametrize("changed", ["lower", "upper"])
def test_a_commit_that_is_gone_from_one_stays_in_the_other(stack, changed, team):
    one, other = (stack.lower, stack.upper) if changed == "lower" else (stack.upper, stack.lower)
    before = stack.commits_of(other), stack.links_of(other)
    change(stack.github, "push", number=one, force=True, drop=3)
    stack.touch(one)
    stack.sync()
    assert stack.commits_of(one) == [commit.oid for commit in pull_of(stack.github, one).commits]
    assert not {*stack.commits_of(one)} & {*stack.shared}
    assert (stack.commits_of(other), stack.links_of(other)) == before
    with team_scope(team.pk):
        assert not Commit.objects.exclude(gone_at=None).exists()


def test_a_cherry_pick_into_another_place_moves_it_in_neither(stack):
    third = change(stack.github, "open", title="picked")["number"]
    commits = pull_of(stack.github, third).commits
    commits.append(pull_of(stack.github, stack.lower).commits[0])
    stack.sync()
    assert stack.commits_of(third) == [commits[0].oid, stack.shared[0]]
    assert stack.commits_of(stack.lower) == stack.shared
    stack.touch(stack.upper)
    stack.sync()
    assert stack.commits_of(third) == [commits[0].oid, stack.shared[0]]


@pytest.fixture
def twins(stack):
    """The upper one shows the very head of the lower, whose checks are then both's."""
    lower, upper = pull_of(stack.github, stack.lower), pull_of(stack.github, stack.upper)
    upper.commits[:], upper.head_ref_oid = lower.commits, lower.head_ref_oid
    change(stack.github, "check", number=stack.lower, name="tests", conclusion="FAILURE")
    change(stack.github, "status", number=stack.lower, name="ci/legacy", state="SUCCESS")
    for number in (stack.lower, stack.upper):
        change(stack.github, "edit", number=number, title="twin")
    stack.sync()
    return stack


def test_checks_of_one_head_are_rows_that_both_show(twins, team):
    assert (
        twins.checks_of(twins.lower) == twins.checks_of(twins.upper) == [("ci/legacy", "success"), ("tests", "failure")]
    )
    with team_scope(team.pk):
        head = pull_of(twins.github, twins.lower).head_ref_oid
        assert PRCheckRun.objects.filter(name="tests", head_sha=head).count() == 1


@pytest.mark.parametrize("changed", ["lower", "upper"])
def test_one_that_gets_another_head_leaves_the_checks_with_the_other(twins, changed):
    one, other = (twins.lower, twins.upper) if changed == "lower" else (twins.upper, twins.lower)
    before = twins.checks_of(other)
    change(twins.github, "push", number=one, force=True, drop=1)
    twins.touch(one)
    twins.sync()
    assert twins.checks_of(one) == []
    assert twins.checks_of(other) == before


def test_a_rerun_that_is_learned_through_one_counts_for_both(twins, team):
    change(twins.github, "check", number=twins.lower, name="tests", conclusion="SUCCESS")
    twins.touch(twins.lower)
    twins.sync()
    assert twins.checks_of(twins.upper) == twins.checks_of(twins.lower)
    assert ("tests", "success") in twins.checks_of(twins.upper)
    with team_scope(team.pk):
        both = PullRequest.objects.filter(number__in=[twins.lower, twins.upper])
        assert set(both.values_list("ci_status", flat=True)) == {"success"}


@pytest.mark.parametrize("deleted", ["lower", "upper"])
def test_one_that_is_deleted_takes_along_only_what_is_its_own(twins, deleted, team):
    one, other = (twins.lower, twins.upper) if deleted == "lower" else (twins.upper, twins.lower)
    before = twins.commits_of(other), twins.links_of(other), twins.checks_of(other)
    gone = pull_of(twins.github, one).id
    change(twins.github, "delete", number=one)
    with team_scope(team.pk):
        TrackedRepository.objects.update(reconciled_at=timezone.now() - timedelta(days=2))
    nightly.begin_due(team.pk)
    with team_scope(team.pk):
        handle = github_sync.handle_of(SyncRun.objects.latest("pk"))
    assert github_sync.advance(handle, seconds=None).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert PullRequest.objects.get(node_id=gone).gone_at is not None
    assert twins.commits_of(one) == []
    assert (twins.commits_of(other), twins.links_of(other), twins.checks_of(other)) == before

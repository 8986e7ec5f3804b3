"""One part of one stored pull request over REST: stored as GraphQL's, and never lost for a failure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from apps.integrations.github.access import StaticToken
from apps.integrations.github.rest import Rest
from apps.integrations.models import IntegrationCredential, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_rate_limit import budget_of
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.rest_way import whole
from apps.integrations.tests.sync_support import rows_of, tracked_at, versions_of
from apps.metrics.models import (
    PRCheckRun,
    PRComment,
    PRFile,
    PullRequest,
    PullRequestCommit,
    ReviewThread,
    WeeklyMetrics,
)
from apps.metrics.records import Part
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

SHOP = "acme/shop"
TOKEN = "sandbox-token"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FUNCTIONS = {
    Part.COMMITS: github_sync.sync_pr_commits,
    Part.FILES: github_sync.sync_pr_files,
    Part.CHECKS: github_sync.sync_pr_check_runs,
    Part.ISSUE_COMMENTS: github_sync.sync_pr_issue_comments,
    Part.REVIEW_COMMENTS: github_sync.sync_pr_review_comments,
}


@pytest.fixture(scope="module")
def shared_github():
    with SandboxServer(synthetic=["acme:shop:12:13"], now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def github(shared_github, settings):
    shared_github.faults.clear()
    shared_github.limits.preset(remaining=5000, reset_in=3600)
    settings.GITHUB_API_URL = shared_github.url
    return shared_github


@pytest.fixture
def tracked(github, team) -> TrackedRepository:
    tracked = tracked_at(github, team, SHOP)
    assert github_sync.sync_repository_history(tracked, None).ended == Ended.FINISHED
    return tracked


@pytest.fixture
def pr(tracked, team) -> PullRequest:
    """The stored pull request with most to tell of every part."""
    with team_scope(team.pk):
        pulls = PullRequest.objects.all()
        found = max(pulls, key=lambda pull: min(pull.totals[part] for part in FUNCTIONS))
    assert min(found.totals[part] for part in FUNCTIONS) > 1
    return found


def rows_of_part(part: Part, pr: PullRequest):
    return {
        Part.COMMITS: PullRequestCommit.objects.filter(pull_request=pr, gone_at=None),
        Part.FILES: PRFile.objects.filter(pull_request=pr, gone_at=None),
        Part.CHECKS: PRCheckRun.objects.filter(repository=pr.repository_id, head_sha=pr.head_sha, gone_at=None),
        Part.ISSUE_COMMENTS: PRComment.objects.filter(pull_request=pr, comment_type="issue", gone_at=None),
        Part.REVIEW_COMMENTS: PRComment.objects.filter(pull_request=pr, comment_type="review", gone_at=None),
    }[part]


def lose(part: Part, pr: PullRequest, reason: str = "timed out") -> None:
    """The part as if it had never been fetched."""
    with team_scope(pr.team_id):
        rows_of_part(part, pr).delete()
        totals = {name: total for name, total in pr.totals.items() if name != part}
        PullRequest.objects.filter(pk=pr.pk).update(
            totals=totals, partial={part: reason, "threads": "timed out"}, is_partial=True
        )


def refresh(part: Part, pr: PullRequest, team, token: str = TOKEN) -> tuple[int, list[str]]:
    errors: list[str] = []
    return FUNCTIONS[part](pr, pr.number, token, SHOP, team, errors), errors


@pytest.mark.parametrize("part", FUNCTIONS)
def test_after_a_sync_nothing_is_left_to_write(pr, team, part):
    before = versions_of(team)
    stored, errors = refresh(part, pr, team)
    assert errors == []
    assert stored == pr.totals[part] > 0
    assert versions_of(team) == before


@pytest.mark.parametrize("part", FUNCTIONS)
def test_a_part_that_was_missing_is_stored_as_the_sync_stores_it(pr, team, part):
    with team_scope(team.pk):  # what REST does not tell
        PRCheckRun.objects.update(workflow="")
        PRComment.objects.update(thread=None)
    before = rows_of(team)
    lose(part, pr)
    assert rows_of(team) != before
    stored, errors = refresh(part, pr, team)
    assert (stored, errors) == (pr.totals[part], [])
    with team_scope(team.pk):
        now = PullRequest.objects.get(pk=pr.pk)
    assert (now.partial, now.is_partial) == ({"threads": "timed out"}, True)
    with team_scope(team.pk):
        PullRequest.objects.filter(pk=pr.pk).update(partial={}, is_partial=False)
    assert rows_of(team) == before


@pytest.mark.parametrize("part", FUNCTIONS)
def test_the_last_missing_part_makes_the_pull_request_whole_though_it_is_no_younger(pr, team, part):
    with team_scope(team.pk):
        PullRequest.objects.filter(pk=pr.pk).update(partial={part: "timed out"}, is_partial=True)
    refresh(part, pr, team)
    with team_scope(team.pk):
        now = PullRequest.objects.get(pk=pr.pk)
    assert (now.partial, now.is_partial, now.pr_updated_at) == ({}, False, pr.pr_updated_at)


@pytest.mark.parametrize("part", FUNCTIONS)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("sso", "The organisation requires single sign-on."),
        ("bad_credentials", "GitHub does not accept the token. Connect GitHub again."),
        ("rate_limited", "GitHub's rate limit is reached; work goes on by itself after"),
    ],
)
def test_a_failure_is_said_and_touches_nothing(github, pr, team, part, fault, words):
    github.faults.add("/repos/", fault, times=-1)
    before = versions_of(team)
    stored, errors = refresh(part, pr, team)
    assert stored == 0
    [sentence] = errors
    name = part.value.replace("_", " ").capitalize()
    assert sentence.startswith(f"{name} of {SHOP}#{pr.number} could not be fetched: {words}")
    assert versions_of(team) == before


def test_one_kind_of_checks_that_fails_takes_nothing_away(github, pr, team):
    github.faults.add(f"/repos/{SHOP}/commits/{pr.head_sha}/status", "sso", times=-1)
    before = versions_of(team)
    assert refresh(Part.CHECKS, pr, team)[0] == 0
    assert versions_of(team) == before


def test_what_is_no_longer_there_is_gone_and_what_hung_on_it_is_derived_anew(github, pr, team):
    pull = github.world.repository(SHOP).contents.pulls[pr.number]
    lost = pull.comments.pop()
    try:
        stored, errors = refresh(Part.ISSUE_COMMENTS, pr, team)
    finally:
        pull.comments.append(lost)
    assert (stored, errors) == (pr.totals[Part.ISSUE_COMMENTS] - 1, [])
    with team_scope(team.pk):
        assert PRComment.objects.get(github_comment_id=lost.database_id, comment_type="issue").gone_at is not None
        now = PullRequest.objects.get(pk=pr.pk)
    assert now.totals[Part.ISSUE_COMMENTS] == stored
    assert now.total_comments == pr.total_comments - 1


def test_the_thread_of_a_comment_is_remembered(pr, team):
    with team_scope(team.pk):
        threads = dict(PRComment.objects.filter(comment_type="review").values_list("pk", "thread_id"))
        assert ReviewThread.objects.filter(pull_request=pr).exists()
        PRComment.objects.filter(pull_request=pr, comment_type="review").update(body="as it was before an edit")
    assert refresh(Part.REVIEW_COMMENTS, pr, team)[0] > 0
    with team_scope(team.pk):
        assert dict(PRComment.objects.filter(comment_type="review").values_list("pk", "thread_id")) == threads
        assert not PRComment.objects.filter(body="as it was before an edit").exists()


def test_files_bring_the_sizes_of_a_diff_that_graphql_gave_up_on(pr, team):
    lose(Part.FILES, pr, "GitHub could not compute the diff")
    sizes = ["additions", "deletions", "changed_files"]
    with team_scope(team.pk):
        PullRequest.objects.filter(pk=pr.pk).update(**dict.fromkeys(sizes))
    assert refresh(Part.FILES, pr, team) == (pr.totals[Part.FILES], [])
    with team_scope(team.pk):
        now = PullRequest.objects.get(pk=pr.pk)
    assert [getattr(now, size) for size in sizes] == [getattr(pr, size) for size in sizes]
    assert now.size == pr.size


def test_weekly_figures_follow(pr, team):
    lose(Part.ISSUE_COMMENTS, pr)
    with team_scope(team.pk):
        WeeklyMetrics.objects.all().delete()
    refresh(Part.ISSUE_COMMENTS, pr, team)
    with team_scope(team.pk):
        assert WeeklyMetrics.objects.exists()


def test_requests_are_counted_on_the_account_of_the_token(github, pr, team):
    github.limits.preset(remaining=777, reset_in=3600, resource="core")
    refresh(Part.ISSUE_COMMENTS, pr, team)
    with team_scope(team.pk):
        user = IntegrationCredential.objects.get().github_user_id
    budget = budget_of(user, "core")
    assert budget is not None
    assert budget.remaining < 777


def test_pull_requests_that_rest_gave_whole_are_the_rows_that_graphql_made(github, tracked, team):
    """Only that threads and closing issues were not told this time is new to the rows."""
    before, versions = rows_of(team), versions_of(team)
    with team_scope(team.pk):
        totals = dict(PullRequest.objects.values_list("pk", "totals"))
    rest = Rest(StaticToken(TOKEN), github.url)
    wholes = [whole(rest, SHOP, number) for number in github.world.repository(SHOP).contents.pulls]
    rest.close()
    with team_scope(team.pk):
        ingest_pull_requests(tracked.repository, wholes, synced_at=timezone.now())
    after = versions_of(team)
    assert {table for table in after if after[table] != versions[table]} == {"pullrequest"}
    with team_scope(team.pk):
        assert {tuple(sorted(partial)) for partial in PullRequest.objects.values_list("partial", flat=True)} == {
            ("linked_issues", "threads")
        }
        for pull in PullRequest.objects.all():
            assert pull.totals.items() <= totals[pull.pk].items()
            PullRequest.objects.filter(pk=pull.pk).update(partial={}, is_partial=False, totals=totals[pull.pk])
    assert rows_of(team) == before


def test_a_token_of_nobody_here_will_do(pr, team):
    assert refresh(Part.FILES, pr, team, token="sandbox-readonly") == (pr.totals[Part.FILES], [])


def test_another_number_than_the_stored_one_is_refused(pr, team):
    errors: list[str] = []
    assert github_sync.sync_pr_files(pr, pr.number + 1, TOKEN, SHOP, team, errors) == 0
    assert errors == [f"Files of {SHOP}#{pr.number + 1} could not be fetched: the stored pull request is #{pr.number}."]


def test_a_pull_request_of_another_team_is_not_found(pr, other_team):
    with pytest.raises(PullRequest.DoesNotExist):
        refresh(Part.FILES, pr, other_team)

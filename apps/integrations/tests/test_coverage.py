"""How complete a repository is, said in words, and what each end of a run claims."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from apps.integrations.github.types import NO_DIFF
from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.coverage import completeness_in_words, may_come, reason_in_words
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.sync_support import tracked_at
from apps.metrics.models import PRFile, PRReview, PullRequest, Repository
from apps.metrics.queries.completeness import count_gaps
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:30:7"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


@pytest.fixture
def tracked(github, team) -> TrackedRepository:
    return tracked_at(github, team, "acme/shop")


def synced(tracked, days=None) -> TrackedRepository:
    assert github_sync.sync_repository_history(tracked, days).ended == Ended.FINISHED
    with team_scope(tracked.team_id):
        return TrackedRepository.objects.select_related("repository").get(pk=tracked.pk)


def advanced(run) -> TrackedRepository:
    assert github_sync.advance(github_sync.handle_of(run), seconds=None).ended == Ended.FINISHED
    with team_scope(run.team_id):
        return TrackedRepository.objects.select_related("repository").get(pk=run.tracked_repository_id)


@pytest.mark.parametrize(
    ("part", "reason", "words"),
    [
        ("files", "the query exceeds GitHub's resource limits", "files too large"),
        ("files", "GitHub could not answer in time", "timed out"),
        ("commits", "Something went wrong while executing your query.", "timed out"),
        ("checks", "GitHub gave up on the query; REST: 502", "timed out"),
        ("checks", "Resource not accessible by integration", "permission missing: checks"),
        ("review_comments", "permission missing: pull_requests", "permission missing: comments in reviews"),
        ("files", NO_DIFF, "GitHub gives no diff"),
        ("reviews", "not fetched yet", "not fetched yet"),
        ("events", "GitHub returned nothing", "events missing"),
        ("reviews", "3 of 4 came", "reviews incomplete"),
        ("issue_comments", "some entries could not be read", "comments incomplete"),
    ],
)
def test_reasons_are_grouped_into_a_few_plain_words(part, reason, words):
    assert reason_in_words(part, reason) == words


def test_only_what_may_come_another_time_is_asked_for_again():
    assert may_come("files", "GitHub could not answer in time", ())
    assert not may_come("files", NO_DIFF, ())
    assert not may_come("checks", "Resource not accessible by integration", ())
    assert may_come("checks", "permission missing: checks", ["threads"])
    assert not may_come("checks", "permission missing: checks", ["checks"])
    assert not may_come("review_comments", "permission missing: pull_requests", ["threads"])


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, ""),
        ({"stored": 7, "stated": None, "partial": 0}, "7"),
        ({"stored": 1240, "stated": 1240, "partial": 0, "capped": 0, "reasons": {}}, "1,240 of 1,240"),
        (
            {"stored": 1240, "stated": 1240, "partial": 3, "reasons": {"files too large": 2, "timed out": 1}},
            "1,240 of 1,240; 3 partial: files too large (2), timed out (1)",
        ),
        (
            {"stored": 1238, "stated": 1240, "partial": 0, "capped": 1},
            "1,238 of 1,240, 2 could not be read; 1 capped by GitHub",
        ),
    ],
)
def test_completeness_is_a_sentence(known, words):
    assert completeness_in_words(Repository(completeness=known)) == words


def test_what_is_stored_is_all_that_github_states(tracked, team):
    repository = synced(tracked).repository
    known = repository.completeness
    assert (known["stored"], known["stated"], known["partial"], known["missing"]) == (30, 30, 0, [])
    assert datetime.fromisoformat(known["checked_at"]).tzinfo is not None
    with team_scope(team.pk):
        assert count_gaps(repository) == []


def test_fewer_than_stated_is_called_partial_never_complete(tracked, team):
    synced(tracked)
    with team_scope(team.pk):
        PullRequest.objects.filter(number=5).delete()
        run = github_sync.begin_run(tracked=tracked, kind=SyncRun.Kind.INCREMENTAL, days_back=None)
    row = advanced(run)
    assert row.sync_status == "partial"
    assert completeness_in_words(row.repository) == "29 of 30, 1 could not be read"
    with team_scope(team.pk):
        assert SyncRun.objects.get(pk=run.pk).status == "partial"


def test_rows_that_lack_are_found_whoever_lost_them(tracked, team):
    repository = synced(tracked).repository
    with team_scope(team.pk):
        files, review = PRFile.objects.first(), PRReview.objects.first()
        lost = PRFile.objects.filter(pull_request=files.pull_request).count()
        PRFile.objects.filter(pull_request=files.pull_request).delete()
        review.delete()
        found = {(gap.number, gap.part, gap.stated - gap.stored) for gap in count_gaps(repository)}
        assert found == {(files.pull_request.number, "files", lost), (review.pull_request.number, "reviews", 1)}
        assert count_gaps(repository, [review.pull_request.number])[0].part == "reviews"


def test_what_is_partial_or_capped_is_no_silent_gap(tracked, team):
    repository = synced(tracked).repository
    with team_scope(team.pk):
        first, second = PullRequest.objects.filter(totals__files__gt=0)[:2]
        PRFile.objects.filter(pull_request__in=[first, second]).delete()
        PullRequest.objects.filter(pk=first.pk).update(partial={"files": "no"}, is_partial=True)
        PullRequest.objects.filter(pk=second.pk).update(capped={"files": "GitHub yields 0 of 3"})
        assert count_gaps(repository) == []


def test_a_run_for_single_pull_requests_says_nothing_of_the_others(tracked, team):
    before = synced(tracked)
    with team_scope(team.pk):
        node_id = PullRequest.objects.get(number=5).node_id
        run = github_sync.begin_found(tracked=before, kind=SyncRun.Kind.PR, ids=[(node_id, 5)], deployments=False)
    after = advanced(run)
    assert (after.watermark, after.last_sync_at) == (before.watermark, before.last_sync_at)
    assert after.repository.synced_to == before.repository.synced_to
    assert after.repository.covered_from == before.repository.covered_from


def test_a_run_that_was_told_when_github_was_asked_claims_no_more_than_that(tracked, team):
    row = synced(tracked)
    horizon = row.watermark + timedelta(minutes=2)
    with team_scope(team.pk):
        run = github_sync.begin_found(
            tracked=row, kind=SyncRun.Kind.INCREMENTAL, ids=[], horizon=horizon, deployments=False
        )
    after = advanced(run)
    assert after.watermark == after.repository.synced_to == horizon - timedelta(minutes=5)


def test_the_mail_says_how_much_is_stored_and_what_is_partial(github, tracked, team):
    MembershipFactory.create(team=team, role="admin")
    one = next(pull.number for pull in github.world.repository("acme/shop").contents.pulls.values() if pull.files)
    github.mutations.apply({"repo": "acme/shop", "action": "diff_unavailable", "number": one, "rest": False})
    row = synced(tracked)
    with team_scope(team.pk):
        run = SyncRun.objects.latest("pk")
    sync_notifications.notify_about(team_id=team.pk, run_id=run.pk)
    [message] = mail.outbox
    assert message.subject == "acme/shop is synced: 30 pull requests, 1 partial"
    words = completeness_in_words(row.repository)
    assert words == "30 of 30; 1 partial: GitHub gives no diff (1)"
    assert f"Stored: {words}." in message.body
    assert f"#{one}: files (" in message.body
    assert words in message.alternatives[0][0]

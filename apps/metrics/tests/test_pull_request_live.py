"""An open page of a pull request asks whether anything changed: what counts as a change, and what the answer costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.common.live import AGES, VERSION, version_at
from apps.metrics.factories import (
    CommitFactory,
    LinkedIssueFactory,
    PRCheckRunFactory,
    PRCommentFactory,
    PREventFactory,
    PRFileFactory,
    PRReviewFactory,
    PullRequestAssigneeFactory,
    PullRequestCommitFactory,
    PullRequestFactory,
    PullRequestLabelFactory,
    RepositoryFactory,
    ReviewThreadFactory,
    TeamMemberFactory,
)
from apps.metrics.models import PullRequest, Repository, TeamMember
from apps.metrics.queries.live import pull_request_version
from apps.metrics.records import CommentRecord
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.tests.pages import client_of, outsider, statements_of
from apps.metrics.tests.test_pull_request_page import SAM, moment, record
from apps.teams.models import Team
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db

LATER = datetime(2026, 3, 20, tzinfo=UTC)
PARTS: dict[str, Callable[[PullRequest], Model]] = {
    "review": lambda pr: PRReviewFactory.create(pull_request=pr),
    "thread": lambda pr: ReviewThreadFactory.create(pull_request=pr),
    "comment": lambda pr: PRCommentFactory.create(pull_request=pr),
    "event": lambda pr: PREventFactory.create(pull_request=pr),
    "file": lambda pr: PRFileFactory.create(pull_request=pr),
    "issue": lambda pr: LinkedIssueFactory.create(pull_request=pr),
    "label": lambda pr: PullRequestLabelFactory.create(pull_request=pr),
    "assignee": lambda pr: PullRequestAssigneeFactory.create(pull_request=pr),
    "commit": lambda pr: PullRequestCommitFactory.create(
        pull_request=pr, commit=CommitFactory.create(repository=pr.repository)
    ),
    "check of the head": lambda pr: PRCheckRunFactory.create(repository=pr.repository, head_sha=pr.head_sha),
}


@pytest.fixture
def pr(team: Team) -> PullRequest:
    with team_scope(team.pk):
        return PullRequestFactory.create(repository__full_name="Acme/api", number=7, head_sha="f" * 40)


def version(team: Team, number: int = 7) -> str | None:
    with team_scope(team.pk):
        return pull_request_version("acme", "api", number)


def store(team: Team, **changed: object) -> None:
    with team_scope(team.pk):
        repository = Repository.objects.filter(full_name="acme/api").first()
        repository = repository or RepositoryFactory.create(full_name="acme/api")
        ingest_pull_requests(repository, [record(**changed)], synced_at=LATER)


class TestWhatIsAChange:
    @pytest.mark.parametrize("part", PARTS)
    def test_a_part_that_comes_changes_or_goes_is_one(self, team: Team, pr: PullRequest, part: str) -> None:
        seen = [version(team)]
        with team_scope(team.pk):
            row = PARTS[part](pr)
        seen.append(version(team))
        with team_scope(team.pk):
            row.save()
        seen.append(version(team))
        with team_scope(team.pk):
            row.delete()
        assert version(team) == seen[0]  # it is about what there is
        assert len(set(seen)) == 3

    def test_a_check_of_an_older_commit_is_one(self, team: Team, pr: PullRequest) -> None:
        with team_scope(team.pk):
            commit = CommitFactory.create(repository=pr.repository)
            PullRequestCommitFactory.create(pull_request=pr, commit=commit)
        before = version(team)
        with team_scope(team.pk):
            PRCheckRunFactory.create(repository=pr.repository, head_sha=commit.github_sha)
        assert version(team) != before

    def test_the_name_of_somebody_in_it_is_one_and_of_others_is_not(self, team: Team, pr: PullRequest) -> None:
        with team_scope(team.pk):
            review = PRReviewFactory.create(pull_request=pr)
            stranger = TeamMemberFactory.create()
        before = version(team)
        with team_scope(team.pk):
            TeamMember.objects.filter(pk=stranger.pk).update(name="Somebody Else")
        assert version(team) == before
        with team_scope(team.pk):
            TeamMember.objects.filter(pk=review.reviewer_id).update(name="A New Name")
        assert version(team) != before

    def test_another_pull_request_is_none(self, team: Team, pr: PullRequest) -> None:
        before = version(team)
        with team_scope(team.pk):
            PRReviewFactory.create(pull_request=PullRequestFactory.create(repository=pr.repository))
            Repository.objects.update(synced_to=LATER)
        assert version(team) == before

    def test_the_same_once_more_is_none(self, team: Team) -> None:
        store(team)
        before = version(team, 2291)
        store(team)
        assert version(team, 2291) == before
        store(team, title="Another")
        assert version(team, 2291) != before

    def test_of_a_pull_request_that_is_gone_or_was_never_there_nothing_is_said(
        self, team: Team, other_team: Team, pr: PullRequest
    ) -> None:
        assert version(other_team) is None
        assert version(team, 8) is None
        with team_scope(team.pk):
            PullRequest.objects.update(gone_at=LATER)
        assert version(team) is None

    def test_of_two_repositories_with_one_name_it_is_the_one_that_the_page_shows(
        self, team: Team, pr: PullRequest
    ) -> None:
        with team_scope(team.pk):
            heir = PullRequestFactory.create(repository__full_name="acme/api", number=7)
        before = version(team)
        with team_scope(team.pk):
            PRReviewFactory.create(pull_request=pr)
        assert version(team) == before
        with team_scope(team.pk):
            PRReviewFactory.create(pull_request=heir)
        assert version(team) != before


@pytest.mark.usefixtures("in_one_moment")
class TestTheAnswer:
    def ask(self, client: Client, url: str, known: str) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": "pull-request", VERSION: known}
        return client.get(url, headers=headers)  # type: ignore[return-value]

    @pytest.fixture
    def url(self, team: Team) -> str:
        store(team)
        return reverse("metrics:pull_request", args=[team.slug, "acme", "api", 2291])

    def known(self, client: Client, url: str) -> str:
        return str(client.get(url).context["version"])

    def test_the_page_names_its_version(self, team: Team, url: str) -> None:
        page = client_of(team).get(url)
        text = page.content.decode()
        assert f'id="pull-request" data-live="2.5" data-version="{page.context["version"]}"' in text
        assert text.count('role="status"') == 1
        assert "HX-Request" in page.headers["Vary"]

    def test_nothing_new_is_an_empty_answer_of_one_statement_beside_the_log_in(self, team: Team, url: str) -> None:
        client = client_of(team)
        known = self.known(client, url)
        assert statements_of(lambda: self.ask(client, url, known)) == SIGNED_IN + 1
        answer = self.ask(client, url, known)
        assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (204, b"", "no-store")

    def test_it_costs_the_same_however_much_there_is(self, team: Team, url: str) -> None:
        comments = tuple(CommentRecord(n, "issue", moment(17, 9) + timedelta(seconds=n), SAM) for n in range(1, 301))
        store(team, issue_comments=comments)
        client = client_of(team)
        known = self.known(client, url)
        assert statements_of(lambda: self.ask(client, url, known)) == SIGNED_IN + 1

    def test_what_is_new_is_the_part_that_follows_with_its_title_and_is_kept_by_nobody(
        self, team: Team, url: str
    ) -> None:
        client = client_of(team)
        known = self.known(client, url)
        store(team, title="Retry <webhooks>")
        answer = self.ask(client, url, known)
        text = answer.content.decode().strip()
        assert text.startswith(f"<title>#2291 Retry &lt;webhooks&gt; · {team.name} · tformance</title>")
        assert text.count("<header") == 1
        assert "<html" not in text
        assert "live-word" not in text
        assert answer.headers["Cache-Control"] == "no-store"
        assert self.ask(client, url, answer.headers[VERSION]).status_code == 204

    def test_whoever_asks_for_the_page_gets_the_page_whatever_is_known(self, team: Team, url: str) -> None:
        client = client_of(team)
        known = self.known(client, url)
        assert "<html" in client.get(url, headers={VERSION: known}).content.decode()
        assert "<html" in client.get(url, headers={VERSION: known, "HX-Request": "true"}).content.decode()

    def test_an_outsider_learns_nothing(self, team: Team, url: str) -> None:
        known = self.known(client_of(team), url)
        assert self.ask(outsider(), url, known).status_code == 404

    def test_an_ended_session_leads_the_window_to_the_login(self, team: Team, url: str) -> None:
        client = client_of(team)
        known = self.known(client, url)
        client.logout()
        answer = self.ask(client, url, known)
        assert answer.content == b""
        assert answer.headers["HX-Redirect"].startswith("/accounts/login/")
        assert VERSION not in answer.headers

    def test_lines_of_one_second_are_told_apart(self, team: Team, url: str) -> None:
        same = record().reviews[0]  # type: ignore[index]
        twin = replace(same, id=same.id + 100, author=SAM)
        store(team, reviews=(same, twin))
        page = client_of(team).get(url).context["page"]
        keys = [line.key for day in page.story.days for line in day.lines]
        assert len(keys) == len(set(keys))
        assert f"review-{int(same.submitted_at.timestamp())}-2" in keys


SIGNED_IN = 7
"""Session, user, membership with team, and the scope: begin, name the team, take it back, commit."""


def test_a_page_ages_though_nothing_changes() -> None:
    now = datetime(2026, 3, 20, 9, tzinfo=UTC)
    assert version_at("abc", now) == version_at("abc", now + AGES - timedelta(seconds=1))
    assert version_at("abc", now) != version_at("abc", now + AGES)

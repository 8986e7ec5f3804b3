"""One pull request, from records that were ingested to what its page says."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.models import PullRequest, TeamMember
from apps.metrics.queries.pull_request import pull_request_page
from apps.metrics.records import CommentRecord, EventKind, EventRecord, LabelRecord, MilestoneRecord, ReviewRecord
from apps.metrics.tests.one_pull_request import MIRA, NOW, PRIYA, SAM, commit, lines_of, moment, page_of, record, stored
from apps.metrics.tests.pages import client_of, outsider, statements_of
from apps.metrics.views.life import life_of
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


class TestFacts:
    def test_they_are_the_stored_ones(self, team):
        stored(team)
        page = page_of(team)
        assert page.reviewers == (("Mira Okafor", 1), ("Sam Chen", 1))
        assert page.never_answered == ("Jonas Weber",)
        assert (page.checks.runs, page.checks.failed, page.checks.seconds) == (3, 1, 2 * 11 * 60)
        assert (page.labels, page.assignees) == (("webhooks",), (("Priya Nair", "pnair"),))
        assert [(issue.issue_repository, issue.issue_number) for issue in page.issues] == [
            ("acme/api", 2207),
            ("acme/web", 5),
        ]
        assert len(page.rounds) == page.pr.review_rounds == 1
        assert page.pr.pickup_seconds == page.stages[1].seconds

    def test_whom_the_team_calls_a_bot_is_no_reviewer_and_was_not_asked(self, team):
        stored(team)
        with team_scope(team.pk):
            TeamMember.objects.filter(login__in=["schen", "jweber"]).update(marked_bot=True)
            TeamMember.objects.filter(login="robot[bot]").update(marked_bot=False)
        page = page_of(team)
        assert page.reviewers == (("Mira Okafor", 1), ("robot[bot]", 1))
        assert page.never_answered == ()

    def test_a_dismissed_review_is_told_as_what_it_was_in_the_list_and_on_the_time_line(self, team):
        reviews = (ReviewRecord(1, "dismissed", moment(16, 10), MIRA), ReviewRecord(2, "dismissed", moment(17, 9), SAM))
        events = (
            EventRecord(EventKind.REVIEW_DISMISSED, moment(17, 8), PRIYA, subject="1", previous_state="approved"),
        )
        stored(team, record(reviews=reviews, events=events, review_comments=(), issue_comments=()))
        page = page_of(team)
        told = [line for line in lines_of(page) if line[2].startswith(("Mira", "Sam"))]
        assert told == [(16, 10, "Mira Okafor approved"), (17, 9, "Sam Chen gave a review that was dismissed")]
        titles = [mark.title for mark in life_of(page).reviews]
        assert titles == ["Mira Okafor approved, 16 Mar 2026 10:00", "Sam Chen (dismissed), 17 Mar 2026 09:00"]

    def test_what_is_missing_is_said_with_its_reason(self, team):
        stored(team, record(partial={"files": "GitHub would not render two diffs."}, totals={"files": 14}))
        (missing,) = page_of(team).missing
        assert (missing.part, missing.stored, missing.stated, missing.is_capped) == ("files", 2, 14, False)


class TestPage:
    def url(self, team, number=2291, owner="acme", name="api"):
        return reverse("metrics:pull_request", args=[team.slug, owner, name, number])

    def test_a_member_sees_its_whole_life_and_an_outsider_nothing(self, team):
        stored(team)
        page = client_of(team).get(self.url(team))
        text = page.content.decode()
        assert page.status_code == 200
        for words in (
            "Retry webhooks",
            "7 d 0 h 30 m",
            "56% of its life it waited for a first review.",
            "Round 1 · 4 h",
            "Reliability Q1",
            "acme/web#5",
            "Everything that GitHub has of it is stored.",
        ):
            assert words in text
        assert outsider().get(self.url(team)).status_code == 404

    def test_what_it_is_planned_with_opens_the_list_of_the_same(self, team):
        stored(team)
        text = client_of(team).get(self.url(team)).content.decode()
        address = reverse("metrics:pull_requests", args=[team.slug])
        login = page_of(team).assignees[0][1]
        for query in ("label=webhooks", "milestone=Reliability%20Q1", f"assignee={login}", "issue=acme/web%235"):
            assert f'href="{address}?{query}"' in text

    def test_its_name_is_found_in_any_case(self, team):
        stored(team)
        assert client_of(team).get(self.url(team, owner="ACME", name="Api")).status_code == 200

    @pytest.mark.parametrize(("number", "name"), [(1, "api"), (2291, "web"), (10**30, "api")])
    def test_what_does_not_exist_is_not_found(self, team, number, name):
        stored(team)
        assert client_of(team).get(self.url(team, number=number, name=name)).status_code == 404

    def test_what_is_gone_or_another_teams_is_not_found(self, team, other_team):
        stored(other_team)
        assert client_of(team).get(self.url(team)).status_code == 404
        stored(team)
        with team_scope(team.pk):
            PullRequest.objects.update(gone_at=NOW)
        assert client_of(team).get(self.url(team)).status_code == 404

    def test_a_name_that_two_repositories_had_opens_the_one_that_is_there(self, team):
        stored(team, record(title="The old one"))
        with team_scope(team.pk):
            old = PullRequest.objects.get().repository
            old.gone_at = NOW
            old.save()
            new = RepositoryFactory.create(full_name="acme/api")
            PullRequestFactory.create(repository=new, number=2291, title="The new one")
        assert "The new one" in client_of(team).get(self.url(team)).content.decode()

    def test_other_peoples_text_stays_text_and_bodies_are_not_shown(self, team):
        evil = "<img src=x onerror=alert(1)>"
        stored(
            team,
            record(
                title=evil,
                body="**secret body**",
                head_ref=evil,
                labels=(LabelRecord(evil),),
                milestone=MilestoneRecord(3, evil),
                commits=(commit("a", moment(11, 10), evil),),
                url="javascript:alert(1)",
            ),
        )
        text = client_of(team).get(self.url(team)).content.decode()
        assert "<img" not in text
        assert "javascript:" not in text
        assert "secret body" not in text

    def test_an_open_draft_without_anything_has_a_page(self, team):
        with team_scope(team.pk):
            repository = RepositoryFactory.create(full_name="acme/api")
            PullRequestFactory.create(
                repository=repository, number=2291, author=None, is_draft=True, additions=None, deletions=None, size=""
            )
        text = client_of(team).get(self.url(team)).content.decode()
        assert "deleted account" in text
        assert "No commits, reviews, comments or checks" in text

    def test_its_price_is_what_the_docstring_says_and_does_not_grow(self, team, django_assert_num_queries):
        many = {
            "number": 2,
            "id": 2,
            "commits": tuple(commit(sha, moment(11, 10)) for sha in "abcdef"),
            "issue_comments": tuple(CommentRecord(100 + n, "issue", moment(17, 9), SAM) for n in range(300)),
        }
        stored(team, record(), record(**many))
        for number in (2291, 2):
            with team_scope(team.pk), django_assert_num_queries(12):
                pull_request_page("acme", "api", number, time_zone="UTC", now=NOW)
        client = client_of(team)
        client.get(self.url(team))  # the first request of a session costs more
        assert statements_of(lambda: client.get(self.url(team))) == statements_of(
            lambda: client.get(self.url(team, number=2))
        )

    def test_hundreds_of_events_fold_into_pills(self, team):
        comments = tuple(CommentRecord(n, "issue", moment(17, 9) + timedelta(seconds=n), SAM) for n in range(1, 301))
        stored(team, record(issue_comments=comments))
        chart = client_of(team).get(self.url(team)).context["life"]
        assert sum(mark.count for mark in chart.comments) == 302
        assert len(chart.comments) < 10

"""One pull request, from records that were ingested to what its page says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.models import PullRequest, TeamMember
from apps.metrics.queries.pull_request import pull_request_page
from apps.metrics.queries.story import exact_span, idle_words
from apps.metrics.queries.waiting import waiting_of
from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    PullRequestRecord,
    ReviewRecord,
)
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.tests.pages import ALWAYS, at, client_of, merged, outsider, statements_of
from apps.metrics.views.life import life_of
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db

PRIYA, MIRA, SAM, JONAS = (
    Account(count, login, name=name)
    for count, (login, name) in enumerate(
        (("pnair", "Priya Nair"), ("mokafor", "Mira Okafor"), ("schen", "Sam Chen"), ("jweber", "Jonas Weber")), start=1
    )
)
ROBOT = Account(9, "robot[bot]", is_bot=True)
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def commit(sha: str, when: datetime, message: str = "Work") -> CommitRecord:
    return CommitRecord(sha=sha * 40, authored_at=when, committed_at=when, message=message, author=PRIYA)


def asked(who: Account, when: datetime) -> EventRecord:
    return EventRecord(EventKind.REVIEW_REQUESTED, when, PRIYA, subject=who.login, subject_account=who)


def check(number: int, name: str, sha: str, when: datetime, conclusion: str = "success") -> CheckRecord:
    return CheckRecord(number, name, sha * 40, "completed", conclusion, when, when + timedelta(minutes=11), app="ci")


def record(**changed: object) -> PullRequestRecord:
    """Wed 11 Mar 10:00 first commit · Thu 11:00 opened as a draft, 12:00 ready · Mon 16 Mar 10:00 changes asked,
    14:00 fix · Tue 15:00 approved · Wed 18 Mar 10:30 merged."""
    fields: dict[str, object] = {
        "id": 1,
        "number": 2291,
        "node_id": "PR_1",
        "title": "Retry webhooks",
        "state": "merged",
        "is_draft": False,
        "author": PRIYA,
        "created_at": moment(12, 11),
        "updated_at": moment(18, 10, 30),
        "merged_at": moment(18, 10, 30),
        "merged_by": PRIYA,
        "url": "https://github.com/acme/api/pull/2291",
        "additions": 318,
        "deletions": 94,
        "changed_files": 2,
        "base_ref": "main",
        "head_ref": "retry",
        "head_sha": "c" * 40,
        "merge_commit_sha": "7" * 40,
        "labels": (LabelRecord("webhooks"),),
        "milestone": MilestoneRecord(3, "Reliability Q1"),
        "assignees": (PRIYA,),
        "linked_issues": (LinkedIssueRecord("acme/api", 2207), LinkedIssueRecord("acme/web", 5)),
        "commits": (
            commit("a", moment(11, 10)),
            commit("b", moment(11, 11)),
            commit("c", moment(16, 14), "Cap the delay"),
        ),
        "reviews": (
            ReviewRecord(1, "changes_requested", moment(16, 10), MIRA),
            ReviewRecord(2, "approved", moment(17, 15), SAM),
            ReviewRecord(3, "commented", moment(12, 13), ROBOT),
        ),
        "review_comments": (
            CommentRecord(1, "review", moment(16, 10), MIRA, review_id=1),
            CommentRecord(2, "review", moment(16, 10), MIRA, review_id=1),
        ),
        "issue_comments": (
            CommentRecord(3, "issue", moment(17, 9), SAM),
            CommentRecord(4, "issue", moment(17, 10), PRIYA),
            CommentRecord(5, "issue", moment(17, 11), ROBOT),
        ),
        "events": (
            EventRecord(EventKind.READY_FOR_REVIEW, moment(12, 12), PRIYA),
            asked(JONAS, moment(12, 12, 1)),
            asked(MIRA, moment(12, 12, 1)),
            EventRecord(EventKind.MERGED, moment(18, 10, 30), PRIYA),
            EventRecord(EventKind.CLOSED, moment(18, 10, 30), PRIYA),
        ),
        "checks": (
            check(1, "unit", "b", moment(11, 11, 2), "failure"),
            check(2, "lint", "b", moment(11, 11, 2)),
            check(3, "unit", "c", moment(16, 14, 2)),
        ),
        "files": (FileRecord("a.py", "modified", 300, 90), FileRecord("b.py", "modified", 18, 4)),
    }
    return PullRequestRecord(**(fields | changed))  # type: ignore[arg-type]


def stored(team, *records, name="acme/api"):
    with team_scope(team.pk):
        repository = RepositoryFactory.create(full_name=name, covered_from=ALWAYS)
        ingest_pull_requests(repository, records or (record(),), synced_at=NOW)
    return repository


def page_of(team, number=2291, **given):
    with team_scope(team.pk):
        return pull_request_page("acme", "api", number, time_zone=given.pop("time_zone", "UTC"), now=NOW)


def lines_of(page):
    """(day, hour, what the line says) of the whole list."""
    said = []
    for day in page.story.days:
        for line in day.lines:
            words = " ".join(part for part in (line.text, line.strong, line.code, line.tail, line.muted) if part)
            said.append((day.date.day, line.at.astimezone(page.zone).hour, words))
    return said


class TestStages:
    def test_they_add_up_to_the_whole_life_to_the_second(self, team):
        stored(team)
        page = page_of(team)
        assert [(stage.name, stage.words) for stage in page.stages] == [
            ("coding", "1 d 2 h 0 m"),
            ("pickup", "3 d 22 h 0 m"),
            ("review", "1 d 5 h 0 m"),
            ("merge", "19 h 30 m"),
        ]
        assert page.total_seconds == int((moment(18, 10, 30) - moment(11, 10)).total_seconds())
        assert page.total_words == "7 d 0 h 30 m"

    def test_time_that_it_was_closed_is_a_stage_of_its_own(self, team):
        events = (
            EventRecord(EventKind.CLOSED, moment(13, 12), PRIYA),
            EventRecord(EventKind.REOPENED, moment(14, 12), PRIYA),
        )
        stored(team, record(events=events))
        page = page_of(team)
        assert [stage.name for stage in page.stages][-1] == "closed"
        assert page.stages[-1].seconds == 86_400
        assert page.total_seconds == int((moment(18, 10, 30) - moment(11, 10)).total_seconds())

    def test_what_is_usual_is_taken_from_the_repository_before_it(self, team):
        repository = stored(team)
        with team_scope(team.pk):
            for _ in range(5):
                merged(at(10), repository=repository, pickup=4)
        pickup = page_of(team).stages[1]
        assert (pickup.usual.n, pickup.usual.median, pickup.above_words) == (5, 4 * 3600, "24 × p90")
        assert pickup.is_late

    def test_what_is_not_merged_has_none_yet(self, team):
        stored(team, record(state="open", merged_at=None, merged_by=None))
        page = page_of(team)
        assert (page.stages, page.total_seconds) == ((), 0)


class TestStory:
    def test_it_tells_everything_in_order_with_runs_folded(self, team):
        stored(team)
        page = page_of(team)
        assert lines_of(page) == [
            (11, 10, "Commit aaaaaaa Work and 1 more until 11:00"),
            (11, 11, "Checks: unit failed 1 passed 11 min"),
            (12, 11, "Priya Nair opened it as a draft"),
            (12, 12, "Priya Nair marked it ready for review"),
            (12, 12, "Priya Nair asked Jonas Weber to review"),
            (12, 12, "Priya Nair asked Mira Okafor to review"),
            (12, 13, "robot[bot] reviewed"),
            (16, 10, "Mira Okafor asked for changes with 2 comments round 1"),
            (16, 14, "Fix ccccccc Cap the delay 4 h after the request"),
            (16, 14, "Checks: 1 passed 11 min"),
            (17, 9, "Sam Chen, Priya Nair, robot[bot] commented 3 times"),
            (17, 15, "Sam Chen approved"),
            (18, 10, "Merged by Priya Nair as 7777777"),
        ]
        assert page.story.events == 16

    def test_days_and_hours_are_the_teams(self, team):
        stored(team, record(created_at=moment(12, 23, 30)))
        page = page_of(team, time_zone="Europe/Berlin")
        assert (13, 0, "Priya Nair opened it as a draft") in lines_of(page)

    def test_idle_time_is_told_with_its_kind(self, team):
        stored(team)
        idle = [
            (line.idle_seconds, line.idle_words)
            for day in page_of(team).story.days
            for line in day.lines
            if line.idle_seconds
        ]
        assert idle[0] == (23 * 3600 + 58 * 60, "overnight")
        assert idle[1] == (3 * 86_400 + 21 * 3600, "with a weekend")

    def test_every_line_has_the_colour_of_its_stage(self, team):
        stored(team)
        assert [line.stage for day in page_of(team).story.days for line in day.lines] == (
            ["coding"] * 3 + ["pickup"] * 4 + ["review"] * 4 + ["merge"] * 2
        )

    @pytest.mark.parametrize(
        ("seconds", "words"), [(0, "0 m"), (40, "40 s"), (720, "12 m"), (54_000, "15 h 0 m"), (617_340, "7 d 3 h 29 m")]
    )
    def test_a_span_is_told_down_to_the_minute(self, seconds, words):
        assert exact_span(seconds) == words

    def test_one_night_is_overnight_and_three_weeks_are_nothing_special(self):
        assert idle_words(moment(11, 18), moment(12, 9), UTC) == "overnight"
        assert idle_words(moment(11, 9), moment(11, 18), UTC) == ""
        assert idle_words(moment(2, 9), moment(25, 9), UTC) == ""


class TestWaiting:
    def waiting(self, team, **changed):
        stored(team, record(**changed))
        return waiting_of(page_of(team))

    def still_open(self, **changed):
        return {
            "state": "open",
            "merged_at": None,
            "merged_by": None,
            "reviews": (),
            "commits": (),
            "checks": (),
        } | changed

    def test_more_than_half_of_its_life_is_said(self, team):
        waiting = self.waiting(team)
        assert waiting.said == "56% of its life it waited for a first review."
        assert waiting.why == (
            "Jonas Weber and Mira Okafor were asked on Thu 12 Mar 12:01; Jonas Weber gave no review."
        )

    def test_nobody_asked_is_said(self, team):
        events = (EventRecord(EventKind.READY_FOR_REVIEW, moment(12, 12), PRIYA),)
        assert self.waiting(team, events=events).why == "Nobody was asked to review it."

    def test_no_sentence_when_nothing_stands_out(self, team):
        reviews = (ReviewRecord(1, "commented", moment(13, 12), MIRA), ReviewRecord(2, "approved", moment(15, 12), SAM))
        assert self.waiting(team, reviews=reviews, review_comments=()) is None

    def test_an_open_one_waits_for_a_first_review(self, team):
        waiting = self.waiting(team, **self.still_open())
        assert waiting.said == "It waits for a first review."
        assert waiting.why.startswith("Ready 7 d 21 h ago. ")

    def test_an_open_one_waits_for_its_author(self, team):
        reviews = (ReviewRecord(1, "changes_requested", moment(19, 9), MIRA),)
        waiting = self.waiting(team, **self.still_open(reviews=reviews))
        assert (waiting.said, waiting.why) == ("It waits for its author.", "Changes were asked for 1 d ago.")

    def test_an_open_one_waits_to_be_merged(self, team):
        reviews = (ReviewRecord(1, "approved", moment(19, 9), MIRA),)
        assert self.waiting(team, **self.still_open(reviews=reviews)).said == "It waits to be merged."

    def test_a_draft_is_one(self, team):
        assert self.waiting(team, **self.still_open(is_draft=True, events=())).said == "It is a draft."

    def test_a_closed_one_waits_for_nothing(self, team):
        assert self.waiting(team, **self.still_open(state="closed", closed_at=moment(19, 9))) is None


class TestFacts:
    def test_they_are_the_stored_ones(self, team):
        stored(team)
        page = page_of(team)
        assert page.reviewers == (("Mira Okafor", 1), ("Sam Chen", 1))
        assert page.never_answered == ("Jonas Weber",)
        assert (page.checks.runs, page.checks.failed, page.checks.seconds) == (3, 1, 2 * 11 * 60)
        assert (page.labels, page.assignees) == (("webhooks",), ("Priya Nair",))
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

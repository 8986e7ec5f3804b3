"""The life of a pull request as its page tells it: the stages, the time line, and what it waits for."""

from datetime import UTC

import pytest

from apps.metrics.queries.story import exact_span, idle_words
from apps.metrics.queries.waiting import waiting_of
from apps.metrics.records import EventKind, EventRecord, ReviewRecord
from apps.metrics.tests.one_pull_request import MIRA, PRIYA, SAM, lines_of, moment, page_of, record, stored
from apps.metrics.tests.pages import at, merged
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


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

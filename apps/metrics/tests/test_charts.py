from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.metrics.charts.axis import axis_of
from apps.metrics.charts.life import COMMENTS, COMMITS, MILESTONES, REVIEWS, Mark, Span, life_chart
from apps.metrics.charts.spark import spark_of
from apps.metrics.charts.stages import StageWeek, proportions, stage_chart

ZONE = ZoneInfo("UTC")
NAMES = ("coding", "pickup", "review", "merge")
START = datetime(2026, 3, 11, 9, tzinfo=UTC)  # a Wednesday
HOUR = 3600.0


def hours(count: float) -> datetime:
    return START + timedelta(hours=count)


class TestAxis:
    def test_it_draws_time_in_scale_where_nothing_is_idle(self):
        axis = axis_of([hours(0), hours(3), hours(6)], ZONE)
        assert axis.gaps == ()
        assert [axis.pixel(hours(count)) for count in (0, 3, 6)] == [14, 450, 886]

    def test_it_draws_a_long_gap_short_and_says_how_long_it_was(self):
        axis = axis_of([hours(0), hours(2), hours(34), hours(36)], ZONE)
        gap = axis.gaps[0]
        assert (len(axis.gaps), gap.seconds, gap.words) == (1, 32 * 3600, "1 d 8 h")
        # 44 px + 7 px × log2(32 h ÷ 4 h), less 5 px on either side
        assert gap.width == pytest.approx((44 + 21 - 10) / 9, abs=0.01)

    def test_a_gap_below_four_hours_is_none(self):
        assert axis_of([hours(0), hours(3.9)], ZONE).gaps == ()
        assert len(axis_of([hours(0), hours(4)], ZONE).gaps) == 1

    def test_of_a_long_life_only_longer_gaps_are_drawn_short(self):
        daily = axis_of([hours(24 * day) for day in range(200)], ZONE)
        assert (len(daily.stretches), daily.gaps) == (1, ())

    def test_a_single_moment_has_a_place(self):
        assert axis_of([START], ZONE).percent(START) == 1.56

    def test_a_stretch_begins_with_its_day_and_hour(self):
        ticks = axis_of([hours(0), hours(1), hours(30)], ZoneInfo("Europe/Berlin")).ticks
        assert [(tick.day, tick.clock) for tick in ticks if tick.anchor == "start"] == [
            ("Wed 11 Mar", "10:00"),
            ("Thu 12 Mar", "16:00"),
        ]

    @given(st.lists(st.integers(0, 400 * 86_400), min_size=1, max_size=80))
    def test_time_never_runs_backwards_and_stays_inside(self, seconds):
        moments = sorted(START + timedelta(seconds=count) for count in seconds)
        axis = axis_of(moments, ZONE)
        pixels = [axis.pixel(moment) for moment in moments]
        assert pixels == sorted(pixels)
        assert pixels[0] >= 0
        assert pixels[-1] <= axis.width
        assert len(axis.stretches) <= 10


class TestLife:
    def chart(self, *marks, stages=(), rounds=()):
        opened = Mark(MILESTONES, START, "dot", "Opened", "Opened")
        return life_chart([opened, *marks], stages=stages, rounds=rounds, zone=ZONE)

    def test_marks_that_would_touch_fold_into_a_pill_with_their_count(self):
        commits = [Mark(COMMITS, hours(count), "commit", f"c{count}") for count in (0, 0.01, 0.02, 3, 6)]
        shown = self.chart(*commits).commits
        assert [(mark.kind, mark.count) for mark in shown] == [("pill", 3), ("commit", 1), ("commit", 1)]
        assert shown[0].title == "3 commits\nc0\nc0.01\nc0.02"

    @given(st.lists(st.integers(0, 40 * 86_400), min_size=1, max_size=120))
    @example([0, 444, 2590, 39338, 106474, 225513, 409821, 737014, 1595962])  # ten stretches: the columns give way
    def test_no_two_marks_of_a_lane_overlap_and_none_is_lost(self, seconds):
        marks = [Mark(COMMENTS, START + timedelta(seconds=count), "comment", "") for count in seconds]
        shown = self.chart(*marks).comments
        edges = [(m.x * 9 - (m.half or 6), m.x * 9 + (m.half or 6)) for m in shown]
        assert sum(mark.count for mark in shown) == len(seconds)
        assert all(left[1] <= right[0] + 0.3 for left, right in pairwise(edges))

    def test_a_lane_in_which_nothing_lies_is_a_word(self):
        chart = self.chart(Mark(COMMITS, hours(1), "commit", ""))
        assert [lane.name for lane in chart.lanes] == [MILESTONES, COMMITS]
        assert chart.empty == ("reviews", "comments", "checks")

    def test_stages_lie_end_to_end_and_one_of_no_length_is_not_drawn(self):
        spans = [
            Span("coding", hours(0), hours(1), ""),
            Span("pickup", hours(1), hours(1), ""),
            Span("review", hours(1), hours(3), ""),
        ]
        bands = self.chart(stages=spans).stages
        assert [band.name for band in bands] == ["coding", "review"]
        assert bands[1].x - bands[0].end == pytest.approx(0.15, abs=0.02)  # the gap that parts neighbours

    def test_a_round_reaches_over_commits_and_reviews(self):
        marks = [Mark(COMMITS, hours(2), "commit", ""), Mark(REVIEWS, hours(1), "no", "")]
        chart = self.chart(*marks, rounds=[Span("", hours(1), hours(2), "Round 1 · 1 h")])
        assert (chart.rounds_y, chart.rounds_height) == (124, 88)
        assert chart.rounds[0].label == "Round 1 · 1 h"

    def test_milestones_at_one_moment_stand_below_each_other(self):
        marks = [Mark(MILESTONES, hours(5), "dot", "", label) for label in ("First review", "Approved")]
        first, approved = self.chart(*marks, Mark(MILESTONES, hours(9), "dot", "", "Merged")).milestones[1:3]
        assert first.x == approved.x
        assert (approved.y - first.y, first.text_anchor, approved.text_anchor) == (17, "start", "start")

    def test_a_label_at_the_right_edge_reads_to_the_left(self):
        merged = self.chart(Mark(MILESTONES, hours(3), "dot", "", "Merged")).milestones[-1]
        assert (merged.x, merged.text_anchor) == (98.44, "end")


class TestStages:
    def week(self, day, *stages, lead=None, merged=10, **given):
        return StageWeek(date(2026, 3, day), merged, tuple(s * HOUR for s in stages), lead and lead * HOUR, **given)

    def chart(self, *weeks):
        return stage_chart(weeks, names=NAMES, first=date(2026, 3, 9), last=date(2026, 3, 15))

    def test_the_axis_has_four_round_steps_over_the_highest(self):
        chart = self.chart(self.week(2, 10, 5, 7, 2, lead=26), self.week(9, 1, 1, 1, 1, lead=5))
        assert [line.label for line in chart.lines] == ["0", "8", "16", "24", "32 h"]
        assert [line.y for line in chart.lines] == [228, 177, 126, 75, 24]

    def test_long_stages_are_told_in_days(self):
        assert self.chart(self.week(2, 100, 0, 0, 0, lead=100)).lines[-1].label == "8 d"

    def test_a_bar_is_as_high_as_its_medians_together(self):
        blocks = self.chart(self.week(2, 8, 4, 0, 20, lead=20)).columns[0].blocks
        assert [block.stage for block in blocks] == ["coding", "pickup", "merge"]
        # 32 hours are 204 pixels; 1.5 of each part it from the next
        assert [block.height for block in blocks] == [49.5, 24.0, 126.0]
        assert blocks[-1].y == 24

    def test_the_tick_is_the_median_of_the_whole(self):
        assert self.chart(self.week(2, 4, 4, 4, 4, lead=16)).columns[0].tick == 24

    def test_a_week_of_few_pull_requests_is_pale_and_does_not_stretch_the_axis(self):
        chart = self.chart(self.week(2, 4, 4, 4, 4, lead=400, merged=4))
        assert chart.lines[-1].label == "16 h"
        assert (chart.columns[0].is_pale, chart.columns[0].is_above, chart.columns[0].tick) == (True, True, 24)

    @pytest.mark.parametrize(
        ("given", "note"),
        [
            ({}, ""),
            ({"not_covered": ("late",)}, "without late"),
            ({"not_covered": ("x" * 40,)}, f"without {'x' * 21}…"),
            ({"not_covered": ("late", "later")}, "without 2 repositories"),
            ({"not_covered": ("late", "later"), "is_covered": False}, "not covered"),
            ({"is_running": True}, "not over"),
        ],
    )
    def test_a_week_that_tells_less_than_others_is_pale_and_says_why(self, given, note):
        column = self.chart(self.week(2, 4, 4, 4, 4, lead=16, **given)).columns[0]
        assert (column.note, column.is_pale) == (note, bool(note))

    def test_a_week_in_which_nothing_was_merged_has_no_bar(self):
        empty = StageWeek(date(2026, 3, 2), 0, (None, None, None, None), None)
        assert (self.chart(empty).columns[0].blocks, self.chart(empty).columns[0].tick) == ((), None)

    def test_the_period_is_marked_over_its_weeks(self):
        chart = self.chart(*(self.week(day, 1, 1, 1, 1, lead=4) for day in (2, 9, 16, 23)))
        assert (chart.period_x, chart.period_width) == (25, 25)

    def test_tips_stay_inside(self):
        columns = self.chart(*(self.week(day, 1, 1, 1, 1, lead=4) for day in (2, 9, 16, 23))).columns
        assert [column.tip_shift > 0 for column in columns] == [True, True, False, False]


class TestProportions:
    def test_they_fill_the_width_and_leave_out_what_is_nothing(self):
        assert proportions([("coding", 1), ("pickup", 0), ("review", 3)]) == (
            ("coding", 0.0, 24.75),
            ("review", 25.75, 74.25),
        )

    def test_nothing_at_all_is_drawn_as_nothing(self):
        assert proportions([("coding", 0.0)]) == ()


class TestSpark:
    def test_the_time_before_is_pale_and_meets_this_period(self):
        spark = spark_of([1, 3, 2, 5], begins_at=2)
        assert spark.before == "M0 24 28 13 56 18.5"
        assert spark.now == "M56 18.5 84 2"
        assert spark.end == (84, 2)

    def test_a_week_without_a_value_is_no_dip(self):
        assert spark_of([1, None, 1, 1], begins_at=0).now == "M0 24 56 24 84 24"

    def test_two_values_are_no_trend(self):
        assert spark_of([1, None, 2], begins_at=0) is None

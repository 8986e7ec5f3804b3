"""The weekly aggregates: worked out by hand, and equal to the live query."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.metrics import factories
from apps.metrics.models import PullRequest, WeeklyMetrics
from apps.metrics.queries.weekly import weekly_numbers
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.tasks import aggregate_team_weekly_metrics_task
from apps.teams.scope import team_scope

MONDAY = date(2026, 3, 2)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOTHING = {
    **dict.fromkeys(("prs_opened", "prs_merged", "prs_reviewed", "reviews_given", "comments_written", "commits"), 0),
    **dict.fromkeys(("review_rounds", "deployments", "additions", "deletions"), 0),
    **dict.fromkeys(("cycle_time_hours_median", "cycle_time_hours_p90", "ci_pass_rate"), None),
    **dict.fromkeys(("review_time_hours_median", "review_time_hours_p90"), None),
}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def stored() -> dict[tuple[date, str | None], dict[str, object]]:
    """Without what is nothing."""
    rows = WeeklyMetrics.objects.values("week", "member__login", *NOTHING)
    return {
        (row.pop("week"), row.pop("member__login")): {k: v for k, v in row.items() if v != NOTHING[k]} for row in rows
    }


@pytest.fixture
def week(team):
    """Anna merges two pull requests, Ben reviews and a robot does what robots do."""
    with team_scope(team.pk):
        repository = factories.RepositoryFactory()
        anna, ben = factories.TeamMemberFactory(login="anna"), factories.TeamMemberFactory(login="ben")
        robot = factories.TeamMemberFactory(login="robot", is_bot=True)
        one = factories.PullRequestFactory(
            repository=repository, author=anna, merged_at=at(10), cycle_time_seconds=36_000, review_time_seconds=3_600
        )
        two = factories.PullRequestFactory(
            repository=repository, author=anna, merged_at=at(20), cycle_time_seconds=72_000, review_rounds=2
        )
        factories.PullRequestFactory(repository=repository, author=robot, merged_at=at(2), cycle_time_seconds=7_200)
        factories.PRReviewFactory(pull_request=one, reviewer=ben, submitted_at=at(1))
        factories.PRReviewFactory(pull_request=one, reviewer=ben, submitted_at=at(2))
        factories.PRReviewFactory(pull_request=two, reviewer=ben, submitted_at=at(21))  # after the merge
        factories.PRReviewFactory(pull_request=two, reviewer=anna, submitted_at=at(3))  # her own
        factories.PRReviewFactory(pull_request=two, reviewer=robot, submitted_at=at(3))
        factories.PRReviewFactory(pull_request=two, reviewer=None, submitted_at=at(4))  # deleted account
        factories.PRCommentFactory(pull_request=one, author=robot)
        factories.PRCommentFactory(pull_request=one, author=ben)
        factories.PRCommentFactory(pull_request=one, author=ben, gone_at=at(99))
        commit = factories.CommitFactory(repository=repository, author=anna, authored_at=at(1))
        for pull_request in (one, two):
            factories.PullRequestCommitFactory(pull_request=pull_request, commit=commit)
        factories.CommitFactory(repository=repository, author=anna, authored_at=at(1))  # of no pull request
        run = {"repository": repository, "started_at": at(1)}
        factories.PRCheckRunFactory(**run, head_sha=one.head_sha)
        factories.PRCheckRunFactory(**run, head_sha=one.head_sha, conclusion="failure")
        factories.PRCheckRunFactory(**run, head_sha="f" * 40, conclusion="timed_out")
        factories.PRCheckRunFactory(**run, head_sha=one.head_sha, conclusion="skipped")
        factories.DeploymentFactory(repository=repository, creator=robot)
        factories.DeploymentFactory(repository=repository, creator=anna, environment="staging")
    return team


def test_it_is_what_was_worked_out_by_hand(week):
    aggregate_weeks(week.pk, [MONDAY])
    merged = {
        "cycle_time_hours_median": Decimal("15.00"),
        "cycle_time_hours_p90": Decimal("19.00"),
        "review_time_hours_median": Decimal("1.00"),
        "review_time_hours_p90": Decimal("1.00"),
        **{"prs_opened": 2, "prs_merged": 2, "review_rounds": 2, "additions": 24, "deletions": 6, "commits": 1},
    }
    with team_scope(week.pk):
        assert stored() == {
            (MONDAY, None): {
                **merged,
                **{"prs_reviewed": 2, "reviews_given": 3, "comments_written": 1, "deployments": 1},
                "ci_pass_rate": Decimal("0.3333"),
            },
            (MONDAY, "anna"): {**merged, "ci_pass_rate": Decimal("0.5000")},
            (MONDAY, "ben"): {"prs_reviewed": 1, "reviews_given": 2, "comments_written": 1},
            (MONDAY, "robot"): {
                **{"prs_opened": 1, "prs_merged": 1, "additions": 12, "deletions": 3, "deployments": 1},
                **{"prs_reviewed": 1, "reviews_given": 1, "comments_written": 1},
                "cycle_time_hours_median": Decimal("2.00"),
                "cycle_time_hours_p90": Decimal("2.00"),
            },
        }


def test_it_equals_the_live_query_row_for_row_and_changes_nothing_again(week):
    first = aggregate_weeks(week.pk, None)
    with team_scope(week.pk):
        names = ("week", "member_id", *NOTHING)
        live = [{name: row[name] for name in names} for row in weekly_numbers([MONDAY], "UTC")]
        assert list(WeeklyMetrics.objects.order_by("week", "member").values(*names)) == sorted(
            live, key=lambda row: (row["member_id"] is None, row["member_id"])
        )
        computed = set(WeeklyMetrics.objects.values_list("computed_at", flat=True))
    assert (first.weeks, first.rows, first.changed) == (1, 4, 4)
    assert aggregate_weeks(week.pk, None).changed == 0
    with team_scope(week.pk):
        assert set(WeeklyMetrics.objects.values_list("computed_at", flat=True)) == computed


def test_rows_of_which_nothing_is_left_go_away(week):
    aggregate_weeks(week.pk, [MONDAY])
    with team_scope(week.pk):
        PullRequest.objects.update(gone_at=at(100))
    done = aggregate_weeks(week.pk, [MONDAY])
    assert done.removed == 2
    with team_scope(week.pk):
        assert set(stored()) == {(MONDAY, None), (MONDAY, "robot")}  # checks and a deployment


def test_a_mark_counts_for_past_weeks_at_once(week):
    aggregate_weeks(week.pk, [MONDAY])
    with team_scope(week.pk):
        anna = PullRequest.objects.filter(author__login="anna").first().author
        anna.marked_bot = True
        anna.save()
    aggregate_weeks(week.pk, [MONDAY])
    with team_scope(week.pk):
        assert "prs_merged" not in stored()[MONDAY, None]
        assert stored()[MONDAY, "anna"]["prs_merged"] == 2


def test_a_week_begins_at_midnight_in_the_teams_time_zone(team):
    team.time_zone = "America/New_York"
    team.save()
    sunday_there = datetime(2026, 3, 9, 3, 59, tzinfo=UTC)  # the clocks changed that day: midnight is 04:00 UTC
    for moment in (sunday_there, sunday_there + timedelta(minutes=1)):
        factories.PullRequestFactory(team=team, author=None, pr_created_at=moment)
    aggregate_weeks(team.pk, None)
    with team_scope(team.pk):
        assert stored() == {
            (date(2026, 3, 2), None): {"prs_opened": 1},
            (date(2026, 3, 9), None): {"prs_opened": 1},
        }


def test_only_the_weeks_asked_for_are_rebuilt(week, team):
    factories.PullRequestFactory(team=team, pr_created_at=START + timedelta(weeks=1))
    assert aggregate_weeks(team.pk, [MONDAY + timedelta(days=9)]).weeks == 1
    with team_scope(team.pk):
        assert {row_week for row_week, _ in stored()} == {MONDAY + timedelta(weeks=1)}


def test_another_teams_rows_are_left_alone(week, other_team):
    factories.PullRequestFactory(team=other_team)
    aggregate_weeks(week.pk, None)
    with team_scope(other_team.pk):
        assert not WeeklyMetrics.objects.exists()


def test_a_year_costs_as_many_statements_as_a_week(week):
    def count(weeks: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            aggregate_weeks(week.pk, [MONDAY - timedelta(weeks=n) for n in range(weeks)])
        return len(captured)

    assert count(1) == count(52)


def test_the_task_takes_what_a_message_can_carry(week):
    aggregate_team_weekly_metrics_task(week.pk, ["2026-03-04"])
    with team_scope(week.pk):
        assert (MONDAY, None) in stored()

from django.db import models

from apps.metrics.models.pull_request import hours
from apps.teams.models import BaseTeamModel


class WeeklyMetrics(BaseTeamModel):
    """A week (Monday 00:00 in the team's time zone) of one member, or of the whole team (member NULL).

    Equal, row for row, to what the live query gives for that week (docs/metrics.md, "Weekly aggregates").
    """

    week = models.DateField()
    member = models.ForeignKey(
        "metrics.TeamMember", models.CASCADE, null=True, db_constraint=False, related_name="weeks"
    )
    prs_opened = models.IntegerField(default=0)
    prs_merged = models.IntegerField(default=0)
    prs_reviewed = models.IntegerField(default=0)
    reviews_given = models.IntegerField(default=0)
    comments_written = models.IntegerField(default=0)
    commits = models.IntegerField(default=0)
    cycle_time_hours_median = hours()
    cycle_time_hours_p90 = hours()
    review_time_hours_median = hours()
    review_time_hours_p90 = hours()
    review_rounds = models.IntegerField(default=0)
    ci_pass_rate = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    deployments = models.IntegerField(default=0)
    additions = models.BigIntegerField(default=0)
    deletions = models.BigIntegerField(default=0)
    computed_at = models.DateTimeField(auto_now=True)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "week", "member"], name="weekly_metrics_key", nulls_distinct=False),
        )

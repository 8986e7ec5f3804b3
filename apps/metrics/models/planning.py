"""What plans are made of: labels, milestones, assignees, linked issues. Rows, because they are filtered on."""

from django.db import models

from apps.metrics.models.base import Mirrored
from apps.teams.models import BaseTeamModel


class Label(Mirrored):
    repository = models.ForeignKey(
        "metrics.Repository", models.CASCADE, db_constraint=False, db_index=False, related_name="labels"
    )
    name = models.CharField(max_length=255)
    color = models.CharField(max_length=6, blank=True)
    node_id = models.CharField(max_length=100, blank=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="label_in_team"),
            models.UniqueConstraint(fields=["team", "repository", "name"], name="label_key"),
        )

    def __str__(self) -> str:
        return self.name


class Milestone(Mirrored):
    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    repository = models.ForeignKey(
        "metrics.Repository", models.CASCADE, db_constraint=False, db_index=False, related_name="milestones"
    )
    number = models.IntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    title = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    due_at = models.DateTimeField(null=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="milestone_in_team"),
            models.UniqueConstraint(fields=["team", "repository", "number"], name="milestone_key"),
        )

    def __str__(self) -> str:
        return self.title


class PullRequestLabel(BaseTeamModel):
    pull_request = models.ForeignKey("metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False)
    label = models.ForeignKey(Label, models.CASCADE, db_constraint=False)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "pull_request", "label"], name="pull_request_label_key"),
        )


class PullRequestAssignee(BaseTeamModel):
    pull_request = models.ForeignKey("metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False)
    member = models.ForeignKey("metrics.TeamMember", models.CASCADE, db_constraint=False)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "pull_request", "member"], name="pull_request_assignee_key"),
        )


class LinkedIssue(Mirrored):
    """An issue that merging closes; it may live in a repository that is not kept here, so it is known by its name."""

    pull_request = models.ForeignKey(
        "metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False, related_name="linked_issues"
    )
    issue_repository = models.CharField(max_length=255)
    issue_number = models.IntegerField()
    title = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["team", "pull_request", "issue_repository", "issue_number"], name="linked_issue_key"
            ),
        )

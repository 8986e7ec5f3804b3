from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.metrics.calculations import CIStatus, Size
from apps.metrics.models.base import Mirrored, member_key
from apps.metrics.models.repository import Repository


def hours() -> models.DecimalField[Any, Any]:
    """For people and exports; filter and sort on the seconds."""
    return models.DecimalField(max_digits=10, decimal_places=2, null=True)


class PullRequest(Mirrored):
    """A pull request: what the source says, and the derived fields (docs/metrics.md, "Per pull request").

    `totals` is what the source says exists of each part, `partial` the parts that are missing here with the reason,
    `capped` those of which the source itself yields fewer than it states. Keys are `records.Part`.
    """

    class State(models.TextChoices):
        OPEN = "open"
        MERGED = "merged"
        CLOSED = "closed"

    repository = models.ForeignKey(
        Repository, models.CASCADE, db_constraint=False, db_index=False, related_name="pull_requests"
    )
    github_repo = models.CharField(max_length=255)  # the repository's name; follows a rename
    number = models.IntegerField()
    github_pr_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100)
    title = models.TextField()
    body = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State)
    is_draft = models.BooleanField(default=False)
    author = member_key("pull_requests", indexed=False)
    merged_by = member_key()
    pr_created_at = models.DateTimeField()
    pr_updated_at = models.DateTimeField()
    merged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    additions = models.IntegerField(null=True)
    deletions = models.IntegerField(null=True)
    changed_files = models.IntegerField(null=True)
    base_ref = models.CharField(max_length=255, blank=True)
    head_ref = models.CharField(max_length=255, blank=True)
    head_sha = models.CharField(max_length=64, blank=True)
    head_repository = models.CharField(max_length=255, blank=True)
    is_cross_repository = models.BooleanField(default=False)
    merge_commit_sha = models.CharField(max_length=64, blank=True)
    milestone = models.ForeignKey(
        "metrics.Milestone", models.SET_NULL, null=True, db_constraint=False, related_name="pull_requests"
    )

    # derived
    cycle_time_seconds = models.BigIntegerField(null=True)
    cycle_time_hours = hours()
    first_review_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    review_time_seconds = models.BigIntegerField(null=True)
    review_time_hours = hours()
    first_commit_at = models.DateTimeField(null=True)
    old_commits_left_out = models.BooleanField(default=False)
    approved_at = models.DateTimeField(null=True)
    rework_after_approval = models.BooleanField(null=True)
    size = models.CharField(max_length=2, choices=[(size.value, size.value.title()) for size in Size], blank=True)
    total_comments = models.IntegerField(default=0)
    human_comments = models.IntegerField(default=0)
    merged_without_review = models.BooleanField(default=False)
    discussed_without_review = models.BooleanField(default=False)
    commits_after_first_review = models.IntegerField(null=True)
    force_pushes_after_first_review = models.IntegerField(null=True)
    review_rounds = models.IntegerField(default=0)
    avg_fix_response_seconds = models.BigIntegerField(null=True)
    avg_fix_response_hours = hours()
    is_revert = models.BooleanField(default=False)
    reverts = models.ForeignKey("self", models.SET_NULL, null=True, db_constraint=False, related_name="reverted_by")
    is_hotfix = models.BooleanField(default=False)
    ci_status = models.CharField(  # NULL: nothing to say
        max_length=10, choices=[(status.value, status.value.title()) for status in CIStatus], null=True
    )
    ai_assisted = models.BooleanField(default=False)
    ai_tools = ArrayField(models.CharField(max_length=50), default=list)
    coding_seconds = models.BigIntegerField(null=True)
    pickup_seconds = models.BigIntegerField(null=True)
    review_seconds = models.BigIntegerField(null=True)
    merge_seconds = models.BigIntegerField(null=True)
    closed_seconds = models.BigIntegerField(null=True)
    deploy_seconds = models.BigIntegerField(null=True)

    totals = models.JSONField(default=dict)
    partial = models.JSONField(default=dict)
    capped = models.JSONField(default=dict)
    is_partial = models.BooleanField(default=False)
    synced_at = models.DateTimeField(null=True)  # when something of it was last written
    whole_at = models.DateTimeField(null=True)  # when all of it was last asked for at once: an event alone is not all

    commits = models.ManyToManyField(
        "metrics.Commit", through="metrics.PullRequestCommit", related_name="pull_requests"
    )
    labels = models.ManyToManyField("metrics.Label", through="metrics.PullRequestLabel", related_name="pull_requests")
    assignees = models.ManyToManyField(
        "metrics.TeamMember", through="metrics.PullRequestAssignee", related_name="assigned_pull_requests"
    )

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="pull_request_in_team"),
            models.UniqueConstraint(fields=["team", "repository", "number"], name="pull_request_key"),
        )
        indexes = (
            models.Index(fields=["team", "github_pr_id"], name="pull_request_github_id"),
            models.Index(fields=["team", "merged_at"], name="pull_request_merged"),
            models.Index(fields=["team", "pr_created_at"], name="pull_request_created"),
            models.Index(fields=["team", "pr_updated_at"], name="pull_request_updated"),
            models.Index(fields=["team", "state"], name="pull_request_state"),
            models.Index(fields=["team", "author"], name="pull_request_author"),
            models.Index(fields=["team", "repository", "head_sha"], name="pull_request_head"),
            models.Index(fields=["team", "repository"], condition=models.Q(is_revert=True), name="pull_request_revert"),
        )

    def __str__(self) -> str:
        return f"{self.github_repo}#{self.number}"

    @property
    def check_runs(self) -> models.QuerySet[Any]:
        """Of the head commit: checks belong to a commit, which several pull requests may share."""
        from apps.metrics.models.check import PRCheckRun  # noqa: PLC0415 - the two models need each other

        runs: models.QuerySet[Any] = PRCheckRun.objects.filter(
            repository_id=self.repository_id, head_sha=self.head_sha, gone_at=None
        )
        return runs

from django.db import models

from apps.metrics.models.base import Mirrored, member_key


class PRReview(Mirrored):
    """A submitted review. A dismissal overwrites `state`; what it was before stands in the review_dismissed event."""

    class State(models.TextChoices):
        APPROVED = "approved"
        CHANGES_REQUESTED = "changes_requested"
        COMMENTED = "commented"
        DISMISSED = "dismissed"

    pull_request = models.ForeignKey("metrics.PullRequest", models.CASCADE, db_constraint=False, related_name="reviews")
    github_review_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    reviewer = member_key("reviews", indexed=False)
    state = models.CharField(max_length=20, choices=State)
    body = models.TextField(blank=True)
    commit_sha = models.CharField(max_length=64, blank=True)
    submitted_at = models.DateTimeField()
    source_updated_at = models.DateTimeField(null=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="review_in_team"),
            models.UniqueConstraint(fields=["team", "github_review_id"], name="review_key"),
        )
        indexes = (
            models.Index(fields=["team", "reviewer", "submitted_at"], name="review_reviewer"),
            models.Index(fields=["team", "submitted_at"], name="review_submitted"),
        )

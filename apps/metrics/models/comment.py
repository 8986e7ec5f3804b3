from django.db import models

from apps.metrics.models.base import Mirrored, member_key


class ReviewThread(Mirrored):
    """A conversation at a place of the diff."""

    pull_request = models.ForeignKey("metrics.PullRequest", models.CASCADE, db_constraint=False, related_name="threads")
    node_id = models.CharField(max_length=100)
    is_resolved = models.BooleanField(default=False)
    resolved_by = member_key()
    is_outdated = models.BooleanField(default=False)
    path = models.TextField(blank=True)
    line = models.IntegerField(null=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="review_thread_in_team"),
            models.UniqueConstraint(fields=["team", "node_id"], name="review_thread_key"),
        )


class PRComment(Mirrored):
    """A comment of the conversation (issue) or on a line of the diff (review). Both kinds share GitHub's name, not its
    id space: hence the type in the key.
    """

    class Type(models.TextChoices):
        ISSUE = "issue"
        REVIEW = "review"

    pull_request = models.ForeignKey(
        "metrics.PullRequest", models.CASCADE, db_constraint=False, related_name="comments"
    )
    github_comment_id = models.BigIntegerField()
    comment_type = models.CharField(max_length=10, choices=Type)
    node_id = models.CharField(max_length=100, blank=True)
    author = member_key("comments", indexed=False)
    body = models.TextField(blank=True)
    commented_at = models.DateTimeField()
    source_updated_at = models.DateTimeField(null=True)
    path = models.TextField(blank=True)
    line = models.IntegerField(null=True)
    in_reply_to = models.BigIntegerField(null=True)  # the source's id of the comment it answers
    github_review_id = models.BigIntegerField(null=True)
    thread = models.ForeignKey(ReviewThread, models.SET_NULL, null=True, db_constraint=False, related_name="comments")

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "comment_type", "github_comment_id"], name="comment_key"),
        )
        indexes = (
            models.Index(fields=["team", "author", "commented_at"], name="comment_author"),
            models.Index(fields=["team", "commented_at"], name="comment_written"),
        )

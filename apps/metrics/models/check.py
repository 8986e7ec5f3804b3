from django.db import models

from apps.metrics.models.base import Mirrored


class PRCheckRun(Mirrored):
    """A check of a commit: a check run (has an id), or a status context (has none: its name is its key).

    It belongs to repository and sha, not to one pull request: `pr.check_runs` joins by the head's sha.
    """

    repository = models.ForeignKey(
        "metrics.Repository", models.CASCADE, db_constraint=False, db_index=False, related_name="check_runs"
    )
    head_sha = models.CharField(max_length=64)
    github_check_run_id = models.BigIntegerField(null=True)
    context = models.CharField(max_length=255, null=True)  # of a status context; NULL for a check run
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=20)
    conclusion = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    duration_seconds = models.IntegerField(null=True)
    app = models.CharField(max_length=255, blank=True)
    workflow = models.CharField(max_length=255, blank=True)
    attempt = models.IntegerField(default=1)
    url = models.TextField(blank=True)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "github_check_run_id"], name="check_run_key"),
            models.UniqueConstraint(fields=["team", "repository", "head_sha", "context"], name="status_context_key"),
            models.CheckConstraint(
                condition=models.Q(github_check_run_id=None) ^ models.Q(context=None), name="check_run_or_context"
            ),
        )
        indexes = (
            models.Index(fields=["team", "repository", "head_sha"], name="check_run_head"),
            models.Index(fields=["team", "completed_at"], name="check_run_completed"),
        )

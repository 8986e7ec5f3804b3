from django.db import models

from apps.metrics.models.base import Mirrored


class PRFile(Mirrored):
    """A file that a pull request changes. `category`: see calculations (source, test, docs, …)."""

    pull_request = models.ForeignKey(
        "metrics.PullRequest", models.CASCADE, db_constraint=False, db_index=False, related_name="files"
    )
    filename = models.TextField()
    status = models.CharField(max_length=20)
    additions = models.IntegerField()
    deletions = models.IntegerField()
    category = models.CharField(max_length=20, blank=True)

    class Meta(Mirrored.Meta):
        constraints = (models.UniqueConstraint(fields=["team", "pull_request", "filename"], name="file_key"),)

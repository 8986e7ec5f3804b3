from django.db import models

from apps.metrics.models.base import Mirrored


class Repository(Mirrored):
    """A repository whose pull requests are kept. It survives untracking and disconnecting.

    Known by the source's id; its name changes. `covered_from`: everything open, or merged, closed or updated since then
    is stored (NULL: nothing yet; the epoch: all). `synced_to`: up to when. `prs_stated`: pull requests that the source
    says exist in all, whatever their age.
    """

    github_repo_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    full_name = models.CharField(max_length=255)
    default_branch = models.CharField(max_length=255, blank=True)
    is_private = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)
    is_fork = models.BooleanField(default=False)
    covered_from = models.DateTimeField(null=True)
    synced_to = models.DateTimeField(null=True)
    prs_stated = models.IntegerField(null=True)
    completeness = models.JSONField(default=dict)

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="repository_in_team"),
            models.UniqueConstraint(fields=["team", "github_repo_id"], name="repository_key"),
        )
        indexes = (models.Index(fields=["team", "full_name"], name="repository_name"),)

    def __str__(self) -> str:
        return self.full_name

    @property
    def name(self) -> str:
        return self.full_name.rpartition("/")[2]

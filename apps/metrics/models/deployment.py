from django.db import models

from apps.metrics.models.base import Mirrored, member_key

# Where the source does not say what is production: an environment of that name, alone or before a separator
# (PostgreSQL's regular expressions, any case).
PRODUCTION_NAME = r"^(prod|production|live)([^[:alnum:]]|$)"


class Deployment(Mirrored):
    """A deployment of a commit to an environment. `finished_at` is the time of its first `success` status."""

    repository = models.ForeignKey(
        "metrics.Repository", models.CASCADE, db_constraint=False, db_index=False, related_name="deployments"
    )
    github_deployment_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    environment = models.CharField(max_length=255)
    is_production = models.BooleanField(null=True)  # as the source says; NULL: it did not
    sha = models.CharField(max_length=64)
    ref = models.CharField(max_length=255, blank=True)
    task = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    creator = member_key()
    state = models.CharField(max_length=20)
    deployed_at = models.DateTimeField()  # when it was created
    finished_at = models.DateTimeField(null=True)
    source_updated_at = models.DateTimeField(null=True)
    is_whole = models.BooleanField(db_default=True)  # False: since it was fetched an event told of it

    class Meta(Mirrored.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="deployment_in_team"),
            models.UniqueConstraint(fields=["team", "github_deployment_id"], name="deployment_key"),
        )
        indexes = (
            models.Index(fields=["team", "repository", "sha"], name="deployment_sha"),
            models.Index(fields=["team", "finished_at"], name="deployment_finished"),
        )


class DeploymentStatus(Mirrored):
    deployment = models.ForeignKey(Deployment, models.CASCADE, db_constraint=False, related_name="statuses")
    node_id = models.CharField(max_length=100)
    state = models.CharField(max_length=20)
    creator = member_key()
    description = models.TextField(blank=True)
    url = models.TextField(blank=True)
    stated_at = models.DateTimeField()

    class Meta(Mirrored.Meta):
        constraints = (models.UniqueConstraint(fields=["team", "node_id"], name="deployment_status_key"),)

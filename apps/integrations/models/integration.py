from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apps.common.models import EncryptedTextField, Timestamped
from apps.teams.models import BaseTeamModel


class GitHubIntegration(Timestamped, BaseTeamModel):
    """A team's connection to one organisation (or personal account) on GitHub."""

    class SyncStatus(models.TextChoices):
        CONNECTED = "connected"
        HELD = "held"  # single sign-on or an IP allow list: goes on when a person has seen to it
        DISCONNECTED = "disconnected"  # the credential was refused: reconnect goes on where it stopped

    class Discovery(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    organization_id = models.BigIntegerField()
    organization_slug = models.CharField(max_length=100)
    is_personal = models.BooleanField(default=False)
    sync_status = models.CharField(max_length=20, choices=SyncStatus, default=SyncStatus.CONNECTED)
    status_reason = models.TextField(blank=True)
    status_url = models.CharField(max_length=1000, blank=True)  # where at GitHub a person puts it right
    status_since = models.DateTimeField(null=True)  # since when it does not work
    admins_told_at = models.DateTimeField(null=True)  # of what is wrong now; NULL: not yet, or nothing is
    permissions_missing = models.JSONField(default=dict)  # part or "deployments" -> {permission, since}: not asked for
    permissions_told = models.JSONField(default=list)  # those of them that the admins were written to about
    looked_at = models.DateTimeField(null=True)  # when it was last asked what is new
    look_asked_at = models.DateTimeField(null=True)  # the message that asks for a look is in the queue since
    look_claimed_until = models.DateTimeField(null=True)  # nobody else looks before
    checks_read_at = models.DateTimeField(null=True)  # when the last reading of all open ones' checks began
    checks_cursor = models.BigIntegerField(null=True)  # up to where it has come; NULL: none is under way
    last_sync_at = models.DateTimeField(null=True)
    webhook_secret = EncryptedTextField(blank=True)
    webhook_secret_before = EncryptedTextField(blank=True)  # still accepted while a rotation runs
    secret_rotated_at = models.DateTimeField(null=True)  # since when a rotation runs; NULL: none does
    discovery_status = models.CharField(max_length=20, choices=Discovery, default=Discovery.PENDING)
    discovery_error = models.TextField(blank=True)
    discovered_at = models.DateTimeField(null=True)
    hook_write_at = models.DateTimeField(null=True)  # the latest moment promised to somebody who writes a webhook

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="github_integration_in_team"),
            models.UniqueConstraint(fields=["team", "organization_id"], name="github_integration_key"),
        )

    def __str__(self) -> str:
        return self.organization_slug

    @property
    def works_fully(self) -> bool:
        """Whether no other credential could do more."""
        return self.sync_status == self.SyncStatus.CONNECTED and not self.permissions_missing


class IntegrationCredential(Timestamped, BaseTeamModel):
    """What opens GitHub for an integration. Tokens are encrypted at rest and appear in no log, page or task."""

    class Kind(models.TextChoices):
        OAUTH = "oauth"
        TOKEN = "token"  # noqa: S105  (a kind of credential, not one)
        APP = "app"

    integration = models.ForeignKey(GitHubIntegration, models.CASCADE, db_constraint=False, related_name="credentials")
    kind = models.CharField(max_length=10, choices=Kind)
    access_token = EncryptedTextField()
    refresh_token = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    scopes = ArrayField(models.CharField(max_length=100), default=list)
    github_user_id = models.BigIntegerField()
    github_login = models.CharField(max_length=100)
    is_primary = models.BooleanField(default=True)
    is_valid = models.BooleanField(default=True)
    renewing_at = models.DateTimeField(null=True)  # claimed by whoever renews it: a refresh token works once

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["team", "integration", "kind", "github_user_id"], name="integration_credential_key"
            ),
        )


class AvailableRepository(BaseTeamModel):
    """A repository that a connection can see; refreshed in the background, so that no page waits for GitHub."""

    integration = models.ForeignKey(
        GitHubIntegration, models.CASCADE, db_constraint=False, related_name="available_repositories"
    )
    github_repo_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    full_name = models.CharField(max_length=255)
    default_branch = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=100, blank=True)
    is_private = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)
    is_fork = models.BooleanField(default=False)
    is_disabled = models.BooleanField(default=False)  # by GitHub's staff
    can_admin = models.BooleanField(default=False)  # whether the connection may create a webhook
    pushed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "integration", "github_repo_id"], name="available_repository_key"),
        )
        indexes = (models.Index(fields=["team", "github_repo_id"], name="available_repository_id"),)

    def __str__(self) -> str:
        return self.full_name

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]


class FreshnessCheck(BaseTeamModel):
    """One look at all repositories of a connection at once: what is new, and how do the checks of open ones stand?"""

    integration = models.ForeignKey(
        GitHubIntegration, models.CASCADE, db_constraint=False, related_name="freshness_checks"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    repositories = models.IntegerField(default=0)  # asked
    changed = models.IntegerField(default=0)  # of those, for which a run was begun
    checks_refreshed = models.IntegerField(default=0)  # pull requests whose checks were read again
    points = models.IntegerField(default=0)
    requests = models.IntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta(BaseTeamModel.Meta):
        constraints = (models.UniqueConstraint(fields=["team", "id"], name="freshness_check_in_team"),)
        indexes = (models.Index(fields=["team", "started_at"], name="freshness_check_started"),)

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it goes on, or where its worker was lost."""
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def is_going_on(self) -> bool:
        """A look takes seconds: one that did not end within minutes lost its worker."""
        return self.finished_at is None and self.started_at > timezone.now() - timedelta(minutes=10)

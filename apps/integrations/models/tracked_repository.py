from __future__ import annotations

from django.db import models

from apps.common.models import Timestamped
from apps.integrations.models.integration import GitHubIntegration
from apps.teams.models import BaseTeamModel


class TrackedRepository(Timestamped, BaseTeamModel):
    """A repository that a team follows, and how its sync stands. Untracked is `is_active=False`: the data stay."""

    class SyncStatus(models.TextChoices):
        PENDING = "pending"
        SYNCING = "syncing"
        PAUSED = "paused"
        COMPLETE = "complete"
        PARTIAL = "partial"
        ERROR = "error"

    class WebhookStatus(models.TextChoices):
        NONE = "none"  # not asked for, or removed
        PENDING = "pending"
        ACTIVE = "active"
        FORBIDDEN = "forbidden"  # no right to create one: synced without
        FAILED = "failed"  # GitHub did not register it
        MISSING = "missing"  # somebody removed it at GitHub
        DISABLED = "disabled"  # somebody switched it off there
        MISSIGNED = "missigned"  # it signs with another secret than ours
        FAILING = "failing"  # its events do not arrive

    WRONG = (
        WebhookStatus.FORBIDDEN,
        WebhookStatus.FAILED,
        WebhookStatus.MISSING,
        WebhookStatus.DISABLED,
        WebhookStatus.MISSIGNED,
        WebhookStatus.FAILING,
    )
    SILENT = (WebhookStatus.MISSING, WebhookStatus.DISABLED)  # nothing is sent that might be asked for again
    DEPTHS = (30, 60, 90, None)  # days; None is the full history
    NOT_FOUND = "GitHub answers 404"  # begins the reason why a repository was stopped that is in no list any more

    integration = models.ForeignKey(
        GitHubIntegration, models.CASCADE, db_constraint=False, related_name="tracked_repositories"
    )
    repository = models.ForeignKey("metrics.Repository", models.CASCADE, db_constraint=False, related_name="tracked")
    is_active = models.BooleanField(default=True)
    days_back = models.IntegerField(null=True, default=30)  # NULL: full history
    webhook_wanted = models.BooleanField(default=True)
    webhook_id = models.BigIntegerField(null=True)
    webhook_status = models.CharField(max_length=20, choices=WebhookStatus, default=WebhookStatus.NONE)
    webhook_error = models.TextField(blank=True)
    webhook_checked_at = models.DateTimeField(null=True)  # up to when GitHub's list of its deliveries was seen to
    last_delivery_at = models.DateTimeField(null=True)  # within a minute
    last_sync_at = models.DateTimeField(null=True)
    sync_status = models.CharField(max_length=20, choices=SyncStatus, default=SyncStatus.PENDING)
    last_sync_error = models.TextField(blank=True)
    rate_limited = models.BooleanField(default=False)
    rate_limit_remaining = models.IntegerField(null=True)
    rate_limit_reset_at = models.DateTimeField(null=True)
    sync_progress = models.SmallIntegerField(default=0)  # percent
    sync_requested_at = models.DateTimeField(null=True)  # somebody asked for a sync: begun even if its task is lost
    sync_prs_total = models.IntegerField(null=True)
    sync_prs_completed = models.IntegerField(default=0)
    sync_started_at = models.DateTimeField(null=True)
    sync_activity = models.CharField(max_length=200, blank=True)  # what is happening now, for people
    stopped_at = models.DateTimeField(null=True)  # GitHub no longer gives it to us: switched off, the data stay
    stopped_reason = models.TextField(blank=True)
    admins_told_at = models.DateTimeField(null=True)  # that it needs them; a sync that ends well forgets it
    reconciled_at = models.DateTimeField(null=True)  # when what is stored was last compared with GitHub's counts
    reconcile_asked_at = models.DateTimeField(null=True)  # to be compared whole, before its night comes
    watermark = models.DateTimeField(null=True)
    page_size = models.SmallIntegerField(default=24)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="tracked_repository_in_team"),
            models.UniqueConstraint(fields=["team", "repository"], name="tracked_repository_key"),
        )

    def __str__(self) -> str:
        return f"tracked repository {self.pk}"

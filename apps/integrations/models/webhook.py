"""Outside the walls: a delivery arrives before its team is known."""

from __future__ import annotations

import secrets

from django.db import models

from apps.common.models import ZippedField
from apps.teams.models import Team


def opaque_id() -> str:
    return secrets.token_urlsafe(24)


class WebhookEndpoint(models.Model):
    """The unguessable address to which GitHub sends an integration's events."""

    opaque_id = models.CharField(max_length=64, unique=True, default=opaque_id)
    team = models.ForeignKey(Team, models.CASCADE, db_constraint=False, related_name="+")
    integration = models.OneToOneField(
        "integrations.GitHubIntegration", models.CASCADE, db_constraint=False, related_name="webhook_endpoint"
    )
    created_at = models.DateTimeField(auto_now_add=True)


class WebhookDelivery(models.Model):
    """One event as GitHub sent it. The same guid goes to every hook of an event, so only (endpoint, guid) is unique.

    `claimed_at` is the fence: who processes it holds that very claim, and notes `processed_at` with the effect; or with
    an `error`, where it never can have one.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    guid = models.CharField(max_length=64)
    event = models.CharField(max_length=64)
    payload = ZippedField()
    received_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["endpoint", "guid"], name="webhook_delivery_key"),)
        indexes = (
            models.Index(
                fields=["endpoint", "id"], condition=models.Q(processed_at__isnull=True), name="webhook_delivery_open"
            ),
            models.Index(fields=["received_at"], name="webhook_delivery_received"),
            models.Index(fields=["endpoint", "id"], condition=~models.Q(error=""), name="webhook_delivery_failed"),
        )

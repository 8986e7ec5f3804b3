from apps.integrations.models.integration import (
    AvailableRepository,
    FreshnessCheck,
    GitHubIntegration,
    IntegrationCredential,
)
from apps.integrations.models.scheduled_fetch import ScheduledFetch
from apps.integrations.models.sync_run import SyncRun
from apps.integrations.models.touched_weeks import TouchedWeeks
from apps.integrations.models.tracked_repository import TrackedRepository
from apps.integrations.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = (
    "AvailableRepository",
    "FreshnessCheck",
    "GitHubIntegration",
    "IntegrationCredential",
    "ScheduledFetch",
    "SyncRun",
    "TouchedWeeks",
    "TrackedRepository",
    "WebhookDelivery",
    "WebhookEndpoint",
)

"""Believable rows of every model, in one team's scope (see `TeamModelFactory`)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from apps.integrations.models import (
    AvailableRepository,
    FreshnessCheck,
    GitHubIntegration,
    IntegrationCredential,
    ScheduledFetch,
    SyncRun,
    TouchedWeeks,
    TrackedRepository,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.metrics.factories import RepositoryFactory
from apps.teams.factories import TeamModelFactory

# Beyond 2³¹, as GitHub's ids are.
FIRST_ID = 6_000_000_000
PUSHED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class GitHubIntegrationFactory(TeamModelFactory):
    class Meta:
        model = GitHubIntegration

    organization_id = Sequence(lambda n: FIRST_ID + n)
    organization_slug = Sequence(lambda n: f"acme-{n}")
    webhook_secret = Sequence(lambda n: f"webhook-secret-{n}")
    discovery_status = GitHubIntegration.Discovery.DONE
    discovered_at = LazyFunction(timezone.now)


class IntegrationCredentialFactory(TeamModelFactory):
    class Meta:
        model = IntegrationCredential

    integration = SubFactory(GitHubIntegrationFactory)
    kind = IntegrationCredential.Kind.TOKEN
    access_token = Sequence(lambda n: f"token-{n}")
    scopes = LazyFunction(lambda: ["admin:repo_hook", "read:org", "repo"])
    github_user_id = Sequence(lambda n: FIRST_ID + n)
    github_login = Sequence(lambda n: f"octocat-{n}")


class AvailableRepositoryFactory(TeamModelFactory):
    class Meta:
        model = AvailableRepository

    integration = SubFactory(GitHubIntegrationFactory)
    github_repo_id = Sequence(lambda n: FIRST_ID + n)
    node_id = Sequence(lambda n: f"R_{n}")
    full_name = Sequence(lambda n: f"acme/service-{n}")
    default_branch = "main"
    language = "Python"
    can_admin = True
    pushed_at = PUSHED
    seen_at = LazyFunction(timezone.now)


class TrackedRepositoryFactory(TeamModelFactory):
    class Meta:
        model = TrackedRepository

    integration = SubFactory(GitHubIntegrationFactory)
    repository = SubFactory(RepositoryFactory)
    webhook_wanted = False


class SyncRunFactory(TeamModelFactory):
    class Meta:
        model = SyncRun

    tracked_repository = SubFactory(TrackedRepositoryFactory)
    kind = SyncRun.Kind.INITIAL
    days_back = SelfAttribute("tracked_repository.days_back")


class FreshnessCheckFactory(TeamModelFactory):
    class Meta:
        model = FreshnessCheck

    integration = SubFactory(GitHubIntegrationFactory)
    started_at = LazyFunction(timezone.now)


class WebhookEndpointFactory(TeamModelFactory):
    class Meta:
        model = WebhookEndpoint

    integration = SubFactory(GitHubIntegrationFactory)
    team_id = SelfAttribute("integration.team_id")


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """Outside the walls: give it an `endpoint`."""

    class Meta:
        model = WebhookDelivery

    guid = LazyFunction(lambda: str(uuid4()))
    event = "pull_request"
    payload = LazyAttribute(lambda delivery: b'{"action": "opened"}')


class ScheduledFetchFactory(TeamModelFactory):
    class Meta:
        model = ScheduledFetch

    repository = SubFactory(RepositoryFactory)
    number = Sequence(lambda n: n + 1)
    subject = LazyAttribute(lambda fetch: str(fetch.number))
    kind = ScheduledFetch.Kind.EVENT
    reason = "code"
    due_at = LazyFunction(timezone.now)


class TouchedWeeksFactory(TeamModelFactory):
    class Meta:
        model = TouchedWeeks

    weeks = LazyFunction(lambda: [PUSHED.date()])

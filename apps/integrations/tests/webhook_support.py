"""A team that hears of a sandbox GitHub's events, for tests of what follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import orjson

from apps.integrations.models import (
    GitHubIntegration,
    ScheduledFetch,
    TrackedRepository,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.integrations.services import github_sync
from apps.integrations.services.webhooks import receiving
from apps.integrations.tests.sync_support import tracked_at
from apps.teams.models import Team
from apps.teams.scope import team_scope
from devtools.github_sandbox.hooks import Hook, sign

SECRET = "s3cret"


def listening(github: Any, team: Team, *names: str, **fields: Any) -> WebhookEndpoint:
    """The repositories, synced; the events of each go to a hook from where `heard` takes them."""
    status = TrackedRepository.WebhookStatus.ACTIVE
    for name in names:
        tracked = tracked_at(github, team, name, days_back=None, webhook_status=status, **fields)
        github_sync.sync_repository_history(tracked, None)
    github.stats.reset()
    with team_scope(team.pk):
        GitHubIntegration.objects.update(webhook_secret="")
        integration = GitHubIntegration.objects.get()
        integration.webhook_secret = SECRET
        integration.save()
    for name in names:
        hook_at(github, name)
    return WebhookEndpoint.objects.get_or_create(integration=integration, team=team)[0]


def hook_at(github: Any, name: str) -> Hook:
    """A hook to nowhere."""
    repository = github.world.repository(name)
    known = github.hooks.of(repository)
    found: Hook = (
        known[0] if known else github.hooks.create(repository, "http://127.0.0.1:9/", SECRET, "json", ["*"], True)
    )
    return found


def heard(github: Any, *names: str) -> list[tuple[str, bytes, str]]:
    """(event, payload, guid) of what happened since the last time, in order."""
    found = []
    for name in names:
        hook = hook_at(github, name)
        found += [(each.event, each.payload, each.guid) for each in reversed(hook.deliveries)]
        hook.deliveries.clear()
    return found


def delivered(endpoint: WebhookEndpoint, events: Iterable[tuple[str, bytes, str]]) -> list[str]:
    """What the endpoint answers to these events."""
    listener = receiving.listener_at(endpoint.opaque_id)
    assert listener is not None
    return [
        receiving.receive(listener=listener, body=body, signed=sign(SECRET, body), event=event, guid=guid)
        for event, body, guid in events
    ]


def ping(number: int = 0, **payload: Any) -> tuple[str, bytes, str]:
    """An event that tells nothing."""
    return "ping", orjson.dumps({"zen": f"number {number}", **payload}), str(uuid4())


def fetches(team: Team) -> list[ScheduledFetch]:
    with team_scope(team.pk):
        return list(ScheduledFetch.objects.order_by("due_at", "pk"))


def due_now(team: Team, **which: Any) -> None:
    """The time of what is scheduled has come."""
    with team_scope(team.pk):
        for row in ScheduledFetch.objects.filter(done_at=None, **which):
            ScheduledFetch.objects.filter(pk=row.pk).update(due_at=row.asked_at)


def open_deliveries() -> int:
    return WebhookDelivery.objects.filter(processed_at=None).count()

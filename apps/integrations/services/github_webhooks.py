"""Webhooks: registered and removed in the background. What they send is `webhooks.inbox`'s.

https://docs.github.com/webhooks
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from apps.integrations.github import hooks
from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    NotFound,
    PermissionMissing,
    RateLimited,
    SsoRequired,
    Unavailable,
)
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Hook
from apps.integrations.models import GitHubIntegration, TrackedRepository, WebhookEndpoint
from apps.integrations.services.github_rest import rest_of, rest_with
from apps.integrations.services.github_sync import trouble
from apps.teams.scope import team_scope

BETWEEN_WRITES = timedelta(seconds=1)
"""https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api"""

Status = TrackedRepository.WebhookStatus


@dataclass(frozen=True, slots=True)
class _Target:
    """What is needed to write a hook, read in one scope before GitHub is spoken to."""

    integration_id: int
    full_name: str
    url: str
    secret: str
    hook_id: int | None


def endpoint_url(endpoint: WebhookEndpoint) -> str:
    """The address that GitHub is told."""
    return f"{settings.BASE_URL}" + reverse("integrations:github_webhook", args=[endpoint.opaque_id])


def reserve_write(*, team_id: int, tracked_id: int) -> float:
    """Take the connection's next free second for writing a hook, which nobody shares. In how many seconds it is."""
    now = timezone.now()
    next_free = ExpressionWrapper(F("hook_write_at") + Value(BETWEEN_WRITES), output_field=DateTimeField())
    with team_scope(team_id):
        integration = GitHubIntegration.objects.filter(tracked_repositories=tracked_id)
        integration.update(hook_write_at=Greatest(next_free, Value(now)))  # GREATEST leaves out NULL
        mine = integration.values_list("hook_write_at", flat=True).first()  # our own UPDATE holds the row until COMMIT
    return max((mine - now).total_seconds(), 0.0) if mine else 0.0


def register(*, team_id: int, tracked_id: int) -> bool:
    """Have GitHub tell us of this repository's events. True when a hook is there now.

    What stands in the way is written on the row, for the card. Raises RateLimited and Unavailable: try again later.
    """
    target = _target(team_id, tracked_id, wanted=True)
    if target is None:
        return False
    try:
        with closing(rest_of(team_id=team_id, integration_id=target.integration_id)) as rest:
            hook = _written(rest, target)
    except (RateLimited, Unavailable):
        raise
    except PermissionMissing as denied:
        return _settle(team_id, tracked_id, Status.FORBIDDEN, str(denied), target.hook_id)
    except (BadCredentials, SsoRequired) as error:  # the whole connection's: the hook is tried again when that works
        trouble.settle_integration(team_id, target.integration_id, error)
        return _settle(team_id, tracked_id, Status.PENDING, str(error), target.hook_id)
    except GitHubError as error:
        return _settle(team_id, tracked_id, Status.FAILED, str(error), target.hook_id)
    return _settle_registered(team_id, tracked_id, hook.id, target.secret)


def _written(rest: Rest, target: _Target) -> Hook:
    """A hook that is known gets what it should have, also when it is to be repaired; else there is a new one."""
    given = {"url": target.url, "secret": target.secret}
    if target.hook_id is not None:
        with suppress(NotFound):
            return hooks.update_hook(rest, target.full_name, target.hook_id, **given)
    return hooks.create_hook(rest, target.full_name, **given)


def remove(*, team_id: int, tracked_id: int) -> bool:
    """Take our hook away from a repository that is no longer followed. True when GitHub had it until now.

    A connection that no longer opens GitHub leaves it there: its deliveries are refused or ignored. Raises RateLimited
    and Unavailable: try again later.
    """
    target = _target(team_id, tracked_id, wanted=False)
    if target is None or target.hook_id is None:
        return False
    try:
        with closing(rest_of(team_id=team_id, integration_id=target.integration_id)) as rest:
            removed = hooks.delete_hook(rest, target.full_name, target.hook_id)
    except (RateLimited, Unavailable):
        raise
    except GitHubError:
        removed = False
    _settle_removed(team_id, tracked_id)
    return removed


def remove_of_disconnected(*, team_id: int, integration_id: int) -> bool:
    """Take away one hook of a connection that was given up, with the token it still has for this. False: none is left.

    Raises RateLimited and Unavailable: try again later.
    """
    with team_scope(team_id):
        given_up = GitHubIntegration.objects.filter(
            pk=integration_id, sync_status=GitHubIntegration.SyncStatus.DISCONNECTED
        ).first()
        credential = given_up.credentials.filter(is_primary=False).first() if given_up else None
        hooked = TrackedRepository.objects.filter(integration_id=integration_id).exclude(webhook_id=None)
        tracked = hooked.select_related("repository").order_by("pk").first()
        if credential is None or tracked is None or tracked.webhook_id is None:
            return False
    try:
        with closing(rest_with(credential.access_token)) as rest:
            hooks.delete_hook(rest, tracked.repository.full_name, tracked.webhook_id)
    except (RateLimited, Unavailable):
        raise
    except GitHubError:  # it may not, or no longer: nothing but a person at GitHub can remove it
        pass
    _settle_removed(team_id, tracked.pk)
    return True


def _target(team_id: int, tracked_id: int, *, wanted: bool) -> _Target | None:
    """None when what was asked for is no longer wanted: the switch was moved again meanwhile."""
    with team_scope(team_id):
        tracked = (
            TrackedRepository.objects.select_related("repository", "integration__webhook_endpoint")
            .filter(pk=tracked_id, integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED)
            .first()
        )
        if tracked is None or (tracked.is_active and tracked.webhook_wanted) != wanted:
            return None
        if wanted and tracked.webhook_status == Status.ACTIVE:
            return None
        return _Target(
            integration_id=tracked.integration_id,
            full_name=tracked.repository.full_name,
            url=endpoint_url(tracked.integration.webhook_endpoint),
            secret=tracked.integration.webhook_secret,
            hook_id=tracked.webhook_id,
        )


def _settle(team_id: int, tracked_id: int, status: str, error: str, hook_id: int | None) -> bool:
    with team_scope(team_id):
        TrackedRepository.objects.filter(pk=tracked_id).update(
            webhook_status=status, webhook_error=error, webhook_id=hook_id, updated_at=timezone.now()
        )
    return status == Status.ACTIVE


def _settle_registered(team_id: int, tracked_id: int, hook_id: int, secret: str) -> bool:
    """A secret that was replaced while GitHub was asked leaves it pending: it is written once more."""
    with team_scope(team_id):
        integrations = GitHubIntegration.objects.filter(tracked_repositories=tracked_id)
        current = integrations.select_for_update(no_key=True).values_list("webhook_secret", flat=True).first()
        status = Status.ACTIVE if current == secret else Status.PENDING
        return _settle(team_id, tracked_id, status, "", hook_id)


def _settle_removed(team_id: int, tracked_id: int) -> None:
    """A switch that was moved back while GitHub was asked finds its hook gone: it wants a new one."""
    with team_scope(team_id):
        tracked = TrackedRepository.objects.filter(pk=tracked_id)
        wanted = Q(
            is_active=True,
            webhook_wanted=True,
            integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED,
        )
        status = Status.PENDING if tracked.filter(wanted).exists() else Status.NONE
        tracked.update(webhook_status=status, webhook_error="", webhook_id=None, updated_at=timezone.now())

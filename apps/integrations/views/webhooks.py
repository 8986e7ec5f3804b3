"""Where GitHub sends its events. https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.integrations.models import GitHubIntegration
from apps.integrations.services.webhooks.inbox import needs_waking
from apps.integrations.services.webhooks.receiving import (
    GONE,
    LARGEST_PAYLOAD,
    Received,
    Refused,
    listener_at,
    receive,
)
from apps.integrations.services.webhooks.rotation import rotate_secret
from apps.integrations.tasks import after_commit, process_webhook_deliveries_task, register_webhook_task
from apps.integrations.views.actor import actor_of
from apps.teams.access import team_admin
from apps.teams.models import Team


@csrf_exempt
@require_POST
def github_webhook(request: HttpRequest, opaque_id: str) -> HttpResponse:
    """202 once the event is stored (now or before); 403 for a wrong signature, 404 for an unknown address, 413 for more
    than GitHub sends, 400 for what is no event. Everything else happens in a task.
    """
    listener = listener_at(opaque_id)
    if listener is None:
        return _said(404, GONE)
    try:
        body = request.body
    except RequestDataTooBig:
        return _said(413, "Larger than 25 MB.")
    if len(body) > LARGEST_PAYLOAD:
        return _said(413, "Larger than 25 MB.")
    try:
        received = receive(
            listener=listener,
            body=body,
            signed=request.headers.get("X-Hub-Signature-256", ""),
            event=request.headers.get("X-GitHub-Event", ""),
            guid=request.headers.get("X-GitHub-Delivery", ""),
        )
    except Refused as refused:
        return _said(refused.status, str(refused))
    if received == Received.STORED and needs_waking(listener.endpoint_id):
        after_commit(process_webhook_deliveries_task, listener.endpoint_id)
    return _said(202, received)


@require_POST
@team_admin
def rotate(request: HttpRequest, team: Team, integration_id: int) -> HttpResponse:
    """Give the connection's webhooks a new secret."""
    integration = get_object_or_404(GitHubIntegration, pk=integration_id)
    if integration.secret_rotated_at is not None:
        messages.info(request, "The webhooks are being given a new secret already. It takes some minutes.")
        return redirect("integrations:connect", team.slug)
    keys = rotate_secret(integration=integration, actor=actor_of(request))
    for key in keys:
        after_commit(register_webhook_task, team.pk, key)
    messages.success(request, f"The webhooks of {integration.organization_slug} are being given a new secret.")
    return redirect("integrations:connect", team.slug)


def _said(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")

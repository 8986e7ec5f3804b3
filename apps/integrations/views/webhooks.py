"""Where GitHub sends its events. https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks"""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.integrations.models import WebhookEndpoint
from apps.integrations.services.webhooks.inbox import LARGEST_PAYLOAD, Received, Refused, needs_waking, receive
from apps.integrations.tasks import after_commit, process_webhook_deliveries_task


@csrf_exempt
@require_POST
def github_webhook(request: HttpRequest, opaque_id: str) -> HttpResponse:
    """202 once the event is stored (now or before); 403 for a wrong signature, 404 for an unknown address, 413 for more
    than GitHub sends, 400 for what is no event. Everything else happens in a task.
    """
    endpoint = get_object_or_404(WebhookEndpoint, opaque_id=opaque_id)
    try:
        body = request.body
    except RequestDataTooBig:
        return _said(413, "Larger than 25 MB.")
    if len(body) > LARGEST_PAYLOAD:
        return _said(413, "Larger than 25 MB.")
    try:
        received = receive(
            endpoint=endpoint,
            body=body,
            signed=request.headers.get("X-Hub-Signature-256", ""),
            event=request.headers.get("X-GitHub-Event", ""),
            guid=request.headers.get("X-GitHub-Delivery", ""),
        )
    except Refused as refused:
        return _said(refused.status, str(refused))
    if received == Received.STORED and needs_waking(endpoint.pk):
        after_commit(process_webhook_deliveries_task, endpoint.pk)
    return _said(202, received)


def _said(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")

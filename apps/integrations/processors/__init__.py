"""Webhook events: what each one tells (`pull_requests`, `code`, `repositories`: pure), how it becomes rows (`writing`),
and what has to be fetched because it does not tell it.
"""

from apps.integrations.processors.events import (
    handle_pull_request_event,
    handle_pull_request_review_event,
    process,
)
from apps.integrations.processors.outcome import Need, Processed, Reason, Unreadable

__all__ = (
    "Need",
    "Processed",
    "Reason",
    "Unreadable",
    "handle_pull_request_event",
    "handle_pull_request_review_event",
    "process",
)

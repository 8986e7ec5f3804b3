"""Webhook events: what each one tells, how it becomes rows, and what has to be fetched because it does not tell it."""

from apps.integrations.processors.outcome import Need, Processed, Reason, Unreadable

__all__ = ("Need", "Processed", "Reason", "Unreadable")

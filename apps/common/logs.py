"""Structured logs: one line an event, key=value, never a token."""

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# GitHub's token forms, and the sandbox's. What slips into a message by mistake does not leave the process.
_TOKENS = re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{22,}|v1\.[0-9a-f]{40})\b")
# What opens an account for whoever has it: keys of mailed links, and GitHub's answer to a log-in.
_LINKS = re.compile(
    r"(/accounts/(?:password/reset/key|confirm-email)/)[^/\s]+"
    r"|([?&](?:code|key|token)=|[?&]state=(?=[^&\s]{12}))[^&\s]+"  # a short state is a filter of ours
)


def redact(text: str) -> str:
    """`text` without what looks like a GitHub token, or like the secret part of an address."""
    return _LINKS.sub(r"\1\2[secret]", _TOKENS.sub("[token]", text))


def redact_report(report: Any, _hint: Any) -> Any:
    """An error report before it leaves for Sentry: without query strings (GitHub's answer to a log-in is one) and
    without what `redact` takes away, wherever it stands.
    """
    request = report.get("request")
    if isinstance(request, dict):
        request.pop("query_string", None)
    return _redacted(report)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _redacted(each) for key, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list | tuple) else value


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def _drop_request_started(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A request is one line: the one that knows its status."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _redact_event,
]


def formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"]),
        ],
    )


def configure() -> None:
    structlog.configure(
        processors=[_drop_request_started, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )

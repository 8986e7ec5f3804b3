"""Webhooks of a repository. https://docs.github.com/rest/repos/webhooks"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from apps.integrations.github.errors import NotFound, PermissionMissing, QueryRejected
from apps.integrations.github.rest import Rest, documented_shape
from apps.integrations.github.types import Hook, Raw, instant

SCOPE = "admin:repo_hook"
EVENTS = (
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "issue_comment",
    "push",
    "check_run",
    "check_suite",
    "status",
    "deployment",
    "deployment_status",
    "repository",
    "member",
)
"""What a repository's hook is told of; `installation` and `organization` go to Apps and organisations only."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver an event; a redelivery keeps the `guid` and has an id of its own."""

    id: int
    guid: str
    event: str
    status_code: int
    delivered_at: datetime
    is_redelivery: bool

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status_code < 300


def create_hook(rest: Rest, full_name: str, *, url: str, secret: str, events: Iterable[str] = EVENTS) -> Hook:
    """A hook to `url`; one that is there already is adopted, as `update_hook` does.

    Raises PermissionMissing when the connection may not (GitHub says 404 then), QueryRejected when GitHub cannot reach
    `url` or the repository has its twenty hooks.
    """
    wanted = {"name": "web", **_wanted(url, secret, events)}
    try:
        return _hook(rest.send("POST", f"/repos/{full_name}/hooks", body=wanted)[1])
    except NotFound as error:
        raise PermissionMissing(SCOPE) from error
    except QueryRejected:
        existing = _find(rest, full_name, url)
        if existing is None:
            raise
    return update_hook(rest, full_name, existing.id, url=url, secret=secret, events=events)


def update_hook(
    rest: Rest, full_name: str, hook_id: int, *, url: str, secret: str, events: Iterable[str] = EVENTS
) -> Hook:
    """Gives a hook our address, secret and events, and switches it on. Raises NotFound when it is no more."""
    wanted = _wanted(url, secret, events)
    return _hook(rest.send("PATCH", f"/repos/{full_name}/hooks/{hook_id}", body=wanted)[1], adopted=True)


def _wanted(url: str, secret: str, events: Iterable[str]) -> Raw:
    return {
        "active": True,
        "events": list(events),
        "config": {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"},
    }


def get_hook(rest: Rest, full_name: str, hook_id: int) -> Hook:
    """Raises NotFound when somebody has deleted it."""
    return _hook(rest.get(f"/repos/{full_name}/hooks/{hook_id}"))


def delete_hook(rest: Rest, full_name: str, hook_id: int) -> bool:
    """Whether it was there to be deleted."""
    try:
        rest.send("DELETE", f"/repos/{full_name}/hooks/{hook_id}")
    except NotFound:
        return False
    return True


def failed_deliveries(rest: Rest, full_name: str, hook_id: int, *, since: datetime) -> list[Delivery]:
    """The events whose every attempt since then failed, by their latest attempt, the oldest first."""
    return failed_of(deliveries_since(rest, full_name, hook_id, since=since))


def deliveries_since(rest: Rest, full_name: str, hook_id: int, *, since: datetime) -> list[Delivery]:
    """Every attempt since then, the newest first. GitHub keeps them for three days.

    https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries
    """
    return list(takewhile(lambda each: each.delivered_at >= since, _deliveries(rest, full_name, hook_id)))


def failed_of(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Of attempts, the newest first: the events whose every attempt failed, by the latest one, the oldest first."""
    latest: dict[str, Delivery] = {}
    arrived: set[str] = set()
    for delivery in deliveries:
        latest.setdefault(delivery.guid, delivery)
        if delivery.succeeded:
            arrived.add(delivery.guid)
    failed = [delivery for guid, delivery in latest.items() if guid not in arrived]
    return sorted(failed, key=lambda delivery: delivery.delivered_at)


def redeliver(rest: Rest, full_name: str, hook_id: int, delivery_id: int) -> None:
    """Asks GitHub to deliver an event once more, under the same guid."""
    rest.send("POST", f"/repos/{full_name}/hooks/{hook_id}/deliveries/{delivery_id}/attempts", body={})


def _deliveries(rest: Rest, full_name: str, hook_id: int) -> Iterator[Delivery]:
    """Newest first, as GitHub lists them."""
    for page in rest.pages(f"/repos/{full_name}/hooks/{hook_id}/deliveries"):
        for entry in page:
            yield Delivery(
                id=entry["id"],
                guid=entry["guid"],
                event=entry["event"],
                status_code=entry["status_code"],
                delivered_at=instant(entry["delivered_at"]),
                is_redelivery=entry["redelivery"],
            )


def _find(rest: Rest, full_name: str, url: str) -> Hook | None:
    for page in rest.pages(f"/repos/{full_name}/hooks"):
        for entry in page:
            if (entry.get("config") or {}).get("url") == url:
                return _hook(entry)
    return None


@documented_shape()
def _hook(entry: Raw, *, adopted: bool = False) -> Hook:
    return Hook(
        id=entry["id"],
        url=(entry.get("config") or {}).get("url") or "",
        events=frozenset(entry.get("events") or ()),
        is_active=bool(entry.get("active")),
        adopted=adopted,
    )

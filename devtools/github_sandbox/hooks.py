"""Webhooks: registered, signed, delivered by a thread of their own, each delivery kept to be listed and repeated."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.world import Repository, World

TIMEOUT_SECONDS = 10
Owner = Repository | Account


@dataclass
class Delivery:
    id: int
    guid: str
    event: str
    action: str | None
    payload: bytes
    """The JSON; a hook of content type `form` gets it as the form field `payload`."""
    delivered_at: str
    redelivery: bool = False
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    request_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass
class Hook:
    id: int
    owner: Owner
    url: str
    content_type: str
    secret: str | None
    events: list[str]
    active: bool
    created_at: str
    updated_at: str
    deliveries: list[Delivery] = field(default_factory=list)

    def wants(self, event: str) -> bool:
        return self.active and ("*" in self.events or event in self.events)


class HookExists(Exception):
    """The owner has a hook with this URL already."""


def utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Hooks:
    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._hooks: dict[int, Hook] = {}
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._worker: threading.Thread | None = None

    def of(self, owner: Owner) -> list[Hook]:
        with self._lock:
            return [hook for hook in self._hooks.values() if hook.owner is owner]

    def find(self, owner: Owner, hook_id: int) -> Hook | None:
        return next((hook for hook in self.of(owner) if hook.id == hook_id), None)

    def create(
        self, owner: Owner, url: str, secret: str | None, content_type: str, events: list[str], active: bool
    ) -> Hook:
        """Raises HookExists if the owner has one with this URL. The caller sends the ping."""
        with self._lock:
            if any(hook.owner is owner and hook.url == url for hook in self._hooks.values()):
                raise HookExists(url)
            now = utc_now()
            hook = Hook(self._world.new_id(), owner, url, content_type, secret, events, active, now, now)
            self._hooks[hook.id] = hook
            return hook

    def delete(self, hook: Hook) -> None:
        with self._lock:
            self._hooks.pop(hook.id, None)

    def emit(self, owner: Owner, event: str, payload: dict[str, Any]) -> int:
        """Sends the event to every hook of the repository and its organisation that wants it; how many those are.

        They all get the same GUID, as GitHub has it.
        """
        hooks = self.wanting(owner, event)
        guid = str(uuid.uuid4())
        for hook in hooks:
            self.send(hook, event, payload, guid)
        return len(hooks)

    def wanting(self, owner: Owner, event: str) -> list[Hook]:
        """The hooks of the repository and its organisation, or of an organisation, that want the event."""
        owners: list[Owner] = [owner, owner.owner] if isinstance(owner, Repository) else [owner]
        return [hook for each in owners for hook in self.of(each) if hook.wants(event)]

    def send(self, hook: Hook, event: str, payload: dict[str, Any], guid: str | None = None) -> Delivery:
        delivery = Delivery(
            id=self._world.new_id(),
            guid=guid or str(uuid.uuid4()),
            event=event,
            action=payload.get("action"),
            payload=orjson.dumps(payload),
            delivered_at=utc_now(),
        )
        self._enqueue(hook, delivery)
        return delivery

    def redeliver(self, hook: Hook, delivery: Delivery) -> Delivery:
        """The same payload once more, under the same GUID."""
        again = Delivery(
            id=self._world.new_id(),
            guid=delivery.guid,
            event=delivery.event,
            action=delivery.action,
            payload=delivery.payload,
            delivered_at=utc_now(),
            redelivery=True,
        )
        self._enqueue(hook, again)
        return again

    def drain(self) -> None:
        """Waits until everything sent so far has been answered or given up."""
        self._queue.join()

    def stop(self) -> None:
        if self._worker is not None:
            self._queue.put(None)
            self._worker.join()
            self._worker = None

    def _enqueue(self, hook: Hook, delivery: Delivery) -> None:
        with self._lock:
            hook.deliveries.insert(0, delivery)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="sandbox-hooks", daemon=True)
                self._worker.start()
        self._queue.put(lambda: post(hook, delivery))

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            try:
                if job is None:
                    return
                job()
            finally:
                self._queue.task_done()


def sign(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(hook: Hook, delivery: Delivery) -> None:
    """One attempt; what came of it is in the delivery."""
    form = hook.content_type == "form"
    body = urlencode({"payload": delivery.payload}).encode() if form else delivery.payload
    headers = {
        "User-Agent": "GitHub-Hookshot/sandbox",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(hook.owner.database_id),
        "X-GitHub-Hook-Installation-Target-Type": "repository"
        if isinstance(hook.owner, Repository)
        else "organization",
    }
    if hook.secret:
        headers["X-Hub-Signature-256"] = sign(hook.secret, body)
    delivery.request_headers = headers
    begin = time.monotonic()
    try:
        request = urllib.request.Request(hook.url, body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            delivery.status_code = response.status
            delivery.response_body = response.read(10_000).decode(errors="replace")
            delivery.status = "OK"
    except urllib.error.HTTPError as error:
        delivery.status_code = error.code
        delivery.status = error.reason
    except (OSError, http.client.HTTPException, ValueError) as error:
        delivery.status = f"failed to connect: {error}"
    delivery.duration = round(time.monotonic() - begin, 2)

"""What GitHub waits for: an event's signature is checked, and the event is on the disk when it gets its answer.

Hundreds come in a second, so nothing else is on the way: one statement for each, which commits by itself. Who listens
at an address, and for which secrets, is kept in the process for some seconds. That is safe, whatever happens meanwhile:

- An endpoint that was deleted (its team was, or its connection) takes nothing: the insert reads it anew.
- A secret that is new counts at once: what no known secret signed is compared with those in the database.
- A secret that counts no more is accepted for `TRUSTED_FOR` at most; a rotation keeps the former one for minutes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

import orjson
from django.db import IntegrityError, connection
from django.utils import timezone
from psycopg.errors import ForeignKeyViolation

from apps.common.models import decrypt_text, zipped
from apps.integrations.github import signature
from apps.teams.scope import team_scope

LARGEST_PAYLOAD = 25 * 1024 * 1024
"""GitHub's own cap: larger events are not sent at all."""

TRUSTED_FOR = 5.0
"""Seconds for which a process believes what it read about an endpoint."""

MOST_KNOWN = 1_000
"""Endpoints of which a process remembers something."""


GONE = "Nobody listens here."


class Refused(Exception):
    """A delivery that is not taken; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class Received(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens at an address; `secrets` as they were at `read_at` (seconds of the monotonic clock)."""

    opaque_id: str = field(repr=False)
    endpoint_id: int
    secrets: tuple[str, ...] = field(repr=False)
    read_at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.read_at < TRUSTED_FOR


_known: dict[str, Listener] = {}


def listener_at(opaque_id: str) -> Listener | None:
    """Who listens at this address; None: nobody does."""
    known = _known.get(opaque_id)
    return known if known is not None and known.is_fresh else _read(opaque_id)


def receive(*, listener: Listener, body: bytes, signed: str, event: str, guid: str) -> Received:
    """Keep one event, raw, once. Raises Refused, and then nothing is stored.

    `signed` is X-Hub-Signature-256, checked over the raw bytes before anything reads them.
    """
    if not signature.verify(body, signed, listener.secrets):
        listener = _again(listener)
        if not signature.verify(body, signed, listener.secrets):
            raise Refused(403, "The signature is missing or wrong.")
    _parse(body)
    if not event or not guid or len(event) > 64 or len(guid) > 64 or "\0" in event + guid:
        raise Refused(400, "X-GitHub-Event and X-GitHub-Delivery are needed.")
    try:
        return _stored(listener.endpoint_id, body, event, guid)
    except IntegrityError as error:
        if not isinstance(error.__cause__, ForeignKeyViolation):
            raise
        raise Refused(404, GONE) from error


def _again(listener: Listener) -> Listener:
    changed = _read(listener.opaque_id)
    if changed is None:
        raise Refused(404, GONE)
    return changed


def _read(opaque_id: str) -> Listener | None:
    read_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, team_id, integration_id FROM integrations_webhookendpoint WHERE opaque_id = %s", [opaque_id]
        )
        row = cursor.fetchone()
    if row is None:
        _known.pop(opaque_id, None)
        return None
    endpoint_id, team_id, integration_id = row
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[opaque_id] = listener = Listener(opaque_id, endpoint_id, _secrets(team_id, integration_id), read_at)
    return listener


def _secrets(team_id: int, integration_id: int) -> tuple[str, ...]:
    """The connection's secret, and the one before while a rotation runs."""
    with team_scope(team_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT webhook_secret, webhook_secret_before FROM integrations_githubintegration"
            " WHERE team_id = %s AND id = %s",
            [team_id, integration_id],
        )
        sealed = cursor.fetchone() or ()
    return tuple(decrypt_text(each, what="A webhook's secret") for each in sealed if each)


def _parse(body: bytes) -> None:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise Refused(400, "The body is not a JSON object.")


# Commits by itself, and with the answer it is on the disk. A guid that is there already: GitHub keeps it when it
# delivers again.
_STORE = """
INSERT INTO integrations_webhookdelivery (endpoint_id, guid, event, payload, received_at, attempts, error)
SELECT id, %s, %s, %s, %s, 0, '' FROM integrations_webhookendpoint WHERE id = %s
ON CONFLICT (endpoint_id, guid) DO NOTHING
"""


def _stored(endpoint_id: int, body: bytes, event: str, guid: str) -> Received:
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [guid, event, zipped(body), timezone.now(), endpoint_id])
        if cursor.rowcount:
            return Received.STORED
        cursor.execute("SELECT 1 FROM integrations_webhookendpoint WHERE id = %s", [endpoint_id])
        if cursor.fetchone() is None:
            raise Refused(404, GONE)
        return Received.DUPLICATE

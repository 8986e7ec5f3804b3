"""Secrets in places that are no model field: what waits in a session between two pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from apps.common.models import Undecryptable, decrypt_text, encrypt_text

__all__ = ("Undecryptable", "decrypt", "encrypt", "seal", "unseal")


def encrypt(text: str) -> str:
    """Encrypted with the first of FIELD_ENCRYPTION_KEYS; the same text never gives the same result."""
    return encrypt_text(text)


def decrypt(sealed: str) -> str:
    """What `encrypt` was given, as long as its key is among FIELD_ENCRYPTION_KEYS. Raises Undecryptable."""
    return decrypt_text(sealed)


def seal(content: dict[str, Any], *, lifetime: timedelta) -> str:
    """JSON content, encrypted, that `unseal` opens for `lifetime`."""
    until = (timezone.now() + lifetime).timestamp()
    return encrypt(orjson.dumps({"until": until, "content": content}).decode())


def unseal(sealed: str) -> dict[str, Any] | None:
    """What `seal` was given; None when its time is over or no key opens it (any more): ask the person to begin anew."""
    try:
        envelope = orjson.loads(decrypt(sealed))
    except Undecryptable:
        return None
    content: dict[str, Any] = envelope["content"]
    return content if envelope["until"] > timezone.now().timestamp() else None

"""Webhook signatures: `X-Hub-Signature-256` over the raw bytes.

https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """The header's value for a body: `sha256=` and 64 hex digits."""
    return PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets (two while they are rotated) made this signature; takes as long for each answer.

    An empty secret never matches.
    """
    given = signature.encode("utf-8", "replace")
    matches = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets if secret]
    return any(matches)

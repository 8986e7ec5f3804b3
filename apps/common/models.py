"""Building blocks of every app's models."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class Timestamped(models.Model):
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Undecryptable(ImproperlyConfigured):
    """A stored secret that none of FIELD_ENCRYPTION_KEYS opens."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("Set FIELD_ENCRYPTION_KEYS; .env.example says how.")
    return MultiFernet([Fernet(key) for key in keys])


def encrypt_text(text: str) -> str:
    """Fernet (AES-128-CBC and HMAC) with the first of FIELD_ENCRYPTION_KEYS."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt_text(sealed: str, *, what: str = "A sealed text") -> str:
    """Opened by any of FIELD_ENCRYPTION_KEYS. Raises Undecryptable, which names `what` and no content."""
    try:
        return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Undecryptable(f"{what} cannot be decrypted with FIELD_ENCRYPTION_KEYS: was a key removed?") from error


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted at rest. The first of FIELD_ENCRYPTION_KEYS encrypts, all decrypt, so keys can be rotated.
    Cannot be filtered on: the same text never gives the same ciphertext.
    """

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt_text(value) if value else value

    def from_db_value(self, value: str | None, _expression: Any, _connection: BaseDatabaseWrapper) -> str | None:
        return decrypt_text(value, what=str(self)) if value else value


def zipped(content: bytes) -> bytes:
    """As ZippedField stores it. JSON of some kilobytes: a sixth of it, in a fraction of the time in which PostgreSQL
    compresses it to a third.
    """
    return zlib.compress(content, 1)


_ZIPPED = zipped(b"")[:2]


class ZippedField(models.BinaryField):  # type: ignore[type-arg]
    """Bytes, JSON say, that are compressed at rest. What is there uncompressed is read as it is. Cannot be filtered on.
    PostgreSQL need not try to compress it too: give the column EXTERNAL storage.
    """

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None else zipped(value)

    def from_db_value(self, value: Any, _expression: Any, _connection: BaseDatabaseWrapper) -> bytes | None:
        if value is None:
            return None
        content = bytes(value)
        return zlib.decompress(content) if content.startswith(_ZIPPED) else content

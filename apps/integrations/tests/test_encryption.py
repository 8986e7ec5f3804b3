from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from apps.integrations.services.encryption import Undecryptable, decrypt, encrypt, seal, unseal


def test_what_is_encrypted_can_be_read_again_and_nothing_shows():
    sealed = encrypt("gho_secret")
    assert "gho_secret" not in sealed
    assert decrypt(sealed) == "gho_secret"
    assert encrypt("gho_secret") != sealed


def test_keys_can_be_rotated(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    sealed = encrypt("text")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert decrypt(sealed) == "text"
    assert decrypt(encrypt("text")) == "text"
    settings.FIELD_ENCRYPTION_KEYS = [new]
    with pytest.raises(Undecryptable):
        decrypt(sealed)


def test_a_seal_opens_for_its_lifetime_only():
    assert unseal(seal({"a": [1]}, lifetime=timedelta(minutes=1))) == {"a": [1]}
    assert unseal(seal({"a": [1]}, lifetime=timedelta(seconds=-1))) is None


def test_what_was_tampered_with_or_sealed_with_a_lost_key_counts_as_nothing(settings):
    sealed = seal({"a": 1}, lifetime=timedelta(minutes=1))
    assert unseal(sealed[:-4] + "AAAA") is None
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert unseal(sealed) is None

"""Production refuses to start half configured, and says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
WHOLE = {
    "DJANGO_SETTINGS_MODULE": "tformance.settings.production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "tformance.example.com",
    "BASE_URL": "https://tformance.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}


def started(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **WHOLE, **changes}
    command = [sys.executable, "-c", "import django; django.setup()"]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_it_starts_when_everything_is_given():
    result = started()
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_it_names_the_secret_that_is_missing(name):
    result = started(**{name: ""})
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1].endswith(f"Set {name}; .env.example says how.")


def test_it_refuses_an_encryption_key_that_is_none_without_repeating_it():
    result = started(FIELD_ENCRYPTION_KEYS=f"{WHOLE['FIELD_ENCRYPTION_KEYS']},half-a-key")
    assert result.returncode != 0
    assert "FIELD_ENCRYPTION_KEYS holds what is no key" in result.stderr
    assert "half-a-key" not in result.stderr

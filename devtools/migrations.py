"""Migrating, unless nothing can have changed since the last time: that saves a second of each start.

What was seen after the last `migrate` is kept in the var folder: a digest of every migration in the repository and of
the pinned packages (which bring their own), and one of what the database has recorded. Another database, a restored
one, or one that was migrated backwards by hand differs in the second.
"""

import hashlib
from pathlib import Path

import psycopg

from devtools.var import ROOT


def stamp(database_url: str) -> str:
    """What `migrate` would look at. Empty when the database has recorded nothing yet, or cannot be asked."""
    recorded = _recorded(database_url)
    return f"{_code()} {recorded}" if recorded else ""


def _code() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted(ROOT.glob("apps/*/migrations/*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _recorded(database_url: str) -> str:
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            rows = connection.execute("SELECT id, app, name, applied FROM django_migrations ORDER BY id").fetchall()
    except psycopg.Error:
        return ""
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def is_current(var: Path, database_url: str) -> bool:
    kept = var / "migrated"
    return kept.exists() and kept.read_text() == stamp(database_url) != ""


def remember(var: Path, database_url: str) -> None:
    (var / "migrated").write_text(stamp(database_url))

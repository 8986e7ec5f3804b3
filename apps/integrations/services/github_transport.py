"""The connections to GitHub, shared by everything in a process."""

from __future__ import annotations

from functools import lru_cache

from apps.integrations.github.transport import HttpxTransport


@lru_cache(maxsize=1)
def transport() -> HttpxTransport:
    """One pool of connections a process; made on first use, so never before a worker forks."""
    return HttpxTransport()

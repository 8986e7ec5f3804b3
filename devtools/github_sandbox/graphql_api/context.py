"""What the resolvers of one request may know."""

from __future__ import annotations

from dataclasses import dataclass

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.world import World


@dataclass(slots=True)
class RateLimit:
    """The answer of `rateLimit`."""

    cost: int
    limit: int
    node_count: int
    remaining: int
    reset_at: str
    used: int


@dataclass(slots=True)
class Context:
    world: World
    session: Session
    web_url: str
    rate: RateLimit | None

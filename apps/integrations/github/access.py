"""Tokens are leased for each request, so that whoever shares a budget can share it fairly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from apps.integrations.github.types import RateLimit


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send one request. `credential` names whose budget it uses and never is the token."""

    token: str = field(repr=False)
    credential: str = ""


class TokenSource(Protocol):
    def lease(self, *, cost: int, resource: str) -> Lease:
        """A token for a request of about `cost` (points of `graphql`, requests of `core`).

        Raises RateLimited when the budget does not allow it, BadCredentials when there is no usable token.
        """

    def report(self, lease: Lease, limit: RateLimit | None) -> None:
        """What the answer said about the budget; None when it said nothing. Called once for each lease."""


@dataclass(slots=True)
class StaticToken:
    """One token, used as it is: for commands and tests. `last` is the budget as last seen."""

    token: str = field(repr=False)
    credential: str = "static"
    last: RateLimit | None = None

    def lease(self, *, cost: int, resource: str) -> Lease:
        return Lease(token=self.token, credential=self.credential)

    def report(self, lease: Lease, limit: RateLimit | None) -> None:
        if limit is not None:
            self.last = limit

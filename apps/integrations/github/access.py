"""Tokens are leased for each request, so that whoever shares a budget can share it fairly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from apps.integrations.github.errors import BadCredentials, GitHubError
from apps.integrations.github.types import RateLimit

T = TypeVar("T")

MOST_TOKENS = 10
"""Tokens that one request is tried with, one after the other, as long as GitHub accepts none."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send one request. `credential` names whose budget it uses and never is the token.

    `id`, `resource` and `cost` tell its reservation from others, where there are reservations.
    """

    token: str = field(repr=False)
    credential: str = ""
    id: str = ""
    resource: str = "graphql"
    cost: int = 1


class TokenSource(Protocol):
    def lease(self, *, cost: int, resource: str) -> Lease:
        """A token for a request of about `cost` (points of `graphql`, requests of `core`). May wait for its turn.

        Raises RateLimited when the budget does not allow it, BadCredentials when there is no usable token.
        """

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        """What the answer said about the budget (None: nothing) and the error that it was, if any.

        Called once for each lease, also when no answer came.
        """

    def refused(self, lease: Lease) -> bool:
        """GitHub answered 401 to this lease's token. True when another one is worth a try: lease again."""


@dataclass(slots=True)
class StaticToken:
    """One token, used as it is: for commands and tests. `last` is the budget as last seen."""

    token: str = field(repr=False)
    credential: str = "static"
    last: RateLimit | None = None

    def lease(self, *, cost: int, resource: str) -> Lease:
        return Lease(token=self.token, credential=self.credential, resource=resource, cost=cost)

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        if limit is not None:
            self.last = limit

    def refused(self, lease: Lease) -> bool:
        return False


def sent_with(tokens: TokenSource, send: Callable[[Lease], T], *, cost: int, resource: str) -> T:
    """What `send` returns for a leased token; where GitHub refuses the token, once more with each other there is."""
    for _ in range(MOST_TOKENS - 1):
        lease = tokens.lease(cost=cost, resource=resource)
        try:
            return send(lease)
        except BadCredentials:
            if not tokens.refused(lease):
                raise
    return send(tokens.lease(cost=cost, resource=resource))

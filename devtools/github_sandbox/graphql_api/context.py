"""What the resolvers of one request may know."""

from __future__ import annotations

from dataclasses import dataclass, field

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.rules import Refusal
from devtools.github_sandbox.world import Repository, World


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
    headers: dict[str, str] = field(default_factory=dict)
    """What resolvers add to the answer's headers."""

    def refusal(self, repository: Repository) -> Fault | None:
        """Why the bearer gets nothing of a repository that exists for them."""
        return self._denied(self.session.rules.of_repository(self.session, repository))

    def refusal_of_owner(self, owner: Account) -> Fault | None:
        return self._denied(self.session.rules.of_owner(self.session, owner))

    def _denied(self, refusal: Refusal | None) -> Fault | None:
        if refusal is None:
            return None
        if refusal.sso:
            self.headers["X-GitHub-SSO"] = refusal.sso
        more = {"saml_failure": True} if refusal.saml else {}
        return Fault(refusal.type, refusal.message, **more)

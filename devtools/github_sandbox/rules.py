"""What GitHub refuses to a token beyond scopes and roles: single sign-on, IP allow lists, takedowns, hidden
repositories, and permissions that an App or a fine-grained token was not given."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from devtools.github_sandbox.access import Session
    from devtools.github_sandbox.entities import Account
    from devtools.github_sandbox.world import Repository

Kind = Literal["sso", "ip_allow_list", "hidden", "blocked", "forbidden", "suspended"]
EVERYBODY = "*"
NO_ACCESS = "Resource not accessible by integration"
SUSPENDED = "This installation has been suspended"
_CHECKS = r"/commits/[^/]+/(?:check-runs|check-suites|status|statuses)$"
_PATHS: dict[str, str] = {
    "statusCheckRollup": _CHECKS,
    "checkSuites": _CHECKS,
    "files": r"/pulls/\d+/files$",
    "commits": r"/pulls/\d+/commits$",
    "reviews": r"/pulls/\d+/reviews$",
    "reviewThreads": r"/pulls/(?:\d+/)?comments$",
    "comments": r"/issues/\d+/comments$",
    "timelineItems": r"/issues/\d+/(?:timeline|events)$",
    "deployments": r"/deployments(?:/\d+(?:/statuses)?)?$",
    "closingIssuesReferences": r"/issues/\d+$",
    "pullRequests": r"/pulls(?:/\d+(?:/.*)?)?$",
}
"""REST's paths of what GraphQL calls so."""


class Rule(NamedTuple):
    kind: Kind
    target: int | str
    """The id of the organisation or repository it is about; of `forbidden` the name of GraphQL's field."""
    who: str
    """A token, a login (a person's, or the organisation of an installation), or `*`."""


@dataclass(frozen=True)
class Refusal:
    """A "no" in both APIs' words: `type` and `extensions` are GraphQL's, `status`, `header` and `more` REST's."""

    status: int
    message: str
    type: str = "FORBIDDEN"
    saml: bool = False
    sso: str = ""
    """The value of X-GitHub-SSO."""
    block: str = ""
    """Why a repository is blocked: dmca, tos, …"""


class Rules:
    """All rules in force. Reading needs no lock: a change makes a new set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: frozenset[Rule] = frozenset()
        self._reasons: dict[int, str] = {}

    def put(self, rule: Rule, on: bool = True, reason: str = "") -> None:
        """Adds the rule, or takes it away. `reason`: why a repository is blocked."""
        with self._lock:
            self._rules = self._rules | {rule} if on else self._rules - {rule}
            if rule.kind == "blocked":
                self._reasons[int(rule.target)] = reason or "dmca"

    def __bool__(self) -> bool:
        return bool(self._rules)

    def holds(self, kind: Kind, target: int | str, session: Session) -> bool:
        if not self._rules:
            return False
        return any(Rule(kind, target, who) in self._rules for who in names_of(session))

    def hides(self, session: Session, repository: Repository) -> bool:
        """Whether the token may not know that the repository exists."""
        return self.holds("hidden", repository.database_id, session)

    def withholds(self, session: Session, owner: Account) -> bool:
        """Whether lists leave out what the organisation has; asked for by name it is refused in words."""
        number = owner.database_id
        return self.holds("sso", number, session) or self.holds("ip_allow_list", number, session)

    def of_owner(self, session: Session, owner: Account) -> Refusal | None:
        """What stands before everything of an organisation."""
        if self.holds("sso", owner.database_id, session):
            text = (
                "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this "
                "organization."
            )
            url = f"https://github.com/orgs/{owner.login}/sso?authorization_request=sandbox"
            return Refusal(403, text, saml=True, sso=f"required; url={url}")
        if self.holds("ip_allow_list", owner.database_id, session):
            return Refusal(
                403,
                f"Although you appear to have the correct authorization credentials, the `{owner.login}` organization "
                "has an IP allow list enabled, and your IP address is not permitted to access this resource.",
            )
        return None

    def of_repository(self, session: Session, repository: Repository) -> Refusal | None:
        """What stands before a repository that the token would see otherwise."""
        refusal = self.of_owner(session, repository.owner)
        if refusal is None and self.holds("blocked", repository.database_id, session):
            reason = self._reasons[repository.database_id]
            return Refusal(451, "Repository access blocked", block=reason)
        return refusal

    def forbidden(self, session: Session) -> frozenset[str]:
        """GraphQL's fields that the token has no permission for."""
        names = names_of(session)
        return frozenset(str(rule.target) for rule in self._rules if rule.kind == "forbidden" and rule.who in names)

    def forbids_path(self, session: Session, path: str) -> bool:
        """The same by the path of a REST request."""
        return any(re.search(_PATHS[field], path) for field in self.forbidden(session) if field in _PATHS)

    def suspends(self, session: Session) -> bool:
        """Whether the session is of an installation that its organisation has suspended."""
        return session.installation is not None and self.holds("suspended", session.installation.database_id, session)

    def partial(self, session: Session) -> list[int]:
        """The organisations that a list leaves out for want of single sign-on, by id."""
        names = set(names_of(session))
        return sorted(int(rule.target) for rule in self._rules if rule.kind == "sso" and rule.who in names)


def names_of(session: Session) -> tuple[str, ...]:
    """Under what names rules may know the bearer."""
    account = session.installation or session.account
    return (EVERYBODY, session.token, account.login) if account else (EVERYBODY, session.token)

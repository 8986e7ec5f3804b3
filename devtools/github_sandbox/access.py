"""Who a token is and what it may see: GitHub's scopes and roles as far as the sandbox knows them."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.rules import Rules
from devtools.github_sandbox.world import Repository, World

OWNER, READER, LONER = "sandbox-owner", "sandbox-reader", "sandbox-loner"
ALL_SCOPES = frozenset({"repo", "read:org", "read:user", "user:email", "admin:repo_hook", "admin:org_hook"})
Permission = Literal["ADMIN", "WRITE", "READ"]


@dataclass(frozen=True)
class Session:
    """The bearer of one request; `account` None is anonymous, or a GitHub App itself if `app`.

    `installation`: the organisation that an App's installation token is for; `expires` in epoch seconds.
    """

    account: Account | None
    scopes: frozenset[str]
    expires: float = math.inf
    installation: Account | None = None
    app: bool = False
    token: str = ""
    rules: Rules = field(default_factory=Rules)

    @property
    def budget_key(self) -> str:
        """Rate limits belong to the person or the installation, not to the token."""
        if self.installation is not None:
            return f"installation of {self.installation.login}"
        return self.account.login if self.account else "anonymous"

    def permission(self, repository: Repository) -> Permission | None:
        """What the person may do there; None where nothing but looking at what is public."""
        account = self.account
        if self.installation is not None:
            return "READ" if repository.owner is self.installation else None
        if account is None:
            return None
        if account.login == OWNER or repository.owner is account:
            return "ADMIN"
        role = repository.owner.role_of(account)
        if role is None:
            return None
        if account.login == READER:
            return "READ"
        return "ADMIN" if role == "ADMIN" else "WRITE"

    def sees(self, repository: Repository) -> bool:
        """Whether lists show the repository."""
        return self.reaches(repository) and not self.rules.withholds(self, repository.owner)

    def reaches(self, repository: Repository) -> bool:
        """Whether the repository exists for the bearer, be it refused for other reasons (`rules`)."""
        if self.rules.hides(self, repository):
            return False
        if not repository.is_private:
            return True
        allowed = "repo" in self.scopes or self.installation is not None
        return allowed and self.permission(repository) is not None

    def may_hook(self, repository: Repository) -> bool:
        """Whether hooks may be read and written: admin of the repository, with a scope for it."""
        return self.permission(repository) == "ADMIN" and bool(self.scopes & {"admin:repo_hook", "repo"})

    def organizations(self, world: World) -> list[Account]:
        account = self.account
        if account is None:
            return []
        mine = [each for each in world.accounts.values() if each.typename == "Organization" and each.role_of(account)]
        return [each for each in mine if not self.rules.withholds(self, each)]

    def repositories(self, world: World) -> list[Repository]:
        """What `/user/repos` lists: everything the person has a part in and the token shows."""
        listed = world.listed_repositories()
        return [each for each in listed if self.permission(each) is not None and self.sees(each)]


class Tokens:
    """The token strings the sandbox knows: the fixed ones and those that OAuth minted."""

    def __init__(self, world: World, clock: Callable[[], float] = time.time) -> None:
        self._world = world
        self._clock = clock
        self.rules = Rules()
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        for token, login, scopes in (
            ("sandbox-token", OWNER, ALL_SCOPES),
            ("sandbox-noorg", LONER, ALL_SCOPES),
            ("sandbox-noscope", OWNER, frozenset[str]()),
            ("sandbox-readonly", READER, frozenset({"repo", "read:org", "read:user"})),
        ):
            account = world.account(login)
            assert account is not None
            self._sessions[token] = Session(account, scopes, token=token, rules=self.rules)

    def session(self, token: str) -> Session | None:
        """Who bears the token; None for one that nobody has or that has expired."""
        with self._lock:
            session = self._sessions.get(token)
        return session if session is not None and session.expires > self._clock() else None

    def mint(
        self,
        account: Account,
        scopes: frozenset[str],
        prefix: str = "gho",
        *,
        expires: float = math.inf,
        installation: Account | None = None,
    ) -> str:
        token = f"{prefix}_{secrets.token_hex(18)}"
        with self._lock:
            self._sessions[token] = Session(account, scopes, expires, installation, token=token, rules=self.rules)
        return token

    def revoke(self, token: str) -> None:
        """From now on the token answers 401 Bad credentials."""
        with self._lock:
            self._sessions.pop(token, None)

    def revoke_all(self, account: Account) -> None:
        """All tokens of a person, who is gone."""
        with self._lock:
            self._sessions = {key: each for key, each in self._sessions.items() if each.account is not account}

    def rescope(self, who: str, *, remove: frozenset[str] = frozenset(), add: frozenset[str] = frozenset()) -> int:
        """Takes scopes from a token, or from all tokens of a login, or gives some; how many tokens that were."""
        with self._lock:
            mine = [key for key, each in self._sessions.items() if key == who or _is_of(each, who)]
            for key in mine:
                session = self._sessions[key]
                self._sessions[key] = replace(session, scopes=session.scopes - remove | add)
        return len(mine)


def _is_of(session: Session, login: str) -> bool:
    return session.account is not None and session.account.login == login


def add_sandbox_people(world: World) -> None:
    """The three people behind the fixed tokens; the first two belong to every organisation that has a repository."""
    owner = world.add_account("User", 9_000_000_001, OWNER, name="Sandbox Owner", email="owner@sandbox.test")
    reader = world.add_account("User", 9_000_000_002, READER, name="Sandbox Reader", email="reader@sandbox.test")
    world.add_account("User", 9_000_000_003, LONER, name="Sandbox Loner", email="loner@sandbox.test")
    for account in list(world.accounts.values()):
        if account.typename == "Organization" and account.repositories:
            world.add_member(account, owner, "ADMIN")
            world.add_member(account, reader, "MEMBER")

"""What a token is good for: whose it is, which organisations it opens, and which rights it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from django.conf import settings

from apps.integrations.github import lookups
from apps.integrations.github.errors import NotFound
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Identity
from apps.integrations.models import IntegrationCredential

# https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
REQUIRED_SCOPES = ("repo", "read:org")
HOOK_SCOPE = "admin:repo_hook"
REQUESTED_SCOPES = (*REQUIRED_SCOPES, "read:user", HOOK_SCOPE)
_IMPLIED = {
    "repo": ("public_repo",),
    "admin:org": ("write:org", "read:org"),
    "write:org": ("read:org",),
    "user": ("read:user", "user:email"),
    "admin:repo_hook": ("write:repo_hook", "read:repo_hook"),
}
_WHAT_FOR = {"repo": "read pull requests, also of private repositories", "read:org": "see the organisation's members"}


class AccessRefused(Exception):
    """The token cannot be used; the message says what to do."""


class OrganizationNotSeen(AccessRefused):
    """The token is good, and the organisation that was named is not among what it opens."""


@dataclass(frozen=True, slots=True)
class Account:
    """What can be connected: an organisation, or the person's own account."""

    id: int
    login: str
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """A token that was checked, with what it opens. `scopes` is None where the token has none to tell."""

    kind: str
    token: str = field(repr=False)
    identity_id: int
    identity_login: str
    scopes: tuple[str, ...] | None
    accounts: tuple[Account, ...]
    refresh_token: str = field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def organizations(self) -> tuple[Account, ...]:
        return tuple(account for account in self.accounts if not account.is_personal)

    @property
    def personal(self) -> Account:
        return next(account for account in self.accounts if account.is_personal)

    @property
    def notes(self) -> tuple[str, ...]:
        """What works only in part, in sentences."""
        if self.scopes is None:
            return (
                "A fine-grained token does not tell its permissions. It needs read access to Contents, Issues, Metadata"
                " and Pull requests, and to Webhooks (read and write) if webhooks should be registered.",
            )
        has = with_implied(self.scopes)
        notes = []
        if "repo" not in has:
            notes.append("Without the scope “repo” private repositories are not visible.")
        if HOOK_SCOPE not in has:
            notes.append(
                f"Without the scope “{HOOK_SCOPE}” webhooks may not be registered. Changes are asked for every ten"
                " minutes instead."
            )
        return tuple(notes)

    def account(self, account_id: int) -> Account | None:
        return next((account for account in self.accounts if account.id == account_id), None)

    def as_json(self) -> dict[str, Any]:
        """For `encryption.seal` only: it holds the token."""
        content = asdict(self)
        content["expires_at"] = self.expires_at.isoformat() if self.expires_at else None
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        expires_at, scopes = content["expires_at"], content["scopes"]
        return cls(
            **content
            | {
                "accounts": tuple(Account(**account) for account in content["accounts"]),
                "scopes": None if scopes is None else tuple(scopes),
                "expires_at": datetime.fromisoformat(expires_at) if expires_at else None,
            }
        )


def with_implied(scopes: Iterable[str]) -> frozenset[str]:
    has = set(scopes)
    for scope in scopes:
        has.update(_IMPLIED.get(scope, ()))
    return frozenset(has)


def missing_scopes(scopes: Iterable[str] | None) -> tuple[str, ...]:
    """The required scopes that are not there. `public_repo` serves for `repo` where everything is public."""
    if scopes is None:
        return ()
    has = with_implied(scopes)
    if "public_repo" in has:
        has |= {"repo"}
    return tuple(scope for scope in REQUIRED_SCOPES if scope not in has)


def check_token(
    token: str,
    *,
    rest: Rest,
    kind: str = IntegrationCredential.Kind.TOKEN,
    login: str = "",
    refresh_token: str = "",
    expires_at: datetime | None = None,
) -> GrantedAccess:
    """Ask GitHub who the token is and what it opens; `login` names an account that it might not list by itself.

    Raises AccessRefused when rights are missing, GitHubError when GitHub refuses or does not answer. Two to three
    requests; never inside a team's scope.
    """
    identity = lookups.whoami(rest)
    if missing := missing_scopes(identity.scopes):
        raise AccessRefused(_missing_text(missing))
    accounts = [Account(found.id, found.login) for found in lookups.organizations(rest)]
    accounts.append(Account(identity.id, identity.login, is_personal=True))
    if login and not any(account.login.lower() == login.lower() for account in accounts):
        accounts.insert(0, _named(rest, identity, login))
    return GrantedAccess(
        kind=kind,
        token=token,
        identity_id=identity.id,
        identity_login=identity.login,
        scopes=None if identity.scopes is None else tuple(sorted(identity.scopes)),
        accounts=tuple(accounts),
        refresh_token=refresh_token,
        expires_at=expires_at,
    )


def check_account(account: Account, *, rest: Rest) -> None:
    """Ask for one page of the account's repositories, before anything is stored. Raises GitHubError: single sign-on, an
    address list, a missing permission. One request; never inside a scope.
    """
    next(lookups.list_repositories(rest, "" if account.is_personal else account.login), None)


def _named(rest: Rest, identity: Identity, login: str) -> Account:
    """An organisation that the token does not list: fine-grained tokens never list theirs. Somebody who is no member
    of an organisation can still look it up, so a token that does tell its scopes has to list it.
    """
    unseen = OrganizationNotSeen(
        f"The token of {identity.login} does not see the organisation “{login}”. Check the name, that {identity.login}"
        f" is a member, and that the organisation lets the token in ({settings.GITHUB_WEB_URL}/settings/tokens)."
    )
    if identity.scopes is not None:
        raise unseen
    try:
        found = lookups.get_organization(rest, login)
    except NotFound as error:
        raise unseen from error
    return Account(found.id, found.login)


def _missing_text(missing: tuple[str, ...]) -> str:
    named = " and ".join(f"“{scope}” (to {_WHAT_FOR[scope]})" for scope in missing)
    scopes = "scope" if len(missing) == 1 else "scopes"
    return (
        f"GitHub did not grant the {scopes} {named}. Make a token with the scopes {', '.join(REQUIRED_SCOPES)}"
        f" and, for webhooks, {HOOK_SCOPE}."
    )

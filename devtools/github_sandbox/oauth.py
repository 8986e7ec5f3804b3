"""GitHub's OAuth web flow: a page to choose a person from, one-time codes, PKCE, refresh tokens.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from devtools.github_sandbox.access import Tokens
from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.world import World

CODE_SECONDS = 600
TOKEN_SECONDS = 28_800
REFRESH_SECONDS = 15_897_600
_DOCS = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"


@dataclass(frozen=True)
class Client:
    """An OAuth app. `expiring`: its tokens expire and come with a refresh token."""

    id: str
    secret: str
    expiring: bool = False


@dataclass(frozen=True)
class Grant:
    client_id: str
    account: Account
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    expires: float


class OAuthError(Exception):
    """An answer of the token endpoint: 200 with `error`, as GitHub has it."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": code, "error_description": description, "error_uri": f"{_DOCS}#{code.replace('_', '-')}"}


class OAuth:
    def __init__(
        self, world: World, tokens: Tokens, clients: list[Client], clock: Callable[[], float] = time.time
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._clients = {client.id: client for client in clients}
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}

    def people(self) -> list[Account]:
        """Who can be chosen: the sandbox's own three, then members of organisations."""
        users = [account for account in self._world.accounts.values() if account.typename == "User"]
        own = [account for account in users if account.login.startswith("sandbox-")]
        members = {member.account.login for org in self._world.accounts.values() for member in org.members}
        return own + [account for account in users if account.login in members and account not in own][:12]

    def knows(self, client_id: str) -> bool:
        return client_id in self._clients

    def page(self, asked: Mapping[str, str]) -> str:
        """The consent page. A scope, a person, approve or deny."""
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
            for key, value in asked.items()
        )
        people = "".join(
            f'<label><input type="radio" name="login" value="{html.escape(person.login)}"'
            f"{' checked' if not index else ''}> "
            f"{html.escape(person.login)} <small>{html.escape(person.name or '')}</small></label><br>"
            for index, person in enumerate(self.people())
        )
        scope = html.escape(asked.get("scope") or "none (public data only)")
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Authorize · sandbox GitHub</title>'
            '<body style="font:16px system-ui;max-width:36rem;margin:3rem auto">'
            f"<h1>Authorize {html.escape(asked.get('client_id', ''))}</h1><p>Scopes: {scope}</p>"
            f'<form method="post" action="/login/oauth/authorize">{hidden}<fieldset><legend>Sign in as</legend>{people}'
            '</fieldset><p><button name="decision" value="approve">Authorize</button> '
            '<button name="decision" value="deny">Cancel</button></p></form></body></html>'
        )

    def decide(self, asked: Mapping[str, str]) -> str:
        """Where the browser goes after the decision: `redirect_uri` with a code, or with `error=access_denied`."""
        target = asked.get("redirect_uri", "")
        if asked.get("decision") != "approve":
            answer = {"error": "access_denied", "error_description": "The user has denied your application access."}
            return _with_query(target, answer | _state(asked))
        account = self._world.account(asked.get("login", ""))
        if account is None:
            return _with_query(target, {"error": "access_denied"} | _state(asked))
        scopes = frozenset((asked.get("scope") or "").replace(",", " ").split())
        code = self.grant(asked.get("client_id", ""), account, scopes, target, asked.get("code_challenge", ""))
        return _with_query(target, {"code": code} | _state(asked))

    def grant(
        self, client_id: str, account: Account, scopes: frozenset[str], redirect_uri: str = "", challenge: str = ""
    ) -> str:
        """A code good for ten minutes and one exchange."""
        code = secrets.token_hex(10)
        grant = Grant(client_id, account, scopes, redirect_uri, challenge, self._clock() + CODE_SECONDS)
        with self._lock:
            self._codes[code] = grant
        return code

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint's answer. Raises OAuthError."""
        client = self._clients.get(form.get("client_id", ""))
        if client is None or not hmac.compare_digest(client.secret.encode(), form.get("client_secret", "").encode()):
            raise OAuthError("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
        kind = form.get("grant_type") or "authorization_code"
        if kind == "refresh_token":
            return self._issue(client, self._refreshed(client, form.get("refresh_token", "")))
        if kind != "authorization_code":
            raise OAuthError("unsupported_grant_type", "The grant_type is not supported.")
        return self._issue(client, self._exchanged(client, form))

    def _exchanged(self, client: Client, form: Mapping[str, str]) -> Grant:
        with self._lock:
            grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.client_id != client.id or grant.expires <= self._clock():
            raise OAuthError("bad_verification_code", "The code passed is incorrect or expired.")
        redirect = form.get("redirect_uri")
        if redirect and grant.redirect_uri and redirect != grant.redirect_uri:
            raise OAuthError(
                "redirect_uri_mismatch",
                "The redirect_uri MUST match the registered callback URL for this application.",
            )
        if grant.challenge and not hmac.compare_digest(challenge_of(form.get("code_verifier", "")), grant.challenge):
            raise OAuthError("bad_verification_code", "The code passed is incorrect or expired.")
        return grant

    def _refreshed(self, client: Client, token: str) -> Grant:
        with self._lock:
            grant = self._refresh.pop(token, None)  # single use
        if grant is None or grant.client_id != client.id or grant.expires <= self._clock():
            raise OAuthError("bad_refresh_token", "The refresh token passed is incorrect or expired.")
        return grant

    def _issue(self, client: Client, grant: Grant) -> dict[str, Any]:
        expires = self._clock() + TOKEN_SECONDS if client.expiring else math.inf
        token = self._tokens.mint(grant.account, grant.scopes, "ghu" if client.expiring else "gho", expires=expires)
        answer: dict[str, Any] = {
            "access_token": token,
            "scope": ",".join(sorted(grant.scopes)),
            "token_type": "bearer",
        }
        if client.expiring:
            refresh = f"ghr_{secrets.token_hex(30)}"
            until = self._clock() + REFRESH_SECONDS
            with self._lock:
                self._refresh[refresh] = Grant(client.id, grant.account, grant.scopes, "", "", until)
            answer |= {
                "expires_in": TOKEN_SECONDS,
                "refresh_token": refresh,
                "refresh_token_expires_in": REFRESH_SECONDS,
            }
        return answer


def challenge_of(verifier: str) -> str:
    """PKCE's S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _state(asked: Mapping[str, str]) -> dict[str, str]:
    return {"state": asked["state"]} if asked.get("state") else {}


def _with_query(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *more.items()])))

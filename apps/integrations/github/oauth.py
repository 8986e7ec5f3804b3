"""The OAuth web flow: where to send the browser, and what its code is good for.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson

from apps.integrations.github import classify
from apps.integrations.github.errors import GitHubError, QueryTooHeavy, Unavailable
from apps.integrations.github.transport import Transport
from apps.integrations.github.types import Raw, TokenGrant

SCOPES = ("repo", "read:org", "read:user", "admin:repo_hook")
"""`repo` is GitHub's only scope for private pull requests; `admin:repo_hook` creates the webhooks."""

ACCESS_TOKEN_PATH = "/login/oauth/access_token"  # noqa: S105


class OAuthError(GitHubError):
    """The sign-in at GitHub did not work out."""


class CodeExpired(OAuthError):
    """The code was used already, is older than ten minutes, or was made for somebody else."""

    def __init__(self) -> None:
        super().__init__("GitHub's code has expired or was used already. Start again.")


class RefreshTokenExpired(OAuthError):
    """The refresh token was used already or is too old: the user has to authorise again."""

    def __init__(self) -> None:
        super().__init__("The connection to GitHub has expired. Connect GitHub again.")


class ClientMisconfigured(OAuthError):
    """GitHub does not know this installation's client id and secret."""

    def __init__(self) -> None:
        super().__init__("GitHub does not accept this installation's client id and secret. Tell its operator.")


class RedirectMismatch(OAuthError):
    """The callback URL is not the one that the OAuth App is registered with."""

    def __init__(self) -> None:
        super().__init__("GitHub's OAuth App is registered with another callback URL. Tell the operator.")


class AccessDenied(OAuthError):
    """The user pressed Cancel."""

    def __init__(self) -> None:
        super().__init__("GitHub was not authorised. Nothing was connected.")


class SignInRefused(OAuthError):
    """Any other refusal, in GitHub's words."""

    def __init__(self, description: str) -> None:
        super().__init__(f"GitHub refused the sign-in: {description}")


NAMED = (
    ("bad_verification_code", CodeExpired),
    ("bad_refresh_token", RefreshTokenExpired),
    ("incorrect_client_credentials", ClientMisconfigured),
    ("redirect_uri_mismatch", RedirectMismatch),
    ("access_denied", AccessDenied),
)


def named_error(code: str, description: str = "") -> OAuthError:
    """The error that GitHub's `error` code means, in the callback's URL or in an answer."""
    for name, error in NAMED:
        if name == code:
            return error()
    return SignInRefused(description or code)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An OAuth App of a GitHub: `web_url` is https://github.com or the Enterprise Server's."""

    client_id: str
    client_secret: str = field(repr=False)
    web_url: str = "https://github.com"

    def authorize_url(self, *, redirect_uri: str, state: str, verifier: str, scopes: tuple[str, ...] = SCOPES) -> str:
        """Where to send the browser. `state` is bound to the session, `verifier` stays on the server (PKCE)."""
        query = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self.web_url.rstrip('/')}/login/oauth/authorize?{urlencode(query)}"

    def exchange(self, transport: Transport, *, code: str, redirect_uri: str, verifier: str) -> TokenGrant:
        """The tokens for a code; a code works once and for ten minutes."""
        return self._grant(transport, {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier})

    def refresh(self, transport: Transport, *, refresh_token: str) -> TokenGrant:
        """New tokens for a refresh token, which works once: the caller holds a lock."""
        return self._grant(transport, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _grant(self, transport: Transport, fields: Mapping[str, str]) -> TokenGrant:
        body = urlencode({"client_id": self.client_id, "client_secret": self.client_secret, **fields}).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        url = self.web_url.rstrip("/") + ACCESS_TOKEN_PATH
        try:
            response = transport.send("POST", url, headers=headers, body=body)
        except QueryTooHeavy as late:
            raise Unavailable("it did not answer in time") from late
        content = _content(response.body)
        if content.get("error"):
            raise named_error(str(content["error"]), str(content.get("error_description") or ""))
        if error := classify.failure(response.status, response.headers, response.body, now=datetime.now(UTC)):
            raise error
        if not content.get("access_token"):
            raise Unavailable("it answered without a token")
        return TokenGrant(
            access_token=content["access_token"],
            scopes=frozenset(filter(None, str(content.get("scope") or "").split(","))),
            refresh_token=content.get("refresh_token") or "",
            expires_in=content.get("expires_in"),
            refresh_token_expires_in=content.get("refresh_token_expires_in"),
        )


def new_verifier() -> str:
    """A PKCE code verifier (RFC 7636): 86 characters of 512 random bits."""
    return secrets.token_urlsafe(64)


def new_state() -> str:
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _content(body: bytes) -> Raw:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}

"""A GitHub App: its key, its JSON Web Tokens, its installations, one for each organisation with repositories.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devtools.github_sandbox.access import Session, Tokens
from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.world import World

MAX_JWT_SECONDS = 600
TOKEN_SECONDS = 3_600
CLOCK_SKEW_SECONDS = 60
PERMISSIONS = {"checks": "read", "contents": "read", "members": "read", "metadata": "read", "pull_requests": "read"}


class GitHubApp:
    """`id` and `private_key` are what a product is configured with; the key is made when it is first asked for."""

    id = 424_242
    slug = "sandbox-app"
    client_id = "sandbox-expiring-app"

    def __init__(self, world: World, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._world = world
        self._tokens = tokens
        self._clock = clock
        self._installed: list[Account] = []
        self.bot = world.add_account("Bot", 9_000_000_009, f"{self.slug}[bot]")

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    @property
    def private_key(self) -> str:
        """PEM, as GitHub gives it out."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def accepts(self, jwt: str) -> bool:
        """Whether the token is the App's own: RS256, its issuer, not from the future, good for ten minutes at most."""
        try:
            head, body, signature = jwt.split(".")
            self._key.public_key().verify(_bytes(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())
            algorithm, claims = orjson.loads(_bytes(head)).get("alg"), orjson.loads(_bytes(body))
        except (ValueError, binascii.Error, InvalidSignature):
            return False
        now = self._clock()
        return (
            algorithm == "RS256"
            and str(claims.get("iss")) in (str(self.id), self.client_id)
            and float(claims.get("iat", 0)) <= now + CLOCK_SKEW_SECONDS
            and now < float(claims.get("exp", 0)) <= now + MAX_JWT_SECONDS + CLOCK_SKEW_SECONDS
        )

    def installations(self) -> dict[int, Account]:
        """The organisations it is installed in, by installation id: every one that has a repository, or had one."""
        for each in list(self._world.accounts.values()):
            if each.typename == "Organization" and each.repositories and each not in self._installed:
                self._installed.append(each)
        return {70_000_000 + index: account for index, account in enumerate(self._installed)}

    def token(self, installation: int) -> dict[str, Any]:
        """A token for the installation, good for an hour. Raises KeyError if there is no such installation."""
        account = self.installations()[installation]
        expires = self._clock() + TOKEN_SECONDS
        token = self._tokens.mint(self.bot, frozenset(), "ghs", expires=expires, installation=account)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
        return {"token": token, "expires_at": moment, "permissions": PERMISSIONS, "repository_selection": "all"}

    def session(self) -> Session:
        """The App itself, which may list its installations and mint their tokens."""
        return Session(None, frozenset(), app=True)


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

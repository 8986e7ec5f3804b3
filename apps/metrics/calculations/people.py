"""Who counts: bots, deleted accounts, and when two accounts are one person (docs/metrics.md, "Who counts")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from apps.metrics.records import Account

BotRule: TypeAlias = Callable[[Account | None], bool]

# REST and webhooks put this user in the place of a deleted one; GraphQL leaves the place empty.
GHOST = "ghost"


def default_rule(account: Account | None) -> bool:
    """Whether the source itself says that this account is a bot. A deleted account counts as human."""
    return account is not None and (account.is_bot or account.login.lower().endswith("[bot]"))


def person_of(account: Account | None) -> str | None:
    """A key that is equal for one person: the login without case; None for every deleted account."""
    if account is None:
        return None
    login = account.login.lower()
    return None if login == GHOST else login

"""The small things that every record is made of: text, numbers, instants, accounts."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.integrations.github.types import Raw
from apps.metrics.records import Account

GHOST = "ghost"
"""Who GitHub names where an account was deleted; GraphQL gives null, REST sometimes this."""

BOT_SUFFIX = "[bot]"


LONGEST_PATH = 2_600
"""Bytes."""


def text(value: str | None) -> str:
    """Text that PostgreSQL can store: it takes neither NUL nor half of a surrogate pair."""
    if not value:
        return ""
    if "\x00" in value:
        value = value.replace("\x00", "")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def path(value: str | None) -> str:
    """A file's, as much of it as an index of PostgreSQL takes (2,704 bytes of a row): Git knows longer ones."""
    whole = text(value)
    return whole if len(whole) <= LONGEST_PATH // 4 else whole.encode()[:LONGEST_PATH].decode("utf-8", "ignore")


def number(value: str | int | None) -> int | None:
    """An id; GraphQL gives 64-bit ones as strings."""
    return None if value is None else int(value)


def instant(value: str | None) -> datetime | None:
    """A moment in UTC, to the second; None for none and for years that no calendar has (git takes any)."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=0) if moment.microsecond else moment


def moment(value: str) -> datetime:
    """An instant that GitHub always gives."""
    found = instant(value)
    if found is None:
        raise ValueError(f"not an instant: {value!r}")
    return found


def account(actor: Raw | None) -> Account | None:
    """Who did it, None for a deleted account. Bots have REST's spelling (`dependabot[bot]`) in GraphQL too."""
    if not actor:
        return None
    login = actor.get("login") or ""
    if not login or login.lower() == GHOST:
        return None
    identity = actor.get("user") or actor  # an EnterpriseUserAccount wraps the user
    is_bot = actor.get("__typename") == "Bot" or login.endswith(BOT_SUFFIX)
    return Account(
        id=identity.get("databaseId"),
        login=login if not is_bot or login.endswith(BOT_SUFFIX) else login + BOT_SUFFIX,
        node_id=identity.get("id") or "",
        name=text(actor.get("name")),
        avatar_url=actor.get("avatarUrl") or "",
        is_bot=is_bot,
    )


class Accounts:
    """The accounts of one pull request, each made once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Account | None] = {}

    def __call__(self, actor: Raw | None) -> Account | None:
        if not actor:
            return None
        key = actor.get("id") or actor.get("login") or ""
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = account(actor)
            return found

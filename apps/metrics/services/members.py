"""Accounts of the source as the team's members, and who of them counts as a bot (docs/metrics.md, "Who counts")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.copy_upsert import copy_upsert
from apps.metrics.calculations.people import default_rule, person_of
from apps.metrics.models import TeamMember
from apps.metrics.records import Account, PullRequestRecord
from apps.teams.scope import required_team_id

_UPDATE = ("login", "node_id", "name", "avatar_url", "is_bot")


@dataclass(frozen=True, slots=True)
class Members:
    """The members behind some accounts. Callable, as the `is_bot` of the calculations: the team's mark wins over the
    source's word and the login's "[bot]"; a deleted account is human. By the source's ids.
    """

    ids: Mapping[int, int]
    bots: Mapping[int, bool]

    def id_of(self, account: Account | None) -> int | None:
        """The member's primary key; None for deleted accounts and those of which only a name is known."""
        return None if account is None or account.id is None else self.ids.get(account.id)

    def __call__(self, account: Account | None) -> bool:
        if account is not None and account.id is not None and (is_bot := self.bots.get(account.id)) is not None:
            return is_bot
        return default_rule(account)


def ensure_members(accounts: Iterable[Account]) -> dict[int, int]:
    """Store `accounts` and answer the source's id -> primary key of the member. See `resolve_members`."""
    return dict(resolve_members(accounts).ids)


def marked_bots() -> Members:
    """What the team marked, for accounts that were read from stored members. One statement."""
    marks = TeamMember.objects.filter(team_id=required_team_id()).exclude(marked_bot=None)
    return Members(ids={}, bots=dict(marks.values_list("github_user_id", "marked_bot")))


def resolve_members(accounts: Iterable[Account]) -> Members:
    """Store accounts that are new or changed (renames are followed, the team's marks kept). One statement where
    nothing changed, else three. Accounts without an id, and the source's stand-in for deleted ones, have no member.
    """
    wanted: dict[int, Account] = {}
    for account in accounts:
        if account.id is not None and (known := wanted.get(account.id)) is not account:
            wanted[account.id] = account if known is None else _merged(known, account)
    wanted = {id_: account for id_, account in wanted.items() if person_of(account) is not None}
    stored = _stored(wanted)
    rows = [row for id_, account in wanted.items() if (row := _change(account, stored.get(id_))) is not None]
    if rows:
        copy_upsert(TeamMember, rows, conflict=["team", "github_user_id"], update=_UPDATE)
        stored = _stored(wanted)
    return Members(
        ids={id_: member["id"] for id_, member in stored.items()},
        bots={
            id_: member["is_bot"] if member["marked_bot"] is None else member["marked_bot"]
            for id_, member in stored.items()
        },
    )


def accounts_of(record: PullRequestRecord) -> Iterator[Account]:
    """Everybody who has a part in a pull request, as often as they have one."""
    everybody: list[Account | None] = [record.author, record.merged_by, *(record.assignees or ())]
    everybody += [review.author for review in record.reviews or ()]
    everybody += [comment.author for comment in record.issue_comments or ()]
    everybody += [comment.author for comment in record.review_comments or ()]
    everybody += [thread.resolved_by for thread in record.threads or ()]
    for commit in record.commits or ():
        everybody += (commit.author, commit.committer)
    for event in record.events or ():
        everybody += (event.actor, event.subject_account)
    return (account for account in everybody if account is not None)


def _stored(wanted: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Served by team_member_key."""
    members = TeamMember.objects.filter(team_id=required_team_id(), github_user_id__in=list(wanted))
    return {row["github_user_id"]: row for row in members.values("id", "github_user_id", "marked_bot", *_UPDATE)}


def _merged(one: Account, other: Account) -> Account:
    """Sources tell more or less of an account, depending on where they mention it."""
    return Account(
        one.id,
        other.login,
        other.node_id or one.node_id,
        other.name or one.name,
        other.avatar_url or one.avatar_url,
        one.is_bot or other.is_bot,
    )


def _change(account: Account, stored: dict[str, Any] | None) -> dict[str, Any] | None:
    """The row to write; None where it says nothing new. What an account leaves open keeps what is known."""
    row = {
        "github_user_id": account.id,
        "login": account.login[:100],
        "node_id": account.node_id,
        "name": account.name[:255],
        "avatar_url": account.avatar_url[:500],
        "is_bot": default_rule(account),
    }
    if stored is None:
        return row
    row.update({name: row[name] or stored[name] for name in _UPDATE})
    if _address(account.avatar_url) == _address(stored["avatar_url"]):
        row["avatar_url"] = stored["avatar_url"]
    return row if any(row[name] != stored[name] for name in _UPDATE) else None


def _address(picture: str) -> str:
    """Which picture it is: what follows differs between the source's ways to ask for the same one (size, version)."""
    return picture.partition("?")[0]

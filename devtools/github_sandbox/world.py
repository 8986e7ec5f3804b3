"""The sandbox's world in memory: accounts, repositories and what they hold, found by name, id or node id.

The contents of a repository may come from a loader that runs when somebody first looks, so that an organisation of
thousands of repositories costs nothing until one of them is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from devtools.github_sandbox.contents import ORDER_KEYS, Contents
from devtools.github_sandbox.entities import Account, Membership
from devtools.github_sandbox.ids import node_id, scope_of

__all__ = ["ORDER_KEYS", "Contents", "Repository", "World"]


@dataclass(eq=False)
class Repository:
    database_id: int
    id: str
    owner: Account
    name: str
    default_branch: str = "main"
    is_private: bool = False
    is_fork: bool = False
    is_archived: bool = False
    is_disabled: bool = False
    is_locked: bool = False
    description: str | None = None
    language: str | None = None
    created_at: str = "2020-01-01T00:00:00Z"
    updated_at: str = "2020-01-01T00:00:00Z"
    pushed_at: str | None = None
    parent: Repository | None = None
    foresee: Callable[[], dict[str, int]] | None = None
    """Pull requests per state as the loader will make them: answers counts without loading."""
    loader: Callable[[Repository, Contents], None] | None = None
    make_contents: Callable[[Repository], Contents] | None = None
    """Makes contents that load themselves, instead of `loader`."""
    typename: str = "Repository"
    _contents: Contents | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def is_loaded(self) -> bool:
        return self._contents is not None

    @property
    def contents(self) -> Contents:
        contents = self._contents
        if contents is None:
            with self._lock:
                contents = self._contents
                if contents is None:
                    contents = self.make_contents(self) if self.make_contents is not None else Contents()
                    if self.loader is not None and self.make_contents is None:
                        self.loader(self, contents)
                    self._contents = contents
        return contents

    def count_pulls(self, states: Iterable[str] | None = None) -> int:
        """How many pull requests are in `states` (None: in any)."""
        if self._contents is None and self.foresee is not None:
            counts = self.foresee()
            return sum(counts.get(state, 0) for state in (counts if states is None else states))
        return self.contents.count(states)


class World:
    """All accounts and repositories. Whoever reads or changes more than one thing holds `lock`. `made` counts every
    repository that there ever was.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.repositories: dict[int, Repository] = {}
        self._by_name: dict[str, Repository] = {}
        self._old_names: dict[str, Repository] = {}
        self._nodes: dict[str, Any] = {}
        self.made = 0
        self._next_id = 300_000_000_000  # past 2^31, and past all that is there: GitHub's ids grow with time

    def new_id(self) -> int:
        with self.lock:
            self._next_id += 7
            return self._next_id

    def account(self, login: str) -> Account | None:
        return self.accounts.get(login.lower())

    def add_account(self, typename: str, database_id: int, login: str, node: str | None = None, **more: Any) -> Account:
        """The account of that login, made if there is none yet."""
        known = self.account(login)
        if known is not None:
            return known
        prefix = {"Organization": "O", "Bot": "BOT", "Mannequin": "M"}.get(typename, "U")
        account = Account(typename, database_id, login, node or node_id(prefix, 0, database_id), **more)
        self.accounts[login.lower()] = account
        self._nodes[account.id] = account
        return account

    def add_member(self, organization: Account, account: Account, role: str = "MEMBER") -> None:
        if organization.role_of(account) is None:
            organization.members.append(Membership(account, role))

    def add_repository(self, repository: Repository, listed: bool = True) -> Repository:
        """`listed=False`: known to its id only, as the fork a pull request came from."""
        self.made += 1
        self.repositories[repository.database_id] = repository
        self._nodes[repository.id] = repository
        if listed:
            self._by_name[repository.full_name.lower()] = repository
            repository.owner.repositories.append(repository)
        return repository

    def add_node(self, entity: Any) -> None:
        self._nodes[entity.id] = entity

    def repository(self, full_name: str, follow_renames: bool = True) -> Repository | None:
        key = full_name.lower()
        found = self._by_name.get(key)
        if found is None and follow_renames:
            found = self._old_names.get(key)
        return found

    def listed_repositories(self) -> list[Repository]:
        return list(self._by_name.values())

    def rename(self, repository: Repository, owner: Account, name: str) -> None:
        """A rename or transfer: the old name goes on leading here, as GitHub's redirects do."""
        with self.lock:
            old = repository.full_name.lower()
            repository.owner.repositories.remove(repository)
            del self._by_name[old]
            repository.owner, repository.name = owner, name
            owner.repositories.append(repository)
            self._by_name[repository.full_name.lower()] = repository
            self._old_names[old] = repository

    def rename_account(self, account: Account, login: str) -> None:
        """The new login; repositories move along, and their old names go on leading to them."""
        with self.lock:
            moved = [each for each in account.repositories if self._by_name.get(each.full_name.lower()) is each]
            for repository in moved:
                old = repository.full_name.lower()
                del self._by_name[old]
                self._old_names[old] = repository
            del self.accounts[account.login.lower()]
            account.login = login
            self.accounts[login.lower()] = account
            for repository in moved:
                self._by_name[repository.full_name.lower()] = repository

    def delete_account(self, account: Account) -> None:
        """What the account wrote stays and has no author any more."""
        with self.lock:
            account.is_deleted = True
            self.accounts.pop(account.login.lower(), None)
            self._nodes.pop(account.id, None)
            for organization in self.accounts.values():
                organization.members = [each for each in organization.members if each.account is not account]
                for team in organization.teams:
                    team.members = [each for each in team.members if each.account is not account]

    def remove_repository(self, repository: Repository) -> None:
        with self.lock:
            self._by_name.pop(repository.full_name.lower(), None)
            self._old_names = {name: repo for name, repo in self._old_names.items() if repo is not repository}
            self.repositories.pop(repository.database_id, None)
            self._nodes.pop(repository.id, None)
            repository.owner.repositories.remove(repository)

    def node(self, node: str) -> Any | None:
        """Whatever has this node id; loads the repository it belongs to if need be."""
        found = self._nodes.get(node)
        if found is not None:
            return found
        scope = scope_of(node)
        if scope:
            repository = self.repositories.get(scope)
            return repository.contents.nodes.get(node) if repository is not None else None
        loaded = (repository.contents for repository in self.repositories.values() if repository.loader is None)
        return next((contents.nodes[node] for contents in loaded if node in contents.nodes), None)

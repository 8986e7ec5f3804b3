"""What an action gets: the request, and how things are found, made, stamped and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from devtools.github_sandbox.access import Tokens
from devtools.github_sandbox.entities import Account, PullRequest, TimelineEvent
from devtools.github_sandbox.hooks import Hooks, Owner
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.payloads import Payloads
from devtools.github_sandbox.world import Repository, World

Json = dict[str, Any]
Action = Callable[["Change"], Json]
A = TypeVar("A", bound=Action)
ACTIONS: dict[str, Action] = {}


class UnknownTarget(Exception):
    """No such repository, pull request, person or action."""


def action(name: str) -> Callable[[A], A]:
    """Registers what `{"action": name}` does."""

    def register(function: A) -> A:
        ACTIONS[name] = function
        return function

    return register


@dataclass(frozen=True)
class Change:
    world: World
    hooks: Hooks
    payloads: Payloads
    tokens: Tokens
    now: str
    request: Json

    @property
    def silent(self) -> bool:
        """It happens behind everybody's back: no `updated_at` moves, no hook is told."""
        return bool(self.request.get("silent"))

    @property
    def repository(self) -> Repository:
        found = self.world.repository(str(self.request.get("repo", "")))
        if found is None:
            raise UnknownTarget(f"no repository {self.request.get('repo')}")
        return found

    @property
    def pull(self) -> PullRequest:
        repository = self.repository
        found = repository.contents.pin(int(self.request.get("number") or 0))
        if found is None:
            raise UnknownTarget(f"no pull request {self.request.get('number')} in {repository.full_name}")
        return found

    def person(self, key: str = "author") -> Account:
        """Whoever the request names below `key`; by default a member of the organisation, or the owner."""
        login = self.request.get(key)
        if login:
            return self.account(str(login))
        owner = self.repository.owner
        members = [each.account for each in owner.members if not each.account.login.startswith("sandbox-")]
        return members[0] if members else owner

    def account(self, login: str) -> Account:
        found = self.world.account(login)
        if found is None:
            raise UnknownTarget(f"nobody is called {login}")
        return found

    def chosen(self, rows: list[Any], what: str) -> Any:
        """The row that `id` names (a database id), without it the last."""
        wanted = self.request.get("id")
        found = [row for row in rows if wanted is None or row.database_id == int(wanted)]
        if not found:
            raise UnknownTarget(f"no {what} {wanted or ''}".rstrip())
        return found[-1]

    def new(self, prefix: str, repository: Repository) -> tuple[int, str]:
        """A database id and its node id."""
        number = self.world.new_id()
        return number, node_id(prefix, repository.database_id, number)

    def touch(self, pull: PullRequest) -> str:
        """Stamps the pull request as updated, unless silent; the moment."""
        if not self.silent:
            pull.updated_at = self.now
            pull.repository.contents.changed()
        return self.now

    def event(self, pull: PullRequest, typename: str, kind: str, actor: Account | None, **details: Any) -> None:
        number, node = self.new("EV", pull.repository)
        event = TimelineEvent(typename, kind, number, node, self.now, actor, pull, details)
        pull.events.append(event)
        pull.repository.contents.nodes[node] = event

    def emit(self, owner: Owner, name: str, payload: Callable[[], Json]) -> int:
        """Tells the hooks; how many. The payload is only made if somebody is to be told."""
        if self.silent or not self.hooks.wanting(owner, name):
            return 0
        return self.hooks.emit(owner, name, payload())

    def tell(self, pull: PullRequest, action: str, sender: Account | None = None, **more: Any) -> Json:
        """The `pull_request` event, and the answer that most actions give."""
        told = self.emit(
            pull.repository, "pull_request", lambda: self.payloads.pull_request(pull, action, sender, **more)
        )
        return {"number": pull.number, "id": pull.database_id, "node_id": pull.id, "delivered": told}

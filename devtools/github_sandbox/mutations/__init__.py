"""Changes somebody makes on GitHub while the product watches: each alters the world, then sends its events."""

from __future__ import annotations

from collections.abc import Callable

from devtools.github_sandbox.access import Tokens
from devtools.github_sandbox.hooks import Hooks, utc_now
from devtools.github_sandbox.mutations import (  # noqa: F401  (each registers its actions)
    accounts,
    checks,
    conversation,
    permissions,
    pulls,
    removals,
    repositories,
    reviews,
)
from devtools.github_sandbox.mutations.change import ACTIONS, Change, Json, UnknownTarget
from devtools.github_sandbox.payloads import Payloads
from devtools.github_sandbox.world import World

__all__ = ["ACTIONS", "Change", "Mutations", "UnknownTarget"]


class Mutations:
    """`apply` runs one change; `now` stamps it."""

    def __init__(
        self,
        world: World,
        hooks: Hooks,
        payloads: Payloads,
        now: Callable[[], str] = utc_now,
        tokens: Tokens | None = None,
    ) -> None:
        self._world = world
        self._hooks = hooks
        self._payloads = payloads
        self._now = now
        self._tokens = tokens or Tokens(world)

    def apply(self, request: Json) -> Json:
        """One change: `action`, mostly `repo` and `number`, and what the action takes (README.md has the list).

        `silent`: nothing is stamped and nobody is told. Answers the ids and how many hooks were told. No request is
        answered meanwhile. Raises UnknownTarget.
        """
        action = ACTIONS.get(str(request.get("action", "")))
        if action is None:
            raise UnknownTarget(f"no action {request.get('action')}")
        with self._world.lock:
            return action(Change(self._world, self._hooks, self._payloads, self._tokens, self._now(), request))

"""The sandbox's parts put together: one world and everything that answers from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from devtools.github_sandbox.access import Tokens, add_sandbox_people
from devtools.github_sandbox.faults import Faults
from devtools.github_sandbox.github_app import GitHubApp
from devtools.github_sandbox.graphql_api.service import GraphQLService
from devtools.github_sandbox.hooks import Hooks
from devtools.github_sandbox.limits import Limits
from devtools.github_sandbox.mutations import Mutations, UnknownTarget
from devtools.github_sandbox.oauth import Client, OAuth
from devtools.github_sandbox.payloads import Payloads
from devtools.github_sandbox.rest_api.check_shapes import AllShapes
from devtools.github_sandbox.stats import Stats
from devtools.github_sandbox.world import World

DEFAULT_CLIENTS = (
    Client("sandbox-oauth-app", "sandbox-oauth-secret"),
    Client("sandbox-expiring-app", "sandbox-oauth-secret", expiring=True),
)


class Sandbox:
    """`clock` (epoch seconds) decides when budgets are full again and when codes and tokens expire."""

    def __init__(
        self,
        world: World,
        *,
        latency_ms: int = 0,
        clients: Sequence[Client] = DEFAULT_CLIENTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        add_sandbox_people(world)
        self.world = world
        self.latency_ms = latency_ms
        self.stats = Stats()
        self.faults = Faults()
        self.limits = Limits(clock)
        self.tokens = Tokens(world, clock)
        self.oauth = OAuth(world, self.tokens, list(clients), clock)
        self.app = GitHubApp(world, self.tokens, clock)
        self.hooks = Hooks(world)
        self.graphql = GraphQLService(world, self.limits)
        self.shapes = AllShapes("", "")
        owner = self.tokens.session("sandbox-token")
        assert owner is not None
        self.payloads = Payloads(self.shapes, owner)
        self.mutations = Mutations(world, self.hooks, self.payloads, tokens=self.tokens)

    def listens_at(self, url: str) -> None:
        """Webhook payloads carry this address, as they have no request to take it from."""
        self.shapes.api_url = self.shapes.web_url = url

    def deliver(self, request: dict[str, Any]) -> int:
        """Sends an event as it is (`payload`), or a pull request's (`number`, `action`), to the repository's hooks.

        Returns how many hooks were told. Raises UnknownTarget.
        """
        repository = self.world.repository(str(request.get("repo", "")))
        if repository is None:
            raise UnknownTarget(f"no repository {request.get('repo')}")
        event = str(request.get("event") or "pull_request")
        payload = request.get("payload")
        if payload is None:
            pull = repository.contents.pulls.get(int(request.get("number") or 0))
            if event != "pull_request" or pull is None:
                raise UnknownTarget("without a payload, a pull_request event needs the number of one")
            payload = self.payloads.pull_request(pull, str(request.get("action") or "edited"))
        return self.hooks.emit(repository, event, payload)

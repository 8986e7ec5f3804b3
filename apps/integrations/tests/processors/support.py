"""A GitHub that tells of what happens there, and what is stored of it, for tests of single events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from apps.integrations.processors import Reason
from apps.integrations.tests.webhook_support import hook_at
from apps.metrics.models import PullRequest
from apps.teams.scope import team_scope
from devtools.github_sandbox.mutations import Mutations
from devtools.github_sandbox.sandbox import Sandbox
from devtools.github_sandbox.server import build_world

SHOP = "acme/shop"
Event = tuple[str, dict[str, Any]]


class GitHub:
    """A GitHub whose clock goes on by ten seconds with each change; `tell` answers the events that it told."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(build_world(None, ["acme:shop:3:7"]))
        self.sandbox.listens_at("https://github.test")
        self.at = timezone.now().replace(microsecond=0) - timedelta(hours=2)
        parts = (self.sandbox.world, self.sandbox.hooks, self.sandbox.payloads)
        self.mutations = Mutations(*parts, now=self._now, tokens=self.sandbox.tokens)
        self.hook = hook_at(self.sandbox, SHOP)
        logins = [member.account.login for member in self.sandbox.world.account("acme").members]
        self.somebody = [login for login in logins if not login.startswith("sandbox-")][1]  # the first one opens them

    def _now(self) -> str:
        self.at += timedelta(seconds=10)
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def tell(self, action, **more) -> list[Event]:
        self.mutations.apply({"repo": self.hook.owner.full_name, "action": action, **more})
        told = [(each.event, orjson.loads(each.payload)) for each in reversed(self.hook.deliveries)]
        self.hook.deliveries.clear()
        return told


def the_pull_request(team, number) -> PullRequest:
    with team_scope(team.pk):
        return PullRequest.objects.select_related("author", "merged_by").get(number=number)


def present(team, model, **which) -> list[Any]:
    with team_scope(team.pk):
        return list(model.objects.filter(gone_at=None, **which).order_by("pk"))


def reasons(came_of) -> list[Reason]:
    return [need.reason for processed in came_of for need in processed.needs]


def fetched_whole(team, **when) -> None:
    with team_scope(team.pk):
        PullRequest.objects.update(whole_at=timezone.now())

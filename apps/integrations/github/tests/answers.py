"""What GitHub's GraphQL answers, well or badly, and the client that gets these answers in turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from apps.integrations.github.access import StaticToken
from apps.integrations.github.errors import GitHubError
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.tests.world import graphql_over
from apps.integrations.github.transport import Response

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RESET = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
BUDGET = {"limit": 5000, "remaining": 4998, "used": 2, "resetAt": "2026-11-20T09:40:00Z", "cost": 2}
TOKEN = "gho_a_secret"


def answering(*answers: Response | Exception, sleeps: list[float] | None = None, **more: Any) -> GraphQL:
    """A client that gets these answers in turn, the last one for good."""
    waiting = list(answers)

    def answer(**request: Any) -> Response:
        following = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(following, Exception):
            raise following
        return following

    arguments = {
        "now": lambda: NOW,
        "sleep": (sleeps if sleeps is not None else []).append,
        "tokens": StaticToken(TOKEN),
    }
    return graphql_over(answer, **(arguments | more))


def ok(content: Any, **headers: str) -> Response:
    return Response(200, {name.replace("_", "-"): value for name, value in headers.items()}, orjson.dumps(content))


def refused(status: int, message: str = "", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, names, orjson.dumps({"message": message}))


def failing(*errors: dict[str, Any], data: Any = None, **headers: str) -> Response:
    return ok({"data": data, "errors": list(errors)}, **headers)


def raised(*answers: Response | Exception, operation: str = "deployments_by_ids", **variables: Any) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        answering(*answers).run(operation, **variables)
    assert TOKEN not in str(caught.value)
    return caught.value

"""Every payload that is sent has the shape GitHub publishes for its event."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devtools.github_sandbox.tests.conftest import ROOT, Client
from devtools.github_sandbox.tests.json_schema import problems
from devtools.published_schema import fetch_webhooks

ACTIONS = (
    "push",
    "review",
    "dismiss",
    "comment",
    "review_comment",
    "resolve",
    "check",
    "convert_to_draft",
    "ready_for_review",
    "edit",
    "close",
    "reopen",
    "merge",
    "deploy",
    "rename",
)


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    path = fetch_webhooks(Path(os.environ.get("TFORMANCE_VAR") or ROOT / "var"))
    if path is None:
        assert os.environ.get("CI") != "true", "the npm registry is needed for GitHub's webhook schemas"
        pytest.skip("without the npm registry there are none of GitHub's webhook schemas")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def schema_of(document: dict[str, Any], event: str, action: str | None) -> dict[str, Any]:
    hooks = document["webhooks"] if "webhooks" in document else document["x-webhooks"]
    name = event.replace("_", "-")
    found = hooks[f"{name}-{action.replace('_', '-')}" if action else name]
    schema: dict[str, Any] = found["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


def test_every_event_has_its_published_shape(own: Client, published: dict[str, Any]) -> None:
    config = {"url": "http://127.0.0.1:1/nobody", "content_type": "json"}
    own.post("/repos/acme/shop/hooks", {"config": config, "events": ["*"]})
    number = own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "open"}).json()["number"]
    for action in ACTIONS:
        own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": action, "number": number, "name": "tests"})
    own.server.hooks.drain()
    repository = own.server.world.repository("acme/tests")
    assert repository is not None
    deliveries = own.server.hooks.of(repository)[0].deliveries
    wrong = {
        f"{each.event} {each.action}": found
        for each in deliveries
        if (found := problems(published, schema_of(published, each.event, each.action), json.loads(each.payload)))
    }
    assert wrong == {}
    assert len({each.event for each in deliveries}) == 12

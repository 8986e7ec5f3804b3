"""Whatever comes under the name of an event: it is stored, ignored or refused by name, and never half of it."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from apps.integrations.factories import GitHubIntegrationFactory
from apps.integrations.models import TrackedRepository
from apps.integrations.processors import Processed, Unreadable, process
from apps.integrations.processors.events import READERS
from apps.integrations.tests.sync_support import rows_of, tracked_at
from apps.integrations.tests.webhook_support import heard, hook_at
from apps.metrics.models import PRCheckRun, PullRequest, Repository
from apps.teams.scope import team_scope
from devtools.github_sandbox.sandbox import Sandbox
from devtools.github_sandbox.server import build_world
from devtools.published_schema import fetch_webhook_examples

ROOT = Path(__file__).resolve().parents[3]
SHOP = "acme/shop"
LIFE = (
    *("push", "review", "dismiss", "comment", "review_comment", "resolve", "check", "status", "convert_to_draft"),
    *("ready_for_review", "edit", "label", "close", "reopen", "merge", "deploy", "archive", "rename"),
)


@pytest.fixture(scope="module")
def published() -> list[dict[str, Any]]:
    path = fetch_webhook_examples(Path(os.environ.get("TFORMANCE_VAR") or ROOT / "var"))
    if path is None:
        assert os.environ.get("CI") != "true", "the npm registry is needed for GitHub's examples of payloads"
        pytest.skip("without the npm registry there are none of GitHub's examples of payloads")
    examples: list[dict[str, Any]] = json.loads(path.read_bytes())
    return examples


@pytest.fixture
def github() -> Sandbox:
    sandbox = Sandbox(build_world(None, ["acme:shop:6:7"]))
    sandbox.listens_at("https://github.test")
    return sandbox


def one_of_each(github) -> list[tuple[str, dict[str, Any]]]:
    hook_at(github, SHOP)
    number = github.mutations.apply({"repo": SHOP, "action": "open"})["number"]
    for action in LIFE:
        github.mutations.apply({"repo": SHOP, "action": action, "number": number, "name": "bug"})
    return [(event, orjson.loads(payload)) for event, payload, _ in heard(github, "acme/bug")]


def follow(team, examples) -> None:
    """All repositories that the examples are about, each of which somebody renamed at some time."""
    integration = GitHubIntegrationFactory.create(team=team)
    found = {e["repository"]["id"]: e["repository"]["full_name"] for e in examples if "repository" in e}
    with team_scope(team.pk):
        for number, name in found.items():
            repository = Repository.objects.create(github_repo_id=number, full_name=name)
            TrackedRepository.objects.create(integration=integration, repository=repository)


def test_every_published_example_is_accepted_or_ignored(published, team):
    examples = [(entry["name"], example) for entry in published for example in entry["examples"]]
    assert len(examples) > 300
    follow(team, [example for _, example in examples])
    came_of = [(event, process(team.pk, event, example)) for event, example in examples]
    assert all(isinstance(processed, Processed) for _, processed in came_of)
    stored = {event for event, processed in came_of if not processed.ignored}
    # The comments among them are on issues, the status is of a commit of no pull request.
    assert stored >= READERS.keys() - {"organization", "issue_comment", "status"}
    assert {event for event, processed in came_of if processed.ignored} >= {e for e, _ in examples} - READERS.keys()
    with team_scope(team.pk):
        assert PullRequest.objects.count() > 1
        assert PRCheckRun.objects.count() > 1


def test_nothing_of_a_repository_that_nobody_follows_is_kept(github, team):
    before = rows_of(team)
    for event, payload in one_of_each(github):
        processed = process(team.pk, event, payload)
        assert (processed.ignored, processed.needs) == ("The repository is not followed.", ()) or event in {
            "check_suite",
            "push",
        }
    assert rows_of(team) == before


@pytest.mark.parametrize("event", READERS)
@pytest.mark.parametrize("action", ["opened", "completed", "renamed", 7, None])
def test_what_lacks_everything_is_refused_by_name_or_of_no_interest(team, event, action):
    payload = {} if action is None else {"action": action, "repository": "acme/shop"}
    is_read = (event, action) in {("check_suite", "completed"), ("organization", "renamed")}
    if action is None or is_read or event not in {"check_suite", "organization"}:
        with pytest.raises(Unreadable, match=event):
            process(team.pk, event, payload)
    else:
        assert process(team.pk, event, payload).ignored


def test_an_event_that_nobody_knows_is_ignored(team):
    assert process(team.pk, "meteor", {}).ignored == "Nothing is kept of the event meteor."
    assert process(team.pk, "ping", {"zen": "Keep it logically awesome."}).ignored == "The hook works."


NONSENSE = (None, "", "nonsense", "\x00", "\ud800", -1, 10**30, 1.5, True, [], {}, [None], {"id": None})


def test_nonsense_anywhere_in_a_payload_is_survived_and_changes_all_or_nothing(github, team):
    random = Random(5)
    tracked_at(github, team, SHOP)
    events = one_of_each(github)
    for event, payload in events:
        process(team.pk, event, payload)
    refused = 0
    for _ in range(200):
        event, payload = random.choice(events)
        broken = copy.deepcopy(payload)
        place, key = random.choice(list(places(broken)))
        if random.random() < 0.3:
            del place[key]
        else:
            place[key] = random.choice(NONSENSE)
        before = rows_of(team)
        try:
            process(team.pk, event, broken)
        except Unreadable:
            refused += 1
            assert rows_of(team) == before
    assert refused > 10


@pytest.mark.parametrize("number", [None, "7", [7], 0, -7, 2**31, 7.5])
def test_nothing_is_asked_for_that_can_be_no_pull_request(github, team, number):
    tracked_at(github, team, SHOP)
    events = dict(one_of_each(github))
    events["issue_comment"]["issue"]["number"] = number
    events["check_run"]["check_run"]["pull_requests"][0]["number"] = number
    for event in ("issue_comment", "check_run"):
        with pytest.raises(Unreadable, match=event):
            process(team.pk, event, events[event])


def places(payload: Any, depth: int = 3) -> Iterator[tuple[dict[str, Any], str]]:
    for key, value in payload.items():
        if key not in {"sender", "organization"}:
            yield payload, key
            if isinstance(value, dict) and depth:
                yield from places(value, depth - 1)

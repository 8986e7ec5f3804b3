"""Hooks: registered, pinged, signed, told of what happens, delivered again."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from devtools.github_sandbox.tests.conftest import Client

HOOKS = "/repos/acme/shop/hooks"


class Receiver:
    """Somebody who listens: what arrives is kept, the answer is `status`."""

    def __init__(self) -> None:
        self.received: list[tuple[Message, bytes]] = []
        self.status = 202
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.headers, body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(headers["X-GitHub-Event"], json.loads(body)) for headers, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


def register(client: Client, url: str, events: tuple[str, ...] = ("*",), **config: str) -> dict[str, Any]:
    body = {"name": "web", "events": list(events), "config": {"url": url, "content_type": "json"} | config}
    response = client.post(HOOKS, body)
    assert response.status_code == 201
    client.server.hooks.drain()
    hook: dict[str, Any] = response.json()
    return hook


def mutate(client: Client, action: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/_sandbox/mutate", {"repo": "acme/shop", "action": action, **more}).json()
    client.server.hooks.drain()
    return answer


def test_a_new_hook_gets_a_signed_ping(own: Client, receiver: Receiver) -> None:
    hook = register(own, receiver.url, secret="s3cret")
    ((headers, body),) = receiver.received
    assert headers["X-GitHub-Event"] == "ping"
    assert headers["X-GitHub-Hook-ID"] == str(hook["id"])
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    payload = json.loads(body)
    assert payload["hook_id"] == hook["id"]
    assert payload["repository"]["full_name"] == "acme/shop"
    assert hook["config"]["secret"] == "********"


def test_a_form_hook_gets_a_form(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url, content_type="form")
    ((headers, body),) = receiver.received
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert json.loads(parse_qs(body.decode())["payload"][0])["zen"]


def test_a_second_hook_to_the_same_url_is_refused(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url)
    response = own.post(HOOKS, {"config": {"url": receiver.url}})
    assert response.status_code == 422
    assert response.json()["errors"][0]["message"] == "Hook already exists on this repository"
    assert len(own.get(HOOKS).json()) == 1


def test_an_url_that_is_none_is_refused(own: Client) -> None:
    assert own.post(HOOKS, {"config": {"url": "ftp://x"}}).status_code == 422


def test_a_hook_is_shown_changed_and_deleted(own: Client, receiver: Receiver) -> None:
    hook = register(own, receiver.url, ("push",))
    path = f"{HOOKS}/{hook['id']}"
    changed = own.http.patch(path, json={"add_events": ["status"], "active": False}).json()
    assert changed["events"] == ["push", "status"]
    assert own.get(path).json()["active"] is False
    assert own.http.delete(path).status_code == 204
    assert own.get(path).status_code == 404


def test_an_organisation_has_hooks_too_and_both_share_a_guid(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url, ("pull_request",))
    config = {"url": f"{receiver.url}/organisation", "content_type": "json"}
    assert own.post("/orgs/acme/hooks", {"name": "web", "events": ["*"], "config": config}).status_code == 201
    own.server.hooks.drain()
    receiver.received.clear()
    assert mutate(own, "open")["delivered"] == 2
    assert len({headers["X-GitHub-Delivery"] for headers, _ in receiver.received}) == 1


def test_the_life_of_a_pull_request_is_told(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url)
    receiver.received.clear()
    number = mutate(own, "open", title="Grüße", draft=True)["number"]
    for action in (
        "ready_for_review",
        "push",
        "review",
        "comment",
        "review_comment",
        "resolve",
        "check",
        "merge",
        "deploy",
    ):
        mutate(own, action, number=number)
    told = [(event, payload.get("action")) for event, payload in receiver.events()]
    assert told == [
        ("pull_request", "opened"),
        ("pull_request", "ready_for_review"),
        ("push", None),
        ("pull_request", "synchronize"),
        ("pull_request_review", "submitted"),
        ("issue_comment", "created"),
        ("pull_request_review_comment", "created"),
        ("pull_request_review_thread", "resolved"),
        ("check_run", "completed"),
        ("check_suite", "completed"),
        ("pull_request", "closed"),
        ("deployment", "created"),
        ("deployment_status", "created"),
    ]
    opened, merged = receiver.events()[0][1], receiver.events()[10][1]
    assert opened["pull_request"]["title"] == "Grüße"
    assert merged["pull_request"]["merged"] is True
    assert merged["pull_request"]["merged_at"] == merged["pull_request"]["closed_at"]
    assert merged["number"] == number
    assert merged["repository"]["url"].startswith(own.server.url)


def test_what_is_told_is_what_is_asked_afterwards(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url)
    number = mutate(own, "open")["number"]
    mutate(own, "review", number=number, state="changes_requested")
    review = receiver.events()[-1][1]["review"]
    assert review["state"] == "changes_requested"
    (listed,) = own.get(f"/repos/acme/shop/pulls/{number}/reviews").json()
    assert (listed["id"], listed["state"]) == (review["id"], "CHANGES_REQUESTED")


def test_a_failed_delivery_is_listed_and_repeated_under_its_guid(own: Client, receiver: Receiver) -> None:
    hook = register(own, receiver.url)
    receiver.status = 500
    mutate(own, "open")
    path = f"{HOOKS}/{hook['id']}/deliveries"
    failed = own.get(path).json()[0]
    assert (failed["status_code"], failed["event"], failed["redelivery"]) == (500, "pull_request", False)
    receiver.status = 202
    assert own.post(f"{path}/{failed['id']}/attempts", {}).status_code == 202
    own.server.hooks.drain()
    again = own.get(path).json()[0]
    assert (again["guid"], again["status_code"], again["redelivery"]) == (failed["guid"], 202, True)
    assert again["id"] != failed["id"]
    assert receiver.received[-1][1] == receiver.received[-2][1]


def test_nobody_listening_is_a_failed_delivery(own: Client) -> None:
    hook = register(own, "http://127.0.0.1:1/nobody")
    (ping,) = own.get(f"{HOOKS}/{hook['id']}/deliveries").json()
    assert ping["status_code"] == 0
    assert ping["status"].startswith("failed to connect")


def test_any_payload_can_be_sent(own: Client, receiver: Receiver) -> None:
    register(own, receiver.url)
    own.post("/_sandbox/deliver", {"repo": "acme/shop", "event": "member", "payload": {"action": "added"}})
    own.post("/_sandbox/deliver", {"repo": "acme/shop", "number": 1, "action": "labeled"})
    own.server.hooks.drain()
    assert receiver.events()[-2] == ("member", {"action": "added"})
    event, payload = receiver.events()[-1]
    assert (event, payload["action"], payload["pull_request"]["number"]) == ("pull_request", "labeled", 1)


def test_a_change_to_what_is_not_there_is_422(own: Client) -> None:
    for body in ({"repo": "acme/nope", "action": "merge"}, {"repo": "acme/shop", "action": "merge", "number": 999}):
        assert own.post("/_sandbox/mutate", body).status_code == 422

"""A REST server that answers what a test tells it, over real connections on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from apps.integrations.github.access import StaticToken
from apps.integrations.github.rest import Rest

Reply = tuple[int, dict[str, str], Any]


@dataclass
class Asked:
    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class RestServer:
    """`routes` maps `GET /path` to replies, used up in turn, the last one for good; anything else is a 404."""

    url: str = ""
    routes: dict[str, list[Reply | Callable[[Asked], Reply]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, route: str, *contents: Any, status: int = 200, **headers: str) -> None:
        """Answers the route with these contents in turn."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.routes.setdefault(route, []).extend((status, named, content) for content in contents)

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        waiting = self.routes.get(f"{asked.method} {asked.path}")
        if not waiting:
            return 404, {}, {"message": "Not Found"}
        following = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return following(asked) if callable(following) else following


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        body = orjson.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
        status, more, content = self.server.state.reply(asked)
        raw = content if isinstance(content, bytes) else b"" if content is None else orjson.dumps(content)
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[RestServer]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    http.state = state = RestServer(f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def tokens() -> StaticToken:
    return StaticToken("ghp_secret")


@pytest.fixture
def rest(server: RestServer, tokens: StaticToken) -> Iterator[Rest]:
    client = Rest(tokens, server.url, backoff=0, seconds_between_writes=0)
    yield client
    client.close()

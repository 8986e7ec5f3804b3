"""Servers that the tests ask: one generated, one recorded. Nothing here needs Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from devtools.github_sandbox.server import SandboxServer
from devtools.github_sandbox.synthetic import SyntheticRepository

ROOT = Path(__file__).parents[3]
RECORDED = ROOT.parent / "shared" / "data" / "github"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Client:
    """A GitHub client of three lines, with a token or without."""

    def __init__(self, server: SandboxServer, token: str | None = "sandbox-token") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.server = server
        self.http = httpx.Client(base_url=server.url, headers=headers, timeout=30, verify=False)

    def close(self) -> None:
        self.http.close()

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        response = self.http.post("/graphql", json={"query": query, "variables": variables})
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    def mutate(self, **request: Any) -> dict[str, Any]:
        response = self.http.post("/_sandbox/mutate", json=request)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.graphql(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error of a query that is refused or fails."""
        (error,) = self.graphql(query, **variables)["errors"]
        found: dict[str, Any] = error
        return found

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(path, json=body)


@pytest.fixture(scope="session")
def generated() -> Iterator[SandboxServer]:
    """acme/shop with 120 pull requests, acme/empty with none, and a private acme/vault. Not to be changed by a test."""
    vault = SyntheticRepository("acme", "vault", 5, private=True)
    with SandboxServer(synthetic=["acme:shop:120:mix:7", "acme:empty:0", vault], now=NOW) as server:
        yield server


@pytest.fixture
def as_token(generated: SandboxServer) -> Iterator[Callable[[str | None], Client]]:
    """A client of the generated server with another token."""
    with ExitStack() as clients:
        yield lambda token: clients.enter_context(closing(Client(generated, token)))


@pytest.fixture
def shop(generated: SandboxServer) -> Iterator[Client]:
    with closing(Client(generated)) as client:
        yield client


@pytest.fixture
def own() -> Iterator[Client]:
    """A small sandbox of the test's own, to change at will: acme/shop with twelve pull requests."""
    with SandboxServer(synthetic=["acme:shop:12"], now=NOW) as server, closing(Client(server)) as client:
        yield client


@pytest.fixture
def own_as(own: Client) -> Iterator[Callable[[str | None], Client]]:
    """A client of that small sandbox with another token."""
    with ExitStack() as clients:
        yield lambda token: clients.enter_context(closing(Client(own.server, token)))


@pytest.fixture(scope="session")
def recorded() -> Iterator[SandboxServer]:
    if not RECORDED.exists():
        pytest.skip("no recorded pull requests beside this checkout")
    with SandboxServer(data=RECORDED) as server:
        yield server


@pytest.fixture
def gui(recorded: SandboxServer) -> Iterator[Client]:
    with closing(Client(recorded)) as client:
        yield client

"""The sandbox behind a port: `with SandboxServer(synthetic=["acme:shop:50"]) as github: … github.url`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from devtools.github_sandbox.app import App
from devtools.github_sandbox.oauth import Client
from devtools.github_sandbox.recorded import load_recorded
from devtools.github_sandbox.sandbox import DEFAULT_CLIENTS, Sandbox
from devtools.github_sandbox.synthetic import SyntheticRepository, add_synthetic
from devtools.github_sandbox.synthetic.demo import add_demo_organization
from devtools.github_sandbox.world import World


class QuietHandler(WSGIRequestHandler):
    """Nothing is printed; small writes are not held back."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        return


def build_world(
    data: Path | None, synthetic: Sequence[str | SyntheticRepository], now: datetime | None = None
) -> World:
    """Recorded and synthetic repositories; without either the demo organisation `harbourlabs`."""
    world = World()
    moment = now or datetime.now(UTC)
    if data is not None:
        load_recorded(world, data)
    for each in synthetic:
        spec = each if isinstance(each, SyntheticRepository) else SyntheticRepository.parse(each)
        add_synthetic(world, spec, moment)
    if data is None and not synthetic:
        add_demo_organization(world, moment)
    return world


class SandboxServer(Sandbox):
    """A sandbox that listens in a thread of its own between `start` and `stop`. Port 0 takes a free one.

    `data`: a folder of recorded repositories; `synthetic`: "OWNER:REPO:N[:mix][:SEED]" or SyntheticRepository; `world`:
    one made by hand instead of both; `now`: the newest moment of generated data (default: now).
    """

    def __init__(
        self,
        data: Path | str | None = None,
        synthetic: Sequence[str | SyntheticRepository] = (),
        *,
        world: World | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_ms: int = 0,
        now: datetime | None = None,
        clients: Sequence[Client] = DEFAULT_CLIENTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        folder = Path(data) if data is not None else None
        filled = world or build_world(folder, synthetic, now)
        super().__init__(filled, latency_ms=latency_ms, clients=clients, clock=clock)
        self._server: BaseWSGIServer = make_server(host, port, App(self), threaded=True, request_handler=QuietHandler)
        self._thread: threading.Thread | None = None
        self.url = f"http://{host}:{self._server.server_port}"
        self.listens_at(self.url)

    def start(self) -> Self:
        self._thread = threading.Thread(target=self.serve, name="sandbox-github", daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Answers until `stop` is called."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self.hooks.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

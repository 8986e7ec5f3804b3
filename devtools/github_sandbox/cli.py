"""`python -m devtools sandbox`: the sandbox alone, until it is interrupted."""

from __future__ import annotations

import argparse
import gc
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from devtools.github_sandbox.oauth import Client
from devtools.github_sandbox.sandbox import DEFAULT_CLIENTS
from devtools.github_sandbox.server import SandboxServer


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="devtools sandbox", description="A GitHub to develop and test against.")
    options.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--data", type=Path, metavar="DIR", help="recorded pull requests to serve")
    options.add_argument(
        "--synthetic",
        action="append",
        default=[],
        metavar="OWNER:REPO:N[:mix][:SEED]",
        help="generated pull requests; may be given several times; REPO ending in *COUNT makes that many repositories",
    )
    options.add_argument("--latency-ms", type=int, default=0, help="time every API answer takes at least")
    options.add_argument("--oauth-client", metavar="ID:SECRET", action="append", default=[], help="a further OAuth app")
    return options


def main(argv: Sequence[str]) -> int:
    options = parser().parse_args(argv)
    clients = [Client(*each.split(":", 1)) for each in options.oauth_client]
    try:
        server = SandboxServer(
            options.data,
            options.synthetic,
            host=options.host,
            port=options.port,
            latency_ms=options.latency_ms,
            clients=[*DEFAULT_CLIENTS, *clients],
        )
    except (OSError, ValueError) as error:
        print(f"sandbox: {error}")
        return 2
    gc.set_threshold(50_000, 20, 50)  # a world is large and stays; answers are trees, which need no collector
    signal.signal(signal.SIGTERM, _interrupt)
    print(f"sandbox GitHub: {server.url}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

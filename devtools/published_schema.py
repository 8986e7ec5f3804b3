"""What GitHub publishes about its APIs, for tests: never vendored, fetched once from the npm registry."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

GRAPHQL = ("@octokit/graphql-schema", "15.26.1", "package/schema.graphql")
WEBHOOKS = ("@octokit/openapi-webhooks", "12.1.0", "package/generated/api.github.com.json")


def fetch_schema(var: Path) -> Path | None:
    """The published GraphQL schema below `var`/github-schema/, downloaded on the first call.

    None where npm is absent or the registry does not answer; load it with `build_schema(sdl, assume_valid=True)`.
    """
    return _fetch(var, *GRAPHQL)


def fetch_webhooks(var: Path) -> Path | None:
    """The OpenAPI description of webhook payloads (JSON), as `fetch_schema`."""
    return _fetch(var, *WEBHOOKS)


def _fetch(var: Path, package: str, version: str, member: str) -> Path | None:
    folder = var / "github-schema"
    name = package.removeprefix("@").replace("/", "-")
    target = folder / f"{name}-{version}{Path(member).suffix}"
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # several processes may fetch at the same time
        command = [npm, "pack", "--silent", f"{package}@{version}"]
        try:
            packed = subprocess.run(command, cwd=scratch, capture_output=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            return None
        if packed.returncode != 0:
            return None
        with tarfile.open(Path(scratch) / f"{name}-{version}.tgz") as archive:
            archive.extract(member, scratch, filter="data")
        (Path(scratch) / member).replace(target)
    return target

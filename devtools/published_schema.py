"""What GitHub publishes about its APIs, for tests: never vendored, fetched once from the npm registry."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

GRAPHQL = ("@octokit/graphql-schema", "15.26.1", "package/schema.graphql")
WEBHOOKS = ("@octokit/openapi-webhooks", "12.1.0", "package/generated/api.github.com.json")
EXAMPLES = ("@octokit/webhooks-examples", "7.6.1", "package/api.github.com/index.json")
# In a process of its own: tests may not open sockets to other machines. No npm: a fresh machine has none.
_DOWNLOAD = """
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
"""


def fetch_schema(var: Path) -> Path | None:
    """The published GraphQL schema below `var`/github-schema/, downloaded on the first call.

    None where the registry (`NPM_CONFIG_REGISTRY`, or npm's) does not answer. Load it with
    `build_schema(sdl, assume_valid=True)`.
    """
    return _fetch(var, *GRAPHQL)


def fetch_webhooks(var: Path) -> Path | None:
    """The OpenAPI description of webhook payloads (JSON), as `fetch_schema`."""
    return _fetch(var, *WEBHOOKS)


def fetch_webhook_examples(var: Path) -> Path | None:
    """Examples of webhook payloads (JSON: a list with the `name` of each event and its `examples`), as
    `fetch_schema`. Some are older than the description.
    """
    return _fetch(var, *EXAMPLES)


def _fetch(var: Path, package: str, version: str, member: str) -> Path | None:
    folder = var / "github-schema"
    name = package.removeprefix("@").replace("/", "-")
    target = folder / f"{name}-{version}{Path(member).suffix}"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # several processes may fetch at the same time
        archive, partial = Path(scratch) / "package.tgz", Path(scratch) / "member"
        url = f"{_registry()}/{package}/-/{package.rpartition('/')[2]}-{version}.tgz"
        command = [sys.executable, "-c", _DOWNLOAD, url, str(archive)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        with tarfile.open(archive) as packed, partial.open("wb") as file:
            content = packed.extractfile(member)
            if content is None:
                return None
            file.write(content.read())
        partial.replace(target)
    return target


def _registry() -> str:
    return os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")

"""GitHub's published GraphQL schema, for tests: never vendored, fetched once from the npm registry."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

PACKAGE = "@octokit/graphql-schema@15.26.1"
_TARBALL = "octokit-graphql-schema-15.26.1.tgz"


def fetch_schema(var: Path) -> Path | None:
    """The path of `schema.graphql` below `var`/github-schema/, downloaded on the first call.

    None where npm is absent or the registry does not answer; load it with `build_schema(sdl, assume_valid=True)`.
    """
    folder = var / "github-schema"
    schema = folder / "15.26.1.graphql"
    if schema.exists():
        return schema
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(
        [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, timeout=120, check=False
    )
    if packed.returncode != 0:
        return None
    with tarfile.open(folder / _TARBALL) as archive:
        member = archive.extractfile("package/schema.graphql")
        if member is None:
            return None
        partial = schema.with_suffix(".partial")
        partial.write_bytes(member.read())
    partial.replace(schema)
    return schema

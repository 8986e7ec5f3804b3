"""`make assets`: the JavaScript that is not ours, from its npm package into static/vendor, at a pinned version.

The files are committed, so nobody needs Node to run or to develop; who raises a version runs this once.
"""

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devtools.var import ROOT, DevtoolsError

VENDOR = ROOT / "static" / "vendor"


@dataclass(frozen=True)
class Asset:
    """One package: which of its files go where (names without the leading `package/`)."""

    package: str
    version: str
    integrity: str  # the registry's `dist.integrity`: sha512, base64
    licence: str
    files: tuple[tuple[str, str], ...]


ASSETS = (
    Asset(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        "0BSD",
        (("dist/htmx.min.js", "htmx.min.js"), ("LICENSE", "htmx.LICENSE")),
    ),
    Asset(
        "idiomorph",
        "0.8.0",
        "sha512-R47JBL+6jHDQvcnbppIUtXXcxi5h6+wuCEEZXnRhUltsgzPFKzThL5PuHppP9ypJuy+7WawcY1TsSBD/iQbMhw==",
        "0BSD",
        (("dist/idiomorph.min.js", "idiomorph.min.js"), ("LICENSE", "idiomorph.LICENSE")),
    ),
)


def fetch() -> None:
    """Replace what static/vendor holds. Raises DevtoolsError without npm, or when a package is not what was pinned."""
    npm = shutil.which("npm")
    if npm is None:
        raise DevtoolsError("npm is needed to fetch static/vendor again (the files themselves are in the repository).")
    VENDOR.mkdir(parents=True, exist_ok=True)
    for asset in ASSETS:
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", "--silent", "--pack-destination", folder, f"{asset.package}@{asset.version}"]
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
            unpack(asset, next(Path(folder).glob("*.tgz")).read_bytes())
    (VENDOR / "README.md").write_text(readme())


def unpack(asset: Asset, archive: bytes) -> None:
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != asset.integrity:
        raise DevtoolsError(f"{asset.package} {asset.version} is not what was pinned: {digest}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        for source, target in asset.files:
            member = package.extractfile(f"package/{source}")
            if member is None:
                raise DevtoolsError(f"{asset.package} {asset.version} has no {source}.")
            (VENDOR / target).write_bytes(member.read())


def readme() -> str:
    """What lies there, from where, with its checksum: written by `make assets`, held by a test."""
    lines = ["# Not ours", "", "Fetched by `make assets` (devtools/assets.py) from npm; not edited.", ""]
    lines += ["| file | package | version | licence | sha256 |", "|---|---|---|---|---|"]
    for asset in ASSETS:
        for _, name in asset.files:
            digest = hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()
            lines.append(f"| {name} | {asset.package} | {asset.version} | {asset.licence} | `{digest}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        fetch()
    except DevtoolsError as error:
        sys.exit(f"assets: {error}")

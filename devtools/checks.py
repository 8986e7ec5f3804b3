"""What `make test` and `make lint` run, inside `exec`, each in a var folder of its own: they work beside `make dev`."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools.execute import execute
from devtools.var import ROOT, var_folder

_PACKAGES = ("apps", "tformance", "devtools", "benchmarks")


def run_tests(arguments: Sequence[str]) -> int:
    """pytest with `arguments`, in which a dotted name may stand for a path. Without any: every test, two at a time."""
    words = [as_path(word) for word in arguments] or ["-n", "2"]
    if os.environ.get("CI"):
        words.append("-rs")  # whatever is skipped there is named
    return _inside("test", [sys.executable, "-m", "pytest", *words])


def as_path(word: str) -> str:
    """`apps.teams.tests.test_scope.TestScope.test_it` → `apps/teams/tests/test_scope.py::TestScope::test_it`.

    Options, paths and whatever names no package or module here stay as they are.
    """
    parts = word.split(".")
    if word.startswith("-") or not all(part.isidentifier() for part in parts):
        return word
    for length in range(len(parts), 0, -1):
        folder = Path(*parts[:length])
        if (ROOT / folder).is_dir() and length == len(parts):
            return str(folder)
        module = folder.with_suffix(".py")
        if (ROOT / module).is_file():
            return "::".join([str(module), *parts[length:]])
    return word


def lint() -> int:
    return _inside("lint", [sys.executable, "-m", "devtools.checks"])


def _inside(name: str, command: list[str]) -> int:
    os.environ["TFORMANCE_VAR"] = str(var_folder(os.environ.get("TFORMANCE_VAR", "")) / name)
    os.chdir(ROOT)
    return execute(command, follow_parent=os.environ.get("MAKELEVEL", "0") != "0")


@dataclass(frozen=True)
class Check:
    name: str
    command: tuple[str, ...]


def checks() -> list[Check]:
    """The slowest first: they run side by side."""
    tools, manage = Path(sys.executable).parent, (sys.executable, "manage.py")
    return [
        Check("types", (str(tools / "mypy"), *_PACKAGES)),
        Check("migrations", (*manage, "makemigrations", "--check", "--dry-run")),
        Check("imports", (str(tools / "lint-imports"),)),
        Check("templates", (str(tools / "djlint"), "templates", "--lint", "--quiet")),
        Check("django", (*manage, "check", "--database", "default", "--fail-level", "WARNING")),
        Check("style", (str(tools / "ruff"), "check", "--output-format=concise")),
        Check("format", (str(tools / "ruff"), "format", "--check", "--output-format=concise")),
    ]


def run_checks() -> int:
    """Two at a time; a failure's output in full, a success in a line. Returns the exit code."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return max(pool.map(_run, checks()))


def _run(check: Check) -> int:
    started = time.monotonic()
    result = subprocess.run(
        check.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    verdict = "FAILED" if result.returncode else "ok    "
    line = f"{verdict} {check.name} ({time.monotonic() - started:.1f} s)\n"
    print(line + (result.stdout if result.returncode else ""), end="", flush=True)
    return 1 if result.returncode else 0


if __name__ == "__main__":
    sys.exit(run_checks())

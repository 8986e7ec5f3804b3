"""The rules of the house that no single module can keep by itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.integrations.github import documents

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES, FUNCTION_LINES = 400, 50
# Reads the variable whose name it is given: how a token reaches it without standing in the shell's history.
NAMED_BY_ITS_CALLER = "apps/integrations/management/commands/connect_github.py"
SOMEBODYS_FOLDER = re.compile(r"(?<![\w.-])/(?:home|Users|work|root)/[\w.-]+")


def tracked(*patterns: str) -> list[Path]:
    """The repository's own files, as paths from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def modules() -> list[Path]:
    """All that is written by hand: the product's modules and their tests."""
    return [path for path in tracked("*.py") if "migrations" not in path.parts]


def product_modules() -> list[Path]:
    return [path for path in modules() if "tests" not in path.parts]


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def test_imports_follow_the_layers() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_is_too_long_to_read_in_one_go() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}

    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_too_long_to_read_in_one_go() -> None:
    lengths = {
        f"{path}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in product_modules()
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


@pytest.mark.django_db
def test_every_row_of_a_team_is_behind_both_walls() -> None:
    call_command("check", databases=["default"], fail_level="WARNING")


def test_only_the_settings_and_the_tools_around_them_read_the_environment() -> None:
    elsewhere = [path for path in product_modules() if path.parts[0] not in {"devtools", "benchmarks", "conftest.py"}]
    readers = {str(path) for path in elsewhere if any(environment_reads(parsed(path)))}

    assert readers - {NAMED_BY_ITS_CALLER} == set()


def environment_reads(module: ast.Module) -> Iterator[ast.expr]:
    """`os.environ` and `os.getenv`; naming the settings module for Django is not reading."""
    named = {
        id(call.func.value)
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "setdefault"
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and id(node) not in named:
            yield node


def test_every_graphql_document_is_asked_by_somebody() -> None:
    queries = documents.QUERIES.relative_to(ROOT)
    files = {path.stem for path in tracked("*.graphql") if path.parent == queries} - {documents.FRAGMENTS}
    client = [path for path in product_modules() if path.parts[:2] == ("apps", "integrations")]
    words = {node.value for path in client for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)}

    assert files - words == set()


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = {
        f"{path}: {match.group()}"
        for path in tracked()
        if path != Path("tests/test_architecture.py")
        for match in SOMEBODYS_FOLDER.finditer((ROOT / path).read_text(encoding="utf-8", errors="ignore"))
    }

    assert found == set()

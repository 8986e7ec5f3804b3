"""What README.md, CONTRIBUTING.md, docs/ and .env.example say is so."""

import ast
import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# Names that scripts outside the project rely on.
VARIABLES = {
    "SECRET_KEY",
    "FIELD_ENCRYPTION_KEYS",
    "DATABASE_URL",
    "MIGRATIONS_DATABASE_URL",
    "REDIS_URL",
    "BASE_URL",
    "ALLOWED_HOSTS",
    "DEBUG",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "SENTRY_DSN",
    "METRICS_TOKEN",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "GITHUB_APP_ID",
    "GITHUB_APP_CLIENT_ID",
    "GITHUB_APP_CLIENT_SECRET",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_APP_WEBHOOK_SECRET",
    "GITHUB_WEB_URL",
    "GITHUB_API_URL",
    "GITHUB_SEEDING_TOKENS",
    "TFORMANCE_VAR",
}
TARGETS = {"dev", "setup", "test", "migrations", "migrate", "lint", "bench", "assets", "help"}
DEVTOOLS = {"dev", "exec", "test", "lint", "sandbox"}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_env_example_names_every_variable_that_the_settings_read() -> None:
    listed = re.findall(r"^#? ?([A-Z][A-Z_]+)=", text(ROOT / ".env.example"), re.MULTILINE)

    assert sorted(listed) == sorted(VARIABLES)
    assert variables_read() == VARIABLES


def variables_read() -> set[str]:
    """The names that tformance/settings hands to django-environ."""
    return {
        str(call.args[0].value)
        for path in (ROOT / "tformance" / "settings").glob("*.py")
        for call in ast.walk(ast.parse(text(path)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def test_what_env_example_shows_as_a_value_is_the_default_of_the_settings() -> None:
    shown = dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.+)$", text(ROOT / ".env.example"), re.MULTILINE))
    settings = "".join(text(path) for path in (ROOT / "tformance" / "settings").glob("*.py"))

    same = {name: value for name, value in shown.items() if name not in {"DATABASE_URL", "DEBUG", "TFORMANCE_VAR"}}
    assert {name for name, value in same.items() if f'"{value}"' not in settings} == set()


def test_every_make_target_that_is_named_exists() -> None:
    makefile = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    named = {word for path in DOCUMENTS for word in re.findall(r"(?:`|^|\| )make ([a-z]+)", text(path), re.MULTILINE)}

    assert named <= makefile
    assert makefile >= TARGETS


def test_every_management_command_that_is_named_exists() -> None:
    named = {word for path in DOCUMENTS for word in re.findall(r"manage\.py ([a-z_]+)", text(path))}

    assert named
    assert named - set(get_commands()) == set()


def test_every_devtools_command_that_is_named_exists() -> None:
    named = {word for path in DOCUMENTS for word in re.findall(r"python -m devtools ([a-z]+)", text(path))}

    assert named
    assert named <= DEVTOOLS


def test_every_link_between_the_documents_leads_somewhere() -> None:
    links = [
        (path, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(path))
        if "://" not in target and target != "…"
    ]

    assert [f"{path.name}: {target}" for path, target in links if not (path.parent / target).exists()] == []
    assert links

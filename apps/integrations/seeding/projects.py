"""Public projects by a short name. Any other public repository is named as OWNER/NAME."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
"""What GitHub allows as OWNER/NAME."""


class UnknownProject(ValueError):
    """Neither one of the named projects nor a repository."""


@dataclass(frozen=True, slots=True)
class Project:
    """`title` is what the demo team is called, `repositories` the full names of what it holds."""

    key: str
    title: str
    repositories: tuple[str, ...]


PROJECTS: Mapping[str, Project] = {
    project.key: project
    for project in (
        Project("celery", "Celery", ("celery/celery", "celery/kombu")),
        Project("django", "Django", ("django/django",)),
        Project("fastapi", "FastAPI", ("fastapi/fastapi",)),
        Project("htmx", "htmx", ("bigskysoftware/htmx",)),
        Project("kubernetes", "Kubernetes", ("kubernetes/kubernetes",)),
        Project("pallets", "Pallets", ("pallets/flask", "pallets/werkzeug", "pallets/jinja", "pallets/click")),
        Project("pytest", "pytest", ("pytest-dev/pytest",)),
        Project("rust", "Rust", ("rust-lang/rust",)),
    )
}


def project_of(name: str) -> Project:
    """The project of a name of `PROJECTS`, or of a repository as OWNER/NAME. Raises UnknownProject."""
    name = name.strip().removeprefix("https://github.com/").rstrip("/")
    if found := PROJECTS.get(name.lower()):
        return found
    if NAME.fullmatch(name):
        return Project(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"), name, (name,))
    raise UnknownProject(
        f"“{name}” is no project that is known here. Write the OWNER/NAME of a public repository, or one of:"
        f" {', '.join(PROJECTS)}."
    )

"""Events of repositories and organisations: what they are called, and whether they are still there. Pure."""

from __future__ import annotations

from apps.integrations.github import lookups
from apps.integrations.github.types import Raw
from apps.integrations.processors.told import Nothing, OrganizationRenamed, RepositoryTold, Told


def repository(payload: Raw) -> Told:
    """`repository`: renamed, transferred, archived, made private or public, edited, deleted."""
    remote = lookups.repository(payload["repository"])
    return RepositoryTold(remote, _former_name(remote.full_name, payload), payload["action"] == "deleted")


def _former_name(name: str, payload: Raw) -> str:
    """What it was called before this event."""
    changes = payload.get("changes") or {}
    owner, _, own = name.partition("/")
    if payload["action"] == "renamed":
        own = changes["repository"]["name"]["from"]
    elif payload["action"] == "transferred":
        before = changes["owner"]["from"]
        owner = (before.get("organization") or before["user"])["login"]
    return f"{owner}/{own}"


def organization(payload: Raw) -> Told:
    """`organization`: of its actions only the rename concerns us."""
    if payload["action"] != "renamed":
        return Nothing("Members are read with the list of repositories.")
    found = payload["organization"]
    before = ((payload.get("changes") or {}).get("login") or {}).get("from") or ""
    return OrganizationRenamed(found["id"], found["login"], before)

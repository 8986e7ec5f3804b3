"""Events of repositories and organisations: what they are called, and whether they are still there. Pure."""

from __future__ import annotations

from apps.integrations.github import lookups
from apps.integrations.github.types import Raw
from apps.integrations.processors.told import MembersChanged, Nothing, OrganizationRenamed, RepositoryTold, Told

JOINED_OR_LEFT = frozenset({"member_added", "member_removed"})


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


def member(payload: Raw) -> Told:
    """`member`: somebody may do something else in the repository, or no longer anything."""
    return MembersChanged()


def organization(payload: Raw) -> Told:
    """`organization`: renamed, or somebody joined or left."""
    action = payload["action"]
    if action not in {"renamed", *JOINED_OR_LEFT}:
        return Nothing("Nobody joined or left yet.")
    found = payload["organization"]
    if action in JOINED_OR_LEFT:
        return MembersChanged(int(found["id"]))
    before = ((payload.get("changes") or {}).get("login") or {}).get("from") or ""
    return OrganizationRenamed(found["id"], found["login"], before)

"""What becomes of a repository: another name, another owner, archived, hidden away, gone."""

from __future__ import annotations

from datetime import datetime

from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action
from devtools.github_sandbox.synthetic import SyntheticRepository, add_synthetic
from devtools.github_sandbox.world import Repository


def _told(change: Change, repository: Repository, word: str, changes: Json | None = None) -> Json:
    told = change.emit(repository, "repository", lambda: change.payloads.repository(repository, word, changes))
    return {"repo": repository.full_name, "id": repository.database_id, "delivered": told}


@action("create_repository")
def create_repository(change: Change) -> Json:
    """`repo` with `pulls` generated pull requests (3), also under a name that another one had before."""
    owner, _, name = str(change.request.get("repo") or "").partition("/")
    if not name or change.account(owner) is None:
        raise UnknownTarget("a repository needs its name, `repo`, as in owner/name")
    taken = change.world.repository(f"{owner}/{name}", follow_renames=False)
    if taken is not None:
        raise UnknownTarget(f"there is a repository {taken.full_name}")
    spec = SyntheticRepository(owner, name, int(change.request.get("pulls") or 3), seed=change.world.made)
    [repository] = add_synthetic(change.world, spec, datetime.fromisoformat(change.now))
    return _told(change, repository, "created")


@action("rename")
def rename(change: Change) -> Json:
    """To `name`; the old one redirects."""
    repository = change.repository
    old = repository.name
    change.world.rename(repository, repository.owner, str(change.request.get("name") or f"{old}-renamed"))
    return _told(change, repository, "renamed", {"repository": {"name": {"from": old}}})


@action("transfer")
def transfer(change: Change) -> Json:
    """To the owner `to`, an organisation that is made if there is none; the old name redirects."""
    repository, to = change.repository, str(change.request.get("to") or "")
    if not to:
        raise UnknownTarget("a transfer needs the new owner, `to`")
    old = repository.owner
    owner = change.world.account(to) or change.world.add_account("Organization", change.world.new_id(), to)
    for member in old.members:  # the sandbox's own people come along
        if member.account.login.startswith("sandbox-"):
            change.world.add_member(owner, member.account, member.role)
    change.world.rename(repository, owner, str(change.request.get("name") or repository.name))
    origin = {"organization" if old.typename == "Organization" else "user": change.payloads.shapes.user(old)}
    return _told(change, repository, "transferred", {"owner": {"from": origin}})


@action("archive")
def archive(change: Change) -> Json:
    repository = change.repository
    repository.is_archived, repository.updated_at = True, change.now
    return _told(change, repository, "archived")


@action("unarchive")
def unarchive(change: Change) -> Json:
    repository = change.repository
    repository.is_archived, repository.updated_at = False, change.now
    return _told(change, repository, "unarchived")


@action("privatize")
def privatize(change: Change) -> Json:
    """From now on only tokens with the scope `repo` of people who belong there see it."""
    repository = change.repository
    repository.is_private, repository.updated_at = True, change.now
    return _told(change, repository, "privatized")


@action("publicize")
def publicize(change: Change) -> Json:
    repository = change.repository
    repository.is_private, repository.updated_at = False, change.now
    return _told(change, repository, "publicized")


@action("delete_repository")
def delete_repository(change: Change) -> Json:
    """404 and NOT_FOUND from now on, by name and by id."""
    repository = change.repository
    answer = _told(change, repository, "deleted")
    change.world.remove_repository(repository)
    return answer

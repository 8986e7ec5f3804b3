"""Who a token is, what it may see: people, organisations, repositories."""

from __future__ import annotations

from collections.abc import Iterator

from apps.integrations.github.errors import NotFound, PermissionMissing, RepositoryGone
from apps.integrations.github.rest import Rest, documented_shape
from apps.integrations.github.types import Identity, Member, Organization, Raw, RemoteRepository, instant


@documented_shape()
def whoami(rest: Rest) -> Identity:
    """Whom the token speaks for. https://docs.github.com/rest/users/users#get-the-authenticated-user

    Scopes come in a header that only classic tokens and OAuth tokens have.
    """
    headers, user = rest.send("GET", "/user")
    stated = headers.get("x-oauth-scopes")
    return Identity(
        id=user["id"],
        login=user["login"],
        name=user.get("name") or "",
        avatar_url=user.get("avatar_url") or "",
        scopes=None if stated is None else frozenset(filter(None, (scope.strip() for scope in stated.split(",")))),
    )


def organizations(rest: Rest) -> list[Organization]:
    """The organisations that the token may see of its user's.

    https://docs.github.com/rest/orgs/orgs#list-organizations-for-the-authenticated-user
    """
    return [_organization(entry) for page in rest.pages("/user/orgs") for entry in page]


def get_organization(rest: Rest, login: str) -> Organization:
    """https://docs.github.com/rest/orgs/orgs#get-an-organization"""
    return _organization(rest.get(f"/orgs/{login}"))


def current_login(rest: Rest, account_id: int, *, is_personal: bool = False) -> str:
    """What an account is called now, by GitHub's id of it: after it was renamed somebody else may bear its former name.

    https://docs.github.com/rest/users/users#get-a-user-using-their-id; organisations have the same.
    """
    return _organization(rest.get(f"/{'user' if is_personal else 'organizations'}/{account_id}")).login


@documented_shape()
def membership_role(rest: Rest, organization: str) -> str:
    """`admin` or `member` of an organisation, "" for an outsider or an invitation that was not accepted.

    https://docs.github.com/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user
    """
    try:
        membership = rest.get(f"/user/memberships/orgs/{organization}")
    except (NotFound, PermissionMissing):
        return ""
    return str(membership["role"]) if membership["state"] == "active" else ""


def members(rest: Rest, organization: str) -> Iterator[Member]:
    """The members of an organisation, admins first. https://docs.github.com/rest/orgs/members#list-organization-members"""
    for role in ("admin", "member"):
        for page in rest.pages(f"/orgs/{organization}/members", role=role):
            for entry in page:
                yield Member(
                    id=entry["id"],
                    login=entry["login"],
                    node_id=entry.get("node_id") or "",
                    avatar_url=entry.get("avatar_url") or "",
                    role=role,
                )


def list_repositories(rest: Rest, organization: str = "") -> Iterator[list[RemoteRepository]]:
    """The repositories of an organisation, or with none those that the token's user owns or works on; pages of 100.

    Those pushed to last come first. https://docs.github.com/rest/repos/repos#list-organization-repositories
    """
    if organization:
        pages = rest.pages(f"/orgs/{organization}/repos", type="all", sort="pushed", direction="desc")
    else:
        pages = rest.pages("/user/repos", affiliation="owner,collaborator", sort="pushed", direction="desc")
    for page in pages:
        yield [repository(entry) for entry in page]


def list_installation_repositories(rest: Rest) -> Iterator[list[RemoteRepository]]:
    """What a GitHub App's installation was given.

    https://docs.github.com/rest/apps/installations#list-repositories-accessible-to-the-app-installation
    """
    for page in rest.pages("/installation/repositories", items="repositories"):
        yield [repository(entry) for entry in page]


def get_repository(rest: Rest, full_name: str) -> RemoteRepository:
    """A repository by name; a former name leads to it too. Raises RepositoryGone.

    https://docs.github.com/rest/repos/repos#get-a-repository
    """
    return _get(rest, f"/repos/{full_name}", full_name)


def get_repository_by_id(rest: Rest, repository_id: int) -> RemoteRepository:
    """A repository by GitHub's id, under whatever name it has now. Raises RepositoryGone."""
    return _get(rest, f"/repositories/{repository_id}", f"the repository {repository_id}")


@documented_shape()
def repository(entry: Raw) -> RemoteRepository:
    """A repository as REST and webhooks shape it; they count issues and pull requests together, so neither is known."""
    return RemoteRepository(
        id=entry["id"],
        node_id=entry.get("node_id") or "",
        full_name=entry["full_name"],
        default_branch=entry.get("default_branch") or "",
        description=entry.get("description") or "",
        language=entry.get("language") or "",
        is_private=bool(entry.get("private")),
        is_archived=bool(entry.get("archived")),
        is_fork=bool(entry.get("fork")),
        is_disabled=bool(entry.get("disabled")),
        can_admin=bool((entry.get("permissions") or {}).get("admin")),
        pushed_at=instant(entry["pushed_at"]) if isinstance(entry.get("pushed_at"), str) else None,
        open_pull_requests=None,
    )


def _get(rest: Rest, path: str, name: str) -> RemoteRepository:
    try:
        return repository(rest.get(path))
    except NotFound as error:
        raise RepositoryGone(name) from error


@documented_shape()
def _organization(entry: Raw) -> Organization:
    return Organization(
        id=entry["id"],
        login=entry["login"],
        node_id=entry.get("node_id") or "",
        avatar_url=entry.get("avatar_url") or "",
        description=entry.get("description") or "",
    )

"""https://docs.github.com/rest/users · https://docs.github.com/rest/orgs"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found, refused
from devtools.github_sandbox.world import Repository

_TYPES: dict[str, Callable[[Repository], bool]] = {
    "public": lambda each: not each.is_private,
    "private": lambda each: each.is_private,
    "forks": lambda each: each.is_fork,
    "sources": lambda each: not each.is_fork,
}
_SORTS: dict[str, Callable[[Repository], str]] = {
    "full_name": lambda each: each.full_name.lower(),
    "created": lambda each: each.created_at,
    "updated": lambda each: each.updated_at,
    "pushed": lambda each: each.pushed_at or "",
}


def root(call: RestCall) -> RestAnswer:
    api = call.shapes.api_url
    return RestAnswer({"current_user_url": f"{api}/user", "repository_url": f"{api}/repos/{{owner}}/{{repo}}"})


def meta(_call: RestCall) -> RestAnswer:
    return RestAnswer(
        {"verifiable_password_authentication": False, "hooks": ["127.0.0.0/8"], "installed_version": "3.17.0"}
    )


def me(call: RestCall) -> RestAnswer:
    return RestAnswer(call.shapes.full_user(call.person))


def my_emails(call: RestCall) -> RestAnswer:
    if not call.session.scopes & {"user", "user:email", "read:user"}:
        raise not_found()
    email = {"email": call.person.email, "primary": True, "verified": True, "visibility": "private"}
    return RestAnswer([email] if call.person.email else [])


def my_organizations(call: RestCall) -> RestAnswer:
    """Needs `read:org` or `user`; without them nothing is listed."""
    allowed = bool(call.session.scopes & {"read:org", "admin:org", "user", "repo"}) and call.person is not None
    return call.pages(call.session.organizations(call.world) if allowed else [], call.shapes.organization)


def my_memberships(call: RestCall) -> RestAnswer:
    _needs_read_org(call)
    return call.pages(call.session.organizations(call.world), lambda each: _membership(call, each, call.person))


def my_membership(call: RestCall, org: str) -> RestAnswer:
    _needs_read_org(call)
    return RestAnswer(_membership(call, _organization(call, org), call.person))


def membership(call: RestCall, login: str, username: str) -> RestAnswer:
    _needs_read_org(call)
    account = call.world.account(username)
    if account is None:
        raise not_found()
    return RestAnswer(_membership(call, _organization(call, login), account))


def _needs_read_org(call: RestCall) -> None:
    if not call.session.scopes & {"read:org", "write:org", "admin:org"}:
        raise RestError(403, "You need at least read:org scope to get memberships.")


def _membership(call: RestCall, organization: Account, account: Account) -> dict[str, Any]:
    role = organization.role_of(account)
    if role is None:
        raise not_found()
    return {
        "url": f"{call.shapes.api_url}/orgs/{organization.login}/memberships/{account.login}",
        "state": "active",
        "role": role.lower(),
        "organization_url": f"{call.shapes.api_url}/orgs/{organization.login}",
        "user": call.shapes.user(account),
        "organization": call.shapes.organization(organization),
    }


def my_repositories(call: RestCall) -> RestAnswer:
    """`affiliation`, `visibility`, `type`, `sort` and `direction` as documented."""
    person = call.person
    wanted = set((call.query.get("affiliation") or "owner,collaborator,organization_member").split(","))
    rows = [each for each in call.session.repositories(call.world) if _affiliation(each, person) in wanted]
    visibility = call.query.get("visibility", "all")
    rows = [each for each in rows if visibility in ("all", "private" if each.is_private else "public")]
    return call.pages(_sorted(rows, call.query, "full_name"), lambda each: call.shapes.repository(each, call.session))


def _affiliation(repository: Repository, person: Account) -> str:
    if repository.owner is person:
        return "owner"
    return "organization_member" if repository.owner.role_of(person) else "collaborator"


def _sorted(rows: list[Repository], query: dict[str, str], default: str) -> list[Repository]:
    sort = query.get("sort", default)
    direction = query.get("direction") or ("asc" if sort == "full_name" else "desc")
    return sorted(rows, key=_SORTS.get(sort, _SORTS["full_name"]), reverse=direction == "desc")


def user(call: RestCall, login: str) -> RestAnswer:
    return RestAnswer(call.shapes.full_user(_account(call, login)))


def user_by_id(call: RestCall, number: int) -> RestAnswer:
    """`/user/{account_id}`: how an account that has another login by now is found."""
    return RestAnswer(call.shapes.full_user(_by_id(call, number)))


def organization_by_id(call: RestCall, number: int) -> RestAnswer:
    return organization(call, _by_id(call, number).login)


def _by_id(call: RestCall, number: int) -> Account:
    found = next((each for each in call.world.accounts.values() if each.database_id == number), None)
    if found is None:
        raise not_found()
    return found


def user_organizations(call: RestCall, login: str) -> RestAnswer:
    account = _account(call, login)
    everyone = call.world.accounts.values()
    return call.pages([each for each in everyone if each.role_of(account)], call.shapes.organization)


def owner_repositories(call: RestCall, login: str) -> RestAnswer:
    account = _account(call, login)
    refusal = call.session.rules.of_owner(call.session, account)
    if refusal is not None:
        raise refused(refusal)
    rows = [each for each in account.repositories if call.session.sees(each)]
    kind = call.query.get("type", "all")
    rows = [each for each in rows if kind not in _TYPES or _TYPES[kind](each)]
    default = "created" if account.typename == "Organization" else "full_name"
    return call.pages(_sorted(rows, call.query, default), lambda each: call.shapes.repository(each, call.session))


def organization(call: RestCall, login: str) -> RestAnswer:
    return RestAnswer(call.shapes.full_organization(_organization(call, login)))


def members(call: RestCall, login: str) -> RestAnswer:
    role = call.query.get("role", "all")
    rows = [each for each in _organization(call, login).members if role in ("all", each.role.lower())]
    return call.pages(rows, lambda each: call.shapes.user(each.account))


def teams(call: RestCall, login: str) -> RestAnswer:
    return call.pages(_organization(call, login).teams, call.shapes.team)


def team_members(call: RestCall, login: str, slug: str) -> RestAnswer:
    team = next((each for each in _organization(call, login).teams if each.slug == slug), None)
    if team is None:
        raise not_found()
    return call.pages(team.members, lambda each: call.shapes.user(each.account))


def _account(call: RestCall, login: str) -> Account:
    found = call.world.account(login)
    if found is None:
        raise not_found()
    return found


def _organization(call: RestCall, login: str) -> Account:
    found = _account(call, login)
    if found.typename != "Organization":
        raise not_found()
    refusal = call.session.rules.of_owner(call.session, found)
    if refusal is not None:
        raise refused(refusal)
    return found

"""Users, bots, organizations, teams."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Account, Membership, Team
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.graphql_api.registry import Call, resolves

ACTORS = "User Bot Mannequin EnterpriseUserAccount Organization"


@resolves(ACTORS, "avatarUrl")
def avatar_url(account: Account, call: Call) -> str:
    size = call.arguments.get("size")
    return f"{call.context.web_url}/avatars/{account.database_id}" + (f"?s={size}" if size else "")


@resolves("Bot", "login")
def bot_login(account: Account, _call: Call) -> str:
    """GraphQL says `dependabot` where REST says `dependabot[bot]`: only the ids tell that they are one."""
    return account.login.removesuffix("[bot]")


@resolves(ACTORS, "resourcePath")
def actor_path(account: Account, call: Call) -> str:
    return f"/apps/{bot_login(account, call)}" if account.typename == "Bot" else f"/{account.login}"


@resolves(ACTORS, "url")
def actor_url(account: Account, call: Call) -> str:
    return call.context.web_url + actor_path(account, call)


@resolves(ACTORS, "updatedAt")
def actor_updated(account: Account, call: Call) -> str:
    return account.created_at


@resolves("EnterpriseUserAccount", "user")
@resolves("User", "bio", "company", "location", "websiteUrl")
@resolves("Organization", "websiteUrl")
@resolves("Organization", "email")
def nothing(_entity: Any, _call: Call) -> None:
    return None


@resolves("User", "isViewer")
def is_viewer(account: Account, call: Call) -> bool:
    return account is call.context.session.account


@resolves("User", "organization")
def user_organization(account: Account, call: Call) -> Account | None:
    found = call.context.world.account(call.arguments["login"])
    return found if found is not None and found.role_of(account) else None


@resolves("User", "organizations")
def user_organizations(account: Account, call: Call) -> Page:
    if account is call.context.session.account and not call.context.session.scopes & {"read:org", "admin:org", "repo"}:
        raise Fault(
            "INSUFFICIENT_SCOPES",
            "Your token has not been granted the required scopes to execute this query. The 'organizations' field "
            "requires one of the following scopes: ['read:org'], but your token has only been granted the: "
            f"{sorted(call.context.session.scopes)} scopes.",
        )
    everyone = call.context.world.accounts.values()
    mine = [each for each in everyone if each.typename == "Organization" and each.role_of(account)]
    return page_of(by_login(mine, call.arguments.get("orderBy")), call.arguments)


def by_login(accounts: list[Account], order: dict[str, Any] | None) -> list[Account]:
    descending = order is not None and order["direction"] == "DESC"
    key = "created_at" if order and order["field"] == "CREATED_AT" else "login"
    return sorted(accounts, key=lambda account: str(getattr(account, key)).lower(), reverse=descending)


@resolves("Organization", "viewerCanAdminister")
def can_administer(organization: Account, call: Call) -> bool:
    account = call.context.session.account
    return account is not None and organization.role_of(account) == "ADMIN"


@resolves("Organization", "viewerIsAMember")
def is_member(organization: Account, call: Call) -> bool:
    account = call.context.session.account
    return account is not None and organization.role_of(account) is not None


@resolves("Organization", "isVerified")
def never(_entity: Any, _call: Call) -> bool:
    return False


def _role(members: list[Membership]) -> Any:
    roles = {member.account.login: member.role for member in members}
    return lambda account: {"role": roles[account.login]}


@resolves("Organization", "membersWithRole")
def members_with_role(organization: Account, call: Call) -> Page:
    page = page_of([member.account for member in organization.members], call.arguments)
    page.edge_details = _role(organization.members)
    return page


@resolves("OrganizationMemberEdge TeamMemberEdge", "role")
def member_role(edge: Any, call: Call) -> str | None:
    account = call.context.session.account
    role: str = edge.more["role"]
    return role if account is not None else None


@resolves("OrganizationMemberEdge", "hasTwoFactorEnabled")
def two_factor(_edge: Any, _call: Call) -> None:
    return None


@resolves("TeamMemberEdge", "memberAccessUrl")
def member_access_url(edge: Any, call: Call) -> str:
    return f"{call.context.web_url}/{edge.node.login}"


@resolves("Organization", "team")
def one_team(organization: Account, call: Call) -> Team | None:
    return next((team for team in organization.teams if team.slug == call.arguments["slug"]), None)


@resolves("Organization", "teams")
def teams(organization: Account, call: Call) -> Page:
    """Privacy, role, logins, query and order as GitHub has them; `ldapMapped` and notification settings match all."""
    asked = call.arguments
    rows = [team for team in organization.teams if _team_matches(team, asked)]
    order = asked.get("orderBy")
    rows.sort(key=lambda team: team.name.lower(), reverse=order is not None and order["direction"] == "DESC")
    return page_of(rows, asked)


def _team_matches(team: Team, asked: dict[str, Any]) -> bool:
    logins = {member.account.login.lower() for member in team.members}
    wanted = {login.lower() for login in asked.get("userLogins") or ()}
    return (
        asked.get("privacy") in (None, team.privacy)
        and (not asked.get("rootTeamsOnly") or team.parent_team is None)
        and (not asked.get("query") or asked["query"].lower() in team.name.lower())
        and (not wanted or bool(wanted & logins))
    )


@resolves("Team", "members")
def team_members(team: Team, call: Call) -> Page:
    asked = call.arguments
    rows = [member for member in team.members if asked.get("role") in (None, member.role)]
    if asked.get("query"):
        rows = [member for member in rows if asked["query"].lower() in member.account.login.lower()]
    page = page_of([member.account for member in rows], asked)
    page.edge_details = _role(team.members)
    return page


@resolves("Team", "combinedSlug")
def combined_slug(team: Team, _call: Call) -> str:
    return f"{team.organization.login}/{team.slug}"


@resolves("Team", "url")
def team_url(team: Team, call: Call) -> str:
    return f"{call.context.web_url}/orgs/{team.organization.login}/teams/{team.slug}"


@resolves("Team", "updatedAt")
def team_updated(team: Team, _call: Call) -> str:
    return team.created_at

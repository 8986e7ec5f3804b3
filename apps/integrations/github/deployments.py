"""Deployments with every status, and the teams of an organisation with every member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from apps.integrations.github.changes import in_parts
from apps.integrations.github.completion import Completion
from apps.integrations.github.connections import DEPLOYMENT_STATUSES, TEAM_MEMBERS, Connection
from apps.integrations.github.graphql import GraphQL, page_of
from apps.integrations.github.types import Answer, DeploymentPage, Member, Raw, RemoteTeam, Spending, instant


def fetch_deployments(
    graphql: GraphQL,
    *,
    owner: str,
    name: str,
    after: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    page_size: int = 100,
    spending: Spending | None = None,
) -> DeploymentPage:
    """A page of 100 deployments, newest first, each with every status; a point. Those created before `since` are left
    out, and end the walk (`has_next`); those created from `before` on are passed by. Raises PermissionMissing where the
    connection may not read deployments.
    """
    spending = spending or Spending()
    answer = graphql.run("deployments", owner=owner, name=name, after=after, n=page_size)
    spending.add(answer)
    page = page_of(answer, "repository", "deployments")
    nodes = [node for node in page["nodes"] if _is_readable(node)]
    lost = [_reason(answer, index) for index, node in enumerate(page["nodes"]) if not _is_readable(node)]
    recent = [node for node in nodes if since is None or instant(node["createdAt"]) >= since]
    wanted = [node for node in recent if before is None or instant(node["createdAt"]) < before]
    _complete(graphql, spending, wanted, DEPLOYMENT_STATUSES)
    cursor = page["pageInfo"]["endCursor"]
    has_next = page["pageInfo"]["hasNextPage"] and len(recent) == len(nodes) and cursor not in {None, after}
    short = [f"a deployment's {part}: {reason}" for node in wanted for part, reason in node["partial"].items()]
    return DeploymentPage(wanted, has_next, page["totalCount"], cursor, (*lost, *short))


def fetch_deployments_by_ids(graphql: GraphQL, ids: Sequence[str], *, spending: Spending) -> Iterator[list[Raw]]:
    """The deployments with these node ids, each with every status: 100 cost a point. What GitHub does not give is left
    out. Hands out what one request brought at a time.
    """
    for _, answer in in_parts(ids, lambda some: graphql.run("deployments_by_ids", ids=some), spending):
        spending.add(answer)
        nodes = [node for node in answer.data["nodes"] if node is not None and "statuses" in node]
        readable = [node for node in nodes if _is_readable(node)]
        _complete(graphql, spending, readable, DEPLOYMENT_STATUSES)
        yield readable


def _is_readable(node: Raw | None) -> bool:
    """Whether it is there and has the id that its row is kept by: GitHub's schema lets both be null."""
    return node is not None and node.get("databaseId", "") is not None


def _reason(answer: Answer, index: int) -> str:
    """Why the deployment at this place of the list is missing."""
    place = ("repository", "deployments", "nodes", index)
    found = (error.message for error in answer.errors if error.path[: len(place)] == place)
    return f"a deployment: {next(found, 'GitHub returned nothing for it')}"


def list_teams(graphql: GraphQL, login: str, *, spending: Spending | None = None) -> list[RemoteTeam]:
    """The teams of an organisation that the connection may see. Raises PermissionMissing without read:org."""
    spending = spending or Spending()
    teams: list[RemoteTeam] = []
    after: str | None = None
    while True:
        answer = graphql.run("teams", login=login, after=after)
        spending.add(answer)
        page = page_of(answer, "organization", "teams")
        nodes = [node for node in page["nodes"] if node is not None]
        _complete(graphql, spending, nodes, TEAM_MEMBERS)
        teams += [_team(node) for node in nodes]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"] or cursor in {None, after}:
            return teams
        after = cursor


def _complete(graphql: GraphQL, spending: Spending, nodes: list[Raw], connection: Connection) -> None:
    completion = Completion(graphql, spending)
    for node in nodes:
        node["partial"] = {}
        if connection.read(node) is None:
            node["partial"][connection.part] = "GitHub returned nothing"
        else:
            completion.take(node, node, connection)
    completion.run()


def _team(node: Raw) -> RemoteTeam:
    members = (node["members"] or {}).get("nodes", ())
    return RemoteTeam(
        id=node["databaseId"],
        node_id=node["id"],
        slug=node["slug"],
        name=node["name"],
        members=tuple(
            Member(member["databaseId"], member["login"], member["id"], member.get("avatarUrl") or "")
            for member in members
        ),
        is_partial=bool(node["partial"]),
    )

"""The query's own fields: where every walk begins."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.context import Context, RateLimit
from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.search import search_issues, whole
from devtools.github_sandbox.world import Repository

SEARCH_CAP = 1_000


@resolves("Query", "id")
def query_id(_root: Any, _call: Call) -> str:
    return "Q_sandbox"


@resolves("Query", "rateLimit")
def rate_limit(_root: Any, call: Call) -> RateLimit | None:
    return call.context.rate


@resolves("Query", "viewer")
def viewer(_root: Any, call: Call) -> Account | None:
    return call.context.session.account


@resolves("Query", "repository")
def repository(_root: Any, call: Call) -> Repository:
    full_name = f"{call.arguments['owner']}/{call.arguments['name']}"
    found = call.context.world.repository(full_name, call.arguments["followRenames"])
    if found is None or not call.context.session.reaches(found):
        raise Fault("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
    refusal = call.context.refusal(found)
    if refusal is not None:
        raise refusal
    return found


@resolves("Query", "repositoryOwner")
def repository_owner(_root: Any, call: Call) -> Account | None:
    found = call.context.world.account(call.arguments["login"])
    return found if found is not None and found.typename in ("User", "Organization") else None


@resolves("Query", "organization")
def organization(_root: Any, call: Call) -> Account:
    return _account(call, "Organization", "an Organization")


@resolves("Query", "user")
def user(_root: Any, call: Call) -> Account:
    return _account(call, "User", "a User")


def _account(call: Call, typename: str, words: str) -> Account:
    login = call.arguments["login"]
    found = call.context.world.account(login)
    if found is None or found.typename != typename:
        raise Fault("NOT_FOUND", f"Could not resolve to {words} with the login of '{login}'.")
    refusal = call.context.refusal_of_owner(found)
    if refusal is not None:
        raise refusal
    return found


@resolves("Query", "node")
def node(_root: Any, call: Call) -> Any:
    found = _node(call.context, call.arguments["id"])
    if isinstance(found, Fault):
        raise found
    return found


@resolves("Query", "nodes")
def nodes(_root: Any, call: Call) -> list[Any]:
    """An id that leads nowhere is null in the list, with an error of its own."""
    return [_node(call.context, each) for each in call.arguments["ids"]]


def _node(context: Context, node_id: str) -> Any:
    found = context.world.node(node_id)
    inside = found if isinstance(found, Repository) else _repository_of(found)
    if found is None or (inside is not None and not _reachable(context, inside)):
        return Fault("NOT_FOUND", f"Could not resolve to a node with the global id of '{node_id}'")
    if inside is not None:
        return context.refusal(inside) or found
    return found


def _reachable(context: Context, repository: Repository) -> bool:
    return context.session.reaches(repository) and repository.database_id in context.world.repositories


def _repository_of(entity: Any) -> Repository | None:
    for step in ("repository", "pull_request", "thread", "suite", "deployment", "parent"):
        inner = getattr(entity, step, None)
        if inner is not None:
            return inner if isinstance(inner, Repository) else _repository_of(inner)
    return None


@resolves("Query", "search")
def search(_root: Any, call: Call) -> Page:
    if call.arguments["type"] != "ISSUE":
        page = page_of([], call.arguments)
        page.more["found"] = 0
        return page
    found = search_issues(call.context.world, call.context.session, call.arguments["query"])
    page = page_of(found[:SEARCH_CAP], call.arguments)
    page.nodes = [whole(item) for item in page.nodes]
    page.more["found"] = len(found)
    return page


@resolves("SearchResultItemConnection", "issueCount")
def issue_count(page: Page, _call: Call) -> int:
    return int(page.more["found"])


@resolves("SearchResultItemConnection", "codeCount", "discussionCount", "repositoryCount", "userCount", "wikiCount")
def other_count(_page: Page, _call: Call) -> int:
    return 0

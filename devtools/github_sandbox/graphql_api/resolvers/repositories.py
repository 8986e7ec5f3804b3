"""Repositories, their labels, milestones, refs and deployments."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import (
    Account,
    Commit,
    Deployment,
    DeploymentStatus,
    Issue,
    Label,
    Milestone,
    PullRequest,
)
from devtools.github_sandbox.graphql_api.connections import Page, page_of, sorted_page
from devtools.github_sandbox.graphql_api.errors import Fault
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.graphql_api.resolvers.commits import commit_for
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.world import ORDER_KEYS, Repository

_REPOSITORY_ORDER = {
    "CREATED_AT": lambda each: each.created_at,
    "UPDATED_AT": lambda each: each.updated_at,
    "PUSHED_AT": lambda each: each.pushed_at or "",
    "NAME": lambda each: each.name.lower(),
    "STARGAZERS": lambda each: 0,
}


@resolves("User Organization", "repositories")
def repositories(owner: Account, call: Call) -> Page:
    """Visible repositories of the owner; of the viewer those of the asked affiliations, as GitHub does."""
    asked, session = call.arguments, call.context.session
    rows = [each for each in owner.repositories if session.sees(each)]
    affiliations = set(asked.get("ownerAffiliations") or asked.get("affiliations") or ())
    if owner is session.account:
        shared = [each for each in session.repositories(call.context.world) if each.owner is not owner]
        if "ORGANIZATION_MEMBER" in affiliations:
            rows += [each for each in shared if each.owner.typename == "Organization"]
        if "COLLABORATOR" in affiliations:
            rows += [each for each in shared if each.owner.typename == "User"]
    rows = [each for each in rows if _wanted(each, asked)]
    order = asked.get("orderBy")
    if order:
        rows.sort(key=_REPOSITORY_ORDER[order["field"]], reverse=order["direction"] == "DESC")
    page = page_of(rows, asked)
    page.more["total_disk_usage"] = 0
    return page


def _wanted(repository: Repository, asked: dict[str, Any]) -> bool:
    visibility = asked.get("visibility") or asked.get("privacy")
    return (
        asked.get("isArchived") in (None, repository.is_archived)
        and asked.get("isFork") in (None, repository.is_fork)
        and asked.get("isLocked") in (None, repository.is_locked)
        and asked.get("hasIssuesEnabled") in (None, True)
        and visibility in (None, "PRIVATE" if repository.is_private else "PUBLIC")
    )


@resolves("RepositoryConnection", "totalDiskUsage")
def total_disk_usage(page: Page, _call: Call) -> int:
    return int(page.more["total_disk_usage"])


@resolves("User Organization", "repository")
def owned_repository(owner: Account, call: Call) -> Repository | None:
    found = call.context.world.repository(f"{owner.login}/{call.arguments['name']}", call.arguments["followRenames"])
    if found is None or not call.context.session.reaches(found):
        return None
    refusal = call.context.refusal(found)
    if refusal is not None:
        raise refusal
    return found


@resolves("Repository", "nameWithOwner")
def name_with_owner(repository: Repository, _call: Call) -> str:
    return repository.full_name


@resolves("Repository", "resourcePath")
def repository_path(repository: Repository, _call: Call) -> str:
    return f"/{repository.full_name}"


@resolves("Repository", "url")
def repository_url(repository: Repository, call: Call) -> str:
    return f"{call.context.web_url}/{repository.full_name}"


@resolves("Repository", "visibility")
def visibility(repository: Repository, _call: Call) -> str:
    return "PRIVATE" if repository.is_private else "PUBLIC"


@resolves("Repository", "viewerPermission")
def viewer_permission(repository: Repository, call: Call) -> str:
    return call.context.session.permission(repository) or "READ"


@resolves("Repository", "viewerCanAdminister")
def viewer_can_administer(repository: Repository, call: Call) -> bool:
    return call.context.session.permission(repository) == "ADMIN"


@resolves("Repository", "isEmpty")
def is_empty(repository: Repository, _call: Call) -> bool:
    return repository.pushed_at is None


@resolves("Repository", "isInOrganization")
def in_organization(repository: Repository, _call: Call) -> bool:
    return repository.owner.typename == "Organization"


@resolves("Repository", "isTemplate")
def is_template(_repository: Repository, _call: Call) -> bool:
    return False


@resolves("Repository", "forkCount", "stargazerCount")
def no_count(_repository: Repository, _call: Call) -> int:
    return 0


@resolves("Repository", "homepageUrl")
def homepage(_repository: Repository, _call: Call) -> None:
    return None


@resolves("Repository", "archivedAt")
def archived_at(repository: Repository, _call: Call) -> str | None:
    return repository.updated_at if repository.is_archived else None


@resolves("Repository", "primaryLanguage")
def primary_language(repository: Repository, _call: Call) -> str | None:
    return repository.language


@resolves("Language", "id", "name")
def language_name(language: str, _call: Call) -> str:
    return language


@resolves("Language", "color")
def language_color(_language: str, _call: Call) -> str:
    return "#3572A5"


@resolves("Repository", "defaultBranchRef")
def default_branch(repository: Repository, _call: Call) -> tuple[Repository, str] | None:
    return (repository, repository.default_branch) if repository.pushed_at else None


@resolves("Repository", "ref")
def one_ref(repository: Repository, call: Call) -> tuple[Repository, str] | None:
    name = call.arguments["qualifiedName"].removeprefix("refs/heads/")
    return (repository, name) if name == repository.default_branch and repository.pushed_at else None


@resolves("Ref", "id")
def ref_id(ref: tuple[Repository, str], _call: Call) -> str:
    return f"{node_id('REF', ref[0].database_id, 0)}{ref[1]}"


@resolves("Ref", "name")
def ref_name(ref: tuple[Repository, str], _call: Call) -> str:
    return ref[1]


@resolves("Ref", "prefix")
def ref_prefix(_ref: tuple[Repository, str], _call: Call) -> str:
    return "refs/heads/"


@resolves("Ref", "repository")
def ref_repository(ref: tuple[Repository, str], _call: Call) -> Repository:
    return ref[0]


@resolves("Ref", "target")
def ref_target(ref: tuple[Repository, str], _call: Call) -> Commit | None:
    newest = ref[0].contents.last_merge()
    if newest is None or newest.merge_commit_oid is None:
        return None
    return commit_for(ref[0], newest.merge_commit_oid, newest.merged_at or newest.updated_at)


@resolves("Repository", "object")
def git_object(repository: Repository, call: Call) -> Commit | None:
    return repository.contents.commits.get(call.arguments.get("oid") or call.arguments.get("expression") or "")


@resolves("Repository", "pullRequests")
def pull_requests(repository: Repository, call: Call) -> Page:
    asked = call.arguments
    states = asked.get("states")
    filtered = any(asked.get(name) for name in ("labels", "headRefName", "baseRefName"))
    if not filtered and asked.get("first") is None and asked.get("last") is None:
        return Page([], repository.count_pulls(states), lambda _: "", False, False)  # a count needs nothing loaded
    order = asked.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    if order["field"] == "COMMENTS":
        raise Fault("UNSUPPORTED", "The sandbox orders pull requests by CREATED_AT and UPDATED_AT only.")
    rows = repository.contents.sorted_pulls(order["field"], states)
    if filtered:
        rows = [pull for pull in rows if _pull_wanted(pull, asked)]
    page = sorted_page(rows, ORDER_KEYS[order["field"]], order["direction"] == "DESC", asked)
    page.nodes = repository.contents.whole(page.nodes)
    return page


def _pull_wanted(pull: PullRequest, asked: dict[str, Any]) -> bool:
    labels = asked.get("labels")
    return (
        (not labels or any(label.name in labels for label in pull.labels))
        and asked.get("headRefName") in (None, pull.head_ref_name)
        and asked.get("baseRefName") in (None, pull.base_ref_name)
    )


@resolves("Repository", "pullRequest")
def one_pull(repository: Repository, call: Call) -> PullRequest:
    number = call.arguments["number"]
    found = repository.contents.pulls.get(number)
    if found is None:
        raise Fault("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return found


@resolves("Repository", "issues")
def issues(repository: Repository, call: Call) -> Page:
    asked = call.arguments
    rows = list(repository.contents.issues.values())
    if asked.get("states") is not None:
        rows = [issue for issue in rows if issue.state in asked["states"]]
    if asked.get("labels"):
        rows = [issue for issue in rows if any(label.name in asked["labels"] for label in issue.labels)]
    since = (asked.get("filterBy") or {}).get("since")
    rows = [issue for issue in rows if not since or issue.updated_at >= since]
    order = asked.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    attribute = "updated_at" if order["field"] == "UPDATED_AT" else "created_at"
    rows.sort(key=lambda issue: (getattr(issue, attribute), issue.number), reverse=order["direction"] == "DESC")
    return page_of(rows, asked)


@resolves("Repository", "issue")
def one_issue(repository: Repository, call: Call) -> Issue:
    number = call.arguments["number"]
    found = repository.contents.issues.get(number)
    if found is None:
        raise Fault("NOT_FOUND", f"Could not resolve to an Issue with the number of {number}.")
    return found


@resolves("Repository", "assignableUsers")
def assignable_users(repository: Repository, call: Call) -> Page:
    query = (call.arguments.get("query") or "").lower()
    people = [member.account for member in repository.owner.members] or [repository.owner]
    return page_of([each for each in people if query in each.login.lower()], call.arguments)


@resolves("Repository", "labels")
def repository_labels(repository: Repository, call: Call) -> Page:
    query = (call.arguments.get("query") or "").lower()
    rows = [label for label in repository.contents.labels.values() if query in label.name.lower()]
    return page_of(ordered_labels(rows, call.arguments), call.arguments)


def ordered_labels(labels: list[Label], asked: dict[str, Any]) -> list[Label]:
    order = asked.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    key = (lambda label: label.name.lower()) if order["field"] == "NAME" else (lambda label: label.created_at or "")
    return sorted(labels, key=key, reverse=order["direction"] == "DESC")


@resolves("Label", "url")
def label_url(label: Label, call: Call) -> str:
    return f"{call.context.web_url}/{label.repository.full_name}/labels/{label.name}"


@resolves("Repository", "milestones")
def milestones(repository: Repository, call: Call) -> Page:
    asked, states = call.arguments, call.arguments.get("states")
    rows = [each for each in repository.contents.milestones.values() if not states or each.state in states]
    order = asked.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    keys = {"NUMBER": "number", "DUE_DATE": "due_on", "UPDATED_AT": "updated_at"}
    attribute = keys.get(order["field"], "created_at")
    rows.sort(key=lambda each: getattr(each, attribute) or "", reverse=order["direction"] == "DESC")
    return page_of(rows, asked)


@resolves("Milestone", "url")
def milestone_url(milestone: Milestone, call: Call) -> str:
    return f"{call.context.web_url}/{milestone.repository.full_name}/milestone/{milestone.number}"


@resolves("Milestone", "closed")
def milestone_closed(milestone: Milestone, _call: Call) -> bool:
    return milestone.state == "CLOSED"


@resolves("Repository Commit", "deployments")
def deployments(parent: Repository | Commit, call: Call) -> Page:
    repository = parent if isinstance(parent, Repository) else parent.repository
    rows = [each for each in repository.contents.deployments if parent is repository or each.commit_oid == parent.oid]  # type: ignore[union-attr]
    environments = call.arguments.get("environments")
    rows = [each for each in rows if not environments or each.environment in environments]
    descending = (call.arguments.get("orderBy") or {}).get("direction") == "DESC"
    rows.sort(key=_deployment_key)
    return sorted_page(rows, _deployment_key, descending, call.arguments)


def _deployment_key(deployment: Deployment) -> tuple[str, int]:
    return deployment.created_at, deployment.database_id


@resolves("Deployment", "commit")
def deployment_commit(deployment: Deployment, _call: Call) -> Commit:
    return commit_for(deployment.repository, deployment.commit_oid, deployment.created_at)


@resolves("Deployment", "latestEnvironment", "originalEnvironment")
def deployment_environment(deployment: Deployment, _call: Call) -> str:
    return deployment.environment


@resolves("Deployment", "latestStatus")
def latest_status(deployment: Deployment, _call: Call) -> DeploymentStatus | None:
    return deployment.statuses[-1] if deployment.statuses else None


@resolves("Deployment", "state")
def deployment_state(deployment: Deployment, _call: Call) -> str:
    """`Deployment.state` has ACTIVE where the status says SUCCESS, PENDING where there is no status yet."""
    last = deployment.statuses[-1].state if deployment.statuses else "PENDING"
    return "ACTIVE" if last == "SUCCESS" else last


@resolves("Deployment", "statuses")
def deployment_statuses(deployment: Deployment, call: Call) -> Page:
    return page_of(deployment.statuses[::-1], call.arguments)  # newest first


@resolves("Deployment", "ref")
def deployment_ref(deployment: Deployment, _call: Call) -> tuple[Repository, str] | None:
    return (deployment.repository, deployment.ref_name) if deployment.ref_name else None


@resolves("Deployment", "payload")
def deployment_payload(_deployment: Deployment, _call: Call) -> None:
    return None

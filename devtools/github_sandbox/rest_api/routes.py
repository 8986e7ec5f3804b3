"""REST's routing: one table of paths to handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule

from devtools.github_sandbox.rest_api import accounts, app_routes, checks, hook_routes, pulls, repositories
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, not_found

Handler = Callable[..., RestAnswer]
REPO = "/repos/<owner>/<name>"

ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/", accounts.root),
    ("GET", "/meta", accounts.meta),
    ("GET", "/user", accounts.me),
    ("GET", "/user/emails", accounts.my_emails),
    ("GET", "/user/orgs", accounts.my_organizations),
    ("GET", "/user/memberships/orgs", accounts.my_memberships),
    ("GET", "/user/memberships/orgs/<org>", accounts.my_membership),
    ("GET", "/user/repos", accounts.my_repositories),
    ("GET", "/user/<int:number>", accounts.user_by_id),
    ("GET", "/organizations/<int:number>", accounts.organization_by_id),
    ("GET", "/users/<login>", accounts.user),
    ("GET", "/users/<login>/orgs", accounts.user_organizations),
    ("GET", "/users/<login>/repos", accounts.owner_repositories),
    ("GET", "/orgs/<login>", accounts.organization),
    ("GET", "/orgs/<login>/repos", accounts.owner_repositories),
    ("GET", "/orgs/<login>/members", accounts.members),
    ("GET", "/orgs/<login>/teams", accounts.teams),
    ("GET", "/orgs/<login>/teams/<slug>/members", accounts.team_members),
    ("GET", "/orgs/<login>/memberships/<username>", accounts.membership),
    ("GET", "/app", app_routes.show),
    ("GET", "/app/installations", app_routes.installations),
    ("GET", "/app/installations/<int:number>", app_routes.installation),
    ("POST", "/app/installations/<int:number>/access_tokens", app_routes.access_token),
    ("GET", "/orgs/<login>/installation", app_routes.organization_installation),
    ("GET", "/installation/repositories", app_routes.installation_repositories),
    ("GET", "/user/installations", app_routes.my_installations),
    ("GET", "/search/issues", repositories.search),
    ("GET", REPO, repositories.show),
    ("GET", f"{REPO}/labels", repositories.labels),
    ("GET", f"{REPO}/milestones", repositories.milestones),
    ("GET", f"{REPO}/issues/<int:number>", repositories.issue),
    ("GET", f"{REPO}/pulls", pulls.listing),
    ("GET", f"{REPO}/pulls/comments", pulls.all_review_comments),
    ("GET", f"{REPO}/pulls/<int:number>", pulls.show),
    ("GET", f"{REPO}/pulls/<int:number>/reviews", pulls.reviews),
    ("GET", f"{REPO}/pulls/<int:number>/comments", pulls.review_comments),
    ("GET", f"{REPO}/pulls/<int:number>/commits", pulls.commits),
    ("GET", f"{REPO}/pulls/<int:number>/files", pulls.files),
    ("GET", f"{REPO}/pulls/<int:number>/requested_reviewers", pulls.requested_reviewers),
    ("GET", f"{REPO}/issues/<int:number>/comments", pulls.issue_comments),
    ("GET", f"{REPO}/issues/<int:number>/timeline", pulls.timeline),
    ("GET", f"{REPO}/issues/<int:number>/events", pulls.events),
    ("GET", f"{REPO}/commits/<sha>", checks.commit),
    ("GET", f"{REPO}/commits/<sha>/pulls", checks.pulls_of_commit),
    ("GET", f"{REPO}/commits/<sha>/check-runs", checks.check_runs),
    ("GET", f"{REPO}/commits/<sha>/check-suites", checks.check_suites),
    ("GET", f"{REPO}/commits/<sha>/status", checks.combined_status),
    ("GET", f"{REPO}/commits/<sha>/statuses", checks.statuses),
    ("GET", f"{REPO}/deployments", checks.deployments),
    ("GET", f"{REPO}/deployments/<int:number>", checks.deployment),
    ("GET", f"{REPO}/deployments/<int:number>/statuses", checks.deployment_statuses),
]
for root in (REPO, "/orgs/<login>"):
    hook = f"{root}/hooks/<int:hook_id>"
    ROUTES += [
        ("GET", f"{root}/hooks", hook_routes.listing),
        ("POST", f"{root}/hooks", hook_routes.create),
        ("GET", hook, hook_routes.show),
        ("PATCH", hook, hook_routes.edit),
        ("DELETE", hook, hook_routes.delete),
        ("POST", f"{hook}/pings", hook_routes.ping),
        ("GET", f"{hook}/deliveries", hook_routes.deliveries),
        ("GET", f"{hook}/deliveries/<int:delivery_id>", hook_routes.delivery),
        ("POST", f"{hook}/deliveries/<int:delivery_id>/attempts", hook_routes.redeliver),
    ]

_URLS = Map([Rule(path, endpoint=handler, methods=[method]) for method, path, handler in ROUTES])


def dispatch(call: RestCall, path: str, method: str) -> RestAnswer:
    """The answer of the handler of `path`. Raises RestError; where no route is, 404 as everywhere."""
    adapter: MapAdapter = _URLS.bind("sandbox")
    try:
        handler, arguments = adapter.match(path, method)
    except HTTPException as error:
        raise not_found() from error
    assert callable(handler)
    answer: Any = handler(call, **arguments)
    assert isinstance(answer, RestAnswer)
    return answer

"""What the faults do to an answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from devtools.github_sandbox import responses
from devtools.github_sandbox.access import Session
from devtools.github_sandbox.fault import STATUSES, Fault
from devtools.github_sandbox.graphql_api.service import limited
from devtools.github_sandbox.limits import Resource

if TYPE_CHECKING:
    from devtools.github_sandbox.app import App

TIMEOUT_SECONDS = 10.0
"""GitHub gives up on an answer that takes longer."""


class Broken:
    def __init__(self, app: App) -> None:
        self.app = app
        self.sandbox = app.sandbox

    def before(
        self, request: Request, session: Session, fault: Fault | None, graphql: bool, pulls: int = 0
    ) -> Response | None:
        """The answer of a fault that stands in the place of the real one. `pulls`: how many that would have had."""
        if fault is None:
            return None
        self.sandbox.stats.fault()
        kind, options = fault.kind, fault.options
        if kind == "slow":
            return self._slow(options, pulls, graphql)
        if kind in STATUSES:
            status = int(kind)
            return responses.timeout(status, graphql) if status in (502, 504) else responses.plain(status)
        if kind == "status":
            status = int(options["status"])
            return responses.json_response(options.get("body") or {"message": "Fault", "status": str(status)}, status)
        if kind == "redirect":
            return responses.moved(request, int(options.get("status", 301)), options.get("location"))
        if kind == "rate_limited":
            return self._rate_limited(session, options, graphql)
        if kind == "secondary":
            return responses.secondary_limit(int(options.get("status", 403)), options.get("retry_after"), graphql)
        if kind == "bad_credentials":
            return responses.bad_credentials()
        if kind == "sso":
            url = f"{request.host_url}orgs/sso?authorization_request=sandbox"
            text = "Resource protected by organization SAML enforcement. You must grant your token access."
            return responses.message(403, text, {"X-GitHub-SSO": f"required; url={url}"})
        return responses.drop(request) if kind == "drop" else None

    def after(self, request: Request, response: Response, fault: Fault | None) -> Response:
        """The real answer, damaged on its way."""
        if fault is None:
            return response
        if fault.kind == "truncate":
            return responses.truncate(request, response)
        if fault.kind == "invalid_json":
            response.set_data(b"<!doctype html><title>not JSON</title>")
        return response

    def _slow(self, options: dict[str, Any], pulls: int, graphql: bool) -> Response | None:
        """`seconds`, or `per_pull` for each pull request up to `cap`; from `limit` (10 s) on the answer is a 502."""
        seconds = float(options.get("seconds", 1))
        if "per_pull" in options:
            seconds = min(float(options["per_pull"]) * pulls, float(options.get("cap", TIMEOUT_SECONDS)))
        limit = float(options.get("limit", TIMEOUT_SECONDS)) if "per_pull" in options else float("inf")
        time.sleep(min(seconds, limit))
        return responses.timeout(502, graphql) if seconds >= limit else None

    def _rate_limited(self, session: Session, options: dict[str, Any], graphql: bool) -> Response:
        resource: Resource = "graphql" if graphql else "core"
        reset_in = float(options.get("reset_in", 60))
        if options.get("everybody", True):
            self.sandbox.limits.preset(remaining=0, reset_in=reset_in, resource=resource)
        else:
            self.sandbox.limits.exhaust(session.budget_key, resource, reset_in)
        if graphql:
            return self.app.graphql_response(session, limited(session), "", 0)
        return self.app.rest_limited(session)


def spoiled(body: dict[str, Any], fault: Fault) -> dict[str, Any]:
    """The answer with one path null and an error for it beside `data`."""
    if fault.kind not in ("graphql_error", "resource_limits"):
        return body
    kind, text = fault.error()
    wanted = list(fault.options.get("path") or ())
    paths = blank(body.get("data"), wanted) if wanted else [[]]
    answer = body if wanted else {**body, "data": None}
    errors = [*body.get("errors", ()), *({"type": kind, "path": path, "message": text} for path in paths)]
    return {**answer, "errors": errors}


def blank(data: Any, path: list[str | int]) -> list[list[str | int]]:
    """Sets what `path` leads to to null and gives the paths that were: "*" in it is every element of a list."""
    if data is None:
        return []
    step, rest = path[0], path[1:]
    if step == "*":
        return [done for index in range(len(data)) for done in blank(data, [index, *rest])]
    if rest:
        return [[step, *done] for done in blank(data[step], rest)]
    data[step] = None
    return [[step]]

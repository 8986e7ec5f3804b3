"""The sandbox as a WSGI application: who asks, what is broken on purpose, and which part answers."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson
from werkzeug.wrappers import Request, Response

from devtools.github_sandbox import responses, web
from devtools.github_sandbox.access import Session
from devtools.github_sandbox.broken import Broken, spoiled
from devtools.github_sandbox.graphql_api.documents import Operation
from devtools.github_sandbox.graphql_api.errors import Refused
from devtools.github_sandbox.rest_api.answers import DOCS, RestCall, RestError
from devtools.github_sandbox.rest_api.check_shapes import AllShapes
from devtools.github_sandbox.rest_api.routes import dispatch
from devtools.github_sandbox.rules import NO_ACCESS, SUSPENDED

if TYPE_CHECKING:
    from devtools.github_sandbox.sandbox import Sandbox

MAX_CONCURRENT = 100
_LISTS = ("/user/repos", "/user/orgs", "/user/installations")
_RENAMED = re.compile(r"/repos/([^/]+/[^/]+)(/.*)?$")
_BY_ID = re.compile(r"/repositories/(\d+)(/.*)?$")


class App:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.broken = Broken(self)
        self.anonymous = Session(None, frozenset(), rules=sandbox.tokens.rules)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        with self.sandbox.stats.request() as in_flight:
            response = self.respond(request, in_flight)
            return response(environ, start_response)

    def respond(self, request: Request, in_flight: int) -> Response:
        path = request.path
        if path.startswith(("/login/", "/_sandbox", "/avatars/")) or web.is_page(self.sandbox, request):
            return web.respond(self.sandbox, request)
        if self.sandbox.latency_ms:
            time.sleep(self.sandbox.latency_ms / 1_000)
        session = self.session(request)
        if session is None:
            return responses.bad_credentials()
        if self.sandbox.tokens.rules.suspends(session):
            return responses.message(403, SUSPENDED)
        if in_flight > MAX_CONCURRENT:
            return responses.secondary_limit(403, 60, path.endswith("/graphql"))
        if path in ("/graphql", "/api/graphql"):
            return self.graphql(request, session)
        return self.rest(request, session, path.removeprefix("/api/v3") or "/")

    def session(self, request: Request) -> Session | None:
        """None for a token nobody has."""
        kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            return self.anonymous
        authorization = request.authorization
        if kind.lower() == "basic" and authorization is not None:
            credentials = authorization.password or authorization.username or ""
        credentials = credentials.strip()
        if credentials.count(".") == 2:  # a GitHub App's JSON Web Token
            return self.sandbox.app.session() if self.sandbox.app.accepts(credentials) else None
        return self.sandbox.tokens.session(credentials)

    def graphql(self, request: Request, session: Session) -> Response:
        if request.method != "POST":
            return responses.message(404, "Not Found")
        if session.account is None:
            return responses.message(401, "This endpoint requires you to be authenticated.")
        try:
            asked = orjson.loads(request.get_data())
        except orjson.JSONDecodeError:
            return responses.message(400, "Problems parsing JSON")
        if not isinstance(asked, dict):
            return responses.message(400, "A query attribute must be specified and must be a string.")
        try:
            operation = self.sandbox.graphql.prepare(asked)
        except Refused as refused:
            return self.graphql_response(session, {"errors": refused.errors}, "", 0)
        return self.run(request, session, operation)

    def run(self, request: Request, session: Session, operation: Operation) -> Response:
        """One operation with the faults that strike before it, in it and after it."""
        faults, names, variables = self.sandbox.faults, (operation.name,), operation.variables
        fault = faults.take(names, variables, operation.fields)
        in_fields = faults.of_fields(names, variables)
        if fault is not None and fault.of_field:
            in_fields, fault = [*in_fields, fault], None
        early = self.broken.before(request, session, fault, graphql=True)
        if early is not None:
            self.sandbox.stats.graphql(operation.name, 0)
            return early
        answer = self.sandbox.graphql.answer(operation, session, request.host_url.rstrip("/"), in_fields)
        faults.met(answer.met)
        body = spoiled(answer.body, fault) if fault is not None else answer.body
        for late in faults.after(names, variables, answer.touched):
            early = self.broken.before(request, session, late, graphql=True, pulls=len(answer.touched))
            if early is not None:  # it ran into the failure: the points are gone
                self.sandbox.stats.graphql(operation.name, answer.points)
                return early
            body, fault = spoiled(body, late), late
        response = self.graphql_response(session, body, answer.operation, answer.points)
        response.headers.update(answer.headers)
        return self.broken.after(request, response, fault)

    def graphql_response(self, session: Session, body: Any, operation: str, points: int) -> Response:
        self.sandbox.stats.graphql(operation, points)
        budget = self.sandbox.limits.budget(session.budget_key, "graphql")
        return responses.json_response(
            body, 200, self.sandbox.limits.headers(budget, "graphql") | scope_headers(session)
        )

    def rest(self, request: Request, session: Session, path: str) -> Response:
        self.sandbox.stats.rest(request.method, path)
        fault = self.sandbox.faults.take((path, f"{request.method} {path}"), {})
        early = self.broken.before(request, session, fault, graphql=False)
        if early is not None:
            return early
        if path == "/rate_limit":
            return self.rate_limit(session)
        budget = self.sandbox.limits.charge(session.budget_key, "core", 1)
        if budget is None:
            return self.rest_limited(session)
        response = self.rest_answer(request, session, path)
        response.headers.update(self.sandbox.limits.headers(budget, "core") | scope_headers(session))
        return self.broken.after(request, self.conditional(request, response), fault)

    def rest_answer(self, request: Request, session: Session, path: str) -> Response:
        try:
            body = orjson.loads(request.get_data() or b"null")
        except orjson.JSONDecodeError:
            return responses.message(400, "Problems parsing JSON")
        with self.sandbox.world.lock:  # from the name in the path to the answer nothing may move
            return self.routed(request, session, path, body)

    def routed(self, request: Request, session: Session, path: str, body: Any) -> Response:
        root = request.host_url.rstrip("/")
        api = root + ("/api/v3" if request.path.startswith("/api/v3") else "")
        moved = self.moved(api, path)
        if moved is not None:
            return moved
        by_id = _BY_ID.match(path)
        if by_id:
            repository = self.sandbox.world.repositories.get(int(by_id[1]))
            path = f"/repos/{repository.full_name}{by_id[2] or ''}" if repository else path
        if session.rules.forbids_path(session, path):
            return responses.message(403, NO_ACCESS)
        world, hooks, app = self.sandbox.world, self.sandbox.hooks, self.sandbox.app
        shapes, query = AllShapes(api, root), request.args.to_dict()
        call = RestCall(world, hooks, app, session, shapes, api + path, query, body)
        try:
            answer = dispatch(call, path, request.method)
        except RestError as error:
            return responses.json_response(error.body, error.status, error.headers)
        left_out = session.rules.partial(session) if path in _LISTS else []
        if left_out:
            answer.headers["X-GitHub-SSO"] = f"partial-results; organizations={','.join(map(str, left_out))}"
        return responses.json_response(answer.data, answer.status, answer.headers)

    def moved(self, api: str, path: str) -> Response | None:
        """301 to the repository's id for a name it had before."""
        match = _RENAMED.match(path)
        if not match or self.sandbox.world.repository(match[1], follow_renames=False) is not None:
            return None
        repository = self.sandbox.world.repository(match[1])
        if repository is None:
            return None
        url = f"{api}/repositories/{repository.database_id}{match[2] or ''}"
        data = {"message": "Moved Permanently", "url": url, "documentation_url": DOCS}
        return responses.json_response(data, 301, {"Location": url})

    def conditional(self, request: Request, response: Response) -> Response:
        """304 for what the client has; GitHub does not charge it, the sandbox does."""
        if request.method == "GET" and response.status_code == 200:
            response.set_etag(hashlib.sha1(response.get_data()).hexdigest(), weak=True)
            response.make_conditional(request.environ)
        return response

    def rate_limit(self, session: Session) -> Response:
        names: tuple[Any, ...] = ("core", "graphql", "search")
        budgets = {name: self.sandbox.limits.budget(session.budget_key, name) for name in names}
        resources = {name: vars(budget) | {"used": budget.used} for name, budget in budgets.items()}
        headers = self.sandbox.limits.headers(budgets["core"], "core") | scope_headers(session)
        return responses.json_response({"resources": resources, "rate": resources["core"]}, 200, headers)

    def rest_limited(self, session: Session) -> Response:
        """The primary limit: 403 with nothing remaining."""
        budget = self.sandbox.limits.budget(session.budget_key, "core")
        budget.remaining = 0
        person = session.account.database_id if session.account else 0
        docs = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
        text = f"API rate limit exceeded for user ID {person}."
        return responses.message(403, text, self.sandbox.limits.headers(budget, "core"), docs)


def scope_headers(session: Session) -> dict[str, str]:
    if session.account is None or session.installation is not None:
        return {}
    return {
        "X-OAuth-Scopes": ", ".join(sorted(session.scopes)),
        "X-Accepted-OAuth-Scopes": "",
        "X-OAuth-Client-Id": "sandbox",
    }

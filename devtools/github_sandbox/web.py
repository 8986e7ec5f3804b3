"""What a browser sees of the sandbox, the OAuth endpoints, and the knobs below `/_sandbox`."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from devtools.github_sandbox import responses
from devtools.github_sandbox.mutations import UnknownTarget
from devtools.github_sandbox.oauth import OAuthError

if TYPE_CHECKING:
    from devtools.github_sandbox.sandbox import Sandbox

_PULL = re.compile(r"/([^/]+/[^/]+)/pull/(\d+)")


def is_page(sandbox: Sandbox, request: Request) -> bool:
    """A browser that follows a link to a pull request, a repository or the front page."""
    if request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
        return False
    path = request.path.strip("/")
    return not path or bool(_PULL.match(request.path)) or sandbox.world.repository(path) is not None


def respond(sandbox: Sandbox, request: Request) -> Response:
    path = request.path
    if path.startswith("/_sandbox"):
        return admin(sandbox, request)
    if path.startswith("/avatars/"):
        return avatar(path.removeprefix("/avatars/"))
    if path == "/login/oauth/authorize":
        return authorize(sandbox, request)
    if path == "/login/oauth/access_token":
        return access_token(sandbox, request)
    if path.startswith("/login/"):
        return responses.message(404, "Not Found")
    return page(sandbox, path)


def authorize(sandbox: Sandbox, request: Request) -> Response:
    asked = request.values.to_dict()
    if not sandbox.oauth.knows(asked.get("client_id", "")):
        return Response("This OAuth app does not exist.", 404, content_type="text/plain")
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return Response("A redirect_uri is needed.", 400, content_type="text/plain")
    if request.method == "POST":
        return redirect(sandbox.oauth.decide(asked), 302)
    return Response(sandbox.oauth.page(asked), content_type="text/html; charset=utf-8")


def access_token(sandbox: Sandbox, request: Request) -> Response:
    """Form or JSON in; JSON out if the client accepts it, else a form."""
    if request.method != "POST":
        return responses.message(404, "Not Found")
    form: Any = orjson.loads(request.get_data() or b"{}") if request.is_json else request.values.to_dict()
    try:
        answer = sandbox.oauth.token(form)
    except OAuthError as error:
        answer = error.body
    if "json" in request.headers.get("Accept", ""):
        return responses.json_response(answer)
    return Response(urlencode(answer), content_type="application/x-www-form-urlencoded; charset=utf-8")


def avatar(number: str) -> Response:
    hue = int(re.sub(r"\D", "", number) or 0) * 47 % 360
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" '
        f'fill="hsl({hue} 45% 82%)"/><circle cx="32" cy="25" r="11" fill="hsl({hue} 45% 38%)"/>'
        f'<path d="M10 60c0-13 10-20 22-20s22 7 22 20z" fill="hsl({hue} 45% 38%)"/></svg>'
    )
    return Response(svg, content_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


def page(sandbox: Sandbox, path: str) -> Response:
    """The title and text of a pull request, or a list to begin from: enough for a link to lead somewhere."""
    match = _PULL.match(path)
    repository = sandbox.world.repository(match[1] if match else path.strip("/"))
    if match and repository is not None:
        pull = repository.contents.pulls.get(int(match[2]))
        title = f"{pull.title} #{pull.number}" if pull else "Not found"
        body = f"<pre>{html.escape(pull.body)}</pre>" if pull else ""
    elif repository is not None:
        title = repository.full_name
        newest = repository.contents.sorted_pulls("CREATED_AT")[::-1][:100]
        body = links((f"/{title}/pull/{pull.number}", f"#{pull.number} {pull.title}") for pull in newest)
    else:
        title = "sandbox GitHub"
        body = links((f"/{each.full_name}", each.full_name) for each in sandbox.world.listed_repositories()[:100])
    document = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<body style="font:16px system-ui;max-width:50rem;margin:2rem auto">'
        f"<h1>{html.escape(title)}</h1>{body}</body></html>"
    )
    return Response(document, content_type="text/html; charset=utf-8")


def links(rows: Any) -> str:
    items = "".join(f'<li><a href="{html.escape(url)}">{html.escape(text)}</a></li>' for url, text in rows)
    return f"<ul>{items}</ul>"


def admin(sandbox: Sandbox, request: Request) -> Response:
    """`/_sandbox/{stats,faults,limit,latency,mutate,…}`: see README.md of this package."""
    name = request.path.removeprefix("/_sandbox").strip("/")
    body: Any = orjson.loads(request.get_data() or b"{}") if request.method == "POST" else {}
    try:
        return _admin(sandbox, request.method, name, body)
    except (UnknownTarget, ValueError, KeyError, TypeError) as error:
        return responses.message(422, str(error))


def _admin(sandbox: Sandbox, method: str, name: str, body: Any) -> Response:
    if name == "stats":
        if method == "DELETE":
            sandbox.stats.reset()
        return responses.json_response(sandbox.stats.as_json())
    if name == "faults":
        if method == "DELETE":
            sandbox.faults.clear()
        for fault in body if isinstance(body, list) else [body] if body else []:
            sandbox.faults.add(**fault)
        return responses.json_response(sandbox.faults.pending())
    if name == "faults/random":
        return random_faults(sandbox, method, body)
    if method != "POST":
        return responses.message(404, "Not Found")
    if name == "faults/poison":
        sandbox.faults.poison(**body)
        return responses.json_response(sandbox.faults.pending())
    if name == "limit":
        if "enabled" in body:
            sandbox.limits.enabled = bool(body.pop("enabled"))
        if body:
            sandbox.limits.preset(**body)
        return responses.json_response({"ok": True})
    if name == "latency":
        sandbox.latency_ms = int(body["ms"])
        return responses.json_response({"ok": True})
    if name == "drain":
        sandbox.hooks.drain()
        return responses.json_response({"ok": True})
    if name == "mutate":
        return responses.json_response(sandbox.mutations.apply(body))
    if name == "deliver":
        return responses.json_response({"delivered": sandbox.deliver(body)})
    if name == "tokens":
        sandbox.tokens.revoke(body["revoke"])
        return responses.json_response({"ok": True})
    return responses.message(404, "Not Found")


def random_faults(sandbox: Sandbox, method: str, body: Any) -> Response:
    """POST begins, DELETE ends; both and GET tell what was struck."""
    if method == "POST":
        sandbox.faults.random(**body)
    plan = sandbox.faults.random_plan
    if method == "DELETE" and plan is not None:
        plan.stop()
    return responses.json_response(plan.as_json() if plan is not None else {})

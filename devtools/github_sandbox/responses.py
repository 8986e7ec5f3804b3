"""HTTP answers that several parts give: JSON, GitHub's error forms, and broken ones for the faults."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from devtools.github_sandbox.fault import TIMEOUT
from devtools.github_sandbox.rest_api.answers import DOCS

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = b"" if status == 204 else orjson.dumps(data)
    response = Response(body, status, content_type="application/json; charset=utf-8")
    response.headers["X-GitHub-Request-Id"] = uuid.uuid4().hex.upper()
    response.headers.update(headers or {})
    return response


def message(status: int, text: str, headers: dict[str, str] | None = None, docs: str = DOCS) -> Response:
    return json_response({"message": text, "documentation_url": docs, "status": str(status)}, status, headers)


def bad_credentials() -> Response:
    return message(401, "Bad credentials")


def secondary_limit(status: int, retry_after: int | None, graphql: bool) -> Response:
    """403 or 429, or GraphQL's 200 with the words in `errors`. `retry_after` seconds; None leaves the header out."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    docs = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
    if graphql and status == 200:
        return json_response({"errors": [{"type": "RATE_LIMITED", "message": SECONDARY}]}, 200, headers)
    return message(status, SECONDARY, headers, docs)


def timeout(status: int, graphql: bool) -> Response:
    """What GitHub's front answers when a query takes too long."""
    if graphql and status == 502:
        return json_response({"data": None, "errors": [{"message": TIMEOUT}]}, status)
    return Response("<html><body><h1>Unicorn!</h1></body></html>", status, content_type="text/html")


def plain(status: int) -> Response:
    """410, 451, 500 and 503, each with the words that belong to it."""
    if status == 451:
        block = {"reason": "dmca", "created_at": "2026-01-15T10:00:00Z", "html_url": f"{DOCS}/dmca"}
        return json_response({"message": "Repository access blocked", "block": block}, status)
    words = {410: "This feature is disabled.", 500: "Server Error", 503: "Service Unavailable"}
    return message(status, words[status])


def moved(request: Request, status: int, location: str | None) -> Response:
    """A redirect, by default to the same place again."""
    data = {"message": "Moved Permanently" if status in (301, 308) else "Found", "url": location or request.url}
    return json_response(data, status, {"Location": location or request.url})


def drop(request: Request) -> Response:
    """Closes the connection without an answer."""
    return Response(_cut(request, b""), 200, headers={"Content-Length": "1"}, direct_passthrough=True)


def truncate(request: Request, response: Response) -> Response:
    """The headers of the whole answer, half of its body, and the connection closed."""
    body = response.get_data()
    cut = Response(_cut(request, body[: len(body) // 2]), response.status_code, direct_passthrough=True)
    cut.headers.extend(response.headers)
    cut.headers["Content-Length"] = str(len(body))
    return cut


def _cut(request: Request, part: bytes) -> Iterator[bytes]:
    connection = request.environ.get("werkzeug.socket")
    if part:
        yield part
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("cut by a fault")

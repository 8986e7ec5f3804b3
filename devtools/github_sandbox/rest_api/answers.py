"""What a REST handler gets and gives, pages and errors in GitHub's forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.github_app import GitHubApp
from devtools.github_sandbox.hooks import Hooks
from devtools.github_sandbox.rest_api.check_shapes import AllShapes
from devtools.github_sandbox.rules import Refusal
from devtools.github_sandbox.world import Repository, World

DOCS = "https://docs.github.com/rest"
MAX_PER_PAGE = 100
T = TypeVar("T")


class RestError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"message": message, **more, "documentation_url": DOCS, "status": str(status)}


def refused(refusal: Refusal) -> RestError:
    """Single sign-on, an IP allow list, a takedown."""
    if refusal.block:
        block = {"reason": refusal.block, "created_at": "2026-01-15T10:00:00Z", "html_url": f"{DOCS}/{refusal.block}"}
        return RestError(refusal.status, refusal.message, block=block)
    return RestError(refusal.status, refusal.message, {"X-GitHub-SSO": refusal.sso} if refusal.sso else None)


def not_found() -> RestError:
    """Also what exists but may not be known to exist."""
    return RestError(404, "Not Found")


@dataclass
class RestAnswer:
    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class RestCall:
    """One request. `url` is the request's own, without its query."""

    world: World
    hooks: Hooks
    app: GitHubApp
    session: Session
    shapes: AllShapes
    url: str
    query: dict[str, str]
    body: Any = None

    @property
    def person(self) -> Any:
        if self.session.installation is not None:
            raise RestError(403, "Resource not accessible by integration")
        if self.session.account is None:
            raise RestError(401, "Requires authentication")
        return self.session.account

    def repository(self, full_name: str) -> Repository:
        found = self.world.repository(full_name, follow_renames=False)
        if found is None or not self.session.reaches(found):
            raise not_found()
        refusal = self.session.rules.of_repository(self.session, found)
        if refusal is not None:
            raise refused(refusal)
        return found

    def pages(self, rows: Sequence[T], shape: Callable[[T], Any], wrap: str | None = None) -> RestAnswer:
        """The page that `page` and `per_page` ask for, with its Link header. `wrap` puts the list below a key."""
        size = min(_number(self.query.get("per_page"), 30) or 30, MAX_PER_PAGE)
        page = max(_number(self.query.get("page"), 1), 1)
        data: Any = [shape(row) for row in rows[(page - 1) * size : page * size]]
        if wrap is not None:
            data = {"total_count": len(rows), wrap: data}
        last = max((len(rows) + size - 1) // size, 1)
        links = []
        if page > 1:
            links += [("first", 1), ("prev", min(page - 1, last))]
        if page < last:
            links += [("next", page + 1), ("last", last)]
        if not links:
            return RestAnswer(data)
        return RestAnswer(data, headers={"Link": ", ".join(self._link(number, rel) for rel, number in links)})

    def _link(self, page: int, rel: str) -> str:
        return f'<{self.url}?{urlencode({**self.query, "page": page})}>; rel="{rel}"'


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default

"""GitHub's GraphQL errors: 200 with an `errors` list, each with a `type`."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """An error of one field: the field becomes null, its siblings stay."""

    def __init__(self, kind: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.extensions = extensions

    def as_json(self, path: list[str | int], line: int = 1, column: int = 1) -> dict[str, Any]:
        error: dict[str, Any] = {
            "type": self.kind,
            "path": path,
            "locations": [{"line": line, "column": column}],
            "message": self.message,
        }
        if self.extensions:
            error["extensions"] = self.extensions
        return error


class Refused(Exception):
    """The whole query is refused before anything of it runs: the answer has no `data`."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


def refuse(message: str, kind: str | None = None, **more: Any) -> Refused:
    error: dict[str, Any] = {"message": message, **more}
    return Refused([{"type": kind, **error} if kind else error])

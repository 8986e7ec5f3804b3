"""One fault: what it matches, what it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devtools.github_sandbox.entities import PullRequest

STATUSES = frozenset({"410", "451", "500", "502", "503", "504"})
KINDS = STATUSES | {
    "status",
    "redirect",
    "rate_limited",
    "secondary",
    "truncate",
    "drop",
    "slow",
    "invalid_json",
    "graphql_error",
    "resource_limits",
    "bad_credentials",
    "sso",
}
TIMEOUT = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."
)
Touched = Sequence[tuple["PullRequest", frozenset[str]]]
"""The pull requests that an answer has, each with the fields that were asked of it."""
_OF_CONTENT = frozenset({"pulls_over", "pull", "repo", "selecting"})


@dataclass
class Fault:
    """`match`: an operation's name or the beginning of a REST path, "*" for all. `times` -1: for ever.

    `skip` lets that many matching requests through first. `when` limits it. {"variable": "n", "over": 14}: GraphQL
    requests that ask for more. By what a GraphQL answer has, as each key says: {"pulls_over": 14} more pull requests;
    {"pull": 7} or a list, one of these; {"repo": "o/r"} some of that repository; {"selecting": "files"} or a list, some
    that these fields are asked of. `options` by kind are in README.md.
    """

    match: str
    kind: str
    times: int = 1
    skip: int = 0
    when: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def of_field(self) -> str:
        """The field that fails inside an answer, "" for a fault of the whole answer."""
        return str(self.options.get("field") or "")

    @property
    def of_content(self) -> bool:
        """Whether only the finished answer tells if it strikes."""
        return bool(self.when and _OF_CONTENT & self.when.keys()) or "per_pull" in self.options

    def matches(self, names: tuple[str, ...], variables: dict[str, Any]) -> bool:
        if self.match != "*" and not any(
            name == self.match or (self.match.startswith("/") and name.startswith(self.match)) for name in names
        ):
            return False
        if self.when is None or "variable" not in self.when:
            return True
        value = variables.get(self.when["variable"])
        size = len(value) if isinstance(value, list) else value
        return isinstance(size, int) and size > self.when["over"]

    def strikes(self, touched: Touched) -> bool:
        """Whether an answer with these pull requests is one that is meant."""
        rows = [pull for pull, names in touched if self.means(pull) and self._selected(names)]
        return len(rows) > int((self.when or {}).get("pulls_over", 0))

    def hits(self, entity: Any) -> bool:
        """Whether `of_field` fails in this object; `every` 3 means the pull requests with numbers divisible by it."""
        pull = entity if hasattr(entity, "number") else getattr(entity, "pull_request", None)
        if pull is None:
            return not (self.when and {"pull", "repo"} & self.when.keys())
        return self.means(pull) and not int(pull.number) % int(self.options.get("every", 1))

    def error(self) -> tuple[str, str]:
        """GraphQL's type and message."""
        limits = self.kind == "resource_limits"
        kind = self.options.get("type") or ("RESOURCE_LIMITS_EXCEEDED" if limits else "INTERNAL")
        text = "Resource limits for this query exceeded." if limits else TIMEOUT
        return kind, self.options.get("message") or text

    def means(self, pull: PullRequest) -> bool:
        when = self.when or {}
        numbers, repo = when.get("pull"), when.get("repo")
        return (numbers is None or pull.number in _listed(numbers)) and (
            repo is None or pull.repository.full_name.lower() == repo.lower()
        )

    def _selected(self, names: frozenset[str]) -> bool:
        wanted = (self.when or {}).get("selecting")
        return wanted is None or not names.isdisjoint(_listed(wanted))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple | set) else (value,)

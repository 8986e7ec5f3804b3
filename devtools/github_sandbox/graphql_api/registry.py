"""Where resolvers are found: by type and field. A field without one is the attribute of the same name in snake case."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from devtools.github_sandbox.graphql_api.context import Context


class Call(NamedTuple):
    context: Context
    arguments: dict[str, Any]


Resolver = Callable[[Any, Call], Any]
R = TypeVar("R", bound=Resolver)
RESOLVERS: dict[tuple[str, str], Resolver] = {}


def resolves(types: str, *names: str) -> Callable[[R], R]:
    """Registers a resolver for the fields `names` of each of the `types` (separated by spaces)."""

    def register(resolver: R) -> R:
        for parent in types.split():
            for name in names:
                RESOLVERS[parent, name] = resolver
        return resolver

    return register


@cache
def snake_case(name: str) -> str:
    """fullDatabaseId → full_database_id, bodyHTML → body_html."""
    return re.sub(r"(?<=[a-z])([A-Z])|([A-Z])(?=[a-z])", lambda match: "_" + match.group(0), name).lower()

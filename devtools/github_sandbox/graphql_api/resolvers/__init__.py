"""Resolvers by area. Importing this package registers all of them in RESOLVERS."""

from devtools.github_sandbox.graphql_api.registry import RESOLVERS
from devtools.github_sandbox.graphql_api.resolvers import (
    accounts,
    checks,
    commits,
    issues,
    pulls,
    repositories,
    reviews,
    root,
    timeline,
)

__all__ = [
    "RESOLVERS",
    "accounts",
    "checks",
    "commits",
    "issues",
    "pulls",
    "repositories",
    "reviews",
    "root",
    "timeline",
]

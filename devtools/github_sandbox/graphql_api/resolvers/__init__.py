"""Resolvers by area. Importing this package registers all of them."""

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

__all__ = ["accounts", "checks", "commits", "issues", "pulls", "repositories", "reviews", "root", "timeline"]

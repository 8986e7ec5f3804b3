"""The GitHub client of an integration, with its credentials and this installation's settings."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.github.transport import HttpxTransport
from apps.integrations.services.github_rate_limit import tokens_of


@lru_cache(maxsize=1)
def transport() -> HttpxTransport:
    """One pool of connections a process; made on first use, so never before a worker forks."""
    return HttpxTransport()


def graphql_of(*, team_id: int, integration_id: int) -> GraphQL:
    """GraphQL with the integration's tokens. Reads the credentials in a scope of its own; HTTP happens later."""
    tokens = tokens_of(team_id=team_id, integration_id=integration_id)
    return GraphQL(transport(), tokens, graphql_url(settings.GITHUB_API_URL))

"""The GitHub client of an integration, with its credentials and this installation's settings."""

from __future__ import annotations

from django.conf import settings

from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.services.github_rate_limit import FLOOR, tokens_of
from apps.integrations.services.github_transport import transport

__all__ = ["graphql_of", "transport"]


def graphql_of(*, team_id: int, integration_id: int, repository_id: int | None = None, floor: int = FLOOR) -> GraphQL:
    """GraphQL with the integration's tokens. Reads the credentials in a scope of its own; HTTP happens later.

    `repository_id`: of the only repository that may be asked for by its name. `floor` is what it leaves of each budget:
    what follows up events may use up what syncs leave.
    """
    tokens = tokens_of(team_id=team_id, integration_id=integration_id, floor=floor)
    url = graphql_url(settings.GITHUB_API_URL)
    return GraphQL(transport(), tokens, url, repository_id=repository_id, backoff=settings.GITHUB_BACKOFF)

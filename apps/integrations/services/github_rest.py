"""REST look-ups: with an integration's tokens, or with one that is being checked."""

from __future__ import annotations

from django.conf import settings

from apps.integrations.github.access import StaticToken, TokenSource
from apps.integrations.github.rest import Rest
from apps.integrations.services.github_rate_limit import FLOOR, tokens_of
from apps.integrations.services.oauth_tokens import renew_expiring


def rest_over(tokens: TokenSource) -> Rest:
    """REST of this installation's GitHub. Knows no database, as long as the tokens do not."""
    return Rest(tokens, settings.GITHUB_API_URL, backoff=settings.GITHUB_BACKOFF)


def rest_with(token: str) -> Rest:
    """For a token that belongs to no integration (yet)."""
    return rest_over(StaticToken(token))


def rest_of(*, team_id: int, integration_id: int, floor: int = FLOOR) -> Rest:
    """With the integration's credentials, renewed where they end soon. Speaks to GitHub: never inside a scope.

    `floor` is what it leaves of each budget.
    """
    renew_expiring(team_id=team_id, integration_id=integration_id)
    return rest_over(tokens_of(team_id=team_id, integration_id=integration_id, floor=floor))

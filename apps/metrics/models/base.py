from __future__ import annotations

from typing import Any

from django.db import models

from apps.teams.models import BaseTeamModel


class Mirrored(BaseTeamModel):
    """A row that mirrors something at the source. `gone_at` says since when it is no longer there; such rows are kept
    and no longer counted. Never set because a fetch failed.
    """

    gone_at = models.DateTimeField(null=True, editable=False)

    class Meta(BaseTeamModel.Meta):
        abstract = True


def member_key(related_name: str = "+", *, indexed: bool = True) -> models.ForeignKey[Any, Any]:
    """Who did it; NULL is a deleted account, which counts as human. `indexed=False`: another index begins with it."""
    return models.ForeignKey(
        "metrics.TeamMember",
        models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=indexed,
        related_name=related_name,
    )

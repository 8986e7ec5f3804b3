from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.teams.models import BaseTeamModel


class TouchedWeeks(BaseTeamModel):
    """Weeks whose aggregates an event made stale, written together with its effect, deleted once they are rebuilt."""

    weeks = ArrayField(models.DateField())

    class Meta(BaseTeamModel.Meta):
        indexes = (models.Index(fields=["team", "id"], name="touched_weeks_of_team"),)

"""Every model of the app has a factory of its name, which makes a row in one team."""

from __future__ import annotations

import pytest
from django.apps import apps

from apps.metrics import factories
from apps.teams.models import Team
from apps.teams.scope import team_scope


@pytest.mark.parametrize("model", list(apps.get_app_config("metrics").get_models()), ids=lambda model: model.__name__)
def test_it_makes_a_row_with_its_parents_in_the_same_team(model, team, other_team):
    factory = getattr(factories, f"{model.__name__}Factory")
    row = factory(team=team)
    assert row.team_id == team.pk
    with team_scope(team.pk):
        assert model.objects.get(pk=row.pk) == row
    with team_scope(other_team.pk):
        assert not model.objects.exists()
    factory()
    assert Team.objects.count() == 3

"""Believable rows of every model, in one team's scope (see `TeamModelFactory`)."""

from factory.declarations import Sequence

from apps.metrics.models import Repository
from apps.teams.factories import TeamModelFactory


class RepositoryFactory(TeamModelFactory):
    class Meta:
        model = Repository

    github_repo_id = Sequence(lambda n: 5_000_000_000 + n)
    full_name = Sequence(lambda n: f"acme/service-{n}")

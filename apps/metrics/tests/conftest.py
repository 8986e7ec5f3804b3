"""A team's scope, a repository in it, and what stores a page of records there."""

from __future__ import annotations

import pytest

from apps.metrics.factories import RepositoryFactory
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.tests.whole_records import NOW
from apps.teams.scope import team_scope


@pytest.fixture
def scope(team):
    """The team, whose scope the whole test is in."""
    with team_scope(team.pk):
        yield team


@pytest.fixture
def repository(scope):
    return RepositoryFactory(team=scope, full_name="acme/api")


@pytest.fixture
def ingest(repository):
    return lambda *records, at=NOW: ingest_pull_requests(repository, records, synced_at=at)

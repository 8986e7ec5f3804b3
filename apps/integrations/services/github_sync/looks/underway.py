"""Deployments that had not ended when they were last read: their end comes without a new deployment.

One that succeeded and was followed by another becomes inactive on GitHub. It is not read again for that: what counts is
the time of its first success (docs/metrics.md), which stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from apps.integrations.github.changes import NONSENSE
from apps.integrations.github.deployments import fetch_deployments_by_ids
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import Spending
from apps.integrations.services.mapping import deployment_record
from apps.metrics.models import Deployment, Repository
from apps.metrics.records import DeploymentRecord
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest import ingest_deployments

STATES = ("pending", "queued", "in_progress", "waiting")
GIVEN_UP = timedelta(days=7)
"""One that says for longer that it is under way was forgotten by whoever deploys."""

MOST = 1_000
"""How many are read again at once, the newest first: ten points."""


@dataclass(frozen=True, slots=True)
class Underway:
    node_id: str
    repository_id: int
    state: str
    updated_at: datetime | None


def deployments_under_way(repositories: Sequence[int], *, now: datetime) -> list[Underway]:
    """Those of these repositories; in a scope, one statement."""
    open_ones = Deployment.objects.filter(
        repository_id__in=list(repositories), state__in=STATES, deployed_at__gte=now - GIVEN_UP, gone_at=None
    ).exclude(node_id="")
    rows = open_ones.order_by("-deployed_at").values_list("node_id", "repository_id", "state", "source_updated_at")
    return [Underway(*row) for row in rows[:MOST]]


def reread(
    graphql: GraphQL, underway: Sequence[Underway], *, is_over: Callable[[], bool], spending: Spending
) -> dict[int, list[DeploymentRecord]]:
    """Ask GitHub how they stand, in no scope; those that moved on, by repository."""
    moved: defaultdict[int, list[DeploymentRecord]] = defaultdict(list)
    known = {each.node_id: each for each in underway}
    for nodes in fetch_deployments_by_ids(graphql, list(known), spending=spending):
        for node in nodes:
            with suppress(*NONSENSE):  # of one deployment; the others are not kept back by it
                record = deployment_record(node)
                before = known[record.node_id]
                if (record.state, record.updated_at) != (before.state, before.updated_at):
                    moved[before.repository_id].append(record)
        if is_over():
            break
    return moved


def write(moved: dict[int, list[DeploymentRecord]]) -> frozenset[date]:
    """Store those that moved on, and what it means for merged pull requests; in a scope. Answers the weeks whose
    aggregates it made stale.
    """
    weeks: set[date] = set()
    repositories = Repository.objects.select_related("team").in_bulk(sorted(moved)) if moved else {}
    for key, repository in repositories.items():
        touched = ingest_deployments(repository, moved[key], synced_at=timezone.now()).touched_weeks
        if touched:
            set_deploy_seconds(repository)
        weeks |= touched
    return frozenset(weeks)

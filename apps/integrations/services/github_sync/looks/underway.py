"""Deployments that go on after they were read: nothing but an event tells of it, and that may have been lost.

Read again are those that had not ended, the newest of a repository that GitHub states otherwise than they are stored,
and those of which an event told since: it says nothing of another that was lost before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from apps.integrations.github.changes import NONSENSE
from apps.integrations.github.deployments import fetch_deployments_by_ids
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import DeploymentSeen, Spending
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
    """A deployment as it is stored, with how many statuses it has."""

    node_id: str
    repository_id: int
    id: int
    is_whole: bool
    state: str
    updated_at: datetime | None
    statuses: int


def deployments_under_way(
    repositories: Sequence[int], seen: Mapping[int, DeploymentSeen], *, now: datetime
) -> list[Underway]:
    """Those of these repositories, of which GitHub just told the newest (`seen`, by id); in a scope, one statement."""
    has_not_ended = Q(state__in=STATES, deployed_at__gte=now - GIVEN_UP)
    stored = Deployment.objects.filter(repository_id__in=list(repositories), gone_at=None).exclude(node_id="")
    candidates = stored.filter(has_not_ended | Q(is_whole=False) | Q(github_deployment_id__in=list(seen)))
    rows = candidates.annotate(known=Count("statuses", filter=Q(statuses__gone_at=None))).order_by("-deployed_at")
    found = (
        Underway(*row)
        for row in rows.values_list(
            *("node_id", "repository_id", "github_deployment_id", "is_whole", "state", "source_updated_at", "known")
        )[: MOST + len(seen)]
    )
    return [each for each in found if not _is_as_seen(each, seen.get(each.id))][:MOST]


def _is_as_seen(stored: Underway, seen: DeploymentSeen | None) -> bool:
    if seen is None or not stored.is_whole:
        return False
    return (stored.state, stored.updated_at) == (seen.state, seen.updated_at)


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
                told = (True, record.state, record.updated_at, len(record.statuses or ()))
                if told != (before.is_whole, before.state, before.updated_at, before.statuses):
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

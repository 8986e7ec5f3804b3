"""Deployments that are stored against GitHub's list: what is missing or changed is fetched, what is gone is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from apps.integrations.github.deployments import fetch_deployments_by_ids
from apps.integrations.github.errors import PermissionMissing
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.reconciliation import (
    DeploymentIds,
    Home,
    ListedDeployment,
    list_deployment_ids,
    smaller_until_it_fits,
    unknown_of,
)
from apps.integrations.github.types import Spending
from apps.integrations.services.mapping import deployment_record
from apps.metrics.models import Deployment, Repository
from apps.metrics.records import DeploymentRecord
from apps.metrics.services.gone import mark_deployments_gone
from apps.metrics.services.ingest import ingest_deployments
from apps.teams.scope import team_scope

A_LOOKUP = 100
"""Deployments of a page that may be gone and are asked for at once; more of them have their turn another night."""

Place = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    repaired: int = 0
    gone: int = 0
    touched_weeks: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """What a page brought, to be written. `place` is where the next one begins, None after the last."""

    repository: Repository
    place: Place | None = None
    fetched: Sequence[DeploymentRecord] = ()
    ahead: Sequence[int] = ()
    gone: Sequence[int] = ()

    def write(self, now: datetime) -> Done:
        """In the caller's `team_scope`."""
        here = Deployment.objects.filter(team_id=self.repository.team_id, repository=self.repository)
        if self.ahead:  # else what is fetched would be taken for older
            here.filter(github_deployment_id__in=list(self.ahead)).update(source_updated_at=None)
        weeks: set[date] = set()
        if self.fetched:
            weeks |= ingest_deployments(self.repository, self.fetched, synced_at=now).touched_weeks
        gone = mark_deployments_gone(self.repository, self.gone, at=now)
        return Done(len(self.fetched), gone.marked, frozenset(weeks | gone.touched_weeks))


def compare_deployments(
    graphql: GraphQL,
    home: Home,
    *,
    repository: Repository,
    place: Place | None,
    since: datetime | None,
    spending: Spending,
) -> Compared:
    """A page of GitHub's list, newest first, against what is stored; not in a scope, since it asks GitHub.

    A window (`since`) is walked to its begin. Of a full history one page is, unless GitHub counts another number than
    is stored. A connection that may not read deployments leaves everything as it is.
    """
    after = place["after"] if place else None
    until = datetime.fromisoformat(place["until"]) if place else None

    def ask(size: int) -> DeploymentIds:
        return list_deployment_ids(graphql, home, after=after, page_size=size, spending=spending)

    try:
        page = smaller_until_it_fits(ask)
    except PermissionMissing:
        return Compared(repository)
    inside = [each for each in page.listed if since is None or each.created_at >= since]
    ended = not page.has_next or len(inside) < len(page.listed)
    begin = since if ended else page.listed[-1].created_at if page.listed else until
    with team_scope(repository.team_id):
        wanted, ahead, is_short = _wanted(repository, page, inside)
        absent = {} if page.unreadable else _absent(repository, page.listed, begin, until)
    records = [
        deployment_record(node)
        for nodes in fetch_deployments_by_ids(graphql, wanted, spending=spending)
        for node in nodes
    ]
    unknown = unknown_of(graphql, home, list(absent), spending=spending)
    goes_on = not ended and begin is not None and (since is not None or is_short)
    return Compared(
        repository,
        place={"after": page.end_cursor, "until": begin.isoformat()} if goes_on and begin is not None else None,
        fetched=records,
        ahead=ahead,
        gone=[absent[node_id] for node_id in sorted(unknown)],
    )


def _wanted(
    repository: Repository, page: DeploymentIds, inside: Sequence[ListedDeployment]
) -> tuple[list[str], list[int], bool]:
    """Node ids of what is to be fetched, ids of what is stored as newer than GitHub's, and whether GitHub counts
    another number in all. Two statements.
    """
    here = Deployment.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    statuses = Count("statuses", filter=Q(statuses__gone_at=None))
    known = here.filter(github_deployment_id__in=[each.id for each in inside]).annotate(statuses_stored=statuses)
    stored = {
        id_: (updated_at, count)
        for id_, updated_at, count in known.values_list("github_deployment_id", "source_updated_at", "statuses_stored")
    }
    wanted = [each.node_id for each in inside if not _is_as_stored(each, stored.get(each.id))]
    ahead = [each.id for each in inside if each.id in stored and (at := stored[each.id][0]) and at > each.updated_at]
    new = sum(each.id not in stored for each in inside)
    return wanted, ahead, here.count() + new != page.total


def _is_as_stored(listed: ListedDeployment, stored: tuple[datetime | None, int] | None) -> bool:
    """By its time and the number of its statuses: two may come in one second."""
    return stored == (listed.updated_at, stored[1] if stored and listed.statuses is None else listed.statuses)


def _absent(
    repository: Repository, listed: Sequence[ListedDeployment], begin: datetime | None, until: datetime | None
) -> dict[str, int]:
    """Stored deployments of the page's time that it does not list, their ids by node id. One statement."""
    here = Deployment.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    here = here.filter(deployed_at__lte=until or timezone.now()).exclude(node_id="")
    if begin is not None:
        here = here.filter(deployed_at__gte=begin)
    found = here.exclude(github_deployment_id__in=[each.id for each in listed]).order_by("-deployed_at")
    return dict(found.values_list("node_id", "github_deployment_id")[:A_LOOKUP])

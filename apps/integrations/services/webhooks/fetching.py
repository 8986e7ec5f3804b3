"""Fetching what events asked for: up to fourteen pull requests of a connection in one query, whatever their repository.

What GraphQL does not give of a pull request REST may, part by part, and what neither gives is noted on it: some of it
is better than none. A pull request of which something may still come is tried three times more, later each time.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError
from django.utils import timezone

from apps.integrations.github import deployments, lookups, pull_requests
from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    PermissionMissing,
    RateLimited,
    RepositoryGone,
    SsoRequired,
)
from apps.integrations.github.types import Lost, PullRequestPage
from apps.integrations.models import GitHubIntegration, ScheduledFetch
from apps.integrations.services import oauth_tokens
from apps.integrations.services.github_client import graphql_of
from apps.integrations.services.github_rate_limit import tokens_of
from apps.integrations.services.github_rest import rest_over
from apps.integrations.services.github_sync import coverage, permissions, trouble
from apps.integrations.services.github_sync.steps import DEPLOYMENTS, Clients, Learned, Plan
from apps.integrations.services.github_sync.steps.rescue import rescued
from apps.integrations.services.mapping import deployment_record
from apps.integrations.services.webhooks import due_fetches, gathering, touched
from apps.metrics.models import PullRequest, Repository
from apps.metrics.records import DeploymentRecord, PullRequestRecord
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.gone import mark_gone
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

UNWRITABLE = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""What a pull request may come to that no column takes: then the others are stored without it."""

DEPLOYED_SINCE = timedelta(days=2)
"""How far back deployments are read after a merge."""

AT_LEAST = timedelta(seconds=5)
"""How long GitHub is left alone when it says that it has enough."""

NO_ID = "only its number is known"
OLDER = "GitHub's answer was older than what is stored"


@dataclass(slots=True)
class Fetched:
    """What a turn brought: how many rows were seen to, what it cost, whether aggregates want to be rebuilt, and when
    the next one is due (None: none is).
    """

    rows: int = 0
    pull_requests: int = 0
    points: int = 0
    touched: bool = False
    next_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Connection:
    """`clients` leave nothing of the budget: what syncs leave of it is for this."""

    team_id: int
    integration: GitHubIntegration
    clients: Clients

    def skipped(self) -> dict[str, str]:
        return permissions.not_asked_for(self.integration)


@dataclass(slots=True)
class _Part:
    """What of an answer belongs to one repository."""

    repository: Repository
    rows: list[ScheduledFetch]
    page: PullRequestPage
    asked_at: datetime
    records: list[PullRequestRecord] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    deployments_refused: str = ""


def complete_pull_request(team_id: int, pull_request_id: int, *, is_noted: bool = False) -> dict[int, Fetched]:
    """Fetch all of one stored pull request now, and with it what else is due; a merged one again in ten minutes and in
    a day. `is_noted`: only if it still waits to be fetched. What came, by the connection that follows it. In no scope.
    """
    with team_scope(team_id):
        pull_request = PullRequest.objects.filter(pk=pull_request_id).first()
        if pull_request is None:
            return {}
        if not is_noted:
            gathering.note_now(pull_request)
        integrations = due_fetches.connections_of([pull_request.repository_id])
    return {each: fetch_due(team_id, each, pull_request_id=pull_request_id) for each in integrations}


def fetch_due(
    team_id: int, integration_id: int, *, pull_request_id: int | None = None, seconds: float = 40.0
) -> Fetched:
    """Fetch what is due of a connection, for about `seconds`. In no scope; never raises for what GitHub does."""
    fetched = Fetched()
    try:
        _fetch_due(team_id, integration_id, pull_request_id, seconds, fetched)
    except (ObjectDoesNotExist, IntegrityError):
        with team_scope(team_id):
            if GitHubIntegration.objects.filter(pk=integration_id).exists():
                raise  # else the team was deleted meanwhile
    return fetched


def _fetch_due(
    team_id: int, integration_id: int, pull_request_id: int | None, seconds: float, fetched: Fetched
) -> None:
    until = time.monotonic() + seconds
    while True:
        with team_scope(team_id):
            rows = due_fetches.claim(integration_id, pull_request_id=pull_request_id)
        pull_request_id = None  # should it not have come, its row says when it is tried again
        if rows:
            _settle(team_id, integration_id, rows, fetched)
            fetched.rows += len(rows)
        if not rows or time.monotonic() >= until:
            break
    with team_scope(team_id):
        fetched.next_due = due_fetches.next_due(integration_id)


def _settle(team_id: int, integration_id: int, rows: Sequence[ScheduledFetch], fetched: Fetched) -> None:
    """Fetch and store these, and see to what GitHub says instead."""
    waiting = list(rows)
    try:
        oauth_tokens.renew_expiring(team_id=team_id, integration_id=integration_id)
        connection = _connection(team_id, integration_id)
        with closing(connection.clients):
            asked_at = timezone.now()
            page = _asked(connection, rows)
            fetched.points += page.points
            for part in _by_repository(page, rows, asked_at):
                _complete(connection, part)
                _write(connection, part, fetched)
                waiting = [row for row in waiting if row not in part.rows]
    except RateLimited as limited:
        with team_scope(team_id):
            due_fetches.put_off(waiting, max(limited.reset_at, timezone.now() + AT_LEAST), str(limited))
    except (BadCredentials, SsoRequired) as error:  # due again as soon as the connection works
        trouble.settle_integration(team_id, integration_id, error)
        with team_scope(team_id):
            due_fetches.put_off(waiting, timezone.now(), str(error))
    except GitHubError as error:
        with team_scope(team_id):
            for row in waiting:
                due_fetches.retry(row, str(error))


def _connection(team_id: int, integration_id: int) -> _Connection:
    with team_scope(team_id):
        integration = GitHubIntegration.objects.get(pk=integration_id)
    whose = {"team_id": team_id, "integration_id": integration_id, "floor": 0}
    return _Connection(team_id, integration, Clients(graphql_of(**whose), partial(rest_over, tokens_of(**whose))))


def _asked(connection: _Connection, rows: Iterable[ScheduledFetch]) -> PullRequestPage:
    ids = list(dict.fromkeys(node_id for row in rows if (node_id := _node_id(row))))
    return pull_requests.fetch_by_ids(connection.clients.graphql, ids, skip=connection.skipped())


def _node_id(row: ScheduledFetch) -> str:
    known = row.node_id or (row.pull_request.node_id if row.pull_request is not None else "")
    return str(known)


def _by_repository(page: PullRequestPage, rows: Sequence[ScheduledFetch], asked_at: datetime) -> list[_Part]:
    """The answer in parts, in the order in which whoever writes several repositories' rows locks them."""
    by_repository: defaultdict[int, list[ScheduledFetch]] = defaultdict(list)
    for row in rows:
        by_repository[row.repository_id].append(row)
    parts = []
    for _, mine in sorted(by_repository.items()):
        ids = {_node_id(row): row.number for row in mine if _node_id(row)}
        nameless = (Lost(NO_ID, row.number) for row in mine if not _node_id(row))
        unreadable = (replace(lost, number=ids[lost.id] or None) for lost in page.unreadable if lost.id in ids)
        share = replace(
            page,
            nodes=[node for node in page.nodes if node["id"] in ids],
            unreadable=(*unreadable, *nameless),
            gone=tuple(node_id for node_id in page.gone if node_id in ids),
        )
        parts.append(_Part(mine[0].repository, mine, share, asked_at))
    return parts


def _complete(connection: _Connection, part: _Part) -> None:
    """What GraphQL did not give, over REST; what GitHub does not know, only if it knows the repository; after a merge
    the latest deployments.
    """
    repository, clients, skip = part.repository, connection.clients, connection.skipped()
    needs_name = part.page.unreadable or any(node.get("partial") for node in part.page.nodes)
    if needs_name and not _bears_its_name(clients, repository):
        part.lost = {_key(lost): lost.reason for lost in part.page.unreadable}
        return
    found = rescued(clients, _plan(repository), part.page, skip=skip, numbers={})
    part.records = found.records
    part.lost = {_key(lost): str(lost.reason) for lost in found.unreadable}
    if part.page.gone:
        part.gone = _gone(connection, part)
        part.lost |= {node_id: "GitHub does not know it" for node_id in part.page.gone if node_id not in part.gone}
    if any(row.kind != gathering.EVENT for row in part.rows) and DEPLOYMENTS not in skip:
        _read_deployments(connection, part)


def _key(lost: Lost) -> str:
    return lost.id or str(lost.number)


def _plan(repository: Repository) -> Plan:
    owner, _, name = repository.full_name.partition("/")
    return Plan(owner, name, (), None, timezone.now(), pull_requests.IDS_PER_POINT)


def _bears_its_name(clients: Clients, repository: Repository) -> bool:
    """REST asks by name, which another repository may bear by now."""
    try:
        return lookups.get_repository(clients.rest, repository.full_name).id == repository.github_repo_id
    except RepositoryGone:
        return False


def _gone(connection: _Connection, part: _Part) -> list[str]:
    """Those that GitHub does not know although it knows their repository. A point, seldom."""
    graphql = graphql_of(
        team_id=connection.team_id,
        integration_id=connection.integration.pk,
        repository_id=part.repository.github_repo_id,
        floor=0,
    )
    try:
        page = pull_requests.fetch_by_ids(graphql, part.page.gone, full_name=part.repository.full_name)
    except RepositoryGone:
        return []
    return list(page.gone)


def _read_deployments(connection: _Connection, part: _Part) -> None:
    owner, _, name = part.repository.full_name.partition("/")
    graphql = graphql_of(
        team_id=connection.team_id,
        integration_id=connection.integration.pk,
        repository_id=part.repository.github_repo_id,
        floor=0,
    )
    since = timezone.now() - DEPLOYED_SINCE
    try:
        page = deployments.fetch_deployments(graphql, owner=owner, name=name, since=since, page_size=25)
    except PermissionMissing as missing:
        part.deployments_refused = missing.name
    else:
        part.deployments = [deployment_record(node) for node in page.nodes]


def _write(connection: _Connection, part: _Part, fetched: Fetched) -> None:
    """The part's rows and what becomes of its fetches, in one transaction."""
    try:
        _write_records(connection, part, fetched)
    except UNWRITABLE:
        if len(part.records) < 2:
            _lose(connection, part)
            return
        for record in part.records:
            mine = [row for row in part.rows if _is_of(row, record)]
            _write(connection, replace(part, rows=mine, records=[record], deployments=[], gone=[], lost={}), fetched)
        rest = [row for row in part.rows if not any(_is_of(row, record) for record in part.records)]
        _write_records(connection, replace(part, rows=rest, records=[]), fetched)


def _is_of(row: ScheduledFetch, record: PullRequestRecord) -> bool:
    return row.number == record.number if row.number else _node_id(row) == record.node_id


def _lose(connection: _Connection, part: _Part) -> None:
    logger.exception("pull requests of %s cannot be stored", part.repository.full_name)
    with team_scope(connection.team_id):
        for row in part.rows:
            due_fetches.retry(row, "What GitHub says of it cannot be stored.")


def _write_records(connection: _Connection, part: _Part, fetched: Fetched) -> None:
    now, weeks, repository = timezone.now(), set[date](), part.repository
    with team_scope(connection.team_id):
        stale: set[int] = set()
        if part.records:
            ingested = ingest_pull_requests(repository, part.records, synced_at=now, asked_at=part.asked_at)
            weeks |= ingested.touched_weeks
            stale = _stale(repository, part.records) if ingested.stale else stale
        if part.gone:
            weeks |= mark_gone(repository, part.gone, at=now).touched_weeks
        if part.deployments:
            deployed = ingest_deployments(repository, part.deployments, synced_at=now).touched_weeks
            if deployed:
                set_deploy_seconds(repository)
            weeks |= deployed
        given_up = _finish(part, stale)
        refused = {DEPLOYMENTS: part.deployments_refused} if part.deployments_refused else {}
        learned = Learned(
            next=None,
            pull_requests=part.records,
            unreadable=given_up,
            permissions={**part.page.permissions_missing, **refused},
        )
        coverage.note_outdated(repository, learned)
        permissions.note(connection.integration, learned)
        touched.note(weeks)
    fetched.touched = fetched.touched or bool(weeks)
    fetched.pull_requests += len(part.records)


def _stale(repository: Repository, records: Sequence[PullRequestRecord]) -> set[int]:
    """The numbers of those of which something newer is stored: GitHub's replicas lag behind its events."""
    read = {record.number: record.updated_at for record in records}
    stored = PullRequest.objects.filter(repository=repository, number__in=list(read))
    return {number for number, at in stored.values_list("number", "pr_updated_at") if at > read[number]}


def _finish(part: _Part, stale: set[int]) -> tuple[Lost, ...]:
    """What becomes of each row; those that were given up without anything."""
    given_up = []
    for row in part.rows:
        record = next((record for record in part.records if _is_of(row, record)), None)
        reason = _reason(row, part, record, stale)
        if not reason:
            due_fetches.finish(row)
        elif not due_fetches.retry(row, reason) and record is None:
            given_up.append(Lost(reason, row.number or None, _node_id(row)))
    return tuple(given_up)


def _reason(row: ScheduledFetch, part: _Part, record: PullRequestRecord | None, stale: set[int]) -> str:
    """Why a row is not done, "" when it is."""
    if record is None:
        if _node_id(row) in part.gone:
            return ""
        return part.lost.get(_node_id(row)) or part.lost.get(str(row.number)) or "GitHub did not give it."
    if record.number in stale:
        return OLDER
    refused = record.partial.keys()  # what may not be read now may not be read in a minute either
    lacking = record.partial.items()
    return "; ".join(f"{name}: {reason}" for name, reason in lacking if coverage.may_come(name, reason, refused))

"""The look: what is new in all repositories of a connection, for two points a hundred.

Most have no news and are done with one UPDATE. The others get a run that begins with what is known already. Then the
checks of open and freshly merged pull requests are read again, and deployments that were under way. What a look does
not come to stays due, so one that is cut off anywhere loses nothing, and two at once would only spend twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError
from django.db.models import Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from apps.integrations.github import changes
from apps.integrations.github.errors import BadCredentials, GitHubError, RateLimited, SsoRequired, Unavailable
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.types import DeploymentSeen, Pulse, Spending
from apps.integrations.models import FreshnessCheck, GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import connection_state, oauth_tokens
from apps.integrations.services.github_client import graphql_of
from apps.integrations.services.github_sync import due, permissions, runs, trouble
from apps.integrations.services.github_sync.following import follow
from apps.integrations.services.github_sync.looks import recheck, underway
from apps.integrations.services.github_sync.looks.news import news_of
from apps.integrations.services.github_sync.steps import DEPLOYMENTS, Learned
from apps.metrics.models import Repository
from apps.metrics.records import Part
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

NONSENSE = (*changes.NONSENSE, DataError)
"""What an answer comes to that has not the shape which GitHub documents, or that no column takes."""

AT_ONCE = 100
"""Repositories asked in one query."""

LEASE = timedelta(minutes=5)
"""How long a look has its connection for itself after its last sign of life, or before a failed one is repeated."""

CHECKS_EVERY = due.EVERY - timedelta(minutes=5)
"""How often the checks of all open pull requests are read again: with every hourly look."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found: how many repositories it asked, for how many of them a run was begun, of how many pull
    requests the checks were read again. `weeks` want their aggregates rebuilt. `is_unfinished`: the time was up, and
    there is more to do.
    """

    repositories: int
    changed: int
    checks_refreshed: int
    points: int
    requests: int
    weeks: frozenset[date] = frozenset()
    error: str = ""
    is_unfinished: bool = False


@dataclass(slots=True)
class _Work:
    """A look under way. `mark` is the watermark of what has no news; `asked` are repositories' keys,
    `deployments` what was seen of them, by id.
    """

    team_id: int
    integration_id: int
    started: datetime
    is_over: Callable[[], bool]
    row: GitHubIntegration = field(default_factory=GitHubIntegration)
    check_id: int = 0
    is_through: bool = False
    asked: list[int] = field(default_factory=list)
    deployments: dict[int, DeploymentSeen] = field(default_factory=dict)
    changed: int = 0
    checks_refreshed: int = 0
    weeks: set[date] = field(default_factory=set)
    error: str = ""
    spending: Spending = field(default_factory=Spending)

    @property
    def mark(self) -> datetime:
        return self.started - runs.WATERMARK_OVERLAP

    @property
    def integration(self) -> Any:
        return GitHubIntegration.objects.filter(pk=self.integration_id)

    def may_read(self, part: str) -> bool:
        return part not in permissions.not_asked_for(self.row)

    def go_on(self, **changes: Any) -> None:
        """Keep others from looking for a while longer; in a scope."""
        self.integration.update(look_claimed_until=timezone.now() + LEASE, **changes)


def look(
    team_id: int, integration_id: int, *, now: datetime | None = None, seconds: float | None = 40.0
) -> Look | None:
    """Ask for news of the connection's repositories that are due, for about `seconds` (None: to the end). None where
    nothing is due, or another look is under way. In no scope; never raises for what GitHub does. The runs that it
    begins wait for their turn.
    """
    try:
        work = _begin(team_id, integration_id, now or timezone.now(), seconds)
        return _look(work) if work is not None else None
    except (ObjectDoesNotExist, IntegrityError):
        with team_scope(team_id):
            if GitHubIntegration.objects.filter(pk=integration_id).exists():
                raise
        return None  # the team was deleted meanwhile


def _look(work: _Work) -> Look:
    team_id, integration_id = work.team_id, work.integration_id
    until: datetime | None = None
    try:
        oauth_tokens.renew_expiring(team_id=team_id, integration_id=integration_id)
        graphql = graphql_of(team_id=team_id, integration_id=integration_id)
        work.is_through = _ask_for_news(work, graphql) and _reread(work, graphql)
    except GitHubError as error:
        work.error = str(error)
        until = _next_try(error)
        trouble.settle_integration(team_id, integration_id, error)
    except NONSENSE as surprise:
        logger.error("a look at connection %s met a surprise", integration_id, exc_info=surprise)
        work.error = f"It met something that it cannot handle ({type(surprise).__name__}); the server's log says more."
        until = timezone.now() + LEASE
    return _end(work, until)


def _begin(team_id: int, integration_id: int, started: datetime, seconds: float | None) -> _Work | None:
    deadline = None if seconds is None else time.monotonic() + seconds
    work = _Work(
        team_id,
        integration_id,
        started,
        is_over=lambda: deadline is not None and time.monotonic() >= deadline,
    )
    with team_scope(team_id):
        work.integration.update(look_asked_at=None)
        free = Q(look_claimed_until=None) | Q(look_claimed_until__lte=timezone.now())
        mine = work.integration.filter(free, pk__in=due.connections_to_look_at(started).values("pk"))
        if not mine.update(look_claimed_until=timezone.now() + LEASE):
            return None
        work.row = work.integration.get()
        work.check_id = FreshnessCheck.objects.create(integration_id=integration_id, started_at=started).pk
    return work


def _next_try(error: GitHubError) -> datetime:
    now = timezone.now()
    return min(error.reset_at, now + due.EVERY) if isinstance(error, RateLimited) else now + LEASE


def _end(work: _Work, until: datetime | None) -> Look:
    """Write down what was found, and let others look again (after a failure: at `until`)."""
    with team_scope(work.team_id):
        now = timezone.now()
        FreshnessCheck.objects.filter(pk=work.check_id).update(
            finished_at=now,
            repositories=len(work.asked),
            changed=work.changed,
            checks_refreshed=work.checks_refreshed,
            points=work.spending.points,
            requests=work.spending.requests,
            error=work.error,
        )
        changes: dict[str, Any] = {"look_claimed_until": until}
        if work.asked:
            changes |= {"looked_at": work.started, "last_sync_at": Greatest("last_sync_at", Value(work.started))}
        work.integration.update(**changes)
    return Look(
        repositories=len(work.asked),
        changed=work.changed,
        checks_refreshed=work.checks_refreshed,
        points=work.spending.points,
        requests=work.spending.requests,
        weeks=frozenset(work.weeks),
        error=work.error,
        is_unfinished=until is None and not work.is_through,
    )


def _ask_for_news(work: _Work, graphql: GraphQL) -> bool:
    """A hundred repositories after the other; False when the time is up."""
    last = 0
    while True:
        batch = _next_batch(work, last)
        if batch and work.is_over():
            return False
        if batch:
            pulses = _pulses(work, graphql, batch)
            _settle_what_can_be(work, batch, pulses)
            work.asked += [tracked.repository_id for tracked in batch]
            work.deployments |= {seen.id: seen for pulse in pulses.values() for seen in pulse.deployments or ()}
            last = batch[-1].pk
        if len(batch) < AT_ONCE:
            return True


def _next_batch(work: _Work, last: int) -> list[TrackedRepository]:
    with team_scope(work.team_id):
        mine = (
            due.due(work.started, share=due.JOINS)
            .filter(integration_id=work.integration_id, pk__gt=last)
            .select_related("repository")
        )
        return list(mine.order_by("pk")[:AT_ONCE])


def _pulses(work: _Work, graphql: GraphQL, batch: list[TrackedRepository]) -> dict[str, Pulse]:
    """The pulses of the batch by node id. Where GitHub refuses the question itself there are none, and each repository
    is synced for itself.
    """
    ids = [tracked.repository.node_id for tracked in batch if tracked.repository.node_id]
    try:
        return changes.pulses(graphql, ids, deployments=work.may_read(DEPLOYMENTS), spending=work.spending)
    except (RateLimited, Unavailable, BadCredentials, SsoRequired):
        raise
    except (GitHubError, *changes.NONSENSE) as error:
        work.error = str(error)
        return {}


def _settle_what_can_be(work: _Work, batch: list[TrackedRepository], pulses: Mapping[str, Pulse]) -> None:
    """What a column does not take of one repository must not keep the others back: then each is synced for itself."""
    try:
        _settle(work, batch, pulses)
    except NONSENSE as surprise:
        logger.error("the news of connection %s make no sense", work.integration_id, exc_info=surprise)
        _settle(work, batch, {})


def _settle(work: _Work, batch: list[TrackedRepository], pulses: Mapping[str, Pulse]) -> None:
    """Begin a run for each repository with news. What has none is as fresh as if it had been synced: two statements.

    In the order in which the page of a sync that began meanwhile writes the same rows: repositories, the connection,
    what it follows. Neither waits for the other in a circle.
    """
    with team_scope(work.team_id):
        for tracked in batch:
            if pulse := pulses.get(tracked.repository.node_id):
                follow(tracked.repository, full_name=pulse.full_name, is_archived=pulse.is_archived)
        # What ended with an error is tried again whole: nobody knows what that kept from us.
        known = {tracked.repository.node_id: tracked.sync_status for tracked in batch}
        trusted = {node_id: pulse for node_id, pulse in pulses.items() if known.get(node_id) != due.Sync.ERROR}
        found = news_of(batch, trusted)
        with_news = {news.tracked.pk for news in found}
        quiet = [tracked for tracked in batch if tracked.pk not in with_news]
        mark = Value(work.mark)
        Repository.objects.filter(pk__in=[tracked.repository_id for tracked in quiet]).update(
            synced_to=Greatest("synced_to", mark)
        )
        work.go_on()
        if pulses:
            connection_state.was_read(work.row)
        _note_permission(work, pulses.values())
        for news in found:
            runs.begin_found(
                news.tracked,
                kind=SyncRun.Kind.INCREMENTAL,
                ids=news.ids,
                horizon=None if news.ids is None else work.started,
                deployments=news.deployments,
            )
        work.changed += len(found)
        TrackedRepository.objects.filter(pk__in=[tracked.pk for tracked in quiet]).update(
            last_sync_at=Greatest("last_sync_at", Value(work.started)), watermark=Greatest("watermark", mark)
        )


def _note_permission(work: _Work, pulses: Iterable[Pulse]) -> None:
    """Whether deployments may be read, where that is news."""
    if any(pulse.refused for pulse in pulses):
        permissions.note(work.row, Learned(next=None, permissions={DEPLOYMENTS: DEPLOYMENTS}))
    elif any(pulse.deployments for pulse in pulses):
        permissions.note(work.row, Learned(next=None, deployments_read=True))


def _reread(work: _Work, graphql: GraphQL) -> bool:
    """Checks and deployments again; False when the time is up."""
    if work.may_read(Part.CHECKS) and not _reread_checks(work, graphql):
        return False
    if work.may_read(DEPLOYMENTS) and work.asked:
        _reread_deployments(work, graphql)
    return True


def _reread_checks(work: _Work, graphql: GraphQL) -> bool:
    """Hourly those of all open pull requests of the connection, which may take several looks and goes on where the last
    one stopped; else those of the repositories just asked that are likely to change.
    """
    repositories, cursor = _checks_wanted(work)
    last = cursor or 0
    while True:
        with team_scope(work.team_id):
            heads = recheck.heads_after(last, repositories, now=work.started, restless=cursor is None)
            known = recheck.known_checks(heads)
        found = recheck.reread(graphql, heads, known, is_over=work.is_over, spending=work.spending)
        last = found.upto or last
        is_last = len(heads) < recheck.BLOCK and (not heads or last == heads[-1].pk)
        with team_scope(work.team_id):
            work.weeks |= recheck.write(found)
            _begin_moved(work, found)
            permissions.note(work.row, Learned(next=None, permissions=found.permissions))
            work.go_on(**({} if cursor is None else {"checks_cursor": None if is_last else last}))
        work.checks_refreshed += found.read
        if found.error is not None:
            raise found.error
        if is_last:
            return True
        if work.is_over():
            return False


def _checks_wanted(work: _Work) -> tuple[list[int], int | None]:
    """Of which repositories, and from which primary key on; None: only what is restless."""
    with team_scope(work.team_id):
        integration = work.integration.get()
        read_at, cursor = integration.checks_read_at, integration.checks_cursor
        if cursor is None and (read_at is None or read_at <= work.started - CHECKS_EVERY):
            cursor = 0
            work.go_on(checks_cursor=0, checks_read_at=work.started)
        if cursor is None:
            return work.asked, None
        whole = SyncRun.objects.filter(status__in=SyncRun.UNFINISHED, kind__in=runs.WHOLE)
        stored = TrackedRepository.objects.filter(
            integration_id=work.integration_id, is_active=True, watermark__isnull=False
        ).exclude(pk__in=whole.values("tracked_repository_id"))
        return list(stored.values_list("repository_id", flat=True)), cursor


def _begin_moved(work: _Work, found: recheck.Reread) -> None:
    """A head that is another one by now: its pull request changed since GitHub was asked for news."""
    if found.moved:
        for tracked in due.followed().filter(repository_id__in=list(found.moved)).select_related("repository"):
            ids = found.moved[tracked.repository_id]
            runs.begin_found(tracked, kind=SyncRun.Kind.PR, ids=ids, deployments=False)
            work.changed += 1


def _reread_deployments(work: _Work, graphql: GraphQL) -> None:
    with team_scope(work.team_id):
        open_ones = underway.deployments_under_way(work.asked, work.deployments, now=work.started)
    if not open_ones:
        return
    moved = underway.reread(graphql, open_ones, is_over=work.is_over, spending=work.spending)
    with team_scope(work.team_id):
        work.weeks |= underway.write(moved)

"""What goes wrong, and what becomes of the run, its repository and its connection: one place for all of it.

| error | run | repository | connection | admins |
|---|---|---|---|---|
| RateLimited | paused until the budget is back | | | |
| Unavailable, QueryTooHeavy | paused, tried again after 2 minutes, doubling up to an hour | | | |
| the same, of a nightly comparison | tried again 3 times, then ended until another night | | | |
| BadCredentials | paused | | disconnected | told once |
| SsoRequired, IpNotAllowed | paused | | held, tried each hour | told once |
| NotFound, renamed or transferred | goes on at once | follows the name | | |
| NotFound, RepositoryBlocked, PermissionMissing | ended | stopped, what is stored stays | | told once |
| QueryRejected | ended | | | told once |
| a bug of ours, nonsense from GitHub | paused, tried again 3 times, then ended | | | told once |

A run that rests with its connection goes on from its checkpoint once that works again (`resting`).
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.utils import timezone

from apps.integrations.github import lookups
from apps.integrations.github.errors import (
    BadCredentials,
    GitHubError,
    NotFound,
    PermissionMissing,
    QueryTooHeavy,
    RateLimited,
    RepositoryBlocked,
    RepositoryGone,
    SsoRequired,
    Unavailable,
)
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import connection_state
from apps.integrations.services.github_rest import rest_of
from apps.integrations.services.github_sync import following, resting, runs
from apps.teams.scope import team_scope
from apps.teams.services import record_event

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)

MOST_TRIES = 3
"""How often a run is tried again after something that nobody foresaw, at the same place."""

COUNTERS = frozenset({"failures", "surprises"})
"""What a checkpoint counts since the last page that was written: not part of where it is."""

AGAIN = "sync it again."
GONE = (
    f"{TrackedRepository.NOT_FOUND}: the repository was deleted, or the connection no longer has access to it. If it is"
    f" still there, give the connection access on GitHub, then {AGAIN}"
)
BLOCKED = f"GitHub answers 451: it blocks the repository for legal reasons. Once it is free again, {AGAIN}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run. `ended` None: it was seen to, go on at once."""

    ended: Literal["paused", "failed"] | None
    message: str = ""


def settle_run(run: SyncRun, error: GitHubError) -> Settled:
    """See to what GitHub said to a run that is in hand. May ask GitHub what became of the repository, so never inside a
    scope. Raises Fenced.
    """
    try:
        if isinstance(error, NotFound | PermissionMissing | RepositoryBlocked):
            return _look_up(run, error)
    except GitHubError as instead:  # of the look-up: it counts more
        error = instead
    if isinstance(error, RateLimited):
        return _pause(run, error)
    if isinstance(error, BadCredentials | SsoRequired):
        return _rest(run, error)
    if isinstance(error, Unavailable | QueryTooHeavy):
        # What else is to be done for the repository waits behind a comparison, and another night will do.
        return _wait_and_retry(run, str(error), "failures", at_most=MOST_TRIES if _is_comparison(run) else None)
    with team_scope(run.team_id):
        runs.fail(run, str(error))
    return Settled("failed", str(error))


def settle_surprise(run: SyncRun, surprise: Exception) -> Settled:
    """See to what nobody foresaw: a bug of ours, or nonsense from GitHub that it trips over. Raises Fenced."""
    name = run.tracked_repository.repository.full_name
    logger.error("sync run %s of %s met a surprise", run.pk, name, exc_info=surprise)
    reason = f"The sync met something that it cannot handle ({type(surprise).__name__}); the server's log says more."
    return _wait_and_retry(run, reason, "surprises", at_most=MOST_TRIES)


def settle_integration(team_id: int, integration_id: int, error: GitHubError) -> bool:
    """The same for whoever speaks to GitHub without a run. True when the whole connection is concerned: it is
    disconnected or held now, its runs rest, and the admins will be told. In no scope.
    """
    if not isinstance(error, BadCredentials | SsoRequired):
        return False
    reason = _reason(error)
    with team_scope(team_id):
        resting.rest_all(integration_id, reason=reason)
        if isinstance(error, SsoRequired):
            connection_state.hold(integration_id, reason=reason, url=error.url)
        else:
            connection_state.disconnect(integration_id, reason=reason)
    return True


def _reason(error: BadCredentials | SsoRequired) -> str:
    """The error in words; its address is a link beside them."""
    url = error.url if isinstance(error, SsoRequired) else ""
    return str(error).replace(f" at {url}", "") if url else str(error)


def try_again(*, team_id: int, integration_id: int) -> bool:
    """Ask GitHub whether a held connection opens again: one request, in no scope. True when it does; its runs wait for
    their turn then.
    """
    with team_scope(team_id):
        held = GitHubIntegration.objects.filter(pk=integration_id, sync_status=GitHubIntegration.SyncStatus.HELD)
        if not held.update(updated_at=timezone.now()):  # for the next of the hourly tries
            return False
        integration = held.get()
    organization = "" if integration.is_personal else integration.organization_slug
    try:
        with closing(rest_of(team_id=team_id, integration_id=integration_id)) as rest:
            next(lookups.list_repositories(rest, organization), None)
    except NotFound:
        pass  # it was renamed meanwhile, which the next discovery follows: what held it is gone
    except GitHubError as error:
        settle_integration(team_id, integration_id, error)
        return False
    with team_scope(team_id):
        resting.resume_all(integration_id)
        return connection_state.works_again(integration_id)


def _pause(run: SyncRun, limited: RateLimited) -> Settled:
    reason = "GitHub asked to slow down." if limited.secondary else "The GitHub budget of this hour is used up."
    with team_scope(run.team_id):  # until when is beside it, in the viewer's zone
        runs.pause(run, until=limited.reset_at, reason=reason, rate_limited=not limited.secondary)
    return Settled("paused", str(limited))


def _rest(run: SyncRun, error: BadCredentials | SsoRequired) -> Settled:
    with team_scope(run.team_id):
        runs.pause(run, until=timezone.now(), reason=_reason(error), rate_limited=False)
    settle_integration(run.team_id, run.tracked_repository.integration_id, error)
    return Settled("paused", str(error))


def _wait_and_retry(run: SyncRun, reason: str, counter: str, *, at_most: int | None = None) -> Settled:
    """Longer each time in a row; a page that comes through starts the count anew."""
    with team_scope(run.team_id):
        try:
            run.refresh_from_db(fields=["checkpoint"])  # what was set for a page that was not committed is not so
        except SyncRun.DoesNotExist as gone:  # with its team
            raise runs.Fenced from gone
        tries = run.checkpoint.get(counter, 0) + 1
        if at_most is not None and tries > at_most:
            end = runs.give_up_comparison if _is_comparison(run) else runs.fail
            end(run, reason)
            return Settled("failed", reason)
        run.checkpoint = {**run.checkpoint, counter: tries}
        wait = min(FIRST_PAUSE * 2 ** min(tries - 1, 5), LONGEST_PAUSE)
        runs.pause(run, until=timezone.now() + wait, reason=reason, rate_limited=False)
    return Settled("paused", reason)


def _is_comparison(run: SyncRun) -> bool:
    return run.kind == SyncRun.Kind.RECONCILE


def _look_up(run: SyncRun, error: GitHubError) -> Settled:
    """What became of a repository that cannot be read. Raises what GitHub answers instead."""
    tracked = run.tracked_repository
    repository = tracked.repository
    try:
        with closing(rest_of(team_id=run.team_id, integration_id=tracked.integration_id)) as rest:
            remote = lookups.get_repository_by_id(rest, repository.github_repo_id)
    except RepositoryGone:
        return _stop(run, GONE)
    except RepositoryBlocked:
        return _stop(run, BLOCKED)
    except PermissionMissing as missing:
        return _stop(run, _unreadable(missing))
    if isinstance(error, PermissionMissing):
        return _stop(run, _unreadable(error))
    if isinstance(error, RepositoryBlocked):
        return _stop(run, BLOCKED)
    known = repository.full_name
    with team_scope(run.team_id):
        runs.beat(run)
        following.follow_remote(repository, remote)
    if remote.full_name != known:
        return Settled(None)
    return _wait_and_retry(run, str(error), "surprises", at_most=MOST_TRIES)  # by its id it is there, by its name not


def _unreadable(missing: PermissionMissing) -> str:
    return (
        f"The connection may not read the repository: it lacks the permission “{missing.name}”."
        f" Grant it on GitHub, then {AGAIN}"
    )


def _stop(run: SyncRun, reason: str) -> Settled:
    with team_scope(run.team_id):
        runs.fail(run, reason)
        stop_repository(run.tracked_repository, reason)
    return Settled("failed", reason)


def stop_repository(tracked: TrackedRepository, reason: str) -> bool:
    """Switch a repository off that GitHub no longer gives us, and say why on its card; what is stored stays. False when
    it is off already. In a scope.
    """
    now = timezone.now()
    followed = TrackedRepository.objects.filter(pk=tracked.pk, is_active=True)
    stopped = followed.update(
        is_active=False, stopped_at=now, stopped_reason=reason, sync_requested_at=None, updated_at=now
    )
    if stopped:
        record_event(tracked.team, None, "repository.stopped", repository=tracked.repository.full_name, reason=reason)
    return bool(stopped)

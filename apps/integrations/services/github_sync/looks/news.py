"""What the pulse of repositories means: which are as they were, and what is to be fetched of the others. In a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from apps.integrations.github.types import DeploymentSeen, Pulse, Touched
from apps.integrations.models import TrackedRepository
from apps.integrations.services.github_sync import coverage
from apps.metrics.models import Deployment
from apps.metrics.services.ingest import SETTLED
from apps.teams.scope import required_team_id


@dataclass(frozen=True, slots=True)
class News:
    """A repository with something to fetch. `ids` are the (node id, number) of what changed; None: they are not all
    known, the run has to list them. `deployments`: whether there may be new ones.
    """

    tracked: TrackedRepository
    ids: tuple[tuple[str, int], ...] | None
    deployments: bool


@dataclass(frozen=True, slots=True)
class _Stored:
    updated_at: datetime
    head_sha: str
    whole_at: datetime | None


def news_of(batch: Sequence[TrackedRepository], pulses: Mapping[str, Pulse]) -> list[News]:
    """Those of `batch` (with their repositories) that have news. One without a pulse may be gone or hidden: its run
    finds out. Two statements, however many pull requests and deployments there are.
    """
    fresh = {tracked.pk: _fresh(tracked, pulses.get(tracked.repository.node_id)) for tracked in batch}
    stored = _stored(
        (tracked.repository_id, touched.number) for tracked in batch for touched in fresh[tracked.pk].touched
    )
    known = _known_deployments(seen.id for found in fresh.values() for seen in found.deployments or ())
    now = timezone.now()
    verdicts = (
        _verdict(tracked, fresh[tracked.pk], stored, known, coverage.outdated(tracked.repository, now=now))
        for tracked in batch
    )
    return [news for news in verdicts if news is not None]


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What a pulse tells from the watermark on; `is_all`: there is no more of it. `deployments` None: unknown."""

    touched: tuple[Touched, ...] = ()
    is_all: bool = False
    deployments: tuple[DeploymentSeen, ...] | None = None
    has_all_deployments: bool = False


def _fresh(tracked: TrackedRepository, pulse: Pulse | None) -> _Fresh:
    if pulse is None or tracked.watermark is None:
        return _Fresh()
    since = tracked.watermark.replace(microsecond=0)  # GitHub cuts its times to seconds
    touched = tuple(each for each in pulse.touched if each.updated_at >= since)
    is_all = len(touched) < len(pulse.touched) or pulse.pull_requests <= len(touched)
    if pulse.deployments is None:
        return _Fresh(touched, is_all)
    deployments = tuple(each for each in pulse.deployments if each.created_at >= since)
    return _Fresh(touched, is_all, deployments, has_all_deployments=len(deployments) < PULSE_SIZE)


PULSE_SIZE = 10
"""How many deployments a pulse tells at most."""


def _verdict(
    tracked: TrackedRepository,
    fresh: _Fresh,
    stored: Mapping[tuple[int, int], _Stored],
    known: frozenset[int],
    again: Sequence[tuple[str, int]],
) -> News | None:
    seen = fresh.deployments
    deployments = seen is None or not fresh.has_all_deployments or any(each.id not in known for each in seen)
    if not fresh.is_all:
        return News(tracked, None, deployments)
    news = {
        each.id: each.number
        for each in fresh.touched
        if not _is_stored(each, stored.get((tracked.repository_id, each.number)))
    }
    changed = tuple((news | dict(again)).items())
    return News(tracked, changed, deployments) if changed or deployments else None


def _is_stored(touched: Touched, stored: _Stored | None) -> bool:
    """Not what was fetched too soon after its last change, nor what since then only events told of: some of them may
    have been lost.
    """
    if stored is None or stored.whole_at is None or stored.updated_at < touched.updated_at:
        return False
    if stored.whole_at - touched.updated_at < SETTLED:
        return False
    return stored.updated_at > touched.updated_at or stored.head_sha == touched.head_sha


def _stored(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], _Stored]:
    """What is stored of pull requests, by repository and number; served by pull_request_key."""
    wanted = list(keys)
    if not wanted:
        return {}
    repositories, numbers = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _STORED, {"team": required_team_id(), "repositories": list(repositories), "numbers": list(numbers)}
        )
        return {(row[0], row[1]): _Stored(*row[2:]) for row in cursor.fetchall()}


# Pairs, which an ORM's two IN lists would make a rectangle of. OFFSET 0 keeps it one look into the index for each pair:
# joined, the planner may read all pull requests of the team instead.
_STORED = """
SELECT p.*
FROM unnest(%(repositories)s::bigint[], %(numbers)s::int[]) AS asked(repository_id, number)
CROSS JOIN LATERAL (
    SELECT repository_id, number, pr_updated_at, head_sha, whole_at
    FROM metrics_pullrequest
    WHERE team_id = %(team)s AND repository_id = asked.repository_id AND number = asked.number AND gone_at IS NULL
    OFFSET 0
) AS p
"""


def _known_deployments(ids: Iterable[int]) -> frozenset[int]:
    """Which of them are stored; served by deployment_key."""
    wanted = list(ids)
    if not wanted:
        return frozenset()
    known = Deployment.objects.filter(github_deployment_id__in=wanted, gone_at=None)
    return frozenset(known.values_list("github_deployment_id", flat=True))

"""Which pull requests have to be fetched because of events: rows, so that nothing is lost and a burst is one fetch.

Events of one pull request come in swarms. The first of them has it fetched some seconds later, and the others ask for
the same row; what asks while it is being fetched has it fetched once more. After a merge it is fetched again: checks
and deployments end later.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.integrations.processors.outcome import Need, Reason
from apps.metrics.models import PullRequest
from apps.teams.scope import required_team_id

GATHERED_FOR = timedelta(seconds=5)
"""How long the events of a pull request are gathered before it is fetched."""

MERGED_AFTER = timedelta(seconds=2)
"""A merge is what people look at, and GitHub's own replicas lag for a moment."""

AFTER_MERGE = {"settled": timedelta(minutes=10), "late": timedelta(hours=24)}
"""When a merged pull request is fetched again, by the kind of its row."""

EVENT = "event"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is to be fetched that nobody was going to fetch: `merged` primary keys of stored pull requests, `others`
    whether there are more, `repositories` of which.
    """

    merged: frozenset[int] = frozenset()
    repositories: frozenset[int] = frozenset()
    others: bool = False

    def __or__(self, more: Gathered) -> Gathered:
        return Gathered(self.merged | more.merged, self.repositories | more.repositories, self.others or more.others)


NOTHING = Gathered()


def note(needs: Sequence[Need]) -> Gathered:
    """Write down what is to be fetched; in a scope. At most three statements."""
    if not needs:
        return NOTHING
    now = timezone.now()
    known = _known(needs)
    rows: dict[tuple[int, str, str], dict[str, Any]] = {}
    for need in needs:
        for row in _rows(need, known, now):
            key = (row["repository"], row["subject"], row["kind"])
            if key not in rows or row["due_at"] < rows[key]["due_at"]:
                rows[key] = row
    news = _write([rows[key] for key in sorted(rows)], now)
    merged = {need.pull_request_id for need in needs if need.reason == Reason.MERGED and need.pull_request_id}
    asked = {(row["repository"], row["subject"]) for row in rows.values() if row["kind"] == EVENT} & news
    by_subject = {(row["repository"], row["subject"]): row["pull_request"] for row in rows.values()}
    others = any(by_subject[subject] not in merged for subject in asked)
    return Gathered(frozenset(merged), frozenset(repository for repository, _ in asked), others)


def note_now(pull_request: PullRequest) -> None:
    """The same for one stored pull request that somebody wants to have whole now; a merged one again later."""
    reason = Reason.MERGED if pull_request.merged_at else Reason.COUNTS
    note([Need(pull_request.repository_id, pull_request.number, pull_request.node_id, reason, pull_request.pk)])


def _known(needs: Iterable[Need]) -> dict[tuple[int, str], tuple[int, int]]:
    """(primary key, number) of the stored ones of which only the node id is known."""
    nameless = [need for need in needs if not need.number]
    if not nameless:
        return {}
    stored = PullRequest.objects.filter(
        repository_id__in={need.repository_id for need in nameless}, node_id__in={need.node_id for need in nameless}
    )
    return {
        (repository_id, node_id): (pk, number)
        for repository_id, node_id, pk, number in stored.values_list("repository_id", "node_id", "pk", "number")
    }


def _rows(need: Need, known: dict[tuple[int, str], tuple[int, int]], now: datetime) -> Iterable[dict[str, Any]]:
    pk, number = known.get((need.repository_id, need.node_id), (need.pull_request_id, need.number))
    is_merge = need.reason == Reason.MERGED
    row = {
        "repository": need.repository_id,
        "pull_request": pk,
        "number": number,
        "node_id": need.node_id,
        "subject": str(number) if number else need.node_id,
        "kind": EVENT,
        "reason": need.reason.value,
        "due_at": now + (MERGED_AFTER if is_merge else GATHERED_FOR),
    }
    yield row
    if is_merge:
        for kind, later in AFTER_MERGE.items():
            yield {**row, "kind": kind, "due_at": now + later}


def _write(rows: Sequence[dict[str, Any]], now: datetime) -> set[tuple[int, str]]:
    """The (repository, subject) of those that nobody was going to fetch, or not so soon."""
    names = ("repository", "pull_request", "number", "node_id", "subject", "kind", "reason", "due_at")
    values: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
    with connection.cursor() as cursor:
        cursor.execute(_GATHER, {**values, "team": required_team_id(), "now": now})
        return {(repository, subject) for repository, subject, is_sooner in cursor.fetchall() if is_sooner}


# What is asked for again keeps its time, or many events would put it off for ever; a merge brings it forward. What is
# being fetched keeps its claim, and is due again when that ends.
_GATHER = """
WITH wanted AS (
    SELECT * FROM unnest(
        %(repository)s::bigint[], %(pull_request)s::bigint[], %(number)s::int[], %(node_id)s::text[],
        %(subject)s::text[], %(kind)s::text[], %(reason)s::text[], %(due_at)s::timestamptz[]
    ) AS row(repository_id, pull_request_id, number, node_id, subject, kind, reason, due_at)
), before AS (
    SELECT f.repository_id, f.subject, f.kind, f.due_at, f.claimed_at
    FROM integrations_scheduledfetch f JOIN wanted USING (repository_id, subject, kind)
    WHERE f.team_id = %(team)s AND f.done_at IS NULL
), written AS (
    INSERT INTO integrations_scheduledfetch AS f (
        team_id, repository_id, pull_request_id, number, node_id, subject, kind, reason, asked, asked_at, due_at,
        attempts, error
    )
    SELECT %(team)s, repository_id, pull_request_id, number, node_id, subject, kind, reason, 1, %(now)s, due_at, 0, ''
    FROM wanted
    ON CONFLICT (team_id, repository_id, subject, kind) WHERE done_at IS NULL DO UPDATE SET
        asked = f.asked + 1,
        due_at = CASE WHEN f.claimed_at IS NULL THEN least(f.due_at, EXCLUDED.due_at) ELSE EXCLUDED.due_at END,
        pull_request_id = coalesce(EXCLUDED.pull_request_id, f.pull_request_id),
        node_id = CASE WHEN EXCLUDED.node_id = '' THEN f.node_id ELSE EXCLUDED.node_id END,
        reason = CASE WHEN EXCLUDED.reason = 'merged' THEN EXCLUDED.reason ELSE f.reason END
    RETURNING repository_id, subject, kind, due_at
)
SELECT w.repository_id, w.subject, b.subject IS NULL OR b.claimed_at IS NOT NULL OR w.due_at < b.due_at
FROM written w LEFT JOIN before b USING (repository_id, subject, kind)
WHERE w.kind = 'event'
"""


def jittered(delay: timedelta) -> timedelta:
    """About as long, so that what failed together is not tried together again."""
    return delay * (0.75 + random.random() / 2)  # noqa: S311 - no secret

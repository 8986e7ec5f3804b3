"""What differs between what is kept of a repository and what GitHub says of it: nothing is asked in here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.integrations.github.types import DeploymentSeen, Pulse, Touched
from apps.integrations.seeding.cache import CHECKS_LEFT_OUT, Kept, PRCache
from apps.integrations.services.github_sync.runs import WATERMARK_OVERLAP
from apps.integrations.services.github_sync.steps import Learned
from apps.integrations.services.github_sync.steps.again import may_come
from apps.integrations.services.mapping import checks_record
from apps.metrics.records import DeploymentRecord, Part, PullRequestRecord


def suspects(
    cache: PRCache, kept: Kept, pulse: Pulse, changed: Mapping[str, int], stored: Collection[str]
) -> list[str]:
    """What may be no more: all that are kept, where GitHub has fewer than it should; and what is stored, not kept."""
    ids = cache.node_ids()
    newest = max(cache.updates(), default=0)
    expected = kept.stated + sum(number > newest for number in changed.values())
    is_fewer = pulse.pull_requests < expected or (not kept.walk and pulse.pull_requests < len(ids))
    return sorted(({*stored} - ids - changed.keys()) | (ids if is_fewer else set()))


def reaches_back(some: Sequence[Touched], kept: Kept) -> bool:
    """Whether the last of these changed before what is known, with a little time for GitHub's replicas."""
    last = some[-1].updated_at if some else None
    return last is not None and kept.newest_update is not None and last < kept.newest_update - WATERMARK_OVERLAP


def with_what_is_missing(kept: Kept, learned: Learned, tried: Collection[str]) -> Kept:
    """What could not be had, and what another run asks for again: not what this one `tried` for the second time."""
    here = {f"#{record.number}" for record in learned.pull_requests}
    if learned.deployments and not learned.unreadable:
        here.add("deployments")
    known = [words for words in kept.lost if words.partition(":")[0] not in here]
    doubtful = {
        record.node_id: record.number for record in learned.pull_requests if may_come(record, _left_out(record))
    }
    doubtful |= {lost.id: lost.number for lost in learned.unreadable if lost.id and lost.number is not None}
    came = {record.node_id for record in learned.pull_requests} | {lost.id for lost in learned.unreadable}
    waiting = {id_: number for id_, number in kept.again.items() if id_ not in came}
    more = {id_: number for id_, number in doubtful.items() if id_ not in tried}
    lost = tuple(dict.fromkeys([*known, *map(str, learned.unreadable)]))
    return replace(kept, lost=lost, again={**waiting, **more})


def _left_out(record: PullRequestRecord) -> dict[str, str]:
    """Checks that were left out are asked for by themselves."""
    return {part: why for part, why in record.partial.items() if why == CHECKS_LEFT_OUT}


def is_kept(seen: DeploymentSeen, known: DeploymentRecord | None) -> bool:
    return known is not None and (known.updated_at, known.state) == (seen.updated_at, seen.state)


def with_checks(record: PullRequestRecord, node: Mapping[str, Any]) -> PullRequestRecord:
    """The pull request with the checks of its head; as it was where those are of another head, or did not come."""
    found = checks_record(dict(node))
    if found.checks is None or found.head_sha != record.head_sha:
        return record
    partial_ = {part: why for part, why in record.partial.items() if part != Part.CHECKS}
    capped = {part: why for part, why in record.capped.items() if part != Part.CHECKS}
    return replace(
        record,
        checks=found.checks,
        totals={**record.totals, Part.CHECKS.value: found.total},
        partial={**partial_, Part.CHECKS.value: found.partial} if found.partial else partial_,
        capped={**capped, Part.CHECKS.value: found.capped} if found.capped else capped,
    )

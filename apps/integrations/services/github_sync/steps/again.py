"""What did not come though it may: those pull requests are asked for once more, when everything else is here.

A fault that passes must leave no trace. So each step notes in the checkpoint which pull requests lack something, or
have it from REST, which tells less; and a run does not end before they were asked for by id. Those that are sick for
good cost little: one is tried alone, and after a few in vain the run ends with what there is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from apps.integrations.github.pull_requests import IDS_PER_POINT
from apps.integrations.github.types import NO_DIFF, Spending
from apps.integrations.services.github_sync.steps.by_ids import fetched
from apps.integrations.services.github_sync.steps.learned import Checkpoint, Clients, Learned, Plan
from apps.integrations.services.github_sync.steps.phases import OF_THE_PHASE, activity
from apps.metrics.records import Part, PullRequestRecord

AGAIN = "again"
MOST = 200
"""Pull requests that are noted in one run. More is an outage; the nightly reconciliation asks for the others."""

MOST_TRIES = 4
"""How often one is asked for again of which a part is missing."""

TRIES_OF_WHOLE = 2
"""How often one of which GraphQL gave nothing: that took many failures in a row, which is hardly chance."""

MOST_IN_VAIN = 4
"""Steps in a row that brought nothing better: what is left is sick, not unlucky."""

IN_VAIN = "in_vain"

Entry = list[Any]
"""[node id, number, how often it may still be asked for]: JSON."""


def again_step(clients: Clients, plan: Plan, checkpoint: Checkpoint) -> Learned:
    """Some of those that wait: one, until one came through, then fourteen, which cost the same point."""
    spending = Spending()
    pairs = [(id_, number) for id_, number, _ in _next_ones(checkpoint)]
    _, facts = fetched(clients, plan, checkpoint, pairs, {"recount": False}, spending)
    facts.pop("page_size")  # it was no ordinary page
    return Learned(
        next=None,
        points=spending.points,
        requests=spending.requests,
        remaining=spending.rate_limit.remaining if spending.rate_limit else None,
        **facts,
    )


def _next_ones(checkpoint: Checkpoint) -> list[Entry]:
    entries: list[Entry] = checkpoint[AGAIN]
    return entries[: 1 if checkpoint[IN_VAIN] != 0 else IDS_PER_POINT]


def gathered(clients: Clients, plan: Plan, checkpoint: Checkpoint, learned: Learned) -> Learned:
    """What a step learned, with those of its pull requests noted that are to be asked for again; after the last step
    that is what comes next.
    """
    doubtful = _doubtful(clients, plan, checkpoint, learned)
    waiting: dict[str, Entry] = {entry[0]: entry for entry in checkpoint.get(AGAIN, ())}
    asked = {entry[0] for entry in _next_ones(checkpoint)} if checkpoint["phase"] == AGAIN else set()
    came = {record.node_id for record in learned.pull_requests} | {*learned.gone} | asked
    for id_ in came - doubtful.keys():
        waiting.pop(id_, None)
    for id_, (number, most) in doubtful.items():
        left = (waiting.pop(id_)[2] if id_ in waiting else most + 1) - 1
        if left > 0 and len(waiting) < MOST:
            waiting[id_] = [id_, number, left]
    in_vain = checkpoint.get(IN_VAIN, 0) + 1 if asked and asked <= doubtful.keys() else 0
    if in_vain >= MOST_IN_VAIN:
        waiting = {}
    return _followed(checkpoint, learned, list(waiting.values()), in_vain if asked else FIRST)


FIRST = -1
"""Nothing was asked for again yet."""


def _followed(checkpoint: Checkpoint, learned: Learned, waiting: list[Entry], in_vain: int) -> Learned:
    following = learned.next
    if following is not None:
        rest = {key: value for key, value in following.items() if key != AGAIN}
        return replace(learned, next={**rest, AGAIN: waiting} if waiting else rest)
    if not waiting:
        return learned
    kept = {key: value for key, value in checkpoint.items() if key not in OF_THE_PHASE}
    following = {**kept, "phase": AGAIN, "cursor": None, AGAIN: waiting, IN_VAIN: in_vain}
    return replace(learned, next=following, activity=activity(following))


def _doubtful(
    clients: Clients, plan: Plan, checkpoint: Checkpoint, learned: Learned
) -> dict[str, tuple[int | None, int]]:
    """By node id: the number, and how often to ask again."""
    skip = {**plan.skipped(checkpoint), **learned.permissions}
    by_rest = clients.taken_by_rest()
    found: dict[str, tuple[int | None, int]] = {
        record.node_id: (record.number, TRIES_OF_WHOLE if by_rest.get(record.number) else MOST_TRIES)
        for record in learned.pull_requests
        if record.node_id and (record.number in by_rest or may_come(record, skip))
    }
    return found | {lost.id: (lost.number, TRIES_OF_WHOLE) for lost in learned.unreadable if lost.id}


def may_come(record: PullRequestRecord, skip: dict[str, str]) -> bool:
    """Whether something is missing, but for the parts `skip`, that GitHub has and that we may read."""
    closed = {*skip, Part.REVIEW_COMMENTS} if Part.THREADS in skip else {*skip}
    return any(part not in closed and not _is_final(reason) for part, reason in record.partial.items())


PASSING = re.compile(r"\b50\d\b|not available|in time|gave up")
"""Words of what REST met by chance."""


def _is_final(reason: str) -> bool:
    """There is no diff, and if REST was asked for it that did not fail by chance."""
    return reason.startswith(NO_DIFF) and not PASSING.search(reason)

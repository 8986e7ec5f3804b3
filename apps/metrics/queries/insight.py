"""The one sentence above the figures: which stage of which repository got slower. Only when the numbers carry it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.metrics.queries.comparison import Verdict
from apps.metrics.queries.overview import STAGES, Compared, Overview, RepositoryRow

ENOUGH = 10  # pull requests in each window
MARKED = 0.5  # half as long again
NOTICEABLE = 3600.0  # seconds: from one minute to two is no news


@dataclass(frozen=True, slots=True)
class Insight:
    """`stage` of `row.repository` moved `compared`; `others_flat` of `others` repositories did not change."""

    stage: str
    row: RepositoryRow
    compared: Compared
    others: int
    others_flat: int

    @property
    def factor(self) -> float:
        return (self.compared.now.median or 0) / (self.compared.before.median or 1)


def insights_of(overview: Overview) -> tuple[Insight, ...]:
    """What got markedly slower, by the time it costs: the difference of the medians times the pull requests. No SQL."""
    found = [
        _insight(overview, row, index)
        for row in overview.repositories
        for index in range(len(STAGES))
        if _is_marked(row.stages[index])
    ]
    return tuple(sorted(found, key=_cost, reverse=True))


def _is_marked(compared: Compared) -> bool:
    now, before = compared.now, compared.before
    if compared.change.verdict is not Verdict.WORSE or not now.median or not before.median:
        return False
    return (
        min(now.n, before.n) >= ENOUGH
        and now.median / before.median >= 1 + MARKED
        and now.median - before.median >= NOTICEABLE
    )


def _insight(overview: Overview, row: RepositoryRow, index: int) -> Insight:
    others = [other.stages[index] for other in overview.repositories if other is not row]
    flat = sum(other.change.verdict is Verdict.FLAT for other in others)
    return Insight(STAGES[index], row, row.stages[index], len(others), flat)


def _cost(insight: Insight) -> float:
    now, before = insight.compared.now, insight.compared.before
    return ((now.median or 0) - (before.median or 0)) * now.n

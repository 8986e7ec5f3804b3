"""The records of a repository's deployments: what was merged goes out twice on a working day, first to staging."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from apps.metrics.demo.checks import instant
from apps.metrics.demo.dice import dice
from apps.metrics.demo.numbering import is_revert
from apps.metrics.demo.organisation import DEPLOY_BOT, DemoRepository
from apps.metrics.demo.plan import Plan
from apps.metrics.demo.worktime import DAY, HOUR, is_day_off
from apps.metrics.records import DeploymentRecord, DeploymentStatusRecord, PullRequestRecord

_TIMES = (10 * HOUR, 15 * HOUR)
_FAILING = 0.03
_LONGEST = HOUR  # from the staging deployment to the last status in production


class Deployments:
    """Fed with the pull requests in the order in which they were opened, it tells what had been deployed by then; it
    remembers those that are not deployed yet.
    """

    def __init__(self, plan: Plan, repository: DemoRepository) -> None:
        self._plan, self._repository = plan, repository
        self._rng = dice(plan.seed, repository.index, "deployments")
        self._merged: list[tuple[int, str]] = []
        self._slots = self._all_slots()
        self._next = next(self._slots, None)
        self._live = self._before = ""
        self._count = 0

    def after(self, record: PullRequestRecord) -> Iterator[DeploymentRecord]:
        """What was deployed until `record` was opened. A revert was: production has been rolled back before it."""
        opened = int(record.created_at.timestamp())
        yield from self._until(opened)
        if is_revert(record.number) and record.body.startswith("Reverts") and self._before:
            at = opened - 600
            yield self._deployment("production", self._before, at, "success", "Roll back")
            self._live, self._before = self._before, ""
        if record.merged_at is not None:
            heappush(self._merged, (int(record.merged_at.timestamp()), record.merge_commit_sha))

    def rest(self) -> Iterator[DeploymentRecord]:
        """What was deployed after the last pull request was opened."""
        yield from self._until(self._plan.end)

    def _all_slots(self) -> Iterator[int]:
        for day in range(self._plan.start // DAY, self._plan.end // DAY):
            if not is_day_off("", day):
                yield from (day * DAY + time + self._rng.randint(0, 1800) for time in _TIMES)

    def _until(self, at: int) -> Iterator[DeploymentRecord]:
        while self._next is not None and self._next + _LONGEST < at:
            slot, sha = self._next, ""
            self._next = next(self._slots, None)
            while self._merged and self._merged[0][0] <= slot:
                sha = heappop(self._merged)[1]
            if sha:
                yield from self._train(sha, slot)

    def _train(self, sha: str, at: int) -> Iterator[DeploymentRecord]:
        yield self._deployment("staging", sha, at, "success")
        if self._rng.random() < _FAILING:
            yield self._deployment("production", sha, at + 1200, "failure")
            at += 1200
        yield self._deployment("production", sha, at + 1200, "success")
        self._before, self._live = self._live, sha

    def _deployment(self, environment: str, sha: str, at: int, state: str, description: str = "") -> DeploymentRecord:
        self._count += 1
        id_ = self._repository.first_id + self._count
        ended = at + self._rng.randint(90, 540)
        statuses = tuple(
            DeploymentStatusRecord(f"demo-status-{id_}-{word}", word, instant(when), DEPLOY_BOT)
            for word, when in (("in_progress", at + 10), (state, ended))
        )
        return DeploymentRecord(
            id=id_,
            environment=environment,
            sha=sha,
            state=state,
            created_at=instant(at),
            node_id=f"demo-deployment-{id_}",
            ref="main",
            task="deploy",
            description=description,
            creator=DEPLOY_BOT,
            updated_at=instant(ended),
            is_production=environment == "production",
            statuses=statuses,
            statuses_total=len(statuses),
        )

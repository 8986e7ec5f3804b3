"""What is inside a repository, and the ways to find it."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from devtools.github_sandbox.entities import (
    CheckRun,
    CheckSuite,
    Commit,
    Deployment,
    Issue,
    Label,
    Milestone,
    PullRequest,
    StatusContext,
)

ORDER_KEYS: dict[str, Callable[[PullRequest], tuple[str, int]]] = {
    "CREATED_AT": lambda pull: (pull.created_at, pull.number),
    "UPDATED_AT": lambda pull: (pull.updated_at, pull.number),
}


class Contents:
    """What is inside a repository. `nodes` holds everything in it that has a node id."""

    def __init__(self) -> None:
        self.pulls: MutableMapping[int, PullRequest] = {}
        self.issues: dict[int, Issue] = {}
        self.labels: dict[str, Label] = {}
        self.milestones: dict[int, Milestone] = {}
        self.commits: MutableMapping[str, Commit] = {}
        self.suites: MutableMapping[str, list[CheckSuite]] = {}
        self.statuses: MutableMapping[str, list[StatusContext]] = {}
        self.deployments: list[Deployment] = []
        self.nodes: MutableMapping[str, Any] = {}
        self.last_number = 0
        """The highest number ever given, known once something was removed or opened."""
        self._known: dict[Any, Any] = {}
        """What was worked out since the last change: sorted lists, counts, an index."""

    def add_pull(self, pull: PullRequest) -> None:
        self.pulls[pull.number] = pull
        self.nodes[pull.id] = pull
        self._known.clear()

    def remove_pull(self, pull: PullRequest) -> None:
        self.pulls.pop(pull.number, None)
        self.nodes.pop(pull.id, None)
        self._known.clear()

    def pin(self, number: int) -> PullRequest | None:
        """The pull request to be changed: from now on it is kept as it is."""
        return self.pulls.get(number)

    def changed(self) -> None:
        """To be called when a pull request's times, state or head changed: what was worked out is forgotten."""
        self._known.clear()

    def _worked_out(self, key: Any, make: Callable[[], Any]) -> Any:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make()
        return found

    def rows(self) -> Iterable[PullRequest]:
        """All pull requests, or stand-ins that know number, state and times and fetch the rest."""
        return self.pulls.values()

    def sorted_pulls(self, order: str, states: Iterable[str] | None = None) -> list[PullRequest]:
        """The pull requests in `states` (None: any) ascending by CREATED_AT or UPDATED_AT; may be stand-ins, see
        `rows` and `whole`. Not to be changed by the caller."""
        if states is None:
            found: list[PullRequest] = self._worked_out(order, lambda: sorted(self.rows(), key=ORDER_KEYS[order]))
            return found
        wanted = frozenset(states)
        key = (order, wanted)
        found = self._worked_out(key, lambda: [pull for pull in self.sorted_pulls(order) if pull.state in wanted])
        return found

    def whole(self, pulls: Iterable[PullRequest]) -> list[PullRequest]:
        """The pull requests themselves for a page of what `sorted_pulls` gave."""
        return list(pulls)

    def count(self, states: Iterable[str] | None = None) -> int:
        counts: Counter[str] = self._worked_out("states", lambda: Counter(pull.state for pull in self.rows()))
        return sum(counts.values()) if states is None else sum(counts[state] for state in frozenset(states))

    def pulls_of_head(self, sha: str) -> list[PullRequest]:
        """The pull requests whose head is that commit."""
        heads: dict[str, list[PullRequest]] = self._worked_out("heads", self._heads)
        return heads.get(sha, [])

    def _heads(self) -> dict[str, list[PullRequest]]:
        heads: dict[str, list[PullRequest]] = {}
        for pull in self.pulls.values():
            heads.setdefault(pull.head_ref_oid, []).append(pull)
        return heads

    def pulls_with(self, sha: str) -> list[PullRequest]:
        """The pull requests that hold the commit or were merged as it, oldest first."""
        rows = self.whole(self.sorted_pulls("CREATED_AT"))
        return [pull for pull in rows if has_commit(pull, sha)]

    def last_merge(self) -> PullRequest | None:
        """The one merged last, going by updates."""
        merged = self.sorted_pulls("UPDATED_AT", ["MERGED"])
        return self.whole(merged[-1:])[0] if merged else None

    def updated_since(self, moment: str) -> list[PullRequest]:
        """The pull requests updated at or after `moment` (an ISO time), oldest update first."""
        rows = self.sorted_pulls("UPDATED_AT")
        return rows[bisect.bisect_left(rows, moment, key=lambda pull: pull.updated_at) :]

    def runs_of(self, sha: str) -> list[CheckRun]:
        """Every attempt of every check of a commit, oldest first."""
        return [run for suite in self.suites.get(sha, ()) for run in suite.runs]

    def latest_runs_of(self, sha: str) -> list[CheckRun]:
        """The last attempt of each check, as the rollup and REST's `filter=latest` show it."""
        latest: dict[tuple[int, str], CheckRun] = {}
        for run in self.runs_of(sha):
            latest[run.suite.database_id, run.name] = run
        return list(latest.values())

    def latest_statuses_of(self, sha: str) -> list[StatusContext]:
        latest: dict[str, StatusContext] = {}
        for status in self.statuses.get(sha, ()):
            latest[status.context] = status
        return list(latest.values())


def has_commit(pull: PullRequest, sha: str) -> bool:
    return pull.merge_commit_oid == sha or any(commit.oid == sha for commit in pull.commits)

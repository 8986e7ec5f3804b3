"""What a step is given and what it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.patience import Patience
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Lost, Raw
from apps.metrics.records import DeploymentRecord, PullRequestRecord

Checkpoint = dict[str, Any]
"""Where in a run we are: JSON. `phase` and `cursor` in it, and what later steps need to know."""


MOST_IN_VAIN = 3
"""Pull requests in a row for which REST had not what was asked of it either: then it is not asked for that any more."""


class Clients:
    """The ways to GitHub for one run: GraphQL, and REST, which is opened when it is first needed and seldom is.

    `in_vain` counts by part how many pull requests in a row REST could not help. `patience` is how long a step may ask
    it: what is left then stays partial, and is asked for again another time.
    """

    def __init__(self, graphql: GraphQL, open_rest: Callable[[], Rest]) -> None:
        self.graphql = graphql
        self._open_rest = open_rest
        self._rest: Rest | None = None
        self.in_vain: Counter[str] = Counter()
        self.patience = Patience()
        self._by_rest: dict[int, bool] = {}

    def takes_by_rest(self, number: int, *, whole: bool = False) -> None:
        """REST was asked for what GraphQL did not give of this pull request."""
        self._by_rest[number] = whole

    def taken_by_rest(self) -> dict[int, bool]:
        """The numbers of those, since the last time somebody asked: whether all of it was."""
        numbers, self._by_rest = self._by_rest, {}
        return numbers

    @property
    def rest(self) -> Rest:
        if self._rest is None:
            self._rest = self._open_rest()
            self._rest.patience = self.patience
        return self._rest

    @property
    def rest_requests(self) -> int:
        """How many were sent so far."""
        return self._rest.requests if self._rest is not None else 0

    def close(self) -> None:
        if self._rest is not None:
            self._rest.close()


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays the same during a run. `since`: changes from then on are fetched again at the end.

    `known_from`: what was updated since then is stored already. `skip`: parts (and "deployments") that are not asked
    for, each with the reason. `outdated`: (node id, number) of what could not be read by the last runs.
    """

    owner: str
    name: str
    phases: tuple[str, ...]
    cutoff: datetime | None
    since: datetime
    page_size: int
    known_from: datetime | None = None
    skip: Mapping[str, str] = field(default_factory=dict)
    outdated: Sequence[tuple[str, int]] = ()

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def skipped(self, checkpoint: Checkpoint) -> dict[str, str]:
        """What is not asked for: that is known from before, and what the run has met."""
        return {**self.skip, **checkpoint.get("skip", {})}


@dataclass(frozen=True, slots=True)
class Figures:
    """Pages of one size: how many, how many pull requests they held, how many seconds their own queries took."""

    pages: int
    pull_requests: int
    seconds: float

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.pages + other.pages, self.pull_requests + other.pull_requests, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Learned:
    """What one step brought. `total` is how many pull requests the run is about, `stated` how many the repository has
    in all, where the step learned it. `pages` are figures by page size, `permissions` {part: permission} what GitHub
    refused, `not_permitted` what was left out because it had refused it before, `gone` node ids of pull requests that
    GitHub no longer knows. `asked_at`: when the step began.
    """

    next: Checkpoint | None
    pull_requests: list[PullRequestRecord] = field(default_factory=list)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    deployments_read: bool = False
    repository: Raw = field(default_factory=dict)
    total: int | None = None
    stated: int | None = None
    points: int = 0
    requests: int = 0
    rest_requests: int = 0
    remaining: int | None = None
    activity: str = ""
    recount: bool = True
    unreadable: tuple[Lost, ...] = ()
    gone: tuple[str, ...] = ()
    page_size: int | None = None
    pages: Mapping[int, Figures] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    not_permitted: Mapping[str, str] = field(default_factory=dict)
    asked_at: datetime | None = None


def merged(learned: Sequence[Learned]) -> Learned:
    """Steps that follow one another, as one; the later ones' word counts where they say something."""
    first, *others = learned
    for step in others:
        first = replace(
            step,
            pull_requests=first.pull_requests + step.pull_requests,
            deployments=first.deployments + step.deployments,
            deployments_read=first.deployments_read or step.deployments_read,
            repository=step.repository or first.repository,
            total=first.total if step.total is None else step.total,
            stated=first.stated if step.stated is None else step.stated,
            points=first.points + step.points,
            requests=first.requests + step.requests,
            rest_requests=first.rest_requests + step.rest_requests,
            remaining=first.remaining if step.remaining is None else step.remaining,
            unreadable=first.unreadable + step.unreadable,
            gone=first.gone + step.gone,
            page_size=first.page_size if step.page_size is None else step.page_size,
            pages=_together(first.pages, step.pages),
            permissions={**first.permissions, **step.permissions},
            not_permitted={**first.not_permitted, **step.not_permitted},
            asked_at=first.asked_at,
        )
    return first


def _together(some: Mapping[int, Figures], more: Mapping[int, Figures]) -> dict[int, Figures]:
    return {
        size: some[size] + more[size] if size in some and size in more else (some.get(size) or more[size])
        for size in {**some, **more}
    }

"""A repository too large to be made whole: each pull request is generated when somebody looks, kept for a while, and
generated again just the same. What was changed is kept for good.

Everything says where it comes from: database ids lie in a block for each pull request, shas begin with its place.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from devtools.github_sandbox.contents import Contents, has_commit
from devtools.github_sandbox.entities import Deployment, PullRequest
from devtools.github_sandbox.ids import number_of_node
from devtools.github_sandbox.synthetic.plan import Plan, SyntheticRepository, iso, number_of, plans
from devtools.github_sandbox.synthetic.pull import PullWriter
from devtools.github_sandbox.synthetic.repository import Generator

if TYPE_CHECKING:
    from devtools.github_sandbox.world import Repository, World

LAZY_FROM = 5_000
"""Repositories with more pull requests than this are generated piece by piece."""
KEPT = 600
"""So many pull requests are kept; about 30 kB each."""
BLOCK = 8_192
"""Ids for each pull request: the heaviest of the cost mix takes about two thousand."""
OWN_IDS = 4_000_000
"""Ids before the first block, for labels, issues and deployments."""
FIRST_ID = 20_000_000_000
V = TypeVar("V")


class StandIn:
    """A pull request in a list: number, state and times are there, anything else is fetched from the whole one."""

    __slots__ = ("_contents", "created_at", "number", "state", "updated_at")
    typename = "PullRequest"

    def __init__(self, contents: LazyContents, plan: Plan) -> None:
        self._contents = contents
        self.number = plan.number
        self.state = plan.state
        self.created_at = iso(plan.created)
        self.updated_at = iso(contents.updated_of(plan))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._contents.pulls[self.number], name)


class Shard(Contents):
    """What belongs to one generated pull request."""

    def __init__(self, whole: LazyContents, place: int) -> None:
        super().__init__()
        self.labels = whole.labels
        self.milestones = whole.milestones
        before = whole.issue_numbers[max(place // 5 - 20, 0) : place // 5]
        self.issues = {number: whole.issues[number] for number in before}


class ShardWriter(Generator):
    """Generates one pull request, at its own ids and shas."""

    def __init__(self, whole: LazyContents, place: int) -> None:
        origin = whole.generator
        self.whole = whole
        self.place = place
        first = origin.first_id + OWN_IDS + place * BLOCK
        super().__init__(origin.world, origin.spec, origin.repository, Shard(whole, place), first, origin.now)
        self.people, self.teams, self.reader, self.forks = origin.people, origin.teams, origin.reader, origin.forks

    def sha(self, *words: object) -> str:
        return self.whole.sha_at(self.place, *words)

    def limit_of(self, plan: Plan) -> datetime:
        return self.whole.updated_of(plan)

    def undoable(self, plan: Plan) -> list[PullRequest]:
        start = max(self.place - 12, 0)
        merged = [at for at in range(start, self.place) if self.whole.plans[at].state == "MERGED"]
        if not merged:
            return []
        place = merged[number_of(self.spec, f"undone {plan.number}") % len(merged)]
        earlier = self.whole.generated(place)
        return [earlier] if (earlier.merged_at or "") < iso(plan.created) else []


class LazyContents(Contents):
    """Looks like any other contents. `whole` makes pull requests of the stand-ins in its lists."""

    def __init__(self, world: World, spec: SyntheticRepository, repository: Repository, now: datetime, index: int):
        super().__init__()
        self.spec = spec
        self.now = now
        self.plans = plans(spec, now)
        self.places = {plan.number: place for place, plan in enumerate(self.plans)}
        self.generator = Generator(world, spec, repository, self, FIRST_ID + index * BLOCK * 1_000_000, now)
        self.kept: dict[int, PullRequest] = {}
        self.gone: set[int] = set()
        self._shards: OrderedDict[int, tuple[PullRequest, Shard]] = OrderedDict()
        self._lock = threading.RLock()
        self._stand_ins: dict[int, Any] = {}
        self.generator.begin()
        for plan in self.plans:
            if (plan.number + 1) % 6 == 0:
                self.generator.issue(plan.number + 1, plan.created)
        self.issue_numbers = list(self.issues)
        for person in self.generator.people:
            self.generator.fork_of(person)
        self._deployed: list[Deployment] | None = None
        self.pulls = LazyPulls(self)
        self.nodes = LazyMap(self.nodes, self._place_of_node, self.shard_part("nodes"))
        self.commits = LazyMap({}, self._place_of_sha, self.shard_part("commits"))
        self.suites = LazyMap({}, self._place_of_sha, self.shard_part("suites"))
        self.statuses = LazyMap({}, self._place_of_sha, self.shard_part("statuses"))

    def updated_of(self, plan: Plan) -> datetime:
        """When the pull request was updated last: hours or weeks after it was opened."""
        hours = 6 * 10 ** (number_of(self.spec, f"updated {plan.number}") % 1_000 / 450)
        return min(plan.created + timedelta(seconds=int(hours * 3_600)), self.now).replace(microsecond=0)

    def sha_at(self, place: int, *words: object) -> str:
        return f"{place:08x}{self.generator.sha(*words)[:32]}"

    def shard(self, place: int) -> tuple[PullRequest, Shard]:
        """The generated pull request at a place, with all that belongs to it, whatever became of it since."""
        with self._lock:
            found = self._shards.get(place)
            if found is None:
                writer, plan = ShardWriter(self, place), self.plans[place]
                pull = PullWriter(writer, plan).write()
                pull.updated_at = iso(self.updated_of(plan))
                shard: Any = writer.contents
                shard.add_pull(pull)
                found = self._shards[place] = (pull, shard)
                if len(self._shards) > KEPT:
                    self._shards.popitem(last=False)
            else:
                self._shards.move_to_end(place)
            return found

    def generated(self, place: int) -> PullRequest:
        """The pull request as it was generated; one that was changed is made anew."""
        if self.plans[place].number not in self.kept:
            return self.shard(place)[0]
        return PullWriter(ShardWriter(self, place), self.plans[place]).write()

    def untouched(self, place: int | None) -> bool:
        """Whether what is at that place is as it was generated."""
        if place is None or not 0 <= place < len(self.plans):
            return False
        number = self.plans[place].number
        return number not in self.kept and number not in self.gone

    def pin(self, number: int) -> PullRequest | None:
        place = self.places.get(number)
        if place is None or not self.untouched(place):
            return self.pulls.get(number)
        pull, shard = self.shard(place)
        self.kept[number] = pull
        self.nodes.update(shard.nodes)
        self.commits.update(shard.commits)
        self.suites.update(shard.suites)
        self.statuses.update(shard.statuses)
        del self._shards[place]
        self._known.clear()
        return pull

    def rows(self) -> Iterable[PullRequest]:
        return [self._row(number) for number in self.pulls]

    def _row(self, number: int) -> Any:
        kept = self.kept.get(number)
        if kept is not None:
            return kept
        found = self._stand_ins.get(number)
        if found is None:
            found = self._stand_ins[number] = StandIn(self, self.plans[self.places[number]])
        return found

    def whole(self, pulls: Iterable[PullRequest]) -> list[PullRequest]:
        return [self.pulls[pull.number] for pull in pulls]

    def pulls_of_head(self, sha: str) -> list[PullRequest]:
        return [pull for pull in self._near(sha) if pull.head_ref_oid == sha]

    def pulls_with(self, sha: str) -> list[PullRequest]:
        return [pull for pull in self._near(sha) if has_commit(pull, sha)]

    def _near(self, sha: str) -> list[PullRequest]:
        """The pull requests that can have anything to do with a commit."""
        place = self._place_of_sha(sha)
        kept = list(self.kept.values())
        return [self.shard(place)[0], *kept] if place is not None and self.untouched(place) else kept

    @property
    def deployments(self) -> list[Deployment]:
        """Every fourth merge to staging, every second of those to production."""
        if self._deployed is None:
            self._deployed = []
            self._deploy()
        return self._deployed

    @deployments.setter
    def deployments(self, value: list[Deployment]) -> None:
        self._deployed = value or None

    def _deploy(self) -> None:
        merged = [place for place, plan in enumerate(self.plans) if plan.state == "MERGED"]
        for index, place in enumerate(merged[::4]):
            random = Random(f"{self.spec.seed} deployment {index}")
            sha = self.sha_at(place, "merge", self.plans[place].number)
            start = self.updated_of(self.plans[place]) + timedelta(minutes=random.randint(3, 40))
            person = random.choice(self.generator.people)
            self.generator.deployment(sha, person, "staging", min(start, self.now), random)
            if index % 2 == 0:
                start += timedelta(minutes=random.randint(20, 200))
                self.generator.deployment(sha, person, "production", min(start, self.now), random)

    def _place_of_node(self, node: str) -> int | None:
        number = number_of_node(node)
        return (number - self.generator.first_id - OWN_IDS) // BLOCK if number is not None else None

    def _place_of_sha(self, sha: str) -> int | None:
        try:
            return int(sha[:8], 16)
        except ValueError:
            return None

    def shard_part(self, name: str) -> Callable[[int | None], MutableMapping[str, Any]]:
        """Where a LazyMap looks for what it does not have itself."""

        def part(place: int | None) -> MutableMapping[str, Any]:
            if place is None or not self.untouched(place):
                return {}
            found: MutableMapping[str, Any] = getattr(self.shard(place)[1], name)
            return found

        return part


class LazyPulls(MutableMapping[int, PullRequest]):
    """Pull requests by number, oldest first; those that were changed or added are kept."""

    def __init__(self, contents: LazyContents) -> None:
        self._contents = contents
        self._numbers = dict.fromkeys(contents.places)

    def __getitem__(self, number: int) -> PullRequest:
        kept = self._contents.kept.get(number)
        if kept is not None:
            return kept
        if number not in self._numbers:
            raise KeyError(number)
        return self._contents.shard(self._contents.places[number])[0]

    def __setitem__(self, number: int, pull: PullRequest) -> None:
        self._contents.kept[number] = pull
        self._numbers[number] = None

    def __delitem__(self, number: int) -> None:
        del self._numbers[number]
        self._contents.kept.pop(number, None)
        self._contents.gone.add(number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: object) -> bool:
        return number in self._numbers


class LazyMap(MutableMapping[str, V]):
    """What was put in, before what a shard has. Iterating gives only the former."""

    def __init__(
        self,
        own: MutableMapping[str, V],
        place_of: Callable[[str], int | None],
        part: Callable[[int | None], MutableMapping[str, V]],
    ) -> None:
        self._own = dict(own)
        self._place_of = place_of
        self._part = part

    def __getitem__(self, key: str) -> V:
        if key in self._own:
            return self._own[key]
        return self._part(self._place_of(key))[key]

    def __setitem__(self, key: str, value: V) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

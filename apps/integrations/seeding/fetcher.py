"""What is asked of GitHub to bring a cache up to date: the sync's own steps, one request after the other.

https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api: in sequence, not at once, and
waiting as long as GitHub says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import orjson
from django.conf import settings

from apps.integrations.github import changes, pull_requests
from apps.integrations.github.completion import IDS_PER_LOOKUP
from apps.integrations.github.errors import GitHubError, RateLimited
from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.github.reconciliation import Home, unknown_of
from apps.integrations.github.transport import Transport
from apps.integrations.github.types import Pulse, Spending, Touched
from apps.integrations.seeding.cache import CHECKS_LEFT_OUT, Kept, PRCache
from apps.integrations.seeding.comparing import is_kept, reaches_back, suspects, with_checks, with_what_is_missing
from apps.integrations.seeding.github_token_pool import GitHubTokenPool
from apps.integrations.seeding.stored_json import dumps
from apps.integrations.services.github_rest import rest_over
from apps.integrations.services.github_sync import steps
from apps.integrations.services.github_sync.runs import EVERYTHING
from apps.integrations.services.github_sync.steps.again import AGAIN, FIRST, IN_VAIN
from apps.integrations.services.github_transport import transport
from apps.integrations.services.mapping import repository_record
from apps.metrics.records import DeploymentRecord, Part, PullRequestRecord

T = TypeVar("T")

LOW = 100
"""Points. With fewer left, check runs are left out: another run asks for them."""

LONGEST_WAIT = 180.0
"""Seconds that it waits when GitHub asks to slow down. What takes longer ends the run, and another one goes on."""

PAGE_SIZE = 24
CHECKS_AT_ONCE = 100
"""Pull requests whose checks a point buys; so many that wait for theirs are asked for in each run."""


class Interrupted(Exception):
    """Somebody asked to stop; what was fetched is stored."""


class PrivateRepository(GitHubError):
    """Seeding is for what everybody may see."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is private, and a demo team shows public repositories only. To see it, connect GitHub in a team of"
            " its own (manage.py connect_github)."
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What one answer brought, after it was kept. `gone`: node ids of pull requests that are no more."""

    kept: Kept
    pull_requests: Sequence[PullRequestRecord] = ()
    deployments: Sequence[DeploymentRecord] = ()
    gone: Sequence[str] = ()


OnAnswer = Callable[[Brought], None]


class GitHubGraphQLFetcher:
    """Fetches what the caches lack. `points` and `requests` are what that took so far, `fetched` how many pull
    requests came.

    `stopped` is asked after each answer, `warn` gets a sentence when the budget is nearly used up. Raises GitHubError,
    CacheError and Interrupted; what came before is kept. Never in a scope: it speaks to GitHub.
    """

    def __init__(
        self,
        pool: GitHubTokenPool,
        *,
        stopped: Callable[[], bool] = lambda: False,
        warn: Callable[[str], None] = lambda words: None,
        sleep: Callable[[float], None] = time.sleep,
        over: Transport | None = None,
    ) -> None:
        self.points = self.requests = self.fetched = 0
        self._pool = pool
        self._stopped = stopped
        self._warn = warn
        self._sleep = sleep
        self._transport = over
        self._is_low = False
        self._fresh: set[str] = set()
        self._tried: set[str] = set()

    def walk(self, cache: PRCache, full_name: str, *, most: int, on_answer: OnAnswer) -> None:
        """The newest `most` pull requests and the deployments since, on from where the last run stopped."""
        kept = cache.kept or self._first(cache, full_name)
        self._tried.update(kept.again)
        with closing(self._clients(kept)) as clients:
            while kept.walk and (kept.repository is None or cache.count < most):
                kept = self._page(clients, cache, kept, on_answer)
            kept = self._once_more(clients, cache, kept, on_answer)
            self._walk_deployments(clients, cache, kept, most, on_answer)

    def _first(self, cache: PRCache, full_name: str) -> Kept:
        """How many there are, and up to when what follows is known: for a point, before anything dearer is asked."""
        owner, _, name = full_name.partition("/")
        spending = Spending()
        graphql = self._graphql(None)
        newest = self._patiently(
            lambda: changes.list_ids(graphql, owner=owner, name=name, page_size=1, spending=spending)
        )
        self._spent(spending.points, spending.requests)
        update = newest.touched[0].updated_at if newest.touched else None
        walk = dumps({"phase": "all", "cursor": None}).decode()
        return cache.store(Kept(full_name, newest.total, update, walk=walk))

    def _page(self, clients: steps.Clients, cache: PRCache, kept: Kept, on_answer: OnAnswer) -> Kept:
        learned = self._step(clients, self._plan(kept, ("all",)), orjson.loads(kept.walk))
        walk = "" if learned.next is None else dumps(learned.next).decode()
        return self._keep(cache, replace(kept, walk=walk, stated=learned.stated or kept.stated), learned, on_answer)

    def _once_more(self, clients: steps.Clients, cache: PRCache, kept: Kept, on_answer: OnAnswer) -> Kept:
        """What did not come at first, before the walk rests: it may rest for ever."""
        if not kept.walk or not (waiting := orjson.loads(kept.walk)).get(AGAIN):
            return kept
        rest = {key: value for key, value in waiting.items() if key not in {AGAIN, IN_VAIN}}
        following: steps.Checkpoint | None = {**waiting, "phase": AGAIN, "cursor": None, IN_VAIN: FIRST}
        while following is not None:
            learned = self._step(clients, self._plan(kept, ("all",)), following)
            following = learned.next
            is_last = following is None and waiting["phase"] != AGAIN
            kept = self._keep(cache, replace(kept, walk=dumps(rest).decode()) if is_last else kept, learned, on_answer)
        return kept

    def _walk_deployments(
        self, clients: steps.Clients, cache: PRCache, kept: Kept, most: int, on_answer: OnAnswer
    ) -> None:
        """As far back as the pull requests go; all of them, where those are all."""
        lowest = cache.lowest(most)
        since = lowest[1] if lowest and (kept.walk or cache.count > most) else None
        known = kept.deployments_from
        if kept.has_all_deployments or (since is not None and known is not None and known <= since):
            return
        plan = replace(self._plan(kept, (steps.DEPLOYMENTS,)), cutoff=since, known_from=known)
        following = orjson.loads(kept.deployments) if kept.deployments else steps.first_checkpoint(plan)
        while following is not None:
            learned = self._step(clients, plan, following)
            following = learned.next
            done = {"deployments_from": since or known, "has_all_deployments": since is None}
            now = {"deployments": "", **done} if following is None else {"deployments": dumps(following).decode()}
            kept = self._keep(cache, replace(kept, **now), learned, on_answer)

    def look(self, caches: Sequence[PRCache]) -> Mapping[str, Pulse]:
        """What changed last in the repositories of the caches, by node id: a point for a hundred of them. One that
        GitHub no longer gives is left out.
        """
        kept = [cache.kept for cache in caches]
        ids = [each.repository.node_id for each in kept if each is not None and each.repository is not None]
        if not ids:
            return {}
        found = self._pulses(ids)
        missing = [id_ for id_ in ids if id_ not in found]
        return {**found, **self._pulses(missing)} if missing else found  # a fault that passes looks like one gone

    def _pulses(self, ids: Sequence[str]) -> Mapping[str, Pulse]:
        spending = Spending()
        found = self._patiently(partial(changes.pulses, self._graphql(None), ids, spending=spending))
        self._spent(spending.points, spending.requests)
        return found

    def catch_up(
        self, cache: PRCache, pulse: Pulse, *, on_answer: OnAnswer, stored: Collection[str] = frozenset()
    ) -> None:
        """Fetches the pull requests that changed since they were kept, and no other; says which are no more. `stored`:
        node ids of those that the caller has by now.
        """
        kept = cache.kept
        assert kept is not None  # it was walked
        if kept.repo_pushed_at is None:  # the first walk, in however many runs: its checks are as new as its pages
            self._fresh |= cache.unfinished_checks()
        kept = self._renamed(cache, kept, pulse, on_answer)
        with closing(self._clients(kept)) as clients:
            changed = self._changed(clients.graphql, cache, kept, pulse)
            changed |= {id_: number for id_, number in kept.again.items() if id_ in self._tried}
            doubtful = suspects(cache, kept, pulse, changed, stored)
            if changed:
                kept = self._fetch(clients, cache, kept, changed, on_answer)
            kept = self._without_deleted(clients.graphql, cache, kept, pulse, doubtful, on_answer)
            kept = self._new_deployments(clients, cache, kept, pulse, on_answer)
            newest = max((touched.updated_at for touched in pulse.touched), default=kept.newest_update)
            now = replace(kept, newest_update=newest, repo_pushed_at=pulse.pushed_at, stated=pulse.pull_requests)
            if now != kept:
                cache.store(now)

    def _renamed(self, cache: PRCache, kept: Kept, pulse: Pulse, on_answer: OnAnswer) -> Kept:
        assert kept.repository is not None  # its id was asked for
        if kept.repository.full_name == pulse.full_name and kept.repository.is_archived == pulse.is_archived:
            return kept
        repository = replace(kept.repository, full_name=pulse.full_name, is_archived=pulse.is_archived)
        kept = cache.store(replace(kept, repository=repository))
        on_answer(Brought(kept))
        return kept

    def _changed(self, graphql: GraphQL, cache: PRCache, kept: Kept, pulse: Pulse) -> dict[str, int]:
        """Of those that are kept or newer, the ones that GitHub has another version of: numbers by node id."""
        known = cache.updates()
        first = min(known, default=0) if kept.walk else 0

        def differ(some: Sequence[Touched]) -> dict[str, int]:
            return {it.id: it.number for it in some if it.number >= first and known.get(it.number) != it.updated_at}

        found = differ(pulse.touched)
        is_seen = bool(pulse.touched) and pulse.touched[0].updated_at == kept.newest_update and not found
        if is_seen or len(pulse.touched) == pulse.pull_requests or reaches_back(pulse.touched, kept):
            return found
        for some in self._listed(graphql, pulse.full_name):
            found |= differ(some)
            if reaches_back(some, kept):
                break
        return found

    def _without_deleted(
        self,
        graphql: GraphQL,
        cache: PRCache,
        kept: Kept,
        pulse: Pulse,
        doubtful: Sequence[str],
        on_answer: OnAnswer,
    ) -> Kept:
        """Asks for some by their ids, a hundred for a point; those that GitHub does not know are no more."""
        owner, _, name = pulse.full_name.partition("/")
        gone: list[str] = []
        for start in range(0, len(doubtful), IDS_PER_LOOKUP):
            spending = Spending()
            some = doubtful[start : start + IDS_PER_LOOKUP]
            gone += sorted(self._patiently(partial(unknown_of, graphql, Home(owner, name), some, spending=spending)))
            self._spent(spending.points, spending.requests)
        if gone:
            kept = cache.store(kept, gone=gone)
            on_answer(Brought(kept, gone=gone))
        return kept

    def _listed(self, graphql: GraphQL, full_name: str) -> Iterator[Sequence[Touched]]:
        """All of them, the latest change first, a hundred for a point: read on as far as is needed."""
        owner, _, name = full_name.partition("/")
        cursor: str | None = None
        while True:
            spending = Spending()
            ask = partial(changes.list_ids, graphql, owner=owner, name=name, after=cursor, spending=spending)
            page = self._patiently(ask)
            self._spent(spending.points, spending.requests)
            yield page.touched
            if not page.has_next or page.end_cursor in {None, cursor}:
                return
            cursor = page.end_cursor

    def _fetch(
        self, clients: steps.Clients, cache: PRCache, kept: Kept, changed: Mapping[str, int], on_answer: OnAnswer
    ) -> Kept:
        ids = [[id_, changed[id_]] for id_ in sorted(changed, key=lambda id_: -changed[id_])]
        named = {"ids": ids, "listed": True, "counted": len(ids)}
        following: steps.Checkpoint | None = {"phase": "updated", "cursor": None, **named}
        while following is not None:
            learned = self._step(clients, self._plan(kept, ("updated",)), following)
            following = learned.next
            kept = self._keep(cache, kept, learned, on_answer)
        return kept

    def _new_deployments(
        self, clients: steps.Clients, cache: PRCache, kept: Kept, pulse: Pulse, on_answer: OnAnswer
    ) -> Kept:
        known, since = {each.id: each for each in cache.deployments()}, kept.deployments_from
        seen = [it for it in pulse.deployments or () if since is None or it.created_at >= since]
        changed = [it.created_at for it in seen if not is_kept(it, known.get(it.id))]
        if not changed:
            return kept
        newest = max((each.created_at for each in known.values()), default=since)
        is_gap = not any(it.id in known for it in seen)
        cutoff = newest if newest is None or is_gap else min(changed)
        plan = replace(self._plan(kept, (steps.DEPLOYMENTS,)), cutoff=cutoff)
        following: steps.Checkpoint | None = steps.first_checkpoint(plan)
        while following is not None:
            learned = self._step(clients, plan, following)
            following = learned.next
            kept = self._keep(cache, kept, learned, on_answer)
        return kept

    def missing_checks(self, some: Sequence[tuple[PRCache, OnAnswer]]) -> None:
        """All that were left out; of those that had not ended when a former run saw them the newest hundred of all
        repositories together, which cost a point.
        """
        graphql = self._graphql(None)
        while wanting := self._wanting_checks(some):
            if self._is_low:
                return
            page = self._patiently(partial(pull_requests.fetch_checks, graphql, [it.node_id for _, _, it in wanting]))
            self._spent(page.points, page.requests)
            nodes = {node["id"]: node for node in page.nodes}
            self._fresh.update(record.node_id for _, _, record in wanting)
            for cache, on_answer in some:
                mine = [record for it, _, record in wanting if it is cache and record.node_id in nodes]
                filled = [with_checks(record, nodes[record.node_id]) for record in mine]
                changed = [now for now, record in zip(filled, mine, strict=True) if now != record]
                if changed and (kept := cache.kept) is not None:
                    on_answer(Brought(cache.store(kept, pull_requests=changed), changed))
            if not any(is_left_out for _, is_left_out, _ in wanting):
                return

    def _wanting_checks(
        self, some: Sequence[tuple[PRCache, OnAnswer]]
    ) -> list[tuple[PRCache, bool, PullRequestRecord]]:
        """Whose each is, and whether its checks were left out: these first."""
        found = [
            (cache, record.partial.get(Part.CHECKS) == CHECKS_LEFT_OUT, record)
            for cache, _ in some
            for record in cache.wanting_checks(most=CHECKS_AT_ONCE)
            if record.node_id not in self._fresh
        ]
        return sorted(found, key=lambda each: not each[1])[:CHECKS_AT_ONCE]

    def _keep(self, cache: PRCache, kept: Kept, learned: steps.Learned, on_answer: OnAnswer) -> Kept:
        if learned.repository.get("databaseId") is not None:
            kept = replace(kept, repository=repository_record(learned.repository))
        if kept.repository is not None and kept.repository.is_private:
            raise PrivateRepository(kept.full_name)
        kept = cache.store(
            with_what_is_missing(kept, learned, self._tried),
            pull_requests=learned.pull_requests,
            deployments=learned.deployments,
            gone=learned.gone,
        )
        self.fetched += len(learned.pull_requests)
        self._fresh.update(record.node_id for record in learned.pull_requests)
        on_answer(Brought(kept, learned.pull_requests, learned.deployments, learned.gone))
        return kept

    def _step(self, clients: steps.Clients, plan: steps.Plan, checkpoint: steps.Checkpoint) -> steps.Learned:
        learned = self._patiently(lambda: steps.fetch(clients, plan, checkpoint))
        self._spent(learned.points, learned.requests + learned.rest_requests)
        return learned

    def _spent(self, points: int, requests: int) -> None:
        self.points += points
        self.requests += requests
        left, reset = self._pool.remaining, self._pool.resets_at
        if left is not None and left < LOW and not self._is_low:
            until = f" until {reset:%H:%M} UTC" if reset else ""
            self._warn(
                f"Only {left} points are left{until}: check runs are left out from here on. Run the same command again"
                " later to add them."
            )
        self._is_low = left is not None and left < LOW

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Its answer, from another account where one is used up, and after the wait that GitHub asks for."""
        for _ in range(2 * len(self._pool.accounts) + 2):
            if self._stopped():
                raise Interrupted
            try:
                return ask()
            except RateLimited as limited:
                if self._pool.is_open and not limited.secondary:
                    continue
                if not limited.secondary or limited.retry_after > LONGEST_WAIT:
                    raise
                if not self._pool.is_open:
                    self._warn(f"GitHub asks to slow down; it goes on in {limited.retry_after:.0f} s.")
                    self._sleep(limited.retry_after)
        return ask()

    def _plan(self, kept: Kept, phases: tuple[str, ...]) -> steps.Plan:
        owner, _, name = (kept.repository.full_name if kept.repository else kept.full_name).partition("/")
        skip = {str(Part.CHECKS): CHECKS_LEFT_OUT} if self._is_low else {}
        since = kept.newest_update or EVERYTHING
        return steps.Plan(owner, name, phases, None, since, PAGE_SIZE, skip=skip)

    def _clients(self, kept: Kept) -> steps.Clients:
        repository_id = kept.repository.id if kept.repository is not None else None
        return steps.Clients(self._graphql(repository_id), partial(rest_over, self._pool))

    def _graphql(self, repository_id: int | None) -> GraphQL:
        return GraphQL(
            self._transport or transport(),
            self._pool,
            graphql_url(settings.GITHUB_API_URL),
            repository_id=repository_id,
            backoff=settings.GITHUB_BACKOFF,
        )

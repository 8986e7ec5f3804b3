"""A project's pull requests in a demo team: from the cache first, then what GitHub has beyond it, page by page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError
from django.utils import timezone

from apps.integrations.github.errors import NotFound, RepositoryBlocked
from apps.integrations.seeding.cache import Kept, PRCache
from apps.integrations.seeding.fetcher import Brought, GitHubGraphQLFetcher, PrivateRepository
from apps.integrations.seeding.projects import Project
from apps.integrations.seeding.teams import check_is_demo
from apps.integrations.services.github_sync import coverage
from apps.integrations.services.github_sync.following import follow
from apps.integrations.services.github_sync.runs import EVERYTHING
from apps.metrics.demo.clear import alone
from apps.metrics.models import PullRequest, Repository
from apps.metrics.queries.completeness import count_gaps
from apps.metrics.records import DeploymentRecord, PullRequestRecord, RepositoryRecord
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.gone import mark_gone
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.teams.models import Team
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

UNWRITABLE = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""What a pull request may come to that no column takes."""

DEPLOYMENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` pull requests of a repository are here. `remaining` points are left (None: not known)."""

    repository: str
    done: int
    total: int
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Seeded:
    """What became of one repository. `pull_requests` are in the team now, `partial` of them lack something; `lost`
    names what could not be had at all, `problem` why it ended early ("": it did not).
    """

    repository: str
    pull_requests: int = 0
    partial: int = 0
    lost: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _Work:
    """One repository under way."""

    name: str
    cache: PRCache
    repository: Repository | None = None
    written: int = 0
    problem: str = ""


class RealProjectSeeder:
    """Brings the newest `most` pull requests of each of a project's repositories into a team.

    `folder` None touches no file; `refresh` fetches all anew. `team` is called when there is something to write, and
    not before. `tell` gets sentences, `show` the progress.
    """

    def __init__(
        self,
        fetcher: GitHubGraphQLFetcher,
        *,
        team: Callable[[], Team],
        most: int,
        folder: Path | None,
        refresh: bool = False,
        remaining: Callable[[], int | None] = lambda: None,
        tell: Callable[[str], None] = lambda words: None,
        show: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._fetcher = fetcher
        self._make_team = team
        self._team: Team | None = None
        self._most = most
        self._folder = folder
        self._refresh = refresh
        self._remaining = remaining
        self._tell = tell
        self._show = show

    def seed(self, project: Project) -> list[Seeded]:
        """Raises what the fetcher raises where that concerns more than one repository; what came before is in the team
        by then. Not in a scope.
        """
        with ExitStack() as open_caches:
            works = [_Work(name, self._opened(name, open_caches)) for name in project.repositories]
            try:
                self._bring(works)
            finally:
                for work in works:
                    self._conclude(work)
                if self._team is not None:
                    aggregate_weeks(self._team.pk, None)  # also of what a run stored that was killed before this
            return [self._seeded(work) for work in works]

    def _opened(self, name: str, stack: ExitStack) -> PRCache:
        folder = self._folder
        cache = PRCache.in_memory() if folder is None else PRCache.at(folder, name, anew=self._refresh)
        stack.callback(cache.close)
        if cache.note:
            self._tell(cache.note)
        return cache

    def _bring(self, works: Sequence[_Work]) -> None:
        for work in works:
            self._from_cache(work)
        for work in works:
            with _noted(work):
                self._fetcher.walk(work.cache, work.name, most=self._most, on_answer=self._on_answer(work))
        ready = [work for work in works if not work.problem]
        pulses = self._fetcher.look([work.cache for work in ready])
        shown = []
        for work in ready:
            kept = work.cache.kept
            assert kept is not None  # it was walked
            assert kept.repository is not None
            if (pulse := pulses.get(kept.repository.node_id)) is None:
                self._tell(f"GitHub no longer shows {work.name}, or cannot now: what was fetched of it before is used.")
                continue
            with _noted(work):
                stored = self._stored(work)
                self._fetcher.catch_up(work.cache, pulse, on_answer=self._on_answer(work), stored=stored)
                shown.append((work.cache, self._on_answer(work)))
        self._fetcher.missing_checks(shown)

    def _stored(self, work: _Work) -> set[str]:
        """Node ids of the newest that the team has. One that is not kept any more may be gone: the run that learned it
        was killed before it could say so here, or it was another team's.
        """
        lowest = work.cache.lowest(self._most)
        if work.repository is None:
            return set()
        with team_scope(work.repository.team_id):
            here = PullRequest.objects.filter(repository=work.repository, gone_at=None)
            return set(here.filter(number__gte=lowest[0] if lowest else 0).values_list("node_id", flat=True))

    def _from_cache(self, work: _Work) -> None:
        """What is kept becomes rows without a word to GitHub; rows that are as they were are not written."""
        kept = work.cache.kept
        if kept is None or kept.repository is None:
            return
        for records in work.cache.newest(self._most):
            self._write(work, Brought(kept, records))
        self._write(work, Brought(kept, deployments=work.cache.deployments()))
        if work.written:
            self._tell(f"{work.name}: {work.written:,} pull requests from the cache.")

    def _on_answer(self, work: _Work) -> Callable[[Brought], None]:
        def write(brought: Brought) -> None:
            lowest = work.cache.lowest(self._most)
            first = lowest[0] if lowest else 0
            wanted = [record for record in brought.pull_requests if record.number >= first]
            self._write(work, replace(brought, pull_requests=wanted))
            total = min(self._most, brought.kept.stated) if brought.kept.walk else min(self._most, work.cache.count)
            done = min(work.cache.count, self._most)
            self._show(Progress(work.name, done, max(total, done), self._remaining()))

        return write

    def _write(self, work: _Work, brought: Brought) -> None:
        if brought.kept.repository is None:
            return
        if self._team is None:
            self._team = self._make_team()
        with alone(self._team.pk, wait=True):  # a connection that is made meanwhile takes what is copied away
            check_is_demo(self._team.slug)
            repository = work.repository = self._repository(work, brought.kept.repository)
            self._write_to(work, repository, brought)

    def _write_to(self, work: _Work, repository: Repository, brought: Brought) -> None:
        now = timezone.now()
        self._write_pull_requests(work, repository, brought.pull_requests, now)
        with team_scope(repository.team_id):
            for start in range(0, len(brought.deployments), DEPLOYMENTS_AT_ONCE):
                some: Sequence[DeploymentRecord] = brought.deployments[start : start + DEPLOYMENTS_AT_ONCE]
                ingest_deployments(repository, some, synced_at=now)
            if brought.gone:
                mark_gone(repository, brought.gone, at=now)

    def _write_pull_requests(
        self, work: _Work, repository: Repository, records: Sequence[PullRequestRecord], now: datetime
    ) -> None:
        """All together; where one of them cannot be stored, each by itself and that one not."""
        if not records:
            return
        try:
            with team_scope(repository.team_id):
                ingest_pull_requests(repository, records, synced_at=now)
        except UNWRITABLE as error:
            if len(records) == 1:
                logger.error("pull request %s of %s cannot be stored", records[0].number, work.name, exc_info=error)
                self._tell(f"{work.name} #{records[0].number} cannot be stored: {type(error).__name__}.")
                return
            for record in records:
                self._write_pull_requests(work, repository, [record], now)
        else:
            work.written += len(records)

    def _repository(self, work: _Work, record: RepositoryRecord) -> Repository:
        assert self._team is not None  # it was made
        now: dict[str, Any] = {
            "full_name": record.full_name,
            "node_id": record.node_id,
            "default_branch": record.default_branch,
            "is_private": record.is_private,
            "is_archived": record.is_archived,
            "is_fork": record.is_fork,
        }
        with team_scope(self._team.pk):
            if work.repository is None:
                found, _ = Repository.objects.select_related("team").get_or_create(
                    github_repo_id=record.id, defaults=now
                )
                work.repository = found
                if record.full_name.lower() != work.name.lower():
                    self._tell(f"{work.name} is called {record.full_name} by now.")
            follow(work.repository, **now)
        return work.repository

    def _conclude(self, work: _Work) -> None:
        """Since when the team has everything, and what of it is missing."""
        kept = work.cache.kept
        if work.repository is None or kept is None:
            return
        with team_scope(work.repository.team_id):
            repository = Repository.objects.select_related("team").filter(pk=work.repository.pk).first()
            if repository is None:
                return  # the team was connected meanwhile
            coverage.note_gaps(repository, count_gaps(repository))
            known = self._covered(work.cache, kept)
            Repository.objects.filter(pk=repository.pk).update(**known)
            repository.covered_from = known["covered_from"]
            set_deploy_seconds(repository)

    def _covered(self, cache: PRCache, kept: Kept) -> dict[str, datetime | int | None]:
        """All of it, or since the oldest of the newest was opened: what is older was never meant to be here."""
        lowest = cache.lowest(self._most)
        is_whole = not kept.walk and cache.count <= self._most
        return {
            "covered_from": EVERYTHING if is_whole else lowest[1] if lowest else None,
            "synced_to": timezone.now(),
            "prs_stated": kept.stated if is_whole else None,
        }

    def _seeded(self, work: _Work) -> Seeded:
        kept = work.cache.kept
        lost = kept.lost if kept is not None else ()
        if work.repository is None:
            return Seeded(work.name, lost=lost, problem=work.problem)
        with team_scope(work.repository.team_id):
            here = PullRequest.objects.filter(repository=work.repository, gone_at=None)
            counts = here.count(), here.filter(is_partial=True).count()
        return Seeded(work.name, *counts, lost=lost, problem=work.problem)


@contextmanager
def _noted(work: _Work) -> Iterator[None]:
    """What concerns one repository alone is noted and does not keep the others back."""
    try:
        yield
    except (NotFound, RepositoryBlocked, PrivateRepository) as error:
        work.problem = str(error)

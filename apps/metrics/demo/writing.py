"""Storing the repositories of a plan through the ordinary ingest, several processes beside each other."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from queue import Empty
from typing import Any

from django.db import connection

from apps.metrics.demo.deployments import Deployments
from apps.metrics.demo.organisation import DemoRepository
from apps.metrics.demo.plan import Plan
from apps.metrics.demo.process import begin, begun
from apps.metrics.demo.pull_requests import pull_requests_of
from apps.metrics.models import Repository
from apps.metrics.records import DeploymentRecord, PullRequestRecord
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest import ingest_deployments, ingest_pull_requests
from apps.teams.scope import team_scope

PAGE = 600  # pull requests of a transaction
Tell = Callable[[int], None]


def write_repository(team_id: int, plan: Plan, repository: DemoRepository, tell: Tell) -> None:
    """Store a repository, the oldest pull requests first; `tell` hears how many more are stored. Complete, and called
    so (`covered_from`), at its end. Memory does not depend on how many there are.
    """
    train = Deployments(plan, repository)
    stored = _repository(team_id, repository)
    for records, deployments in _pages(plan, repository, train):
        with team_scope(team_id):
            ingest_pull_requests(stored, records, synced_at=plan.ended_at)
            ingest_deployments(stored, deployments, synced_at=plan.ended_at)
        tell(len(records))
    with team_scope(team_id):
        ingest_deployments(stored, list(train.rest()), synced_at=plan.ended_at)
        stored.covered_from, stored.synced_to = plan.started_at, plan.ended_at
        stored.prs_stated = repository.prs
        stored.save(update_fields=["covered_from", "synced_to", "prs_stated"])
        set_deploy_seconds(stored)


def _repository(team_id: int, repository: DemoRepository) -> Repository:
    with team_scope(team_id):
        stored: Repository = Repository.objects.select_related("team").get(github_repo_id=repository.first_id)
    return stored


def _pages(
    plan: Plan, repository: DemoRepository, train: Deployments
) -> Iterator[tuple[list[PullRequestRecord], list[DeploymentRecord]]]:
    records = pull_requests_of(plan, repository)
    while page := list(islice(records, PAGE)):
        yield page, [deployment for record in page for deployment in train.after(record)]


def write_side_by_side(team_id: int, plan: Plan, tell: Tell, *, processes: int) -> None:
    """`write_repository` for all of them, each by one of `processes`, the largest first. Whatever ends this function
    ends those processes with their next page.
    """
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    stop = context.Event()
    database = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(processes, context, begin, (database, told, stop, os.getpid())) as pool:
        try:
            largest_first = sorted(plan.repositories, key=lambda repository: -repository.prs)
            running = [pool.submit(_write_in_process, team_id, plan, each) for each in largest_first]
            _listen(running, told, tell)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _listen(running: list[Future[None]], told: Any, tell: Tell) -> None:
    """Until all are done; raises what one of them raised, as soon as it did."""
    while True:
        is_over = all(future.done() for future in running)
        for future in running:
            if future.done():
                future.result()
        try:
            while True:
                tell(told.get(timeout=0.0 if is_over else 0.3))
        except Empty:
            if is_over:
                return


def _write_in_process(team_id: int, plan: Plan, repository: DemoRepository) -> None:
    write_repository(team_id, plan, repository, begun().tell)

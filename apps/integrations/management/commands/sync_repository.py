"""`manage.py sync_repository`: a repository's sync in the foreground."""

from __future__ import annotations

import json
import logging
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.integrations.github.types import NAMELESS
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.depth import InvalidDepth, parse_days
from apps.integrations.services.github_sync import Outcome, SyncBusy
from apps.integrations.services.github_sync.engine import Ended
from apps.metrics.queries.completeness import stored_of, unread_of
from apps.metrics.services.aggregate import aggregate_weeks
from apps.teams.management.lookup import team_of
from apps.teams.scope import team_scope

logger = logging.getLogger(__name__)

EXIT_FAILED, EXIT_PARTIAL, EXIT_PAUSED = 1, 2, 3
COUNTED = ("pull_requests", "reviews", "commits", "files", "check_runs", "comments", "deployments")


@dataclass(frozen=True, slots=True)
class Lacks:
    """What the repository lacks, as its card has it: pull requests that are stored and `partial`, those that could not
    be read at all (`unread`), the parts that the connection may not read, and what else the run could not.
    """

    partial: int
    unread: int
    permissions: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{self.partial:,} partial"]
        if self.unread:
            said.append(f"{self.unread:,} could not be read")
        if self.permissions:
            said.append(f"permission missing: {', '.join(self.permissions)}")
        return "; ".join([*said, *self.others])


class Command(BaseCommand):
    help = (
        "Sync a tracked repository in the foreground. Exit codes: 0 complete, 1 failed, 2 partial, 3 paused by a rate "
        "limit or because GitHub is away (run it again to resume)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", metavar="OWNER/NAME")
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--days", metavar="N|all", help="how far back; default: the depth it is tracked with")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, repository: str, team: str, days: str | None, **options: Any) -> None:
        tracked = _tracked(team, repository)
        try:
            days_back = tracked.days_back if days is None else parse_days(days)
        except InvalidDepth as error:
            raise CommandError(str(error)) from error
        started = time.monotonic()
        try:
            outcome = github_sync.sync_repository_history(tracked, days_back, on_page=self._progress())
        except SyncBusy as busy:
            raise CommandError(str(busy)) from busy
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error} Run it again: it goes on from its last page.") from error
        seconds = time.monotonic() - started
        _follow_up(tracked.team_id, outcome)
        with team_scope(tracked.team_id):
            related = ("tracked_repository__repository", "tracked_repository__integration")
            run = SyncRun.objects.select_related(*related).get(pk=outcome.run_id)
            lacks = _lacks(run)
        self._report(run, outcome, lacks, seconds, as_json=options["json"])

    def _progress(self) -> Any:
        if not sys.stderr.isatty():
            return lambda run: None

        def show(run: SyncRun) -> None:
            tracked = run.tracked_repository
            bar = "#" * (tracked.sync_progress * 30 // 100)
            total = f"{tracked.sync_prs_total:,}" if tracked.sync_prs_total is not None else "?"
            self.stderr.write(f"\r[{bar:<30}] {tracked.sync_prs_completed:,} of {total} pull requests ", ending="")

        return show

    def _report(self, run: SyncRun, outcome: Outcome, lacks: Lacks, seconds: float, *, as_json: bool) -> None:
        name = run.tracked_repository.repository.full_name
        status = _status(run, outcome)
        counts = {key: run.counts.get(key, 0) for key in COUNTED}
        if sys.stderr.isatty():
            self.stderr.write("")
        self.stdout.write(
            f"{name}: {status}, {counts['pull_requests']:,} pull requests with {counts['reviews']:,} reviews, "
            f"{counts['comments']:,} comments, {counts['commits']:,} commits, {counts['files']:,} files and "
            f"{counts['check_runs']:,} checks, {counts['deployments']:,} deployments; {lacks}; "
            f"{run.points:,} points in {run.requests:,} requests; {seconds:.1f} s."
        )
        if as_json:
            report = {
                "repository": name,
                "status": status,
                **counts,
                "partial": lacks.partial,
                "unread": lacks.unread,
                "permissions_missing": list(lacks.permissions),
                "graphql_points": run.points,
                "graphql_requests": run.requests,
                "rest_requests": run.rest_requests,
                "seconds": round(seconds, 3),
                "rate_limited": run.rate_limited,
            }
            self.stdout.write(json.dumps(report))
        if status == "partial":
            raise CommandError(f"Partial: {lacks}.", returncode=EXIT_PARTIAL)
        if status == "paused":
            message = outcome.message or run.tracked_repository.last_sync_error
            raise CommandError(f"{message} Run the same command to resume.", returncode=EXIT_PAUSED)
        if status == "error":
            raise CommandError(outcome.message or "The sync was cancelled.", returncode=EXIT_FAILED)


def _tracked(slug: str, full_name: str) -> TrackedRepository:
    with team_scope(team_of(slug).pk):
        tracked: TrackedRepository | None = (
            TrackedRepository.objects.select_related("repository", "integration")
            .filter(repository__full_name__iexact=full_name, is_active=True)
            .first()
        )
    if tracked is None:
        raise CommandError(
            f"{full_name} is not tracked. Track it with: manage.py track_repository --team {slug} {full_name}"
        )
    return tracked


def _lacks(run: SyncRun) -> Lacks:
    """In the team's scope. A run that has not ended has not counted yet: what is stored by now says it."""
    repository = run.tracked_repository.repository
    is_counted = run.status in {SyncRun.Status.COMPLETE, SyncRun.Status.PARTIAL}
    unreadable: dict[str, str] = run.partial.get("unreadable") or {}
    named = [number for number in unreadable if number.isdigit()]
    nameless = [reason for reason in unreadable.values() if reason.startswith(NAMELESS)]
    others = [reason for number, reason in unreadable.items() if number not in named and reason not in nameless]
    return Lacks(
        partial=repository.completeness["partial"] if is_counted else stored_of(repository).partial,
        unread=unread_of(repository.completeness) if is_counted else len(named) + len(nameless),
        permissions=tuple(sorted(run.partial.get("permissions") or {})),
        others=tuple(others),
    )


def _status(run: SyncRun, outcome: Outcome) -> str:
    if outcome.ended == Ended.FINISHED:
        return str(run.status)
    is_connected = run.tracked_repository.integration.sync_status == GitHubIntegration.SyncStatus.CONNECTED
    return "paused" if run.status == SyncRun.Status.PAUSED and is_connected else "error"


def _follow_up(team_id: int, outcome: Outcome) -> None:
    """What the worker's tasks would do after a run: the aggregates, and the e-mail."""
    if outcome.weeks:
        aggregate_weeks(team_id, outcome.weeks)
    if outcome.ended in {Ended.FINISHED, Ended.FAILED}:
        try:
            sync_notifications.notify_about(team_id=team_id, run_id=outcome.run_id)
        except (OSError, SMTPException) as error:
            logger.warning("the e-mail about the sync could not be sent and is tried again by the worker: %s", error)

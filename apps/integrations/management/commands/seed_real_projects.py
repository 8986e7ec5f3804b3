"""`manage.py seed_real_projects`: public pull requests into a demo team."""

from __future__ import annotations

import json
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.integrations.github.errors import BadCredentials, GitHubError, RateLimited
from apps.integrations.seeding import github_token_pool
from apps.integrations.seeding.cache import CacheError
from apps.integrations.seeding.fetcher import GitHubGraphQLFetcher, Interrupted
from apps.integrations.seeding.github_token_pool import GitHubTokenPool
from apps.integrations.seeding.projects import PROJECTS, Project, UnknownProject, project_of
from apps.integrations.seeding.seeder import Progress, RealProjectSeeder, Seeded
from apps.integrations.seeding.teams import NoDemoTeam, check_is_demo, chosen_admin, demo_team, slug_of
from apps.teams.models import Team

EXIT_FAILED, EXIT_PAUSED, EXIT_INTERRUPTED = 1, 3, 130
FOLDER = "seeding"
PUBLIC = "https://api.github.com"
MOST = 10_000_000
AGAIN = "What was fetched is kept: run the same command again to go on from there."
WITHOUT_REFRESH = "What was fetched is kept: run the command again without --refresh to go on from there."
NOT_KEPT = "What came is in the team; without a cache another run begins anew."


class Command(BaseCommand):
    help = (
        "Fetch the newest pull requests of a public project into a demo team, through the same client and the same"
        " steps as a sync. What was fetched is kept below TFORMANCE_VAR: run again, it asks GitHub for what changed"
        " only. Exit codes: 0 done, 1 failed, 3 paused by a rate limit (run it again to go on), 130 interrupted."
    )

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        named = "\n".join(f"  {key:<12}{', '.join(each.repositories)}" for key, each in PROJECTS.items())
        tokens = fill(
            github_token_pool.HELP,
            100,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        epilog = f"projects:\n{named}\n\ntokens:\n{tokens}\n"
        parser = super().create_parser(prog_name, subcommand, epilog=epilog, **options)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="NAME", help="a name below, or a public OWNER/NAME")
        parser.add_argument(
            "--max-prs", required=True, type=_positive, metavar="N", help="of each repository, the newest so many"
        )
        parser.add_argument("--refresh", action="store_true", help="fetch all anew, whatever was kept")
        parser.add_argument("--no-cache", action="store_true", help="touch no file: fetch all, keep nothing")
        parser.add_argument("--clear", action="store_true", help="empty the demo team first; its people stay")
        parser.add_argument("--team", default="", metavar="SLUG", help="the demo team (default: demo-NAME)")
        parser.add_argument(
            "--admin-email", default="", metavar="E", help="the login that may open it (default: make dev's)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, project: str, max_prs: int, team: str, admin_email: str, **options: Any) -> None:
        if (asked := settings.GITHUB_API_URL) != PUBLIC:
            self._say(f"This asks {asked}, as GITHUB_API_URL says (beside make dev: its sandbox), not {PUBLIC}.")
        try:
            chosen = project_of(project)
            slug = team or slug_of(chosen)
            check_is_demo(slug)
            admin = chosen_admin(admin_email)
            pool = GitHubTokenPool(settings.GITHUB_SEEDING_TOKENS, tell=self._say)
        except (UnknownProject, NoDemoTeam, GitHubError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}") from error
        made: list[Team] = []

        def make_team() -> Team:
            made.append(demo_team(slug=slug, title=chosen.title, admin=admin, anew=options["clear"]))
            return made[0]

        with _stoppable() as stop:
            fetcher = GitHubGraphQLFetcher(pool, stopped=lambda: stop.asked, warn=self._say, sleep=stop.sleep)
            seeder = RealProjectSeeder(
                fetcher,
                team=make_team,
                most=max_prs,
                folder=None if options["no_cache"] else settings.VAR_DIR / FOLDER,
                refresh=options["refresh"],
                remaining=lambda: pool.remaining,
                tell=self._say,
                show=self._show,
            )
            started = time.monotonic()
            again = NOT_KEPT if options["no_cache"] else WITHOUT_REFRESH if options["refresh"] else AGAIN
            seeded = self._seeded(seeder, chosen, again)
        self._report(made[0] if made else None, seeded, fetcher, pool, time.monotonic() - started, **options)

    def _seeded(self, seeder: RealProjectSeeder, project: Project, again: str) -> list[Seeded]:
        """Errors become sentences that say what to do."""
        try:
            return seeder.seed(project)
        except (Interrupted, KeyboardInterrupt) as stopped:
            raise CommandError(f"Interrupted. {again}", returncode=EXIT_INTERRUPTED) from stopped
        except RateLimited as limited:
            until = f"{limited.reset_at:%Y-%m-%d %H:%M:%S} UTC"
            budget = "GitHub asks to slow down" if limited.secondary else "The points of every token are used up"
            raise CommandError(f"{budget} until {until}. {again}", returncode=EXIT_PAUSED) from limited
        except BadCredentials as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from error
        except GitHubError as error:
            raise CommandError(f"{error} {again}", returncode=EXIT_FAILED) from error
        except (CacheError, NoDemoTeam) as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error} {again}", returncode=EXIT_FAILED) from error

    def _say(self, words: str, ending: str = "\n") -> None:
        self.stderr.write(words, str, ending)  # no error, which would be red

    def _show(self, progress: Progress) -> None:
        bar = "#" * (progress.done * 30 // progress.total if progress.total else 30)
        left = f", {progress.remaining:,} points left" if progress.remaining is not None else ""
        line = f"[{bar:<30}] {progress.repository}: {progress.done:,} of {progress.total:,} pull requests{left}"
        if sys.stderr.isatty():
            self._say(f"\r{line} ", ending="")
        else:
            self._say(line)

    def _report(
        self,
        team: Team | None,
        seeded: list[Seeded],
        fetcher: GitHubGraphQLFetcher,
        pool: GitHubTokenPool,
        seconds: float,
        **options: Any,
    ) -> None:
        if sys.stderr.isatty():
            self._say("")
        for each in seeded:
            self.stdout.write(_in_words(each))
        left = f"; {pool.remaining:,} points left" if pool.remaining is not None else ""
        fetched = (
            f"{fetcher.fetched:,} pull requests fetched, {fetcher.points:,} points in {fetcher.requests:,} requests"
        )
        self.stdout.write(f"{fetched}{left}; {seconds:.1f} s.")
        if team is not None:
            self.stdout.write(f"Demo data, marked as such: {settings.BASE_URL}/a/{team.slug}/{_who_may_open(team)}")
        if options["json"]:
            report = {
                "team": team.slug if team is not None else None,
                "repositories": {
                    each.repository: {
                        "pull_requests": each.pull_requests,
                        "partial": each.partial,
                        "lost": list(each.lost),
                        "problem": each.problem,
                    }
                    for each in seeded
                },
                "fetched": fetcher.fetched,
                "graphql_points": fetcher.points,
                "requests": fetcher.requests,
                "remaining": pool.remaining,
                "seconds": round(seconds, 3),
            }
            self.stdout.write(json.dumps(report))
        if problems := [each.problem for each in seeded if each.problem]:
            raise CommandError(" ".join(dict.fromkeys(problems)), returncode=EXIT_FAILED)


def _in_words(seeded: Seeded) -> str:
    said = [f"{seeded.repository}: {seeded.pull_requests:,} pull requests"]
    if seeded.partial:
        said.append(f"{seeded.partial:,} of them partial")
    if seeded.lost:
        said.append(f"{len(seeded.lost):,} could not be read ({seeded.lost[0]})")
    return "; ".join(said)


def _who_may_open(team: Team) -> str:
    if team.memberships.exists():
        return ""
    make = f"manage.py create_team --name '{team.name}' --slug {team.slug} --admin-email E --admin-password P"
    return f" (nobody may open it yet: {make})"


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MOST:
        raise ArgumentTypeError(f"write a number from 1 to {MOST}")
    return number


class _Stop:
    """The first Ctrl-C lets what was asked arrive and be kept; a second one, or one during a wait, ends at once."""

    def __init__(self) -> None:
        self.asked = self._sleeps = False

    def __call__(self, *signal_: object) -> None:
        if self.asked or self._sleeps:
            raise KeyboardInterrupt
        self.asked = True

    def sleep(self, seconds: float) -> None:
        self._sleeps = True
        try:
            time.sleep(seconds)
        finally:
            self._sleeps = False


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    stop = _Stop()
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

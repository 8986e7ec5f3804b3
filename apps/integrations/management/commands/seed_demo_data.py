"""`seed_demo_data --team SLUG --prs N [--seed S] [--until DATE]`: a team to look at, without GitHub."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from apps.integrations.management.shared import counted
from apps.integrations.models import GitHubIntegration
from apps.metrics.demo.clear import DemoBusy
from apps.metrics.demo.plan import last_day
from apps.metrics.demo.seed import ONE_PROCESS_UP_TO, NotADemoTeam, Seeded, gather_statistics, needs_demo, seed_demo
from apps.teams.management.lookup import team_of
from apps.teams.models import Team
from apps.teams.scope import team_scope

EXIT_INTERRUPTED = 130
MOST_PROCESSES = 4


class Command(BaseCommand):
    help = (
        "Give a team a believable organisation to look at: squads, reviews, checks, deployments and incidents, made up,"
        " without GitHub. The same seed, number and end make the same rows. Demo data that the team has already is"
        " replaced; a team that is connected to GitHub, or has pull requests of real repositories, is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument(
            "--prs", type=partial(_number, 1, 1_000_000), default=3_000, metavar="N", help="pull requests (3000)"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="another number, another organisation (1)")
        parser.add_argument(
            "--until",
            type=_day,
            metavar="DATE",
            help="the last day: it ends at 11:00 UTC. Default: today (yesterday, before that hour), so that the pages,"
            " which look at the last 30 days, are full; name it for the same rows on another day",
        )
        parser.add_argument(
            "--processes",
            type=partial(_number, 1, 64),
            metavar="N",
            help="that write beside each other (one for every core, four at most)",
        )
        parser.add_argument(
            "--if-older-than",
            type=partial(_number, 0, 100_000),
            metavar="DAYS",
            help="only where the demo data is missing, not whole, or ends more days ago; real data stays as it is",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, **options: Any) -> None:
        team = team_of(options["team"])
        until: date = options["until"] or last_day(datetime.now(UTC))
        connection = _connection_of(team)
        if (days := options["if_older_than"]) is not None and (connection or not needs_demo(team, until, days)):
            self.stdout.write(f"{team.name} stays as it is.")
            return
        if connection:
            raise CommandError(
                f"{team.name} is connected to GitHub ({connection}): demo data is not put beside real data. Choose or"
                " make another team."
            )
        started = time.monotonic()
        seeded = self._seed(team, until, options)
        self._report(team, seeded, options["seed"], time.monotonic() - started, as_json=options["json"])

    def _seed(self, team: Team, until: date, options: dict[str, Any]) -> Seeded:
        prs: int = options["prs"]
        processes = options["processes"] or (
            1 if prs <= ONE_PROCESS_UP_TO else min(MOST_PROCESSES, os.cpu_count() or 1)
        )
        try:
            seeded = seed_demo(
                team, prs=prs, seed=options["seed"], until=until, processes=processes, progress=self._progress(prs)
            )
            gather_statistics()
        except (DemoBusy, NotADemoTeam) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error} Run it again: it begins anew.") from error
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted: {team.name} has a part of its demo data. Run the command again to replace it.",
                returncode=EXIT_INTERRUPTED,
            ) from None
        return seeded

    def _progress(self, prs: int) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return lambda done: None
        started = time.monotonic()

        def show(done: int) -> None:
            rate = done / max(0.1, time.monotonic() - started)
            bar, end = "#" * (done * 30 // prs), "\n" if done == prs else ""
            self.stderr.write(f"\r[{bar:<30}] {done:,} of {prs:,} pull requests, {rate:,.0f}/s ", str, end)

        return show

    def _report(self, team: Team, seeded: Seeded, seed: int, seconds: float, *, as_json: bool) -> None:
        pull_requests = f"{seeded.pull_requests:,} pull request{'' if seeded.pull_requests == 1 else 's'}"
        self.stdout.write(
            f"{team.name} (/a/{team.slug}/) is a demo now: {pull_requests} of {seeded.people:,} people in"
            f" {counted(seeded.repositories)}, {seeded.first:%-d %b %Y} to {seeded.until:%-d %b %Y}, seed {seed};"
            f" {seconds:.1f} s."
        )
        if as_json:
            report = {"team": team.slug, "seed": seed, **asdict(seeded), "seconds": round(seconds, 3)}
            self.stdout.write(json.dumps(report, cls=DjangoJSONEncoder))


def _connection_of(team: Team) -> str:
    """The organisation that it is or was connected to; "" if none."""
    with team_scope(team.pk):
        return GitHubIntegration.objects.order_by("pk").values_list("organization_slug", flat=True).first() or ""


def _number(least: int, most: int, text: str) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ArgumentTypeError(f"a number from {least} to {most}")
    return int(text)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("write the day as 2026-03-31") from None
    if not 1970 <= day.year <= 2999:  # the history reaches years back, its last commits some days ahead
        raise ArgumentTypeError("a day from 1970-01-01 to 2999-12-31")
    return day

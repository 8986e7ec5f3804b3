"""`recalculate_metrics --team SLUG [--json]`: every derived field and aggregate, from the stored facts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.metrics.services.recalculate import recalculate_team
from apps.teams.management.lookup import team_of


class Command(BaseCommand):
    help = "Calculate every derived field and weekly aggregate of a team again, from the stored facts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *args: Any, **options: Any) -> None:
        team = team_of(options["team"])
        done = recalculate_team(team.pk)
        self.stdout.write(
            f"{done.pull_requests} pull requests looked at, {done.changed} changed; {done.files} files and"
            f" {done.weeks} rows of weekly aggregates changed."
        )
        if options["json"]:
            self.stdout.write(json.dumps({"team": team.slug, **asdict(done)}))

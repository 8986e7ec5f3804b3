"""`export_data --team SLUG --output DIR [--repo OWNER/NAME] [--format jsonl|csv] [--with-gone] [--json]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.metrics.models import Repository
from apps.metrics.services.export import FORMATS, JSONL, export_team
from apps.teams.management.lookup import team_of
from apps.teams.models import Team
from apps.teams.scope import team_scope


class Command(BaseCommand):
    help = "Write everything that is kept of a team into one file per model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--output", required=True, metavar="DIR", type=Path, help="is made where it is missing")
        parser.add_argument("--repo", metavar="OWNER/NAME", help="only this repository")
        parser.add_argument("--format", choices=FORMATS, default=JSONL)
        parser.add_argument("--with-gone", action="store_true", help="also what is no longer there at the source")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *args: Any, **options: Any) -> None:
        team = team_of(options["team"])
        repository_id = _repository(team, options["repo"]) if options["repo"] else None
        folder: Path = options["output"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            counts = export_team(
                team.pk,
                folder,
                repository_id=repository_id,
                form=options["format"],
                with_gone=options["with_gone"],
            )
        except OSError as error:
            raise CommandError(f"Cannot write to {folder}: {error.strerror or error}.") from error
        for name, count in counts.items():
            self.stdout.write(f"{count:>10,} {name}.{options['format']}")
        if options["json"]:
            self.stdout.write(
                json.dumps({"team": team.slug, "output": str(folder), "format": options["format"], "rows": counts})
            )


def _repository(team: Team, name: str) -> int:
    with team_scope(team.pk):
        found = Repository.objects.filter(full_name__iexact=name, gone_at=None).first()
        if found is None:
            names = ", ".join(Repository.objects.order_by("full_name").values_list("full_name", flat=True)[:20])
            raise CommandError(f"Team {team.slug!r} keeps no repository {name!r}. It keeps: {names or 'none'}.")
        return int(found.pk)

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.teams.management.lookup import team_of
from apps.teams.services import delete_team


class Command(BaseCommand):
    help = "Delete a team and everything of it. There is no way back: export first (export_data)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--yes", action="store_true", help="really do it")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *args: Any, **options: Any) -> None:
        team = team_of(options["team"])
        if not options["yes"]:
            raise CommandError(f"This deletes {team.name} and everything of it. Add --yes when you mean it.")
        delete_team(team_id=team.pk)
        self.stdout.write(f"Deleted {team.name} and everything of it.")
        if options["json"]:
            self.stdout.write(json.dumps({"team": team.slug, "id": team.pk, "deleted": True}))

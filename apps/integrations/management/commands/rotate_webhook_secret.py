"""`manage.py rotate_webhook_secret`: another secret for a team's webhooks, without losing an event."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.integrations.management.shared import connections_of
from apps.integrations.services.webhooks.rotation import rotate_secret
from apps.integrations.tasks import after_commit, register_webhook_task
from apps.teams.management.lookup import team_of


class Command(BaseCommand):
    help = "Give the webhooks of the team's GitHub connections a new secret. The workers write it, a hook a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, team: str, **options: Any) -> None:
        the_team = team_of(team)
        hooks: dict[str, int] = {}
        for integration in connections_of(the_team):
            name = integration.organization_slug
            if integration.secret_rotated_at is not None:
                self.stdout.write(f"{name}: a rotation runs already.")
                continue
            keys = rotate_secret(integration=integration, actor=None)
            for key in keys:
                after_commit(register_webhook_task, the_team.pk, key)
            hooks[name] = len(keys)
            self.stdout.write(f"{name}: {len(keys)} webhooks get a new secret. The present one counts until they have.")
        if options["json"]:
            self.stdout.write(json.dumps({"team": the_team.slug, "hooks": hooks}))

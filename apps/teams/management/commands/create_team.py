import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.teams.models import Team
from apps.teams.services import create_team, ensure_admin
from apps.users.services import ensure_user


class Command(BaseCommand):
    help = "Make a team and its admin. What is there already stays as it is, so it can be run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="shown on every page")
        parser.add_argument("--slug", required=True, help="the part of the address: /a/<slug>/")
        parser.add_argument("--admin-email", required=True)
        parser.add_argument("--admin-password", help="of a new login; without it, the login asks for a reset by mail")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                result = _make(**{key: options[key] for key in ("name", "slug", "admin_email", "admin_password")})
        except ValidationError as error:
            raise CommandError(_told(error)) from error
        team = "made" if result["created"] else "was there"
        admin = "made" if result["admin_created"] else "was there, its password is unchanged"
        self.stdout.write(f"Team {result['name']} (/a/{result['team']}/): {team}. Login {result['admin']}: {admin}.")
        if options["json"]:
            self.stdout.write(json.dumps(result))


def _make(name: str, slug: str, admin_email: str, admin_password: str | None) -> dict[str, Any]:
    user, admin_created = ensure_user(email=admin_email, password=admin_password)
    team = Team.objects.filter(slug=slug).first()
    created = team is None
    if team is None:
        team = create_team(name=name, slug=slug, admin=user)
    else:
        ensure_admin(team=team, user=user, actor=None)
    return {
        "team": team.slug,
        "id": team.pk,
        "name": team.name,
        "created": created,
        "admin": user.email,
        "admin_created": admin_created,
    }


def _told(error: ValidationError) -> str:
    """The messages in one line, each after the name of its option."""
    if not hasattr(error, "error_dict"):
        return f"--admin-email: {' '.join(error.messages)}"
    options = {"name": "--name", "slug": "--slug", "password": "--admin-password"}
    return " ".join(
        f"{options.get(field, field)}: {' '.join(messages)}" for field, messages in error.message_dict.items()
    )

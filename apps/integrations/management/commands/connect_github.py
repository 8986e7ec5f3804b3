"""`manage.py connect_github`: a token from the environment becomes a team's connection."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.integrations.github.errors import GitHubError
from apps.integrations.management.shared import counted
from apps.integrations.models import GitHubIntegration
from apps.integrations.services.access_check import AccessRefused, Account, GrantedAccess, check_account, check_token
from apps.integrations.services.connections import connect
from apps.integrations.services.discovery import discover
from apps.integrations.services.github_rest import rest_with
from apps.teams.management.lookup import team_of
from apps.teams.models import Team
from apps.teams.scope import team_scope


class Command(BaseCommand):
    help = "Connect a team to GitHub with a token, which is checked, stored encrypted and never printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="SLUG")
        parser.add_argument("--token-env", required=True, metavar="VAR", help="the variable that holds the token")
        parser.add_argument("--org", default="", metavar="LOGIN", help="the organisation, or the token's own login")
        parser.add_argument("--json", action="store_true", help="print one JSON object last")

    def handle(self, *, team: str, token_env: str, org: str, **options: Any) -> None:
        the_team = team_of(team)
        token = os.environ.get(token_env, "").strip()
        if not token:
            raise CommandError(f"The variable {token_env} is not set or empty. Put the token there.")
        try:
            with closing(rest_with(token)) as rest:
                access = check_token(token, rest=rest, login=org)
                account = _chosen(access, org)
                check_account(account, rest=rest)
            integration = connect(team=the_team, access=access, account=account, actor=None, replace=True)
            repositories = discover(team_id=the_team.pk, integration_id=integration.pk)
        except (GitHubError, AccessRefused) as error:
            raise CommandError(str(error)) from error
        self._report(the_team, access, integration, repositories, as_json=options["json"])

    def _report(
        self, team: Team, access: GrantedAccess, integration: GitHubIntegration, repositories: int, *, as_json: bool
    ) -> None:
        with team_scope(team.pk):
            integration.refresh_from_db()
        scopes = "not told" if access.scopes is None else ", ".join(access.scopes)
        self.stdout.write(
            f"{team.name} is connected to {integration.organization_slug} as {access.identity_login}"
            f" (scopes: {scopes}); it sees {counted(repositories)}."
        )
        notes = [*access.notes, *filter(None, [integration.discovery_error])]
        for note in notes:
            self.stdout.write(f"Note: {note}")
        if as_json:
            report = {
                "team": team.slug,
                "organization": integration.organization_slug,
                "organization_id": integration.organization_id,
                "login": access.identity_login,
                "scopes": None if access.scopes is None else list(access.scopes),
                "repositories": repositories,
                "notes": notes,
            }
            self.stdout.write(json.dumps(report))


def _chosen(access: GrantedAccess, login: str) -> Account:
    if login:
        return next(account for account in access.accounts if account.login.lower() == login.lower())
    if len(access.organizations) == 1:
        return access.organizations[0]
    own = f"--org {access.identity_login} connects the personal account"
    if not access.organizations:
        raise CommandError(
            f"{access.identity_login} sees no organisation. Name one with --org LOGIN if the token is fine-grained;"
            f" {own}."
        )
    names = ", ".join(account.login for account in access.organizations)
    raise CommandError(
        f"{access.identity_login} sees several organisations: {names}. Choose one with --org LOGIN; {own}."
    )

"""A team that is connected to a sandbox GitHub, for tests of the sync."""

from __future__ import annotations

import secrets
from typing import Any

from django.apps import apps as django_apps
from django.db import connection

from apps.integrations.models import GitHubIntegration, IntegrationCredential, SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import Handle
from apps.metrics.models import Repository
from apps.teams.models import Team
from apps.teams.scope import team_scope


def tracked_at(sandbox: Any, team: Team, full_name: str, **fields: Any) -> TrackedRepository:
    """`full_name` of the sandbox's world, tracked by `team` with the token that may do everything."""
    remote = sandbox.world.repository(full_name)
    with team_scope(team.pk):
        integration, _ = GitHubIntegration.objects.get_or_create(
            organization_id=remote.owner.database_id, defaults={"organization_slug": remote.owner.login}
        )
        IntegrationCredential.objects.get_or_create(
            integration=integration,
            kind=IntegrationCredential.Kind.TOKEN,
            defaults={
                "access_token": "sandbox-token",
                "github_login": "owner",
                # Budgets are kept by user and server: no other test's budget may be found under it.
                "github_user_id": secrets.randbelow(2**40),
            },
        )
        repository = Repository.objects.create(
            github_repo_id=remote.database_id, node_id=remote.id, full_name=full_name
        )
        row: TrackedRepository = TrackedRepository.objects.create(
            integration=integration, repository=repository, **fields
        )
        return row


def begun(tracked: TrackedRepository, kind: str = SyncRun.Kind.INITIAL, days: int | None = None) -> Handle:
    with team_scope(tracked.team_id):
        return github_sync.handle_of(github_sync.begin_run(tracked=fresh(tracked), kind=kind, days_back=days))


def fresh(row: Any) -> Any:
    with team_scope(row.team_id):
        related = ["repository", "integration"] if isinstance(row, TrackedRepository) else []
        return type(row).objects.select_related(*related).get(pk=row.pk)


def run_of(tracked: TrackedRepository) -> SyncRun:
    with team_scope(tracked.team_id):
        run: SyncRun = SyncRun.objects.filter(tracked_repository=tracked).latest("pk")
        return run


def reaped(team_id: int) -> list[Handle]:
    """What the reaper of the minute enqueues for this team."""
    github_sync.reap_team(team_id)
    return [
        handle
        for integration_id in github_sync.connections_in_waiting(team_id)
        for handle in github_sync.next_turns(team_id=team_id, integration_id=integration_id)
    ]


def next_turn(run_id: int, team_id: int) -> Handle:
    """The handle that lets the next worker into a run that was handed on."""
    [handle] = [handle for handle in reaped(team_id) if handle.run_id == run_id]
    return handle


def next_hour(tracked: TrackedRepository) -> None:
    """As time does: what was known of the connection's budget is forgotten."""
    with team_scope(tracked.team_id):
        credential = tracked.integration.credentials.get()
        credential.github_user_id += 1
        credential.save()


TABLES = [
    "pullrequest",
    "prreview",
    "reviewthread",
    "prcomment",
    "commit",
    "pullrequestcommit",
    "prfile",
    "prcheckrun",
    "prevent",
    "label",
    "pullrequestlabel",
    "milestone",
    "pullrequestassignee",
    "linkedissue",
    "deployment",
    "deploymentstatus",
    "teammember",
]


NAMES = {
    "repository": "github_repo_id",
    "pullrequest": "node_id",
    "teammember": "login",
    "milestone": "number",
    "reviewthread": "node_id",
    "commit": "github_sha",
    "deployment": "github_deployment_id",
    "label": "name",
}
"""What a row is known by in the rows that point to it."""


def rows_of(team: Team, *, present: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Every stored row of the team by natural values: primary keys and times of writing left out, and what a foreign
    key points to by its name. `present`: without rows that are gone, or whose pull request is.
    """
    found = {}
    with team_scope(team.pk), connection.cursor() as cursor:
        for table in TABLES:
            model = django_apps.get_model("metrics", table)
            columns = [_named(field) for field in model._meta.fields if field.column not in LEFT_OUT]
            where = " AND ".join(_is_present(field) for field in model._meta.fields) if present else "true"
            cursor.execute(f"SELECT {', '.join(columns)} FROM metrics_{table} t WHERE {where}")
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


LEFT_OUT = {"id", "team_id", "synced_at", "whole_at", "is_whole"}


def _named(field: Any) -> str:
    if not field.is_relation:
        return f't."{field.column}"'
    to = field.related_model._meta.model_name
    return f'(SELECT o."{NAMES[to]}" FROM metrics_{to} o WHERE o.id = t."{field.column}")'


def _is_present(field: Any) -> str:
    if field.column == "pull_request_id":
        return "(SELECT p.gone_at IS NULL FROM metrics_pullrequest p WHERE p.id = t.pull_request_id)"
    return "t.gone_at IS NULL" if field.column == "gone_at" else "true"


def versions_of(team: Team) -> dict[str, list[tuple[Any, ...]]]:
    """The version of every stored row (PostgreSQL's xmin and place): what is equal before and after was not written."""
    found = {}
    with team_scope(team.pk), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT xmin::text, ctid::text FROM metrics_{table} ORDER BY ctid")
            found[table] = cursor.fetchall()
    return found

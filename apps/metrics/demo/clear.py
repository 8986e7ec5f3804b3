"""Taking the demo data of a team away again, and nothing else of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import QuerySet

from apps.metrics.models import Repository
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.ingest.writing import find_by_index
from apps.teams.models import Team
from apps.teams.scope import team_scope

_LOCK = "hashtextextended('demo data', %s)"

_OF_PULL_REQUESTS = (
    *("prcomment", "reviewthread", "prreview", "prevent", "prfile", "linkedissue"),
    *("pullrequestlabel", "pullrequestassignee", "pullrequestcommit"),
)
_OF_REPOSITORIES = ("prcheckrun", "commit", "pullrequest", "deployment", "label", "milestone")


class DemoBusy(Exception):
    """Somebody else makes or removes the demo data of this team just now."""


@contextmanager
def alone(team_id: int, *, wait: bool = False) -> Iterator[None]:
    """Whoever makes or removes a team's demo data does so alone. Raises DemoBusy, or waits. Given back by PostgreSQL
    when the process dies.
    """
    with connection.cursor() as cursor:
        if wait:
            cursor.execute(f"SELECT pg_advisory_lock({_LOCK})", [team_id])
        else:
            cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})", [team_id])
            if not cursor.fetchone()[0]:
                raise DemoBusy("The demo data of this team is being made or removed just now.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({_LOCK})", [team_id])


def drop_demo_data(team_id: int, *, keep: Collection[int] = ()) -> None:
    """Remove what a demo team has, made up and copied, but for the repositories `keep` (primary keys), and stop calling
    it a demo. What any other team has stays. Idempotent; waits for who makes demo data.
    """
    with alone(team_id, wait=True):
        if not Team.objects.filter(pk=team_id, is_demo=True).exists():
            return
        with team_scope(team_id):
            of_demo = list(Repository.objects.exclude(pk__in=keep).order_by("pk").values_list("pk", flat=True))
        _remove_repositories(team_id, of_demo)
        _remove_people(team_id, "github_user_id < 0" if keep else "TRUE")
        aggregate_weeks(team_id, None)
        Team.objects.filter(pk=team_id).update(is_demo=False)


def has_made_up() -> bool:
    """Whether the current team has made-up repositories."""
    return bool(_made_up().exists())


def _made_up() -> QuerySet[Repository]:
    found: QuerySet[Repository] = Repository.objects.filter(github_repo_id__lt=0)
    return found


def remove_made_up(team_id: int) -> None:
    """Remove repositories and people whose ids are below 0, and all that hangs on them. The caller is `alone`, and
    makes the aggregates again.
    """
    with team_scope(team_id):
        made_up = list(_made_up().order_by("pk").values_list("pk", flat=True))
    _remove_repositories(team_id, made_up)
    _remove_people(team_id, "github_user_id < 0")


def _remove_repositories(team_id: int, keys: Iterable[int]) -> None:
    """A repository a transaction."""
    for key in keys:
        with team_scope(team_id), connection.cursor() as cursor:
            find_by_index()
            for statement in _statements():
                cursor.execute(statement, {"team": team_id, "repository": key})


def _remove_people(team_id: int, condition: str) -> None:
    with team_scope(team_id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM metrics_weeklymetrics WHERE team_id = %s", [team_id])
        cursor.execute(f"DELETE FROM metrics_teammember WHERE team_id = %s AND {condition}", [team_id])  # noqa: S608


def _statements() -> Iterator[str]:
    """Children before their parents, whose cascades then find nothing."""
    mine = "team_id = %(team)s AND repository_id = %(repository)s"
    for table in _OF_PULL_REQUESTS:
        yield (
            f"DELETE FROM metrics_{table} WHERE team_id = %(team)s"  # noqa: S608 - our own tables' names
            f" AND pull_request_id IN (SELECT id FROM metrics_pullrequest WHERE {mine})"
        )
    yield (
        "DELETE FROM metrics_deploymentstatus WHERE team_id = %(team)s"  # noqa: S608 - our own tables' names
        f" AND deployment_id IN (SELECT id FROM metrics_deployment WHERE {mine})"
    )
    for table in _OF_REPOSITORIES:
        yield f"DELETE FROM metrics_{table} WHERE {mine}"  # noqa: S608 - our own tables' names
    yield "DELETE FROM metrics_repository WHERE team_id = %(team)s AND id = %(repository)s"

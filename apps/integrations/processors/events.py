"""Which event is read by what, and the way from a payload to what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from django.db import DataError, IntegrityError, transaction
from psycopg.errors import ForeignKeyViolation, UniqueViolation

from apps.integrations.github.changes import NONSENSE
from apps.integrations.github.errors import GitHubError
from apps.integrations.github.types import Raw
from apps.integrations.models import TrackedRepository
from apps.integrations.processors import code, pull_requests, repositories, writing
from apps.integrations.processors.outcome import Processed, Unreadable
from apps.integrations.processors.told import MembersChanged, Nothing, OrganizationRenamed, Told
from apps.teams.models import Team
from apps.teams.scope import team_scope

Reader: TypeAlias = Callable[[Raw], Told]

PULL_REQUEST = "pull_request"
PULL_REQUEST_REVIEW = "pull_request_review"

READERS: dict[str, Reader] = {
    PULL_REQUEST: pull_requests.pull_request,
    PULL_REQUEST_REVIEW: pull_requests.review,
    "pull_request_review_comment": pull_requests.review_comment,
    "pull_request_review_thread": pull_requests.review_thread,
    "issue_comment": pull_requests.issue_comment,
    "push": code.push,
    "check_run": code.check_run,
    "check_suite": code.check_suite,
    "status": code.status,
    "deployment": code.deployment,
    "deployment_status": code.deployment_status,
    "repository": repositories.repository,
    "member": repositories.member,
    "organization": repositories.organization,
}
"""The pure part of each event. Those of installations are the connection's own and are seen to where it is made."""

WITHOUT_EFFECT = {
    "ping": "The hook works.",
    "installation": "What an installation may see is read with the list of repositories.",
    "installation_repositories": "What an installation may see is read with the list of repositories.",
}

NOT_FOLLOWED = "The repository is not followed."


def process(team_id: int, event: str, payload: Raw) -> Processed:
    """Store what an event (the name in X-GitHub-Event, and its payload) told, once or again, in any order; in the
    team's scope, which it enters. Speaks to nobody: `Processed.needs` is what is left to fetch.

    Raises Unreadable for what GitHub does not publish of such an event: then nothing was changed, and would not be
    another time. IntegrityError where something else was written or deleted at that moment: another time it may work.
    """
    reader = READERS.get(event)
    if reader is None:
        return Processed(ignored=WITHOUT_EFFECT.get(event, f"Nothing is kept of the event {event}."))
    told, github_id = _read(event, reader, payload)
    if isinstance(told, Nothing):
        return Processed(ignored=told.why)
    try:
        with team_scope(team_id), transaction.atomic():
            return _written(told, github_id)
    except (DataError, IntegrityError, *NONSENSE) as error:
        if isinstance(error.__cause__, UniqueViolation | ForeignKeyViolation):
            raise
        raise Unreadable(f"The {event} event cannot be stored ({type(error).__name__}).") from error


def handle_pull_request_event(team: Team, payload: Raw) -> Processed:
    """See `process`."""
    return process(team.pk, PULL_REQUEST, payload)


def handle_pull_request_review_event(team: Team, payload: Raw) -> Processed:
    """See `process`."""
    return process(team.pk, PULL_REQUEST_REVIEW, payload)


def _read(event: str, reader: Reader, payload: Raw) -> tuple[Told, int | None]:
    """What it tells, and GitHub's id of the repository that it is about, if it says one."""
    try:
        told = reader(payload)
        repository = int(payload["repository"]["id"]) if _is_of_a_repository(told) else None
    except (*NONSENSE, GitHubError) as error:
        raise Unreadable(f"The {event} event has not its published shape ({type(error).__name__}: {error}).") from error
    return told, repository


def _is_of_a_repository(told: Told) -> bool:
    if isinstance(told, MembersChanged):
        return told.organization_id is None
    return not isinstance(told, OrganizationRenamed | Nothing)


def _written(told: Told, github_id: int | None) -> Processed:
    if isinstance(told, OrganizationRenamed):
        return writing.write_organization(told)
    if isinstance(told, MembersChanged) and told.organization_id is not None:
        return writing.ask_for_members(told.organization_id)
    followed = TrackedRepository.objects.select_related("repository__team")
    tracked = followed.filter(repository__github_repo_id=github_id, is_active=True).first()
    if tracked is None or isinstance(told, Nothing):
        return Processed(ignored=NOT_FOLLOWED)
    return writing.write(tracked, told)

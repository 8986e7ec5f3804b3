"""What no longer exists at the source: kept, marked, and no longer counted. Only for what the source says is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models

from apps.metrics.models import (
    Deployment,
    DeploymentStatus,
    LinkedIssue,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestCommit,
    Repository,
    ReviewThread,
)
from apps.metrics.services.ingest.weeks import weeks_of

_CHILDREN: tuple[type[models.Model], ...] = (
    LinkedIssue,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequestCommit,
    ReviewThread,
)


@dataclass(frozen=True, slots=True)
class Gone:
    """How many were marked, and the Mondays, in the team's time zone, whose aggregates that changes."""

    marked: int = 0
    touched_weeks: frozenset[date] = frozenset()


def mark_gone(repository: Repository, node_ids: Collection[str], *, at: datetime) -> Gone:
    """Mark pull requests as gone, with all that belongs to them alone, in the caller's `team_scope`.

    What another pull request shares (a commit, the checks of its head) stays. A later ingest of one that is there again
    brings it back. Fourteen statements, three where nothing is to be marked.
    """
    of_team = PullRequest.objects.filter(team_id=repository.team_id, repository=repository)
    found = of_team.filter(node_id__in=list(node_ids), gone_at=None).order_by("number").select_for_update(no_key=True)
    ids = list(found.values_list("pk", flat=True))
    if not ids:
        return Gone()
    shas = _own_shas(repository, ids)
    checks = PRCheckRun.objects.filter(
        team_id=repository.team_id, repository=repository, head_sha__in=shas, gone_at=None
    )
    weeks = weeks_of(_instants(repository.team_id, ids, checks), repository.team.time_zone)
    for model in _CHILDREN:
        rows = model._default_manager.filter(team_id=repository.team_id, pull_request_id__in=ids, gone_at=None)
        rows.update(gone_at=at)
    checks.update(gone_at=at)
    of_team.filter(pk__in=ids).update(gone_at=at)
    return Gone(len(ids), frozenset(weeks))


def mark_deployments_gone(repository: Repository, github_ids: Collection[int], *, at: datetime) -> Gone:
    """The same for deployments, by the source's ids, with their statuses. Three statements."""
    found = Deployment.objects.filter(
        team_id=repository.team_id, repository=repository, github_deployment_id__in=list(github_ids), gone_at=None
    )
    rows = list(found.values_list("pk", "finished_at"))
    if not rows:
        return Gone()
    ids = [pk for pk, _ in rows]
    statuses = DeploymentStatus.objects.filter(team_id=repository.team_id, deployment_id__in=ids, gone_at=None)
    statuses.update(gone_at=at)
    Deployment.objects.filter(team_id=repository.team_id, pk__in=ids).update(gone_at=at)
    instants = [finished for _, finished in rows if finished is not None]
    return Gone(len(rows), frozenset(weeks_of(instants, repository.team.time_zone)))


def _own_shas(repository: Repository, ids: list[int]) -> list[str]:
    """The commits that these pull requests have or had at their head, and that no other one that is there has."""
    links = PullRequestCommit.objects.filter(team_id=repository.team_id)
    shas = set(links.filter(pull_request_id__in=ids).values_list("commit__github_sha", flat=True))
    heads = PullRequest.objects.filter(team_id=repository.team_id, repository=repository)
    shas |= set(heads.filter(pk__in=ids).values_list("head_sha", flat=True)) - {""}
    others = heads.filter(gone_at=None, head_sha__in=shas).exclude(pk__in=ids)
    shared = links.filter(gone_at=None, pull_request__gone_at=None, commit__github_sha__in=shas)
    shared = shared.filter(commit__repository=repository).exclude(pull_request_id__in=ids)
    shas -= set(others.values_list("head_sha", flat=True))
    shas -= set(shared.values_list("commit__github_sha", flat=True))
    return sorted(shas)


def _instants(team_id: int, ids: list[int], checks: models.QuerySet[PRCheckRun]) -> Iterator[datetime]:
    """When what is about to be marked counted in a week."""
    for created, merged in PullRequest.objects.filter(pk__in=ids).values_list("pr_created_at", "merged_at"):
        yield created
        if merged is not None:
            yield merged
    of: dict[type[models.Model], str] = {
        PRReview: "submitted_at",
        PRComment: "commented_at",
        PullRequestCommit: "commit__authored_at",
    }
    for model, instant in of.items():
        rows = model._default_manager.filter(team_id=team_id, pull_request_id__in=ids, gone_at=None)
        yield from rows.values_list(instant, flat=True)
    yield from (at for at in checks.values_list("completed_at", flat=True) if at is not None)

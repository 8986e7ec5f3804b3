"""Everything that is kept of a team's repositories, model by model, for programs and spreadsheets (`export_data`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, ForeignKey, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from apps.metrics.models import (
    Commit,
    Deployment,
    DeploymentStatus,
    Label,
    LinkedIssue,
    Milestone,
    PRCheckRun,
    PRComment,
    PREvent,
    PRFile,
    PRReview,
    PullRequest,
    PullRequestAssignee,
    PullRequestCommit,
    PullRequestLabel,
    Repository,
    ReviewThread,
    TeamMember,
    WeeklyMetrics,
)
from apps.teams.scope import scoped_chunks

CHUNK = 1_000

Extra = Mapping[str, Combinable]


@dataclass(frozen=True, slots=True)
class Export:
    """One file. `repository`: the path to the row's repository (None: it belongs to the team); `there`: the paths to
    every `gone_at` that must be NULL; `extra`: what a row carries besides its columns.
    """

    model: type[Model]
    repository: str | None = None
    there: tuple[str, ...] = ("gone_at",)
    extra: Callable[[], Extra] = field(default=dict)
    only: Callable[[], Q | Exists] = field(default=Q)

    @property
    def name(self) -> str:
        return self.model.__name__

    @property
    def columns(self) -> list[str]:
        """The model's columns, the logins behind its members, and the extra ones."""
        return [column.attname for column in self.model._meta.concrete_fields] + list(self._added())

    def rows(self, team_id: int, *, repository_id: int | None, with_gone: bool) -> Iterator[dict[str, Any]]:
        """Streamed in chunks by primary key, each with a transaction of its own and two statements at most."""
        added = self._added()
        queryset: QuerySet[Any] = self.model._default_manager.annotate(
            **{f"x_{key}": how for key, how in added.items()}
        )
        if repository_id is not None and self.repository is not None:
            queryset = queryset.filter(**{self.repository: repository_id})
        if not with_gone:
            queryset = queryset.filter(self.only(), **dict.fromkeys(self.there))
        names = [column.attname for column in self.model._meta.concrete_fields]
        for chunk in scoped_chunks(team_id, queryset, CHUNK):
            for row in chunk:
                values = {name: getattr(row, name) for name in names}
                values.update({key: getattr(row, f"x_{key}") for key in added})
                yield values

    def _added(self) -> dict[str, Combinable]:
        logins: dict[str, Combinable] = {
            f"{key.name}_login": F(f"{key.name}__login")
            for key in self.model._meta.concrete_fields
            if isinstance(key, ForeignKey) and key.related_model is TeamMember
        }
        return logins | dict(self.extra())


def _of_pull_request() -> Extra:
    return {"github_repo": F("pull_request__github_repo"), "number": F("pull_request__number")}


def _of_repository() -> Extra:
    return {"github_repo": F("repository__full_name")}


def _child(model: type[Model], *, mirrored: bool = True, **extra: str) -> Export:
    """Rows of a pull request; gone with it."""
    return Export(
        model,
        "pull_request__repository",
        ("gone_at", "pull_request__gone_at") if mirrored else ("pull_request__gone_at",),
        lambda: {**_of_pull_request(), **{key: F(path) for key, path in extra.items()}},
    )


def _numbers(links: QuerySet[Any], path: str) -> Extra:
    """The numbers of the pull requests that share a row, ascending, and the first of them."""
    numbers = links.order_by(path).values(path)
    return {**_of_repository(), "number": Subquery(numbers[:1]), "numbers": ArraySubquery(numbers)}


def _links() -> QuerySet[PullRequestCommit]:
    """What still connects the outer row, a commit, with pull requests."""
    links: QuerySet[PullRequestCommit] = PullRequestCommit.objects.filter(commit=OuterRef("pk"))
    return links.filter(gone_at=None, pull_request__gone_at=None)


def _heads() -> QuerySet[PullRequest]:
    """The pull requests whose head the outer row, a check, is about."""
    heads: QuerySet[PullRequest] = PullRequest.objects.filter(head_sha=OuterRef("head_sha"), gone_at=None)
    return heads.filter(repository=OuterRef("repository"))


EXPORTS = (
    Export(Repository, "pk"),
    Export(TeamMember, there=()),
    Export(Label, "repository", extra=_of_repository),
    Export(Milestone, "repository", extra=_of_repository),
    Export(PullRequest, "repository", extra=lambda: {"milestone_title": F("milestone__title")}),
    _child(PullRequestLabel, mirrored=False, label_name="label__name"),
    _child(PullRequestAssignee, mirrored=False),
    _child(LinkedIssue),
    _child(PRReview),
    _child(ReviewThread),
    _child(PRComment, thread_node_id="thread__node_id"),
    Export(
        Commit, "repository", extra=lambda: _numbers(_links(), "pull_request__number"), only=lambda: Exists(_links())
    ),
    _child(PullRequestCommit, github_sha="commit__github_sha"),
    _child(PRFile),
    _child(PREvent),
    Export(PRCheckRun, "repository", extra=lambda: _numbers(_heads(), "number")),
    Export(Deployment, "repository", extra=_of_repository),
    Export(
        DeploymentStatus,
        "deployment__repository",
        ("gone_at", "deployment__gone_at"),
        lambda: {
            "github_repo": F("deployment__repository__full_name"),
            "github_deployment_id": F("deployment__github_deployment_id"),
        },
    ),
    Export(WeeklyMetrics, there=()),
)

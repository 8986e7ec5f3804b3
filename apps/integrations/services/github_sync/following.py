"""A repository is known by GitHub's id; its name and what else may change are followed. In the team's scope."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Replace
from django.utils import timezone

from apps.integrations.github.types import RemoteRepository
from apps.integrations.models import GitHubIntegration
from apps.metrics.models import LinkedIssue, PullRequest, Repository

Discovery = GitHubIntegration.Discovery


def follow(repository: Repository, *, full_name: str, **attributes: Any) -> bool:
    """Store what GitHub says of the repository now, also where its name stands beside its pull requests. True when
    something changed. With another owner the connections that follow it look at their own names soon.
    """
    now = {"full_name": full_name, **attributes}
    if all(getattr(repository, name) == value for name, value in now.items()):
        return False
    before = repository.full_name
    if before != full_name:
        PullRequest.objects.filter(repository=repository).update(
            github_repo=full_name, url=Replace("url", Value(f"/{before}/pull/"), Value(f"/{full_name}/pull/"))
        )
        PullRequest.objects.filter(repository=repository, head_repository=before).update(head_repository=full_name)
        _rename_issues(before, full_name)
        if before.partition("/")[0] != full_name.partition("/")[0]:
            _look_at_names(repository)
    Repository.objects.filter(pk=repository.pk).update(**now)
    for name, value in now.items():
        setattr(repository, name, value)
    return True


def _rename_issues(before: str, full_name: str) -> None:
    """Issues are known by their repository's name; of one that is there under both, the former is gone already."""
    same = LinkedIssue.objects.filter(
        pull_request=OuterRef("pull_request"), issue_number=OuterRef("issue_number"), issue_repository=full_name
    )
    LinkedIssue.objects.filter(~Exists(same), issue_repository=before).update(
        issue_repository=full_name, url=Replace("url", Value(f"/{before}/issues/"), Value(f"/{full_name}/issues/"))
    )


def follow_remote(repository: Repository, remote: RemoteRepository) -> bool:
    """The same with a repository as the client gives it."""
    return follow(
        repository,
        full_name=remote.full_name,
        node_id=remote.node_id or repository.node_id,
        default_branch=remote.default_branch or repository.default_branch,
        is_private=remote.is_private,
        is_archived=remote.is_archived,
        is_fork=remote.is_fork,
    )


def _look_at_names(repository: Repository) -> None:
    """It was transferred, or its organisation was renamed: which of the two the next discovery finds out."""
    connections = GitHubIntegration.objects.filter(tracked_repositories__repository=repository)
    ids = list(connections.exclude(discovery_status=Discovery.RUNNING).values_list("pk", flat=True))
    GitHubIntegration.objects.filter(pk__in=ids).update(discovery_status=Discovery.PENDING, updated_at=timezone.now())

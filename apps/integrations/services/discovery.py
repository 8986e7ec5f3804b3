"""What a connection can see: repositories and members, asked for in the background and kept for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.common.copy_upsert import copy_upsert
from apps.integrations.github import lookups
from apps.integrations.github.errors import GitHubError, NotFound, PermissionMissing, RateLimited
from apps.integrations.github.rest import Rest
from apps.integrations.github.types import Member, RemoteRepository
from apps.integrations.models import AvailableRepository, GitHubIntegration, TrackedRepository
from apps.integrations.services.github_rest import rest_of
from apps.integrations.services.github_sync import trouble
from apps.integrations.services.github_sync.following import follow_remote
from apps.metrics.demo.clear import drop_demo_data
from apps.metrics.models import Repository, TeamMember
from apps.metrics.records import Account
from apps.metrics.services.members import ensure_members
from apps.teams.models import Team
from apps.teams.scope import team_scope

STALE = timedelta(minutes=5)
"""A discovery that wrote nothing for so long is dead: each page of 100 takes about a second."""

Discovery = GitHubIntegration.Discovery


def request_discovery(*, integration: GitHubIntegration) -> None:
    """Note that somebody wants the list anew; the caller enqueues the work. In a scope."""
    GitHubIntegration.objects.filter(pk=integration.pk).exclude(discovery_status=Discovery.RUNNING).update(
        discovery_status=Discovery.PENDING, updated_at=timezone.now()
    )


def discover(*, team_id: int, integration_id: int) -> int:
    """Refresh what the connection sees. How many repositories; 0 when somebody else does it or it failed.

    A failure leaves the rows that are there, and its reason on the integration. Raises RateLimited (try again after its
    `reset_at`) and nothing else that GitHub does.
    """
    _make_way(team_id)
    integration = _claim(team_id, integration_id)
    if integration is None:
        return 0
    try:
        with closing(rest_of(team_id=team_id, integration_id=integration_id)) as rest:
            _follow_account(rest, integration)
            count = _repositories(rest, integration)
            note = "" if integration.is_personal else _members(rest, integration)
    except RateLimited as limited:
        _finish(integration, Discovery.PENDING, str(limited))
        raise
    except GitHubError as error:
        trouble.settle_integration(team_id, integration_id, error)
        _finish(integration, Discovery.FAILED, str(error))
        return 0
    _finish(integration, Discovery.DONE, note, discovered_at=timezone.now())
    return count


def _claim(team_id: int, integration_id: int) -> GitHubIntegration | None:
    now = timezone.now()
    idle = ~Q(discovery_status=Discovery.RUNNING) | Q(updated_at__lt=now - STALE)
    with team_scope(team_id):
        connected = GitHubIntegration.objects.filter(
            idle, pk=integration_id, sync_status=GitHubIntegration.SyncStatus.CONNECTED
        )
        if not connected.update(discovery_status=Discovery.RUNNING, discovery_error="", updated_at=now):
            return None
        claimed: GitHubIntegration = GitHubIntegration.objects.get(pk=integration_id)
        return claimed


def _make_way(team_id: int) -> None:
    """What a demo team shows goes before it can choose anything of its own, which is then told from nothing copied."""
    if not Team.objects.filter(pk=team_id, is_demo=True).exists():
        return
    with team_scope(team_id):
        tracked = list(TrackedRepository.objects.values_list("repository_id", flat=True))
    drop_demo_data(team_id, keep=tracked)


def _finish(integration: GitHubIntegration, status: str, error: str, *, discovered_at: datetime | None = None) -> None:
    changes = {"discovery_status": status, "discovery_error": error, "updated_at": timezone.now()}
    if discovered_at is not None:
        changes["discovered_at"] = discovered_at
    with team_scope(integration.team_id):
        GitHubIntegration.objects.filter(pk=integration.pk).update(**changes)


def _follow_account(rest: Rest, integration: GitHubIntegration) -> None:
    """The account may be called otherwise by now, and somebody else by its former name. Where GitHub does not tell by
    the id, the name that is known has to do.
    """
    try:
        login = lookups.current_login(rest, integration.organization_id, is_personal=integration.is_personal)
    except NotFound:
        return
    if login != integration.organization_slug:
        integration.organization_slug = login
        with team_scope(integration.team_id):
            GitHubIntegration.objects.filter(pk=integration.pk).update(organization_slug=login)


def _repositories(rest: Rest, integration: GitHubIntegration) -> int:
    """Page by page, so that thousands need no more memory than a hundred. Those that GitHub no longer lists go at the
    end, and only when it listed everything.
    """
    began = timezone.now()
    count = 0
    for page in lookups.list_repositories(rest, "" if integration.is_personal else integration.organization_slug):
        count += len(page)
        with team_scope(integration.team_id):
            _store(integration, page, seen_at=timezone.now())
            _follow_repositories(page)
            GitHubIntegration.objects.filter(pk=integration.pk).update(updated_at=timezone.now())
    with team_scope(integration.team_id):
        AvailableRepository.objects.filter(integration=integration, seen_at__lt=began).delete()
    return count


def _store(integration: GitHubIntegration, page: Iterable[RemoteRepository], *, seen_at: datetime) -> None:
    # A repository that is pushed to while the pages are read moves, and may be listed twice.
    remotes = {remote.id: remote for remote in page}
    rows = [{**_row(remote), "integration_id": integration.pk, "seen_at": seen_at} for remote in remotes.values()]
    if rows:
        update = [name for name in rows[0] if name not in {"integration_id", "github_repo_id"}]
        copy_upsert(AvailableRepository, rows, conflict=["team", "integration", "github_repo_id"], update=update)


def _follow_repositories(page: Iterable[RemoteRepository]) -> None:
    """Names and whether they are private or archived, of those that are stored. One statement where nothing changed."""
    remotes = {remote.id: remote for remote in page}
    for repository in Repository.objects.filter(github_repo_id__in=list(remotes)):
        follow_remote(repository, remotes[repository.github_repo_id])


def _row(remote: RemoteRepository) -> dict[str, object]:
    return {
        "github_repo_id": remote.id,
        "node_id": remote.node_id,
        "full_name": remote.full_name,
        "default_branch": remote.default_branch,
        "language": remote.language,
        "is_private": remote.is_private,
        "is_archived": remote.is_archived,
        "is_fork": remote.is_fork,
        "is_disabled": remote.is_disabled,
        "can_admin": remote.can_admin,
        "pushed_at": remote.pushed_at,
    }


def look_up(*, integration: GitHubIntegration, full_name: str) -> AvailableRepository:
    """A repository by name, asked of GitHub and kept among those that the connection sees; also one of another owner.

    Raises RepositoryGone when the connection does not see it, and other GitHubErrors. Never inside a scope.
    """
    _make_way(integration.team_id)
    with closing(rest_of(team_id=integration.team_id, integration_id=integration.pk)) as rest:
        remote = lookups.get_repository(rest, full_name)
    with team_scope(integration.team_id):
        _store(integration, [remote], seen_at=timezone.now())
        available: AvailableRepository = AvailableRepository.objects.get(
            integration=integration, github_repo_id=remote.id
        )
        return available


def _members(rest: Rest, integration: GitHubIntegration) -> str:
    """The organisation's members as the team's; those who left are so no longer. What a person should know, or ""."""
    try:
        members = {member.id: member for member in lookups.members(rest, integration.organization_slug)}
    except (PermissionMissing, NotFound):  # GitHub hides what a token may not see behind a 404
        return "The connection may not list the organisation's members; they appear as they work on pull requests."
    with team_scope(integration.team_id):
        ids = ensure_members(
            Account(member.id, member.login, member.node_id, avatar_url=member.avatar_url)
            for member in members.values()
        )
        _note_roles(members, ids)
        organizations = GitHubIntegration.objects.filter(is_personal=False).count()
        if organizations == 1:  # with several, somebody who left one may be in another
            TeamMember.objects.filter(in_organization=True).exclude(github_user_id__in=list(members)).update(
                in_organization=False, organization_role=""
            )
    return ""


def _note_roles(members: dict[int, Member], ids: dict[int, int]) -> None:
    by_role: dict[str, list[int]] = {}
    for member in members.values():
        if member.id in ids:
            by_role.setdefault(member.role, []).append(ids[member.id])
    for role, keys in by_role.items():
        as_before = Q(in_organization=True, organization_role=role)
        TeamMember.objects.filter(~as_before, pk__in=keys).update(in_organization=True, organization_role=role)

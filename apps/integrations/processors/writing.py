"""What an event told, into rows, and what has to be fetched because it did not tell it. In the team's scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.processors.outcome import Need, Processed, Reason
from apps.integrations.processors.told import (
    ChecksEnded,
    ChecksTold,
    DeploymentTold,
    MembersChanged,
    OrganizationRenamed,
    PullRequestTold,
    Pushed,
    RepositoryTold,
)
from apps.integrations.services.github_sync import coverage, trouble
from apps.integrations.services.github_sync.following import follow_remote
from apps.metrics.models import Commit, Deployment, PRCheckRun, PullRequest, Repository
from apps.metrics.records import PullRequestNews, PullRequestRecord
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest import SETTLED, IngestedNews, ingest_checks, ingest_deployments, ingest_news

Discovery = GitHubIntegration.Discovery

AHEAD = timedelta(hours=1)
"""No clock of GitHub's is so far ahead of ours: what says so is not believed, and GitHub is asked."""

BEGINNING = "pending"
"""The state of a deployment without a status."""

NOT_CONNECTED = "The organisation is not connected."
DELETED = "The repository was deleted on GitHub."

OfRepository: TypeAlias = (
    PullRequestTold | Pushed | ChecksTold | ChecksEnded | DeploymentTold | RepositoryTold | MembersChanged
)


def write(tracked: TrackedRepository, told: OfRepository) -> Processed:
    """Store what was told of a followed repository (`tracked`, with its repository and team)."""
    repository = tracked.repository
    match told:
        case PullRequestTold():
            done = _pull_request(repository, told)
        case Pushed():
            done = Processed(needs=_needs(_behind(repository, told), Reason.CODE))
        case ChecksTold():
            done = _checks(repository, told)
        case ChecksEnded():
            done = Processed(needs=_needs(_with_open_checks(repository, told.sha), Reason.CHECKS))
        case DeploymentTold():
            done = _deployment(repository, told)
        case RepositoryTold():
            done = _repository(tracked, told)
        case MembersChanged():
            ask_for_lists(tracked.integration_id)
            done = Processed()
    return replace(done, repository_id=repository.pk)


def _pull_request(repository: Repository, told: PullRequestTold) -> Processed:
    if _latest(told.news) > timezone.now() + AHEAD:  # stored, it would be newer than all that follows
        return Processed(needs=(_doubted(repository, told),))
    news = replace(told.news, core=_renamed(told.news.core, told.repository, repository.full_name))
    done = ingest_news(repository, news, synced_at=timezone.now())
    if done.is_new and news.core is not None:
        coverage.note_opened(repository, news.core.created_at)
    if told.reason is Reason.MERGED and done.changed and news.core is not None:
        finished = Deployment.objects.filter(team_id=repository.team_id, finished_at__gte=news.core.merged_at)
        if finished.filter(repository=repository, gone_at=None).exists():  # its event was quicker than the merge's
            set_deploy_seconds(repository)
    reason = _reason(told, done)
    needs = () if reason is None else (Need(repository.pk, news.number, told.node_id, reason, done.pull_request_id),)
    return Processed(done.touched_weeks, needs, done.changed)


def _doubted(repository: Repository, told: PullRequestTold) -> Need:
    stored = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, number=told.news.number)
    reason = Reason.MERGED if told.reason is Reason.MERGED else Reason.DOUBT
    return Need(repository.pk, told.news.number, told.node_id, reason, stored.values_list("pk", flat=True).first())


def _latest(news: PullRequestNews) -> datetime:
    comments = (*news.review_comments, *news.issue_comments)
    return max([news.updated_at, *(comment.updated_at for comment in comments if comment.updated_at)])


def _renamed(core: PullRequestRecord | None, said: str, name: str) -> PullRequestRecord | None:
    """An event may be from before the repository was renamed, or know it before we do: it is called one thing here."""
    if core is None or said == name:
        return core
    head = name if core.head_repository == said else core.head_repository
    return replace(core, url=core.url.replace(f"/{said}/pull/", f"/{name}/pull/"), head_repository=head)


def _reason(told: PullRequestTold, done: IngestedNews) -> Reason | None:
    if told.reason is Reason.MERGED:
        return Reason.MERGED
    if done.pull_request_id is None or done.is_new:
        return Reason.UNKNOWN
    if done.is_doubtful and told.reason is None:
        return Reason.DOUBT
    if told.is_dated and done.whole_at is not None and done.whole_at - told.news.updated_at >= SETTLED:
        return None
    return told.reason


def _behind(repository: Repository, pushed: Pushed) -> QuerySet[PullRequest]:
    """The open pull requests of the branch that have another head so far."""
    here = _present(repository).filter(state=PullRequest.State.OPEN, head_ref=pushed.branch, is_cross_repository=False)
    return here.exclude(head_sha=pushed.sha)


def _checks(repository: Repository, told: ChecksTold) -> Processed:
    """Of commits of pull requests only: those of branches and tags are nowhere shown."""
    known = _present(repository).filter(number__in=told.numbers)
    needs = [
        *(Need(repository.pk, number, "", Reason.UNKNOWN) for number in _unknown(known, told.numbers)),
        *_needs(known.exclude(head_sha=told.sha), Reason.CODE),
    ]
    if not told.numbers and not _is_of_a_pull_request(repository, told.sha):
        return Processed(ignored="No pull request here has the commit.")
    # As each writer of a page does: pull requests first, in one order, so that no two wait for each other.
    heads = _present(repository).filter(head_sha=told.sha).order_by("number").select_for_update(no_key=True)
    list(heads.values_list("pk", flat=True))
    done = ingest_checks(repository, told.checks, synced_at=timezone.now())
    return Processed(done.touched_weeks, tuple(needs), done.changed)


def _unknown(known: QuerySet[PullRequest], numbers: Iterable[int]) -> list[int]:
    return sorted(set(numbers) - set(known.values_list("number", flat=True))) if numbers else []


def _is_of_a_pull_request(repository: Repository, sha: str) -> bool:
    """Whether it is or was in one that is stored; commits of others are not kept. Served by pull_request_head and
    commit_key.
    """
    heads = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, head_sha=sha)
    commits = Commit.objects.filter(team_id=repository.team_id, repository=repository, github_sha=sha)
    return bool(heads.exists() or commits.exists())


def _with_open_checks(repository: Repository, sha: str) -> QuerySet[PullRequest]:
    """Those with this head of whose checks none is stored, or one that has not ended: its end was not told."""
    checks = PRCheckRun.objects.filter(
        team_id=repository.team_id, repository=repository, head_sha=OuterRef("head_sha"), gone_at=None
    )
    runs = checks.exclude(github_check_run_id=None)
    open_ones = Exists(runs.exclude(status="completed"))
    return _present(repository).filter(open_ones | ~Exists(runs), head_sha=sha)


def _deployment(repository: Repository, told: DeploymentTold) -> Processed:
    deployment = told.deployment
    known = Deployment.objects.filter(team_id=repository.team_id, github_deployment_id=deployment.id)
    if not deployment.state and not known.exists():
        deployment = replace(deployment, state=BEGINNING)
    done = ingest_deployments(repository, [deployment], synced_at=timezone.now())
    if done.touched_weeks:
        set_deploy_seconds(repository)
    return Processed(done.touched_weeks, changed=done.inserted + done.updated + done.statuses)


def _repository(tracked: TrackedRepository, told: RepositoryTold) -> Processed:
    """Names that do not follow from what is stored may have come out of their order: GitHub is asked for them soon."""
    repository = tracked.repository
    if told.is_deleted:
        return Processed(changed=int(trouble.stop_repository(tracked, DELETED)))
    if repository.full_name not in {told.former_name, told.remote.full_name}:
        ask_for_lists(tracked.integration_id)
        return Processed(ignored="It is known by another name, which is looked up.")
    return Processed(changed=int(follow_remote(repository, told.remote)))


def write_organization(told: OrganizationRenamed) -> Processed:
    """Another name of an organisation that the team is connected to. The names of its repositories begin with it, so
    GitHub is asked for them soon.
    """
    connections = GitHubIntegration.objects.filter(organization_id=told.id)
    keys = list(connections.values_list("pk", flat=True))
    if not keys:
        return Processed(ignored=NOT_CONNECTED)
    changed = connections.filter(organization_slug=told.former_login).update(
        organization_slug=told.login, updated_at=timezone.now()
    )
    for key in keys:
        ask_for_lists(key)
    return Processed(changed=changed)


def ask_for_members(organization_id: int) -> Processed:
    """Who is in an organisation that the team is connected to: GitHub is asked soon."""
    keys = list(GitHubIntegration.objects.filter(organization_id=organization_id).values_list("pk", flat=True))
    for key in keys:
        ask_for_lists(key)
    return Processed() if keys else Processed(ignored=NOT_CONNECTED)


def ask_for_lists(integration_id: int) -> None:
    """Repositories under their names, and members."""
    idle = GitHubIntegration.objects.filter(pk=integration_id).exclude(discovery_status=Discovery.RUNNING)
    idle.update(discovery_status=Discovery.PENDING, updated_at=timezone.now())


def _present(repository: Repository) -> QuerySet[PullRequest]:
    here: QuerySet[PullRequest] = PullRequest.objects.filter(
        team_id=repository.team_id, repository=repository, gone_at=None
    )
    return here


def _needs(pull_requests: QuerySet[PullRequest], reason: Reason) -> tuple[Need, ...]:
    return tuple(_each_need(pull_requests, reason))


def _each_need(pull_requests: QuerySet[PullRequest], reason: Reason) -> Iterator[Need]:
    for pk, repository, number, node_id in pull_requests.values_list("pk", "repository_id", "number", "node_id"):
        yield Need(repository, number, node_id, reason, pk)

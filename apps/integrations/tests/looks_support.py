"""Repositories of a sandbox GitHub that were synced and are due again, for tests of the look at all of them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.integrations.github.access import StaticToken
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.transport import HttpxTransport
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.mapping import pull_request_record
from apps.integrations.tests.sync_support import reaped, tracked_at
from apps.metrics.models import PullRequest
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.scope import team_scope

SCOPE = "SELECT coalesce(current_setting('app.team_id'"
ALL_FOUR = ("acme/r-1", "acme/r-2", "acme/r-3", "acme/r-4")


def covered(github, team, *names, **fields) -> list[TrackedRepository]:
    """Repositories of the sandbox, tracked and synced; their last sync is just due again."""
    for name in names:
        github_sync.sync_repository_history(tracked_at(github, team, name, days_back=None, **fields), None)
    github.stats.reset()
    return an_hour_later(team)


def stored(github, team, *names) -> list[TrackedRepository]:
    """As if they had been synced two hours ago, in fewer requests."""
    graphql = GraphQL(HttpxTransport(), StaticToken("sandbox-token"), f"{github.url}/graphql")
    past = timezone.now() - timedelta(hours=2)
    for name in names:
        page = fetch_page(graphql, owner="acme", name=name.partition("/")[2], page_size=24)
        tracked = tracked_at(github, team, name, days_back=None, watermark=past)
        with team_scope(team.pk):
            ingest_pull_requests(tracked.repository, [pull_request_record(node) for node in page.nodes], synced_at=past)
            TrackedRepository.objects.update(sync_status="complete")
    github.stats.reset()
    return an_hour_later(team)


def an_hour_later(team) -> list[TrackedRepository]:
    """Everything is due again."""
    past = timezone.now() - timedelta(hours=2)
    with team_scope(team.pk):
        TrackedRepository.objects.update(last_sync_at=past)
        GitHubIntegration.objects.update(look_claimed_until=None)
        return list(TrackedRepository.objects.order_by("pk"))


def bare(github, team, number, **fields) -> TrackedRepository:
    """A repository without pull requests, which is due."""
    past = timezone.now() - timedelta(hours=2)
    fields = {"watermark": past, "last_sync_at": past, "sync_status": "complete"} | fields
    return tracked_at(github, team, f"acme/bare-{number}", **fields)


def open_pull_requests(tracked, count) -> None:
    """Some that GitHub does not know."""
    past = timezone.now() - timedelta(days=30)
    with team_scope(tracked.team_id):
        PullRequest.objects.bulk_create(
            PullRequest(
                team_id=tracked.team_id,
                repository_id=tracked.repository_id,
                number=number,
                github_pr_id=number,
                node_id=f"PR_unknown_{number}",
                state="open",
                head_sha=f"{number:040x}",
                pr_created_at=past,
                pr_updated_at=past,
            )
            for number in range(1, count + 1)
        )


def look(team, **options):
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
    return github_sync.look(team.pk, integration.pk, **options)


def begun(team) -> dict[str, list[int] | None]:
    """The runs that wait, by repository: the numbers of what is known to have changed."""
    with team_scope(team.pk):
        waiting = SyncRun.objects.filter(status="pending").select_related("tracked_repository__repository")
        return {run.tracked_repository.repository.full_name: numbers_of(run) for run in waiting}


def numbers_of(run) -> list[int] | None:
    ids = run.checkpoint.get("ids")
    return None if ids is None else sorted(number for _, number in ids)


def work_off(team) -> None:
    while handles := reaped(team.pk):
        for handle in handles:
            github_sync.advance(handle)


def mutate(github, repository, action, **more):
    return github.mutations.apply({"repo": repository, "action": action, **more})


def some_pull(github, repository, state="OPEN"):
    return next(pull for pull in github.world.repository(repository).contents.pulls.values() if pull.state == state)


def statements(queries) -> list[str]:
    """Without the beginning and the end of each scope."""
    return [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE", SCOPE))]


def settled(team) -> None:
    """What was just fetched was fetched well after its last change."""
    with team_scope(team.pk):
        PullRequest.objects.update(whole_at=timezone.now() + timedelta(minutes=1))

"""The look at all repositories of a connection at once, against a sandbox GitHub over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.github.access import StaticToken
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.transport import HttpxTransport
from apps.integrations.models import FreshnessCheck, GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import due, recheck, runs
from apps.integrations.services.mapping import pull_request_record
from apps.integrations.tasks import ask_for_looks_task
from apps.integrations.tests.sync_support import reaped, rows_of, tracked_at, versions_of
from apps.metrics.models import Deployment, PRCheckRun, PullRequest, Repository
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer
from tformance.celery import app

LONG_AGO = datetime(2026, 11, 1, 12, tzinfo=UTC)
SCOPE = "SELECT coalesce(current_setting('app.team_id'"
ALL_FOUR = ("acme/r-1", "acme/r-2", "acme/r-3", "acme/r-4")


@pytest.fixture(scope="module")
def hundred():
    """A hundred repositories; nobody changes them."""
    with SandboxServer(synthetic=["acme:r*30:14", "acme:bare*250:0"], now=LONG_AGO) as sandbox:
        yield sandbox


@pytest.fixture
def quiet_github(hundred, settings):
    hundred.faults.clear()
    hundred.limits.preset(remaining=5000, reset_in=3600)
    hundred.stats.reset()
    settings.GITHUB_API_URL = hundred.url
    return hundred


@pytest.fixture
def github(settings):
    """Four small repositories of one organisation, to be changed."""
    with SandboxServer(synthetic=["acme:r*4:12"], now=LONG_AGO) as sandbox:
        settings.GITHUB_API_URL = sandbox.url
        yield sandbox


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
        PullRequest.objects.update(synced_at=timezone.now() + timedelta(minutes=1))


def test_nothing_new_in_a_hundred_repositories_costs_next_to_nothing_and_writes_no_row(quiet_github, team):
    for number in range(1, 71):
        bare(quiet_github, team, number)
    tracked = stored(quiet_github, team, *(f"acme/r-{n}" for n in range(1, 31)))
    with team_scope(team.pk):
        open_ones = PullRequest.objects.filter(state="open").count()
    assert open_ones > 20
    before, versions = rows_of(team), versions_of(team)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = look(team)
    assert versions_of(team) == versions
    assert rows_of(team) == before
    assert (found.repositories, found.changed, found.error, found.is_unfinished) == (100, 0, "", False)
    assert found.checks_refreshed == open_ones
    assert quiet_github.stats.points == found.points <= 2 + ceil(open_ones / 100)
    assert len(statements(queries)) <= 25
    assert begun(team) == {}
    with team_scope(team.pk):
        check = FreshnessCheck.objects.get()
        moved = list(TrackedRepository.objects.select_related("repository").order_by("pk"))
    assert (check.repositories, check.changed, check.checks_refreshed) == (100, 0, open_ones)
    assert (check.points, check.requests, check.error) == (found.points, found.requests, "")
    for before_it, row in zip(tracked, moved, strict=True):
        assert row.watermark == row.repository.synced_to == check.started_at - runs.WATERMARK_OVERLAP
        assert row.watermark > before_it.watermark
        assert (row.last_sync_at, row.sync_status) == (check.started_at, "complete")


def test_the_statements_do_not_grow_with_the_pull_requests(quiet_github, team, other_team):
    stored(quiet_github, team, "acme/r-1")
    stored(quiet_github, other_team, *(f"acme/r-{n}" for n in range(1, 9)))
    counts = []
    for each in (team, other_team):
        with CaptureQueriesContext(connection) as queries:
            look(each)
        counts.append(len(statements(queries)))
    assert counts[0] == counts[1]


def test_what_changed_in_three_repositories_is_fetched_and_nothing_else(github, team):
    covered(github, team, *ALL_FOUR)
    merged, edited = some_pull(github, "acme/r-1"), some_pull(github, "acme/r-2", "MERGED")
    mutate(github, "acme/r-1", "merge", number=merged.number)
    mutate(github, "acme/r-2", "edit", number=edited.number, title="Another title")
    opened = mutate(github, "acme/r-3", "open", title="Something new")["number"]
    found = look(team)
    assert (found.repositories, found.changed) == (4, 3)
    assert begun(team) == {"acme/r-1": [merged.number], "acme/r-2": [edited.number], "acme/r-3": [opened]}
    work_off(team)
    with team_scope(team.pk):
        finished = SyncRun.objects.filter(kind=SyncRun.Kind.INCREMENTAL)
        assert [(run.status, run.counts["pull_requests"]) for run in finished] == [("complete", 1)] * 3
        of = {(pull.github_repo, pull.number): pull for pull in PullRequest.objects.all()}
        [check] = FreshnessCheck.objects.all()
        horizons = set(TrackedRepository.objects.values_list("watermark", flat=True))
    assert of["acme/r-1", merged.number].state == "merged"
    assert of["acme/r-2", edited.number].title == "Another title"
    assert of["acme/r-3", opened].title == "Something new"
    assert horizons == {check.started_at - runs.WATERMARK_OVERLAP}


def test_what_is_stored_already_is_not_fetched_again(github, team):
    covered(github, team, "acme/r-1")
    number = some_pull(github, "acme/r-1").number
    mutate(github, "acme/r-1", "edit", number=number, title="New")
    assert look(team).changed == 1
    work_off(team)
    settled(team)
    an_hour_later(team)
    assert look(team).changed == 0


def test_a_second_change_within_the_second_of_the_first_is_not_lost(github, team):
    covered(github, team, "acme/r-1")
    pull = some_pull(github, "acme/r-1")
    mutate(github, "acme/r-1", "edit", number=pull.number, title="First")
    look(team)
    work_off(team)
    pull.title = "Second"  # in the same second: GitHub's updatedAt stays as it is
    an_hour_later(team)
    assert look(team).changed == 1
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).title == "Second"


def test_a_change_in_the_second_of_the_watermark_is_seen(github, team):
    covered(github, team, "acme/r-1")
    pull = some_pull(github, "acme/r-1")
    mutate(github, "acme/r-1", "edit", number=pull.number, title="New")
    with team_scope(team.pk):
        at = datetime.fromisoformat(pull.updated_at)
        TrackedRepository.objects.update(watermark=at + timedelta(microseconds=999_999))
    assert look(team).changed == 1


def test_what_changes_during_a_look_is_found_by_the_next(github, team, settings):
    covered(github, team, "acme/r-1")
    number = some_pull(github, "acme/r-1").number
    found = look(team)
    mutate(github, "acme/r-1", "edit", number=number, title="Meanwhile")
    with team_scope(team.pk):
        assert TrackedRepository.objects.get().watermark < timezone.now() - timedelta(minutes=4)
    an_hour_later(team)
    assert (found.changed, look(team).changed) == (0, 1)


def test_two_hundred_and_fifty_repositories_are_three_questions(quiet_github, team):
    past = timezone.now() - timedelta(hours=2)
    for number in range(1, 251):
        tracked_at(quiet_github, team, f"acme/bare-{number}", watermark=past, last_sync_at=past, sync_status="complete")
    quiet_github.stats.reset()
    found = look(team)
    assert (found.repositories, found.changed, found.requests) == (250, 0, 3)
    assert (quiet_github.stats.points, quiet_github.stats.operations) == (5, ["RepositoriesUpdated"] * 3)
    assert look(team) is None


def test_more_changes_than_a_pulse_tells_are_listed_by_the_run(github, team):
    covered(github, team, "acme/r-1")
    numbers = sorted(github.world.repository("acme/r-1").contents.pulls)[:11]
    for number in numbers:
        mutate(github, "acme/r-1", "edit", number=number, title=f"Edited {number}")
    look(team)
    assert begun(team) == {"acme/r-1": None}
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.filter(title__startswith="Edited").count() == 11


def test_a_check_that_turned_red_shows_without_a_change_of_its_pull_request(github, team):
    covered(github, team, *ALL_FOUR)
    with team_scope(team.pk):
        green = PullRequest.objects.filter(state="open").exclude(ci_status="failure").first()
    pull = github.world.repository(green.github_repo).contents.pulls[green.number]
    updated_at = pull.updated_at
    mutate(github, green.github_repo, "check", number=pull.number, name="nightly", conclusion="failure")
    assert pull.updated_at == updated_at
    versions = versions_of(team)
    found = look(team)
    assert (found.changed, begun(team)) == (0, {})
    assert found.weeks
    with team_scope(team.pk):
        assert PullRequest.objects.get(pk=green.pk).ci_status == "failure"
        assert PRCheckRun.objects.get(name="nightly").conclusion == "failure"
    after = versions_of(team)
    assert len(set(after["pullrequest"]) - set(versions["pullrequest"])) == 1
    assert len(set(after["prcheckrun"]) - set(versions["prcheckrun"])) == 1


def test_the_checks_of_a_fresh_merge_are_followed_and_those_of_an_old_one_are_not(github, team):
    covered(github, team, "acme/r-1")
    fresh, old = [p for p in github.world.repository("acme/r-1").contents.pulls.values() if p.state == "MERGED"][:2]
    with team_scope(team.pk):
        PullRequest.objects.filter(number=fresh.number).update(merged_at=timezone.now() - timedelta(hours=23))
    for pull in (fresh, old):
        mutate(github, "acme/r-1", "check", number=pull.number, name="nightly", conclusion="failure")
    look(team)
    with team_scope(team.pk):
        assert list(PRCheckRun.objects.filter(name="nightly").values_list("head_sha", flat=True)) == [
            fresh.head_ref_oid
        ]


def test_between_the_hours_only_restless_checks_are_read(github, team):
    covered(github, team, *ALL_FOUR)
    assert look(team).checks_refreshed > 2
    with team_scope(team.pk):
        first, second = PullRequest.objects.filter(state="open").exclude(ci_status="pending")[:2]
        PullRequest.objects.filter(pk=first.pk).update(ci_status="pending")
        PullRequest.objects.filter(pk=second.pk).update(pr_updated_at=timezone.now() - timedelta(hours=23))
        TrackedRepository.objects.update(last_sync_at=timezone.now() - timedelta(minutes=11))
    assert look(team).checks_refreshed == 2


def test_another_head_is_fetched_at_once(github, team):
    covered(github, team, "acme/r-1")
    pull = some_pull(github, "acme/r-1")
    with team_scope(team.pk):
        PullRequest.objects.filter(number=pull.number).update(head_sha="0" * 40)
    look(team)
    assert begun(team) == {"acme/r-1": [pull.number]}
    with team_scope(team.pk):
        assert SyncRun.objects.get(status="pending").kind == "pr"
    work_off(team)
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).head_sha == pull.head_ref_oid


def test_a_look_without_time_leaves_everything_due(quiet_github, team):
    bare(quiet_github, team, 1)
    found = look(team, seconds=0.0)
    assert (found.repositories, found.is_unfinished) == (0, True)
    assert look(team).repositories == 1


def test_a_reading_of_checks_that_the_time_cuts_off_goes_on_where_it_was(quiet_github, team):
    tracked = bare(quiet_github, team, 1)
    open_pull_requests(tracked, 250)
    with team_scope(team.pk):
        GitHubIntegration.objects.update(checks_cursor=0)
        TrackedRepository.objects.update(last_sync_at=timezone.now())
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    looks = [look(team, seconds=0.0) for _ in range(3)]
    assert [(found.checks_refreshed, found.is_unfinished) for found in looks] == [(100, True), (100, True), (50, False)]
    assert look(team) is None


def test_thousands_of_open_pull_requests_are_read_block_by_block(quiet_github, team):
    open_pull_requests(bare(quiet_github, team, 1), recheck.BLOCK + 50)
    found = look(team, seconds=None)
    assert (found.checks_refreshed, found.is_unfinished) == (recheck.BLOCK + 50, False)
    assert quiet_github.stats.operations.count("PullRequestChecks") == 21
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().checks_cursor is None


def test_a_deployment_appears_and_finishes(github, team):
    covered(github, team, "acme/r-1", "acme/r-2")
    made = mutate(github, "acme/r-1", "deploy", environment="production", state="in_progress")
    assert look(team).changed == 1
    assert begun(team) == {"acme/r-1": []}
    work_off(team)
    with team_scope(team.pk):
        deployment = Deployment.objects.get(github_deployment_id=made["id"])
    assert (deployment.state, deployment.finished_at) == ("in_progress", None)
    mutate(github, "acme/r-1", "deployment_status", id=made["id"], state="success")
    an_hour_later(team)
    settled(team)
    found = look(team)
    assert (found.changed, bool(found.weeks)) == (0, True)
    with team_scope(team.pk):
        deployment.refresh_from_db()
        assert deployment.finished_at is not None
    github.stats.reset()
    an_hour_later(team)
    look(team)
    assert "DeploymentsByIds" not in github.stats.operations


def test_deployments_that_may_not_be_read_are_not_asked_for(github, team):
    covered(github, team, "acme/r-1")
    with team_scope(team.pk):
        noted = {"permission": "deployments", "since": timezone.now().isoformat()}
        GitHubIntegration.objects.update(permissions_missing={"deployments": noted})
    mutate(github, "acme/r-1", "deploy")
    assert (look(team).changed, github.stats.points) == (0, 2)


def test_a_permission_that_was_taken_away_is_noted_and_noted_again_when_it_is_back(github, team):
    covered(github, team, "acme/r-1")
    mutate(github, "acme/r-1", "forbid", part="deployments")
    assert look(team).changed == 0
    with team_scope(team.pk):
        noted = GitHubIntegration.objects.get().permissions_missing
        assert noted["deployments"]["permission"] == "deployments"
        yesterday = (timezone.now() - timedelta(days=2)).isoformat()
        noted = {"deployments": {"permission": "deployments", "since": yesterday, "asked": yesterday}}
        GitHubIntegration.objects.update(permissions_missing=noted)
    mutate(github, "acme/r-1", "forbid", part="deployments", on=False)
    an_hour_later(team)
    assert look(team).changed == 0
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().permissions_missing == {}


def test_checks_that_may_not_be_read_are_noted_and_not_asked_for(github, team):
    covered(github, team, "acme/r-1")
    mutate(github, "acme/r-1", "forbid", part="statusCheckRollup")
    look(team)
    with team_scope(team.pk):
        assert list(GitHubIntegration.objects.get().permissions_missing) == ["checks"]
    github.stats.reset()
    an_hour_later(team)
    look(team)
    assert github.stats.operations == ["RepositoriesUpdated"]


def test_a_rename_is_followed_at_once(github, team):
    covered(github, team, "acme/r-1")
    mutate(github, "acme/r-1", "rename", name="shop")
    assert look(team).changed == 0
    with team_scope(team.pk):
        assert Repository.objects.get().full_name == "acme/shop"
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme/shop"}


def test_a_repository_without_an_answer_is_synced_for_itself(github, team):
    covered(github, team, "acme/r-1", "acme/r-2")
    with team_scope(team.pk):
        Repository.objects.filter(full_name="acme/r-1").update(node_id="R_gone")
    assert look(team).changed == 1
    assert begun(team) == {"acme/r-1": None}


def test_a_question_that_github_refuses_leaves_each_repository_to_its_own_sync(github, team):
    covered(github, team, "acme/r-1", "acme/r-2")
    github.faults.add("RepositoriesUpdated", "status", status=400, body={"message": "No such field"})
    found = look(team)
    assert (found.changed, begun(team)) == (2, {"acme/r-1": None, "acme/r-2": None})
    assert "No such field" in found.error


def test_pulses_that_are_too_heavy_together_are_asked_in_halves(github, team):
    covered(github, team, *ALL_FOUR)
    github.faults.add("RepositoriesUpdated", "502", times=1)
    found = look(team)
    assert (found.repositories, found.changed, found.error) == (4, 0, "")
    assert github.stats.operations.count("RepositoriesUpdated") == 3


def test_a_rate_limit_ends_the_look_and_loses_nothing(github, team):
    covered(github, team, "acme/r-1")
    number = some_pull(github, "acme/r-1").number
    mutate(github, "acme/r-1", "edit", number=number, title="New")
    github.limits.preset(remaining=0, reset_in=600)
    found = look(team)
    assert (found.repositories, found.is_unfinished, begun(team)) == (0, False, {})
    assert "rate limit" in found.error
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.get()
        assert FreshnessCheck.objects.get().error == found.error
        assert timedelta(minutes=8) < integration.look_claimed_until - timezone.now() < timedelta(minutes=11)
        assert not due.connections_to_look_at(timezone.now()).exists()
        assert due.connections_to_look_at(timezone.now() + timedelta(minutes=11)).exists()


def test_a_failure_between_pulses_and_checks_leaves_the_checks_for_the_next_look(github, team):
    covered(github, team, "acme/r-1")
    pull = some_pull(github, "acme/r-1")
    mutate(github, "acme/r-1", "check", number=pull.number, name="nightly", conclusion="failure")
    github.faults.add("PullRequestChecks", "drop", times=3)
    found = look(team)
    assert (found.repositories, found.checks_refreshed) == (1, 0)
    assert found.error
    later = timezone.now() + timedelta(minutes=6)
    with team_scope(team.pk):
        [waiting] = due.connections_to_look_at(later)
        GitHubIntegration.objects.update(look_claimed_until=None)
    assert github_sync.look(team.pk, waiting.pk).checks_refreshed > 0
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=pull.number).ci_status == "failure"


def test_checks_that_are_too_heavy_are_left_for_next_time_and_the_others_read(github, team):
    covered(github, team, *ALL_FOUR)
    with team_scope(team.pk):
        open_ones = PullRequest.objects.filter(state="open").count()
    github.faults.add("PullRequestChecks", "502", times=1)
    found = look(team)
    assert (found.checks_refreshed, found.error, found.is_unfinished) == (open_ones, "", False)


def test_a_refused_token_disconnects(github, team):
    covered(github, team, "acme/r-1")
    github.faults.add("*", "bad_credentials", times=10)
    assert look(team).error
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().sync_status == "disconnected"
        assert not due.connections_to_look_at(timezone.now() + timedelta(days=1)).exists()


def test_two_never_look_at_one_connection_at_once(github, team):
    covered(github, team, "acme/r-1")
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_claimed_until=timezone.now() + timedelta(minutes=1))
    assert look(team) is None
    assert look(team, everything_due=True) is None


def test_a_look_whose_worker_was_lost_is_repeated(github, team):
    covered(github, team, "acme/r-1")
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_claimed_until=timezone.now() - timedelta(seconds=1))
    assert look(team).repositories == 1


@pytest.mark.parametrize(
    ("webhook", "minutes", "is_due"),
    [
        ({}, 9, False),
        ({}, 11, True),
        ({"webhook_status": "active"}, 11, False),
        ({"webhook_status": "active"}, 61, True),
        ({"webhook_status": "active", "webhook_error": "GitHub could not deliver"}, 11, True),
        ({"webhook_status": "forbidden"}, 11, True),
        ({"sync_status": "syncing"}, 61, False),
        ({"is_active": False}, 61, False),
        ({"watermark": None}, 61, False),
    ],
)
def test_it_is_asked_hourly_and_more_often_without_a_webhook(quiet_github, team, webhook, minutes, is_due):
    now = timezone.now()
    fields = {"watermark": now, "last_sync_at": now - timedelta(minutes=minutes)} | webhook
    tracked = bare(quiet_github, team, 1, **fields)
    assert github_sync.ask_for_looks(team.pk) == ([tracked.integration_id] if is_due else [])


def test_a_look_is_asked_for_once_and_again_when_its_message_is_lost(quiet_github, team):
    tracked = bare(quiet_github, team, 1)
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    assert github_sync.ask_for_looks(team.pk) == []
    with team_scope(team.pk):
        GitHubIntegration.objects.update(look_asked_at=timezone.now() - timedelta(minutes=6))
    assert github_sync.ask_for_looks(team.pk) == [tracked.integration_id]
    look(team)
    assert github_sync.ask_for_looks(team.pk) == []


def test_what_is_nearly_due_comes_along(quiet_github, team):
    now = timezone.now()
    for number, minutes in ((1, 11), (2, 8), (3, 7)):
        bare(quiet_github, team, number, last_sync_at=now - timedelta(minutes=minutes))
    assert look(team).repositories == 2


def test_an_unfinished_sync_is_not_disturbed(github, team):
    tracked, _ = covered(github, team, "acme/r-1", "acme/r-2")
    with team_scope(team.pk):
        runs.begin_run(tracked=tracked, kind=SyncRun.Kind.INITIAL, days_back=30)
        of_other = PullRequest.objects.filter(github_repo="acme/r-2", state="open").count()
    found = look(team)
    assert (found.repositories, found.checks_refreshed) == (1, of_other)


@pytest.fixture
def eagerly():
    """Tasks run where they are sent."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("eagerly")
def test_the_minutes_task_brings_what_is_new(github, team):
    covered(github, team, "acme/r-1", "acme/r-2")
    number = some_pull(github, "acme/r-1").number
    mutate(github, "acme/r-1", "edit", number=number, title="Another title")
    ask_for_looks_task()
    with team_scope(team.pk):
        assert PullRequest.objects.get(github_repo="acme/r-1", number=number).title == "Another title"
        [run] = SyncRun.objects.filter(kind=SyncRun.Kind.INCREMENTAL)
        assert (run.status, run.counts["pull_requests"], run.points) == ("complete", 1, 1)
        assert FreshnessCheck.objects.get().changed == 1
    ask_for_looks_task()
    with team_scope(team.pk):
        assert FreshnessCheck.objects.count() == 1

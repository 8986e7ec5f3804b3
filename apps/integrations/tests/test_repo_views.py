"""What can be done with one repository: toggle, depth, sync now, webhook, progress."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    SyncRunFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.metrics.factories import RepositoryFactory
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

Sync = TrackedRepository.SyncStatus
Hook = TrackedRepository.WebhookStatus
REPO = 9_876_543_210
HTMX = {"HX-Request": "true"}


@pytest.fixture
def available(team):
    integration = GitHubIntegrationFactory.create(team=team)
    return AvailableRepositoryFactory.create(
        team=team, integration=integration, github_repo_id=REPO, full_name="acme/shop"
    )


@pytest.fixture
def tracked(team, available) -> TrackedRepository:
    return TrackedRepositoryFactory.create(
        team=team,
        integration=available.integration,
        repository=RepositoryFactory.create(team=team, github_repo_id=REPO, full_name="acme/shop"),
        sync_status=Sync.COMPLETE,
    )


def url(team, action="toggle", repo_id=REPO) -> str:
    name = {"toggle": "toggle", "sync": "sync", "progress": "sync_progress"}.get(action, action)
    return reverse(f"integrations:github_repo_{name}", args=[team.slug, repo_id])


def only(team) -> TrackedRepository:
    with team_scope(team.pk):
        return TrackedRepository.objects.select_related("repository").get()


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_addresses_stay(team):
    assert url(team, "sync", 5) == f"/a/{team.slug}/integrations/github/repos/5/sync/"
    assert url(team, "toggle", 5) == f"/a/{team.slug}/integrations/github/repos/5/toggle/"
    assert url(team, "progress", 5) == f"/a/{team.slug}/integrations/github/repos/5/progress/"
    assert url(team, "depth", 5) == f"/a/{team.slug}/integrations/github/repos/5/depth/"


# ── toggle ────────────────────────────────────────────────


@pytest.mark.parametrize(("days", "stored"), [("30", 30), ("60", 60), ("90", 90), ("all", None)])
def test_switching_on_notes_the_depth_and_enqueues_sync_and_hook(
    team, available, as_owner_of_team, queued, days, stored
):
    with queued() as tasks:
        response = as_owner_of_team.post(url(team), {"days": days})
    assert response["Location"] == reverse("integrations:repositories", args=[team.slug])
    tracked = only(team)
    assert (tracked.is_active, tracked.days_back, tracked.sync_status) == (True, stored, Sync.PENDING)
    assert tasks == [
        ("sync_repository_initial_task", team.pk, tracked.pk, stored),
        ("register_webhook_task", team.pk, tracked.pk),
    ]


def test_thirty_days_are_the_default(team, available, as_owner_of_team, queued):
    with queued():
        as_owner_of_team.post(url(team))
    assert only(team).days_back == 30


def test_switching_off_keeps_the_row_and_removes_the_hook_behind(team, tracked, as_owner_of_team, queued):
    with team_scope(team.pk):
        TrackedRepository.objects.update(webhook_id=7, webhook_status=Hook.ACTIVE)
    with queued() as tasks:
        as_owner_of_team.post(url(team))
    assert not only(team).is_active
    assert tasks == [("remove_webhook_task", team.pk, tracked.pk)]


def test_saying_which_way_makes_a_second_click_harmless(team, available, as_owner_of_team, queued):
    with queued() as tasks:
        for _ in range(3):
            as_owner_of_team.post(url(team), {"track": "1", "days": "60"})
    assert only(team).is_active
    with team_scope(team.pk):
        assert AuditEvent.objects.filter(action="repository.tracked").count() == 1
    assert {task[0] for task in tasks} == {"sync_repository_initial_task", "register_webhook_task"}


def test_a_cards_switch_gets_the_card_in_its_place_and_the_counts(team, available, as_owner_of_team, queued):
    with queued():
        answer = as_owner_of_team.post(url(team), {"track": "1"}, headers=HTMX | {"HX-Target": f"repo-{REPO}"})
    page = text(answer)
    assert page.startswith(f'<article class="card" id="repo-{REPO}"')
    assert "Waiting to start" in page
    assert "Tracked 1" in page
    assert page.count('hx-swap-oob="true"') == 2


@pytest.mark.parametrize(("query", "cards"), [("", 1), ("?q=shop", 1), ("?show=untracked", 0)])
def test_a_rows_switch_takes_the_row_away_and_puts_the_card_on_top(
    team, available, as_owner_of_team, queued, query, cards
):
    here = {"HX-Current-URL": f"http://testserver/a/{team.slug}/integrations/github/repos/{query}"}
    with queued():
        answer = as_owner_of_team.post(url(team), {"track": "1"}, headers=HTMX | here | {"HX-Target": f"row-{REPO}"})
    page = text(answer)
    assert page.count('<div hx-swap-oob="afterbegin:#cards"> <article class="card"') == cards
    assert "<tr" not in page
    assert "Not tracked 0" in page


def test_switched_off_the_card_says_so(team, tracked, as_owner_of_team, queued):
    with queued():
        card = as_owner_of_team.post(url(team), {"track": "0"}, headers=HTMX | {"HX-Target": f"repo-{REPO}"})
    assert "Not tracked" in text(card)
    assert "every 2s" not in text(card)


@pytest.mark.parametrize("days", ["", "-1", "0", "abc", "31", "3651", "1e9", "٣٠", "9" * 500, "all "])
def test_a_depth_that_is_none_changes_nothing(team, available, as_owner_of_team, days):
    response = as_owner_of_team.post(url(team), {"days": days})
    assert response.status_code == 400
    assert "30, 60, 90 (days) or all" in response.content.decode()
    with team_scope(team.pk):
        assert not TrackedRepository.objects.exists()


@pytest.mark.parametrize("repo_id", [1, 2**63 - 1, 10**25])
def test_a_repository_that_nobody_sees_is_404(team, available, as_owner_of_team, repo_id):
    assert as_owner_of_team.post(url(team, repo_id=repo_id), {"days": "30"}).status_code == 404


def test_switching_off_what_is_not_followed_is_404(team, available, as_owner_of_team):
    assert as_owner_of_team.post(url(team), {"track": "0"}).status_code == 404


def test_a_disconnected_connection_follows_nothing(team, available, as_owner_of_team):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status="disconnected")
    assert as_owner_of_team.post(url(team), {"days": "30"}).status_code == 409
    with team_scope(team.pk):
        assert not TrackedRepository.objects.exists()


def test_the_connection_that_works_is_taken(team, available, as_owner_of_team, queued):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status="disconnected")
    working = GitHubIntegrationFactory.create(team=team)
    AvailableRepositoryFactory.create(team=team, integration=working, github_repo_id=REPO, full_name="acme/shop")
    with queued():
        as_owner_of_team.post(url(team), {"days": "30"})
    assert only(team).integration_id == working.pk


def test_what_is_no_longer_listed_can_be_taken_up_again(team, available, tracked, as_owner_of_team, queued):
    with team_scope(team.pk):
        available.delete()
        TrackedRepository.objects.update(is_active=False)
    with queued():
        as_owner_of_team.post(url(team), {"days": "90"})
    assert (only(team).is_active, only(team).days_back) == (True, 90)


# ── depth, sync now, webhook ──────────────────────────────


def test_looking_further_back_enqueues_what_is_missing(team, tracked, as_owner_of_team, queued):
    with queued() as tasks:
        as_owner_of_team.post(url(team, "depth"), {"days": "90"})
    assert only(team).days_back == 90
    assert tasks == [("sync_repository_initial_task", team.pk, tracked.pk, 90)]


@pytest.mark.parametrize("days", ["", "-1", "abc", "3651", None])
def test_no_depth_is_400(team, tracked, as_owner_of_team, days):
    data = {} if days is None else {"days": days}
    assert as_owner_of_team.post(url(team, "depth"), data).status_code == 400
    assert only(team).days_back == 30


def test_sync_now_enqueues_one_sync(team, tracked, as_owner_of_team, queued):
    with queued() as tasks:
        for _ in range(3):
            as_owner_of_team.post(url(team, "sync"))
    assert tasks == [("sync_repository_task", team.pk, tracked.pk)]
    assert only(team).sync_status == Sync.PENDING


def test_sync_all_asks_for_each_that_rests(team, tracked, as_owner_of_team, queued):
    TrackedRepositoryFactory.create(team=team, integration=tracked.integration, sync_status=Sync.SYNCING)
    TrackedRepositoryFactory.create(
        team=team, integration=tracked.integration, sync_status=Sync.COMPLETE, is_active=False
    )
    with queued() as tasks:
        as_owner_of_team.post(reverse("integrations:sync_all", args=[team.slug]))
    assert tasks == [("sync_repository_task", team.pk, tracked.pk)]


def test_the_webhook_can_be_tried_again(team, tracked, as_owner_of_team, queued):
    with team_scope(team.pk):
        TrackedRepository.objects.update(webhook_wanted=True, webhook_status=Hook.FORBIDDEN)
    with queued() as tasks:
        as_owner_of_team.post(url(team, "webhook"))
    assert tasks == [("register_webhook_task", team.pk, tracked.pk)]
    assert only(team).webhook_status == Hook.PENDING


@pytest.mark.parametrize("action", ["depth", "sync", "webhook"])
def test_what_is_not_followed_is_404(team, tracked, as_owner_of_team, action):
    with team_scope(team.pk):
        TrackedRepository.objects.update(is_active=False)
    assert as_owner_of_team.post(url(team, action), {"days": "90"}).status_code == 404


# ── progress ──────────────────────────────────────────────


def progress(client, team, **fields) -> str:
    with team_scope(team.pk):
        TrackedRepository.objects.update(**fields)
    response = client.get(url(team, "progress"))
    assert response.status_code == 200
    return text(response)


def test_it_is_asked_for_again_while_a_sync_runs(team, tracked, as_teammate):
    page = progress(
        as_teammate, team, sync_status=Sync.SYNCING, sync_progress=62, sync_prs_completed=517, sync_prs_total=834
    )
    assert "every 2s" in page
    assert url(team, "progress") in page
    assert "62%" in page
    assert "<b>517</b> of 834" in page


@pytest.mark.parametrize("status", [Sync.COMPLETE, Sync.PARTIAL, Sync.ERROR])
def test_it_is_not_asked_for_again_once_it_ended(team, tracked, as_teammate, status):
    page = progress(as_teammate, team, sync_status=status)
    assert "hx-trigger" not in page
    assert 'id="repositories-tabs"' in page  # with its end the counts beside it change
    assert "Syncing 0" in page


def test_a_pause_is_looked_at_now_and_then(team, tracked, as_teammate):
    assert "every 5s" in progress(as_teammate, team, sync_status=Sync.PAUSED)


def test_waiting_is_polled_only_if_somebody_asked_for_a_sync(team, tracked, as_teammate):
    assert "hx-trigger" not in progress(as_teammate, team, sync_status=Sync.PENDING, sync_requested_at=None)
    assert "every 2s" in progress(as_teammate, team, sync_status=Sync.PENDING, sync_requested_at=timezone.now())


@pytest.mark.parametrize("status", [Sync.COMPLETE, Sync.PARTIAL, Sync.ERROR])
def test_it_is_asked_for_again_until_github_answers_about_the_webhook(team, tracked, as_teammate, status):
    page = progress(as_teammate, team, sync_status=status, webhook_status=Hook.PENDING)
    assert "every 5s" in page
    assert 'id="repositories-tabs"' in page  # the sync ended: the counts are told now
    assert "hx-trigger" not in progress(as_teammate, team, webhook_status=Hook.ACTIVE)


def test_nobody_waits_for_the_webhook_of_what_is_off_or_disconnected(team, tracked, as_teammate):
    assert "hx-trigger" not in progress(as_teammate, team, webhook_status=Hook.PENDING, is_active=False)
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status=GitHubIntegration.SyncStatus.DISCONNECTED)
    assert "hx-trigger" not in progress(as_teammate, team, is_active=True)


@pytest.mark.parametrize("total", [None, 0, 5])
def test_odd_totals_break_nothing(team, tracked, as_teammate, total):
    page = progress(
        as_teammate,
        team,
        sync_status=Sync.SYNCING,
        sync_prs_total=total,
        sync_prs_completed=7,
        sync_started_at=timezone.now(),
    )
    assert "is being measured" in page


# ── whose it is ───────────────────────────────────────────


@pytest.mark.parametrize("action", ["toggle", "sync", "depth", "webhook"])
def test_it_checks_ownership(team, tracked, as_teammate, as_outsider, stranger, action):
    assert as_teammate.post(url(team, action), {"days": "90"}).status_code == 403
    assert as_outsider.post(url(team, action), {"days": "90"}).status_code == 404
    assert "/accounts/login/" in stranger.post(url(team, action))["Location"]
    unchanged = only(team)
    assert (unchanged.is_active, unchanged.days_back, unchanged.sync_status) == (True, 30, Sync.COMPLETE)


def test_progress_is_the_teams(team, tracked, as_teammate, as_outsider, stranger):
    assert as_teammate.get(url(team, "progress")).status_code == 200
    assert as_outsider.get(url(team, "progress")).status_code == 404
    assert "/accounts/login/" in stranger.get(url(team, "progress"))["Location"]


@pytest.mark.parametrize("action", ["toggle", "sync", "depth", "webhook", "progress"])
def test_another_teams_repository_does_not_exist(other_team, team, tracked, as_outsider, action):
    """The admin of another team, at home, asks for this team's repository by its id."""
    method = as_outsider.get if action == "progress" else as_outsider.post
    assert method(url(other_team, action), {"days": "90"}).status_code == 404
    assert only(team).sync_status == Sync.COMPLETE


@pytest.mark.parametrize("action", ["toggle", "sync", "depth", "webhook"])
def test_reading_changes_nothing(team, tracked, as_owner_of_team, action):
    assert as_owner_of_team.get(url(team, action)).status_code == 405


def test_switching_off_stops_the_run(team, tracked, as_owner_of_team, queued):
    run = SyncRunFactory.create(team=team, tracked_repository=tracked, status=SyncRun.Status.RUNNING)
    with queued():
        as_owner_of_team.post(url(team), {"track": "0"})
    with team_scope(team.pk):
        run.refresh_from_db()
    assert run.status == SyncRun.Status.CANCELLED

"""What cards and the connection's panel say when something is wrong: what, since when, what it means, what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import (
    AvailableRepositoryFactory,
    GitHubIntegrationFactory,
    IntegrationCredentialFactory,
    SyncRunFactory,
    TrackedRepositoryFactory,
)
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.queries.cards import State, cards_of, tracked_rows
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.scope import team_scope

Sync = TrackedRepository.SyncStatus
STOPPED = "GitHub answers 404: the repository was deleted, or the connection no longer has access to it."


@pytest.fixture
def integration(team):
    integration = GitHubIntegrationFactory.create(team=team, organization_slug="acme")
    IntegrationCredentialFactory.create(team=team, integration=integration)
    return integration


@pytest.fixture
def url(team):
    return reverse("integrations:repositories", args=[team.slug])


def tracked(integration, name="shop", owner="acme", **fields) -> TrackedRepository:
    repository = RepositoryFactory.create(
        team=integration.team,
        full_name=f"{owner}/{name}",
        completeness={"stored": 88, "partial": 0},
        synced_to=timezone.now() - timedelta(days=3),
    )
    return TrackedRepositoryFactory.create(
        team=integration.team, integration=integration, repository=repository, **fields
    )


def stopped(integration, **fields) -> TrackedRepository:
    now = timezone.now()
    fields = {"stopped_at": now, "stopped_reason": STOPPED, "admins_told_at": now} | fields
    return tracked(integration, is_active=False, sync_status=Sync.ERROR, **fields)


def text(response) -> str:
    return " ".join(response.content.decode().split())


def broken(integration, status, **fields):
    fields = {"status_since": timezone.now() - timedelta(hours=2), "admins_told_at": timezone.now()} | fields
    with team_scope(integration.team_id):
        GitHubIntegration.objects.filter(pk=integration.pk).update(sync_status=status, **fields)


def test_a_stopped_repository_keeps_its_card_and_says_what_to_do(integration, url, as_owner_of_team, as_teammate):
    row = stopped(integration)
    tracked(integration, "web", sync_status=Sync.COMPLETE)
    page = text(as_owner_of_team.get(url))
    for words in (
        "1 of 2 needs attention",
        "Tracked 2",
        "Not reachable",
        "since <time",
        STOPPED,
        "What is stored stays; numbers after <time",
        "<b>88</b> kept",
        "Admins were told <time",
        "Leave it off",
        "Sync again",
    ):
        assert words in page
    assert "sees this repository again" not in page
    toggle = reverse("integrations:github_repo_toggle", args=[integration.team.slug, row.repository.github_repo_id])
    assert f'action="{toggle}"' in page
    assert "Sync again" not in text(as_teammate.get(url))


def test_it_says_when_the_connection_sees_it_again(integration, url, as_owner_of_team):
    row = stopped(integration, stopped_at=timezone.now() - timedelta(hours=1))
    AvailableRepositoryFactory.create(
        team=integration.team,
        integration=integration,
        github_repo_id=row.repository.github_repo_id,
        full_name="acme/shop",
        seen_at=timezone.now() - timedelta(hours=2),
    )
    assert "sees this repository again" not in text(as_owner_of_team.get(url))
    with team_scope(integration.team_id):
        integration.available_repositories.update(seen_at=timezone.now())
    page = text(as_owner_of_team.get(url))
    assert "The connection sees this repository again." in page
    assert "Not tracked 0" in page


def test_one_that_is_blocked_is_not_back_because_it_is_listed(integration, url, as_owner_of_team):
    reason = "GitHub answers 451: it blocks the repository for legal reasons."
    row = stopped(integration, stopped_at=timezone.now() - timedelta(hours=1), stopped_reason=reason)
    AvailableRepositoryFactory.create(
        team=integration.team,
        integration=integration,
        github_repo_id=row.repository.github_repo_id,
        full_name="acme/shop",
        seen_at=timezone.now(),
    )
    page = text(as_owner_of_team.get(url))
    assert reason in page
    assert "sees this repository again" not in page


def test_syncing_it_again_takes_it_up_and_leaving_it_off_takes_the_card_away(integration, as_owner_of_team, queued):
    row = stopped(integration)
    toggle = reverse("integrations:github_repo_toggle", args=[integration.team.slug, row.repository.github_repo_id])
    with queued() as tasks:
        as_owner_of_team.post(toggle, {"track": "1", "days": "30"})
    assert ("sync_repository_initial_task", integration.team_id, row.pk, 30) in tasks
    with team_scope(integration.team_id):
        now = TrackedRepository.objects.get(pk=row.pk)
        assert (now.is_active, now.stopped_at, now.sync_status) == (True, None, "pending")
        TrackedRepository.objects.filter(pk=row.pk).update(is_active=False, stopped_at=timezone.now())
    as_owner_of_team.post(toggle, {"track": "0"})
    with team_scope(integration.team_id):
        assert cards_of(tracked_rows().filter(pk=row.pk))[0].state == State.OFF


def test_a_refused_connection_is_on_every_card(integration, url, as_owner_of_team):
    tracked(integration, sync_status=Sync.COMPLETE)
    tracked(integration, "web", sync_status=Sync.PAUSED)
    broken(integration, "disconnected", status_reason="GitHub does not accept the token. Connect GitHub again.")
    page = text(as_owner_of_team.get(url))
    assert "2 of 2 need attention" in page
    assert page.count("Disconnected") >= 2
    assert page.count("Connect acme again and it goes on where it stopped") == 2
    assert page.count("Admins were told") == 2
    assert "Since <time" in page


def test_a_held_connection_leads_to_where_it_is_authorised(integration, url, as_owner_of_team, as_teammate):
    tracked(integration, sync_status=Sync.PAUSED)
    sso = "https://github.com/orgs/acme/sso?authorization_request=1"
    broken(integration, "held", status_reason="The organisation requires single sign-on.", status_url=sso)
    page = text(as_owner_of_team.get(url))
    assert page.count(f'href="{sso}"') == 2  # on the card and on the panel
    assert page.count("Try again") == 2
    assert "It is tried every hour." in page
    assert "1 of 1 needs attention" in page
    assert "Try again" not in text(as_teammate.get(url))
    connect = text(as_owner_of_team.get(reverse("integrations:connect", args=[integration.team.slug])))
    assert f'href="{sso}"' in connect


def test_missing_permissions_are_on_the_panel_and_on_the_card(integration, url, as_owner_of_team):
    tracked(integration, sync_status=Sync.COMPLETE)
    since = timezone.now().isoformat()
    with team_scope(integration.team_id):
        GitHubIntegration.objects.update(permissions_missing={"checks": {"permission": "checks: read", "since": since}})
    page = text(as_owner_of_team.get(url))
    assert "It may not read checks (checks: read)." in page
    assert "checks: permission missing." in page


def test_a_pause_says_until_when_in_the_viewers_zone_and_by_whom(integration, url, as_owner_of_team):
    limited = tracked(
        integration,
        sync_status=Sync.PAUSED,
        rate_limited=True,
        last_sync_error="Used up.",
    )
    by_hand = tracked(integration, "web", sync_status=Sync.PAUSED, last_sync_error="Paused by Ada.")
    until = timezone.now() + timedelta(minutes=24)
    SyncRunFactory.create(
        team=integration.team, tracked_repository=limited, status=SyncRun.Status.PAUSED, resume_at=until
    )
    SyncRunFactory.create(team=integration.team, tracked_repository=by_hand, status=SyncRun.Status.PAUSED)
    page = text(as_owner_of_team.get(url))
    assert "Paused by GitHub’s rate limit" in page
    assert (
        f'<dt>Paused until</dt><dd><b><time datetime="{until.isoformat(timespec="seconds")}" data-style="time"' in page
    )
    assert "when somebody resumes it" in page
    assert "Paused by Ada." in page
    assert page.count("Resume") == 1


def test_a_transferred_repository_says_whose_it_is(integration, url, as_owner_of_team):
    tracked(integration, owner="globex", sync_status=Sync.COMPLETE)
    assert "It belongs to globex now, not to acme." in text(as_owner_of_team.get(url))


def test_a_disabled_repository_says_so_and_is_not_offered(integration, url, as_owner_of_team):
    row = tracked(integration, sync_status=Sync.COMPLETE)
    for number in (row.repository.github_repo_id, 5):
        AvailableRepositoryFactory.create(
            team=integration.team, integration=integration, github_repo_id=number, is_disabled=True
        )
    page = text(as_owner_of_team.get(url))
    assert "GitHub’s staff disabled this repository." in page
    assert "Not tracked 0" in page


def test_trying_a_held_connection_again_has_its_syncs_going_on(
    sandbox, connected, as_owner_of_team, as_teammate, queued
):
    row = TrackedRepositoryFactory.create(team=connected.team, integration=connected)
    SyncRunFactory.create(
        team=connected.team, tracked_repository=row, status=SyncRun.Status.PAUSED, resume_at=timezone.now()
    )
    broken(connected, "held", status_reason="The organisation requires single sign-on.")
    retry = reverse("integrations:retry", args=[connected.team.slug, connected.pk])
    assert as_teammate.post(retry).status_code == 403
    sandbox.faults.add("/orgs/acme/repos", "sso", times=1)
    answer = as_owner_of_team.post(retry)
    [said] = [str(message) for message in get_messages(answer.wsgi_request)]
    assert "single sign-on" in said
    with queued() as tasks:
        answer = as_owner_of_team.post(retry)
    assert ("give_turns_task", connected.team_id, connected.pk) in tasks
    assert "acme works again" in [str(message) for message in get_messages(answer.wsgi_request)][-1]
    with team_scope(connected.team_id):
        assert GitHubIntegration.objects.get(pk=connected.pk).sync_status == "connected"
        assert SyncRun.objects.get().status == "pending"


def test_a_first_sync_that_trouble_stopped_says_what_it_brought_so_far(integration, url, as_owner_of_team):
    row = tracked(integration, sync_status=Sync.PAUSED, sync_prs_completed=31)
    with team_scope(integration.team_id):
        type(row.repository).objects.filter(pk=row.repository_id).update(completeness={}, synced_to=None)
    broken(integration, GitHubIntegration.SyncStatus.HELD, status_reason="The organisation requires single sign-on.")
    page = text(as_owner_of_team.get(url))
    assert "<b>31</b> kept" in page
    assert "what was not fetched yet counts nowhere" in page


def test_a_sync_that_could_not_read_everything_claims_no_partial_pull_requests(integration, url, as_owner_of_team):
    tracked(integration, sync_status=Sync.PARTIAL)
    page = text(as_owner_of_team.get(url))
    assert "The last sync could not read everything." in page
    assert "<b>0</b> partial" not in page


def test_pauses_do_not_count_for_the_speed(integration):
    now = timezone.now()
    row = tracked(
        integration, sync_status=Sync.SYNCING, sync_prs_completed=100, sync_started_at=now - timedelta(minutes=70)
    )
    begun, until = now - timedelta(minutes=65), now - timedelta(minutes=5)
    SyncRunFactory.create(
        team=integration.team,
        tracked_repository=row,
        status=SyncRun.Status.RUNNING,
        waits=[{"from": begun.isoformat(), "until": until.isoformat(), "reason": "Used up."}],
    )
    with team_scope(integration.team_id):
        [card] = cards_of(tracked_rows())
    assert card.per_minute == pytest.approx(10, rel=0.01)


def test_a_card_names_why_a_part_is_missing_in_few_words(integration, url, as_owner_of_team):
    row = tracked(integration, sync_status=Sync.PARTIAL)
    reason = "GitHub could not compute the diff; REST: GitHub rejected the request: 422 Sorry"
    with team_scope(integration.team_id):
        type(row.repository).objects.filter(pk=row.repository_id).update(completeness={"stored": 88, "partial": 1})
        PullRequestFactory.create(
            team=integration.team, repository=row.repository, partial={"files": reason}, is_partial=True
        )
    page = text(as_owner_of_team.get(url))
    assert "files: GitHub could not compute the diff</li>" in page

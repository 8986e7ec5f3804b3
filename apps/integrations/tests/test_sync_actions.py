"""What admins do to a sync: cancel, pause, go on, try again; each leaves a line in the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.integrations.factories import SyncRunFactory, TrackedRepositoryFactory
from apps.integrations.models import SyncRun, TrackedRepository
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope

Kind, Status, Sync = SyncRun.Kind, SyncRun.Status, TrackedRepository.SyncStatus
HTMX = {"HX-Request": "true"}


@pytest.fixture
def tracked(team) -> TrackedRepository:
    repository = RepositoryFactory.create(
        team=team,
        full_name="acme/shop",
        covered_from=timezone.now() - timedelta(days=31),
        completeness={"stored": 9, "partial": 0},
    )
    return TrackedRepositoryFactory.create(
        team=team, repository=repository, sync_status=Sync.COMPLETE, watermark=timezone.now()
    )


def run(tracked, status=Status.RUNNING, kind=Kind.INITIAL, **fields) -> SyncRun:
    with team_scope(tracked.team_id):
        if status in SyncRun.UNFINISHED:
            TrackedRepository.objects.update(sync_status=Sync.SYNCING)
    return SyncRunFactory.create(team=tracked.team, tracked_repository=tracked, kind=kind, status=status, **fields)


def post(client, one, action, **data):
    return client.post(reverse(f"integrations:sync_run_{action}", args=[one.team.slug, one.pk]), data)


def repo_url(tracked, action) -> str:
    return reverse(f"integrations:github_repo_{action}", args=[tracked.team.slug, tracked.repository.github_repo_id])


def now_of(row):
    with team_scope(row.team_id):
        return type(row).objects.get(pk=row.pk)


def events(team) -> list[tuple[str, str]]:
    with team_scope(team.pk):
        return list(AuditEvent.objects.order_by("pk").values_list("action", "details__repository"))


# ── cancel ────────────────────────────────────────────────


@pytest.mark.parametrize("status", SyncRun.UNFINISHED)
def test_a_history_that_is_cancelled_rests_until_somebody_asks(team, tracked, as_owner_of_team, owner, queued, status):
    one = run(tracked, status)
    with queued() as tasks:
        answer = post(as_owner_of_team, one, "cancel", back="run")
    assert answer["Location"] == reverse("integrations:sync_run", args=[team.slug, one.pk])
    assert now_of(one).status == Status.CANCELLED
    assert now_of(one).token != one.token  # the worker that is at it stops at its next page
    after = now_of(tracked)
    assert (after.sync_status, after.sync_requested_at) == (Sync.PENDING, None)
    assert after.last_sync_error == f"Cancelled by {owner.display_name}."
    assert events(team) == [("sync.cancelled", "acme/shop")]
    assert tasks == [("give_turns_task", team.pk, tracked.integration_id)]


@pytest.mark.parametrize(("partial", "status"), [(0, Sync.COMPLETE), (2, Sync.PARTIAL)])
def test_after_a_cancelled_update_the_repository_is_followed_on(tracked, as_owner_of_team, queued, partial, status):
    with team_scope(tracked.team_id):
        tracked.repository.completeness = {"stored": 9, "partial": partial}
        tracked.repository.save()
    with queued():
        post(as_owner_of_team, run(tracked, kind=Kind.INCREMENTAL), "cancel")
    assert now_of(tracked).sync_status == status


def test_what_ended_is_not_cancelled(team, tracked, as_owner_of_team, queued):
    ended, going_on = run(tracked, Status.COMPLETE), run(tracked)
    with queued() as tasks:
        post(as_owner_of_team, ended, "cancel")
    assert tasks == []
    assert (now_of(ended).status, now_of(going_on).status) == (Status.COMPLETE, Status.RUNNING)
    assert events(team) == []


def test_what_was_cancelled_can_be_synced_again(team, tracked, as_owner_of_team, queued):
    one = run(tracked)
    with queued() as tasks:
        post(as_owner_of_team, one, "cancel")
        post(as_owner_of_team, one, "retry")
    assert tasks[1:] == [("sync_repository_task", team.pk, tracked.pk)]
    assert events(team)[1:] == [("repository.sync_asked", "acme/shop")]


def test_a_cards_button_gets_the_card(tracked, as_owner_of_team, queued):
    one = run(tracked)
    where = reverse("integrations:sync_run_cancel", args=[one.team.slug, one.pk])
    with queued():
        answer = as_owner_of_team.post(where, headers=HTMX)
    page = " ".join(answer.content.decode().split())
    assert page.startswith(f'<article class="card" id="repo-{tracked.repository.github_repo_id}"')
    assert "Cancelled" in page


# ── pause and go on ───────────────────────────────────────


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_a_sync_is_held_until_somebody_lets_it_go_on(team, tracked, as_owner_of_team, owner, queued, status):
    one = run(tracked, status)
    with queued() as tasks:
        as_owner_of_team.post(repo_url(tracked, "pause"))
    held = now_of(one)
    assert (held.status, held.resume_at) == (Status.PAUSED, None)
    assert held.token != one.token
    assert held.waits[-1]["reason"] == f"Paused by {owner.display_name}."
    assert now_of(tracked).sync_status == Sync.PAUSED
    with queued() as more:
        as_owner_of_team.post(repo_url(tracked, "resume"))
    assert now_of(one).status == Status.PENDING
    assert tasks == more == [("give_turns_task", team.pk, tracked.integration_id)]
    assert events(team) == [("sync.paused", "acme/shop"), ("sync.resumed", "acme/shop")]


def test_a_second_click_changes_nothing(team, tracked, as_owner_of_team, queued):
    run(tracked)
    with queued():
        for action in ("pause", "pause", "resume", "resume"):
            as_owner_of_team.post(repo_url(tracked, action))
    assert [action for action, _ in events(team)] == ["sync.paused", "sync.resumed"]


def test_what_waits_for_the_limit_can_be_held_too(tracked, as_owner_of_team, queued):
    one = run(tracked, Status.PAUSED, resume_at=timezone.now(), rate_limited=True)
    with queued():
        as_owner_of_team.post(repo_url(tracked, "pause"))
    assert now_of(one).resume_at is None


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_without_a_sync_there_is_nothing_to_hold(team, tracked, as_owner_of_team, queued, action):
    with queued() as tasks:
        answer = as_owner_of_team.post(repo_url(tracked, action))
    assert answer["Location"] == reverse("integrations:repositories", args=[team.slug])
    assert (tasks, events(team)) == ([], [])


def test_a_repository_that_is_not_followed_is_404(tracked, as_owner_of_team):
    with team_scope(tracked.team_id):
        TrackedRepository.objects.update(is_active=False)
    assert as_owner_of_team.post(repo_url(tracked, "pause")).status_code == 404


# ── again ─────────────────────────────────────────────────


@pytest.mark.parametrize("status", [Status.ERROR, Status.PARTIAL, Status.CANCELLED])
def test_what_ended_badly_is_synced_again(team, tracked, as_owner_of_team, queued, status):
    one = run(tracked, status)
    with queued() as tasks:
        answer = post(as_owner_of_team, one, "retry")
    assert answer["Location"] == reverse("integrations:sync_run", args=[team.slug, one.pk])
    assert tasks == [("sync_repository_task", team.pk, tracked.pk)]
    assert "begins within seconds" in as_owner_of_team.get(answer["Location"]).content.decode()


def test_one_that_goes_on_is_not_begun_twice(tracked, as_owner_of_team, queued):
    failed = run(tracked, Status.ERROR)
    run(tracked)
    with queued() as tasks:
        answer = post(as_owner_of_team, failed, "retry")
    assert tasks == []
    assert "A sync of it goes on or waits already." in as_owner_of_team.get(answer["Location"]).content.decode()


def partial_pr(tracked, number, **fields):
    return PullRequestFactory.create(
        team=tracked.team, repository=tracked.repository, number=number, node_id=f"PR_{number}", **fields
    )


def test_exactly_those_that_are_still_partial_are_fetched_again(team, tracked, as_owner_of_team, queued):
    missing = {"files": "timed out"}
    partial_pr(tracked, 5, is_partial=True, partial=missing)
    partial_pr(tracked, 6)  # completed since
    partial_pr(tracked, 7, is_partial=True, partial=missing, gone_at=timezone.now())
    partial_pr(tracked, 8, is_partial=True, partial=missing)  # left partial by another sync
    partial_pr(tracked, 9, is_partial=True, partial=missing)
    one = run(tracked, Status.PARTIAL, partial={str(number): missing for number in (5, 6, 7, 9)})
    page = as_owner_of_team.get(reverse("integrations:sync_run", args=[team.slug, one.pk])).content.decode()
    assert "Try the 2 again" in page
    with queued() as tasks:
        answer = post(as_owner_of_team, one, "retry", only="partial")
    with team_scope(team.pk):
        begun = SyncRun.objects.exclude(pk=one.pk).get()
    assert begun.kind == Kind.PR
    assert begun.checkpoint["ids"] == [["PR_9", 9], ["PR_5", 5]]
    assert answer["Location"] == reverse("integrations:sync_run", args=[team.slug, begun.pk])
    assert tasks == [("give_turns_task", team.pk, tracked.integration_id)]
    assert events(team) == [("sync.fetched_again", "acme/shop")]


def test_a_repository_that_is_not_covered_yet_is_synced_whole(team, tracked, as_owner_of_team, queued):
    one = run(tracked, Status.ERROR, partial={"7": {"files": "timed out"}})
    PullRequestFactory.create(team=team, repository=tracked.repository, number=7, node_id="PR_7", is_partial=True)
    with team_scope(team.pk):
        TrackedRepository.objects.update(watermark=None, sync_status=Sync.ERROR)
    with queued() as tasks:
        post(as_owner_of_team, one, "retry", only="partial")
    assert tasks == [("sync_repository_task", team.pk, tracked.pk)]
    with team_scope(team.pk):
        assert SyncRun.objects.get() == one  # the few pull requests would have passed for all of it


def test_with_nothing_left_nothing_is_fetched_again(team, tracked, as_owner_of_team, queued):
    one = run(tracked, Status.PARTIAL, partial={"6": {"files": "timed out"}})
    partial_pr(tracked, 6)
    with queued() as tasks:
        answer = post(as_owner_of_team, one, "retry", only="partial")
    assert (tasks, events(team)) == ([], [])
    page = as_owner_of_team.get(answer["Location"]).content.decode()
    assert "Nothing to try again" in page
    assert "Try the" not in page


# ── who may ───────────────────────────────────────────────


def test_a_member_sees_no_buttons_and_may_not_press_them(tracked, as_teammate, as_owner_of_team):
    one = run(tracked)
    where = reverse("integrations:sync_run", args=[one.team.slug, one.pk])
    assert 'id="do-cancel"' in as_owner_of_team.get(where).content.decode()
    assert 'id="do-cancel"' not in as_teammate.get(where).content.decode()
    assert [post(as_teammate, one, action).status_code for action in ("cancel", "retry")] == [403, 403]
    assert [as_teammate.post(repo_url(tracked, action)).status_code for action in ("pause", "resume")] == [403, 403]
    assert now_of(one).status == Status.RUNNING

"""What no waiting mends: a sync ends with the reason, the admins are told once, and it is tried again when that helps.

Rows of the table "Behaviour for each failure", see test_failure_table.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import mail
from django.db.models import F
from django.utils import timezone

from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.queries.cards import cards_of
from apps.integrations.services import github_sync, sync_notifications
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.failure_support import (
    NOW,
    REPO,
    connection_of,
    repository_of,
    stored,
    sync,
    tell,
    time_passes,
    update,
)
from apps.integrations.tests.sync_support import fresh, run_of, tracked_at
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory
from devtools.github_sandbox.server import SandboxServer


def test_a_repository_that_may_not_be_read_at_all_is_stopped_with_the_reason(fragile_github, fragile_shop):
    fragile_github.mutations.apply({"action": "forbid", "part": "pullRequests"})
    assert sync(fragile_shop).ended == Ended.FAILED
    row = fresh(fragile_shop)
    assert (row.is_active, run_of(fragile_shop).status) == (False, "error")
    assert "permission" in row.stopped_reason
    assert len(mail.outbox) == 1


def test_a_repository_that_is_blocked_is_stopped_and_the_others_go_on(settings, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    with SandboxServer(synthetic=["acme:shop:9:1", "acme:web:9:2"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        shop, web = tracked_at(github, team, "acme/shop"), tracked_at(github, team, "acme/web")
        sync(shop)
        github.mutations.apply({"action": "block", "repo": "acme/shop"})
        assert sync(shop).ended == Ended.FAILED
        assert sync(web).ended == Ended.FINISHED
    row = fresh(shop)
    assert row.is_active is False
    assert row.stopped_at is not None
    assert "451" in row.stopped_reason
    assert (stored(shop), stored(web)) == (9, 9)
    assert connection_of(web).sync_status == "connected"
    assert [message.subject for message in mail.outbox] == ["The sync of acme/shop needs you"]
    assert "451" in mail.outbox[0].body


def test_a_request_that_github_rejects_ends_the_run_with_its_words(fragile_github, fragile_shop):
    body = {"data": None, "errors": [{"type": "undefinedField", "message": "Field 'x' doesn't exist"}]}
    fragile_github.faults.add("*", "status", times=-1, status=400, body=body)
    assert sync(fragile_shop).ended == Ended.FAILED
    row = fresh(fragile_shop)
    assert (row.sync_status, row.is_active, row.stopped_at) == ("error", True, None)
    assert "GitHub rejected the request" in row.last_sync_error
    assert len(mail.outbox) == 1
    assert sync(fragile_shop).ended == Ended.FAILED
    assert len(mail.outbox) == 1  # once for the trouble, not for each sync that meets it
    fragile_github.faults.clear()
    assert sync(fragile_shop).ended == Ended.FINISHED
    assert fresh(fragile_shop).admins_told_at is None
    fragile_github.faults.add("*", "status", times=-1, status=400, body=body)
    assert sync(fragile_shop).ended == Ended.FAILED
    assert len(mail.outbox) == 2  # it came back


def test_nonsense_that_nobody_foresaw_pauses_a_few_times_then_ends_with_a_plain_message(
    fragile_github, fragile_shop, caplog
):
    fragile_github.mutations.apply({"repo": REPO, "action": "deploy"})
    fragile_github.world.repository(REPO).contents.deployments[-1].created_at = "yesterday, more or less"
    with caplog.at_level("CRITICAL"):
        for _ in range(3):
            assert sync(fragile_shop).ended == Ended.PAUSED
            assert time_passes(fragile_shop) is not None
        assert sync(fragile_shop).ended == Ended.FAILED
    row = fresh(fragile_shop)
    assert (row.sync_status, row.is_active) == ("error", True)
    assert "cannot handle (ValueError)" in row.last_sync_error
    assert len(mail.outbox) == 1
    assert repository_of(fragile_shop).full_name == REPO


def test_what_failed_though_it_was_covered_is_tried_again_the_next_day_and_told_once(
    fragile_github, fragile_shop, team
):
    assert sync(fragile_shop).ended == Ended.FINISHED
    body = {"data": None, "errors": [{"type": "undefinedField", "message": "Field 'x' doesn't exist"}]}
    fragile_github.faults.add("*", "status", times=-1, status=400, body=body)
    assert update(fragile_shop).ended == Ended.FAILED
    assert "It is tried again each day" in mail.outbox[-1].body
    hours_pass(team, 23)
    assert github_sync.ask_for_looks(team.pk) == []
    hours_pass(team, 2)
    with team_scope(team.pk):
        [card] = cards_of([fresh(fragile_shop)])
    assert card.state == "failed"
    assert card.tried_again_at < timezone.now()
    assert github_sync.ask_for_looks(team.pk) == [fragile_shop.integration_id]
    github_sync.look(team.pk, fragile_shop.integration_id)
    [handle] = github_sync.next_turns(team_id=team.pk, integration_id=fragile_shop.integration_id)
    assert github_sync.advance(handle).ended == Ended.FAILED
    tell(team.pk)
    sync_notifications.notify_about(team_id=team.pk, run_id=handle.run_id)
    assert len(mail.outbox) == 1
    assert github_sync.ask_for_looks(team.pk) == []  # and not before the day after
    hours_pass(team, 25)
    fragile_github.faults.clear()
    github_sync.look(team.pk, fragile_shop.integration_id)
    [handle] = github_sync.next_turns(team_id=team.pk, integration_id=fragile_shop.integration_id)
    assert github_sync.advance(handle).ended == Ended.FINISHED
    assert (fresh(fragile_shop).sync_status, fresh(fragile_shop).admins_told_at) == ("complete", None)


def test_a_history_that_failed_waits_for_a_person(fragile_github, fragile_shop, team):
    assert sync(fragile_shop, 30).ended == Ended.FINISHED
    fragile_github.faults.add("*", "status", times=-1, status=400, body={"data": None, "errors": [{"message": "x"}]})
    assert sync(fragile_shop, None).ended == Ended.FAILED
    assert "cannot go on by itself" in mail.outbox[-1].body
    hours_pass(team, 50)
    assert github_sync.ask_for_looks(team.pk) == []
    with team_scope(team.pk):
        assert cards_of([fresh(fragile_shop)])[0].tried_again_at is None


def hours_pass(team, hours):
    by = timedelta(hours=hours)
    with team_scope(team.pk):
        SyncRun.objects.update(finished_at=F("finished_at") - by)
        TrackedRepository.objects.update(last_sync_at=F("last_sync_at") - by)
        GitHubIntegration.objects.update(look_claimed_until=None, look_asked_at=None)

"""GitHub does not stand still: repositories, people and organisations are renamed, moved, hidden, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.integrations.models import AvailableRepository, SyncRun
from apps.integrations.services import discovery, github_sync
from apps.integrations.services.github_sync import trouble
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.repositories import track_repository, untrack_repository
from apps.integrations.tests.failure_support import (
    NOW,
    connection_of,
    repository_of,
    stored,
    sync,
    tell,
    update,
    use_token,
)
from apps.integrations.tests.looks_support import an_hour_later
from apps.integrations.tests.sync_support import begun, fresh, reaped, rows_of, run_of, tracked_at, versions_of
from apps.metrics.models import PullRequest, Repository, TeamMember
from apps.teams.factories import MembershipFactory
from apps.teams.models import AuditEvent
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=["acme:shop:30:7", "acme:web:9:2", "globex:tools:3:3"], now=NOW) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        yield sandbox


@pytest.fixture
def shop(github, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    return tracked_at(github, team, "acme/shop")


def happens(github, action, **more):
    return github.mutations.apply({"action": action, **more})


def taken_by_another(github, name):
    """Somebody makes a new repository of the former name: it no longer leads to the old one."""
    world = github.world
    world._old_names.pop(name, None)


# --- repositories


def test_a_renamed_repository_is_followed_by_the_redirect(github, shop, team):
    sync(shop)
    happens(github, "rename", repo="acme/shop", name="store")
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "acme/store"
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme/store"}
        assert PullRequest.objects.get(number=3).url == f"{github.url}/acme/store/pull/3"
    assert mail.outbox == []


def test_a_renamed_repository_whose_former_name_leads_nowhere_is_found_by_its_id_at_once(github, shop, team):
    sync(shop)
    happens(github, "rename", repo="acme/shop", name="store")
    taken_by_another(github, "acme/shop")
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "acme/store"
    assert (fresh(shop).sync_status, run_of(shop).errors, stored(shop)) == ("complete", [], 30)
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme/store"}
    assert mail.outbox == []


def test_a_rename_in_the_middle_of_a_sync_loses_nothing(github, shop, team, other_team):
    def renamed(run):
        if github.world.repository("acme/store") is None:
            happens(github, "rename", repo="acme/shop", name="store")
            taken_by_another(github, "acme/shop")

    assert github_sync.advance(begun(shop), on_page=renamed).ended == Ended.FINISHED
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "acme/store"
    sync(tracked_at(github, other_team, "acme/store"))
    assert rows_of(team) == rows_of(other_team)


def test_a_transferred_repository_is_followed_as_long_as_the_connection_sees_it(github, shop, team):
    sync(shop)
    happens(github, "transfer", repo="acme/shop", to="globex")
    taken_by_another(github, "acme/shop")
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "globex/shop"
    assert fresh(shop).is_active
    assert discovery.discover(team_id=team.pk, integration_id=shop.integration_id)
    assert connection_of(shop).organization_slug == "acme"  # the organisation is what it was
    assert mail.outbox == []


def taken_by_a_stranger(github, shop):
    """Ours is called otherwise, and somebody makes another repository of the name."""
    happens(github, "rename", repo="acme/shop", name="store")
    happens(github, "create_repository", repo="acme/shop", pulls=40)


def test_nothing_of_another_repository_that_took_the_name_is_stored(github, shop, team, other_team):
    sync(shop)
    taken_by_a_stranger(github, shop)
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "acme/store"
    sync(tracked_at(github, other_team, "acme/store"))
    assert rows_of(team, present=True) == rows_of(other_team)


@pytest.mark.parametrize(("days", "kind"), [(30, "initial"), (None, "initial"), (None, "incremental")])
def test_another_one_of_the_name_is_noticed_by_whatever_comes_next(github, shop, team, other_team, days, kind):
    """In the middle of a walk, of deployments, of what changed meanwhile, of the count of a window."""
    sync(shop, days)
    for page in range(6):
        happens(github, "comment", repo=repository_of(shop).full_name, number=3)
        handle, name = begun(shop, kind, 90 if days else None), repository_of(shop).full_name
        seen = []

        def after(run, at=page, seen=seen, name=name):
            seen.append(run.pk)
            if len(seen) == at:
                happens(github, "rename", repo=name, name=f"store-{at}")
                happens(github, "create_repository", repo=name, pulls=40)

        if page == 0:
            happens(github, "rename", repo=name, name="store-0")
            happens(github, "create_repository", repo=name, pulls=40)
        assert github_sync.advance(handle, on_page=after).ended == Ended.FINISHED
    assert sync(shop).ended == Ended.FINISHED
    sync(tracked_at(github, other_team, repository_of(shop).full_name))
    assert rows_of(team, present=True) == rows_of(other_team, present=True)


def test_deleted_and_made_anew_it_is_another_repository_and_the_sync_stops(github, shop):
    sync(shop)
    happens(github, "delete_repository", repo="acme/shop")
    happens(github, "create_repository", repo="acme/shop", pulls=40)
    assert update(shop).ended == Ended.FAILED
    assert (fresh(shop).is_active, stored(shop)) == (False, 30)
    assert "GitHub answers 404" in fresh(shop).stopped_reason


def test_events_and_looks_bring_nothing_of_a_stranger_either(github, shop, team):
    sync(shop)
    before = rows_of(team)
    taken_by_a_stranger(github, shop)
    an_hour_later(team)
    looked = github_sync.look(team.pk, shop.integration_id)
    assert (looked.changed, looked.error) == (0, "")
    assert repository_of(shop).full_name == "acme/store"
    errors = []
    with team_scope(team.pk):
        pr = PullRequest.objects.get(number=3)
    assert github_sync.sync_pr_files(pr, 3, "sandbox-token", "acme/shop", team, errors) == 0
    assert len(errors) == 1
    after = rows_of(team)
    assert {table: len(rows) for table, rows in after.items()} == {table: len(rows) for table, rows in before.items()}


@pytest.mark.parametrize("action", ["delete_repository", "hide"])
def test_a_repository_that_is_gone_or_hidden_is_stopped_keeps_its_data_and_says_why(github, shop, team, action):
    sync(shop)
    happens(github, action, repo="acme/shop")
    assert update(shop).ended == Ended.FAILED
    row = fresh(shop)
    assert (row.is_active, stored(shop)) == (False, 30)
    assert timezone.now() - row.stopped_at < timedelta(minutes=1)
    assert "GitHub answers 404" in row.stopped_reason
    assert (run_of(shop).status, run_of(shop).errors[-1]) == ("error", row.stopped_reason)
    with team_scope(team.pk):
        [event] = AuditEvent.objects.filter(action="repository.stopped")
    assert event.details["repository"] == "acme/shop"
    [message] = mail.outbox
    assert message.subject == "The sync of acme/shop needs you"
    assert row.stopped_reason in message.body
    assert reaped(team.pk) == []


def test_a_private_repository_that_the_token_may_not_see_says_the_same(github, shop):
    sync(shop)
    use_token(shop, "sandbox-noscope")
    happens(github, "privatize", repo="acme/shop")
    assert update(shop).ended == Ended.FAILED
    assert "no longer has access" in fresh(shop).stopped_reason


def test_given_access_again_it_goes_on_where_it_stopped(github, shop, team, other_team):
    github_sync.advance(begun(shop), seconds=0)
    sync(shop)
    happens(github, "hide", repo="acme/shop")
    update(shop)
    happens(github, "hide", repo="acme/shop", on=False)
    happens(github, "open", repo="acme/shop")
    discovery.discover(team_id=team.pk, integration_id=shop.integration_id)
    with team_scope(team.pk):
        available = AvailableRepository.objects.get(github_repo_id=fresh(shop).repository.github_repo_id)
        assert available.seen_at > fresh(shop).stopped_at
        integration = connection_of(shop)
        tracked = track_repository(integration=integration, available=available, days_back=None, actor=None)
        assert (tracked.is_active, tracked.stopped_at, tracked.stopped_reason) == (True, None, "")
    github.stats.reset()
    assert update(shop).ended == Ended.FINISHED
    assert run_of(shop).kind == SyncRun.Kind.INCREMENTAL
    assert "PullRequestPage" not in github.stats.operations  # nothing is read twice
    assert stored(shop) == 31


def test_a_stopped_one_can_be_left_off(github, shop):
    happens(github, "hide", repo="acme/shop")
    sync(shop)
    untrack_repository(tracked=fresh(shop), actor=None)
    row = fresh(shop)
    assert (row.is_active, row.stopped_at, row.stopped_reason) == (False, None, "")


def test_the_admins_are_told_once_of_a_repository_however_often_it_is_tried(github, shop, team):
    happens(github, "hide", repo="acme/shop")
    sync(shop)
    for _ in range(2):
        with team_scope(team.pk):
            available = AvailableRepository(
                integration=connection_of(shop),
                github_repo_id=fresh(shop).repository.github_repo_id,
                full_name="acme/shop",
            )
            track_repository(
                integration=connection_of(shop), available=available, days_back=None, actor=None, sync_wanted=False
            )
        assert sync(shop).ended == Ended.FAILED
    assert len(mail.outbox) == 1


def test_one_bad_repository_never_stops_the_others(github, shop, team):
    web = tracked_at(github, team, "acme/web")
    happens(github, "delete_repository", repo="acme/shop")
    begun(shop)
    begun(web)
    while handles := reaped(team.pk):
        for handle in handles:
            tell(team.pk, github_sync.advance(handle))
    assert (fresh(shop).is_active, fresh(web).sync_status, stored(web)) == (False, "complete", 9)
    assert connection_of(web).sync_status == "connected"


def test_an_archived_repository_says_so_and_is_synced_as_before(github, shop, team):
    sync(shop)
    happens(github, "archive", repo="acme/shop")
    discovery.discover(team_id=team.pk, integration_id=shop.integration_id)
    assert repository_of(shop).is_archived
    assert update(shop).ended == Ended.FINISHED
    happens(github, "unarchive", repo="acme/shop")
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).is_archived is False


def test_a_disabled_repository_is_listed_as_such_and_followed_as_far_as_it_can_be_read(github, shop, team):
    github.world.repository("acme/shop").is_disabled = True
    discovery.discover(team_id=team.pk, integration_id=shop.integration_id)
    with team_scope(team.pk):
        listed = dict(AvailableRepository.objects.values_list("full_name", "is_disabled"))
    assert (listed["acme/shop"], listed["acme/web"]) == (True, False)
    assert sync(shop).ended == Ended.FINISHED


# --- people


def test_a_renamed_person_stays_the_same_member(github, shop, team):
    sync(shop)
    with team_scope(team.pk):
        member = PullRequest.objects.exclude(author=None).filter(author__is_bot=False).first().author
    happens(github, "rename_user", login=member.login, to="renamed-person")
    happens(github, "open", repo="acme/shop", author="renamed-person")
    assert update(shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert TeamMember.objects.get(github_user_id=member.github_user_id).login == "renamed-person"
        assert TeamMember.objects.filter(login=member.login).count() == 0
        assert PullRequest.objects.filter(author_id=member.pk).count() >= 2


def test_a_deleted_person_wrote_nothing_new_and_what_is_read_again_has_nobody(github, shop, team):
    sync(shop)
    with team_scope(team.pk):
        first = PullRequest.objects.exclude(author=None).filter(author__is_bot=False).order_by("number").first()
        author = first.author
        mine = PullRequest.objects.filter(author=author).count()
    happens(github, "delete_user", login=author.login)
    happens(github, "edit", repo="acme/shop", number=first.number, title="Edited since")
    assert update(shop).ended == Ended.FINISHED
    with team_scope(team.pk):
        assert TeamMember.objects.filter(pk=author.pk).exists()  # the row stays, with what is not read again
        assert PullRequest.objects.get(number=first.number).author is None
        assert PullRequest.objects.filter(author=author).count() == mine - 1
    assert sync(shop).ended == Ended.FINISHED


# --- organisations


def test_a_renamed_organisation_is_followed_by_its_id(github, shop, team):
    sync(shop)
    happens(github, "rename_organization", organization="acme", to="acme-inc")
    taken_by_another(github, "acme/shop")
    assert sync(shop).ended == Ended.FINISHED
    assert repository_of(shop).full_name == "acme-inc/shop"
    assert connection_of(shop).discovery_status == "pending"  # soon: whose name changed?
    assert discovery.discover(team_id=team.pk, integration_id=shop.integration_id) == 2
    integration = connection_of(shop)
    assert (integration.organization_slug, integration.discovery_error) == ("acme-inc", "")
    with team_scope(team.pk):
        names = set(AvailableRepository.objects.values_list("full_name", flat=True))
    assert names == {"acme-inc/shop", "acme-inc/web"}
    assert mail.outbox == []


def test_discovery_alone_follows_names_of_what_is_not_synced_just_now(github, shop, team):
    sync(shop)
    happens(github, "rename_organization", organization="acme", to="acme-inc")
    happens(github, "rename", repo="acme-inc/shop", name="store")
    discovery.discover(team_id=team.pk, integration_id=shop.integration_id)
    assert repository_of(shop).full_name == "acme-inc/store"
    with team_scope(team.pk):
        assert set(PullRequest.objects.values_list("github_repo", flat=True)) == {"acme-inc/store"}


# --- two teams


def test_two_teams_that_sync_one_repository_at_once_each_get_all_of_it(github, shop, team, other_team):
    theirs = tracked_at(github, other_team, "acme/shop")
    handles = [begun(shop), begun(theirs)]
    for handle in handles:
        github_sync.advance(handle, seconds=0)
    while handles := [*reaped(team.pk), *reaped(other_team.pk)]:
        for handle in handles:
            github_sync.advance(handle, seconds=0)
    assert (run_of(shop).status, run_of(theirs).status) == ("complete", "complete")
    assert rows_of(team) == rows_of(other_team)


def test_one_teams_broken_connection_does_not_disturb_the_other(github, shop, team, other_team):
    theirs = tracked_at(github, other_team, "acme/shop")
    for tracked in (shop, theirs):
        github_sync.advance(begun(tracked), seconds=0)
    use_token(shop, "revoked")
    before = versions_of(team)
    for handle in [*reaped(team.pk), *reaped(other_team.pk)]:
        github_sync.advance(handle)
    assert (run_of(shop).status, connection_of(shop).sync_status) == ("paused", "disconnected")
    assert (run_of(theirs).status, connection_of(theirs).sync_status) == ("complete", "connected")
    assert versions_of(team) == before
    assert stored(theirs) == 30
    happens(github, "hide", repo="acme/shop", who="sandbox-readonly")
    use_token(theirs, "sandbox-readonly")
    assert sync(theirs).ended == Ended.FAILED
    assert fresh(theirs).is_active is False
    assert fresh(shop).is_active is True


def test_stopping_says_so_once(shop, team):
    with team_scope(team.pk):
        assert trouble.stop_repository(fresh(shop), "gone") is True
        assert trouble.stop_repository(fresh(shop), "gone") is False
        assert Repository.objects.filter(gone_at=None).count() == 1

"""A whole connection fails: refused, held by single sign-on or an IP allow list. What rests, what is said, to whom, and
that it goes on where it stopped.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.factories import WebhookEndpointFactory
from apps.integrations.github.errors import RateLimited, SsoRequired
from apps.integrations.models import GitHubIntegration, IntegrationCredential, SyncRun, TrackedRepository
from apps.integrations.services import connections, discovery, github_sync, github_webhooks, upkeep
from apps.integrations.services.access_check import Account, GrantedAccess
from apps.integrations.services.connections import disconnect
from apps.integrations.services.github_sync import runs, trouble
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.failure_support import NOW, connection_of, stored, sync, tell, use_token
from apps.integrations.tests.sync_support import begun, fresh, reaped, rows_of, run_of, tracked_at
from apps.teams.factories import MembershipFactory
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory
from devtools.github_sandbox.server import SandboxServer

WORLD = ["acme:shop:30:7", "acme:web:9:2", "globex:tools:9:3"]


@pytest.fixture
def github(settings):
    with SandboxServer(synthetic=WORLD, now=NOW) as sandbox:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = sandbox.url
        yield sandbox


@pytest.fixture
def shop(github, team):
    MembershipFactory(team=team, user=UserFactory(email="admin@example.com"), role="admin")
    MembershipFactory(team=team, user=UserFactory(email="member@example.com"))
    return tracked_at(github, team, "acme/shop")


@pytest.fixture
def web(github, shop, team):
    return tracked_at(github, team, "acme/web")


@pytest.fixture
def tools(github, shop, team):
    """Of another organisation, through another connection."""
    return tracked_at(github, team, "globex/tools")


def one_page(tracked):
    """The run after its first page, as the next worker finds it."""
    assert github_sync.advance(begun(tracked), seconds=0).ended == Ended.HANDED_ON
    return run_of(tracked)


def pages_read(github):
    return github.stats.operations.count("PullRequestPage")


def connect_again(tracked, token="sandbox-token"):
    integration = connection_of(tracked)
    access = GrantedAccess(
        kind=IntegrationCredential.Kind.TOKEN,
        token=token,
        identity_id=9_000_000_001,
        identity_login="sandbox-owner",
        scopes=("repo",),
        accounts=(),
    )
    account = Account(integration.organization_id, integration.organization_slug)
    with team_scope(tracked.team_id):
        team = GitHubIntegration.objects.select_related("team").get(pk=integration.pk).team
    connections.connect(team=team, access=access, account=account, actor=None)


def work_off(team_id):
    """Everything that waits for its turn, to its end."""
    while handles := reaped(team_id):
        for handle in handles:
            github_sync.advance(handle)


def test_a_revoked_token_disconnects_pauses_every_run_and_tells_the_admins_once(github, shop, web, tools, team):
    one_page(shop)
    one_page(web)
    use_token(shop, "revoked")
    assert sync(shop).ended == Ended.PAUSED
    integration = connection_of(shop)
    assert (integration.sync_status, "Connect GitHub again" in integration.status_reason) == ("disconnected", True)
    assert timezone.now() - integration.status_since < timedelta(minutes=1)
    assert [run_of(each).status for each in (shop, web)] == ["paused", "paused"]
    assert [fresh(each).sync_status for each in (shop, web)] == ["paused", "paused"]
    assert (stored(shop), stored(web)) == (7, 7)
    assert reaped(team.pk) == []
    [message] = mail.outbox
    assert message.to == ["admin@example.com"]
    assert message.subject == "The GitHub connection to acme needs you"
    assert "does not accept the token" in message.body
    assert f"/a/{team.slug}/integrations/github/connect/" in message.body
    assert "revoked" not in message.body
    sync(web)
    tell(team.pk)
    assert len(mail.outbox) == 1
    assert sync(tools).ended == Ended.FINISHED
    assert connection_of(tools).sync_status == "connected"


def test_connecting_again_goes_on_from_the_checkpoint_and_fetches_no_page_twice(github, shop, team, other_team):
    github_sync.sync_repository_history(tracked_at(github, other_team, "acme/shop"), None)
    whole = pages_read(github)
    github.stats.reset()
    run = one_page(shop)
    use_token(shop, "revoked")
    sync(shop)
    connect_again(shop)
    integration = connection_of(shop)
    assert (integration.sync_status, integration.status_reason, integration.admins_told_at) == ("connected", "", None)
    work_off(team.pk)
    assert (run_of(shop).pk, run_of(shop).status) == (run.pk, "complete")
    assert pages_read(github) == whole
    assert [page["until"] is not None for page in run_of(shop).waits] == [True]
    assert rows_of(team) == rows_of(other_team)


def test_a_second_break_after_a_reconnect_is_told_again(github, shop):
    for times in (1, 2):
        use_token(shop, "revoked")
        sync(shop)
        assert len(mail.outbox) == times
        connect_again(shop)


def test_what_a_person_paused_stays_paused_when_the_connection_works_again(github, shop, web):
    one_page(shop)
    one_page(web)
    with team_scope(shop.team_id):
        runs.pause_by_person(web, "Ada")
    use_token(shop, "revoked")
    sync(shop)
    connect_again(shop)
    assert run_of(shop).status == "pending"
    assert (run_of(web).status, run_of(web).resume_at) == ("paused", None)


def test_a_worker_that_is_at_a_page_when_the_connection_breaks_writes_nothing_more(github, shop, web, team):
    def break_off(run):
        trouble.settle_integration(team.pk, shop.integration_id, SsoRequired("https://github.test/sso"))

    assert github_sync.advance(begun(shop), on_page=break_off).ended == Ended.FENCED
    assert (run_of(shop).status, stored(shop)) == ("paused", 7)


@pytest.mark.parametrize("action", ["require_sso", "ip_allow_list"])
def test_an_organisation_that_wants_somebody_to_see_to_it_is_held(github, shop, web, tools, team, action):
    one_page(shop)
    one_page(web)
    github.mutations.apply({"action": action, "organization": "acme"})
    assert sync(shop).ended == Ended.PAUSED
    integration = connection_of(shop)
    assert integration.sync_status == "held"
    assert integration.status_since is not None
    if action == "require_sso":
        assert integration.status_url.startswith("https://github.com/orgs/acme/sso")
        assert "single sign-on" in integration.status_reason
    else:
        assert integration.status_url == ""
        assert "IP allow list" in integration.status_reason
    assert [run_of(each).status for each in (shop, web)] == ["paused", "paused"]
    assert reaped(team.pk) == []
    [message] = mail.outbox
    assert integration.status_reason in message.body
    assert sync(tools).ended == Ended.FINISHED  # the other organisation goes on
    tell(team.pk)
    assert len(mail.outbox) == 1


def test_a_held_connection_is_tried_again_each_hour_and_goes_on_where_it_stopped(github, shop, team):
    run = one_page(shop)
    github.mutations.apply({"action": "require_sso", "organization": "acme"})
    sync(shop)
    assert upkeep.due(team.pk).try_again == ()
    _an_hour_later(team)
    assert upkeep.due(team.pk).try_again == (shop.integration_id,)
    github.stats.reset()
    assert trouble.try_again(team_id=team.pk, integration_id=shop.integration_id) is False
    assert (github.stats.graphql_requests, github.stats.rest_requests) == (0, 1)
    assert connection_of(shop).sync_status == "held"
    assert upkeep.due(team.pk).try_again == ()
    github.mutations.apply({"action": "require_sso", "organization": "acme", "on": False})
    assert trouble.try_again(team_id=team.pk, integration_id=shop.integration_id) is True
    integration = connection_of(shop)
    assert (integration.sync_status, integration.status_url, integration.status_since) == ("connected", "", None)
    work_off(team.pk)
    assert (run_of(shop).pk, run_of(shop).status, stored(shop)) == (run.pk, "complete", 30)
    assert len(mail.outbox) == 1


def test_what_opens_when_it_is_tried_and_not_to_the_syncs_is_told_once_and_not_each_hour(github, shop, team):
    one_page(shop)
    for _ in range(3):
        github.mutations.apply({"action": "require_sso", "organization": "acme"})
        assert sync(shop).ended == Ended.PAUSED
        github.mutations.apply({"action": "require_sso", "organization": "acme", "on": False})
        assert trouble.try_again(team_id=team.pk, integration_id=shop.integration_id) is True
    assert len(mail.outbox) == 1
    one_page(shop)  # something is read
    github.mutations.apply({"action": "require_sso", "organization": "acme"})
    assert sync(shop).ended == Ended.PAUSED
    assert len(mail.outbox) == 2


def written_first(queries) -> list[str]:
    """The tables in the order in which their rows were first locked or written."""
    tables = ("integrations_syncrun", "integrations_githubintegration", "integrations_trackedrepository")
    seen: list[str] = []
    for query in queries:
        sql = query["sql"]
        written = next((table for table in tables if sql.startswith(f'UPDATE "{table}"')), None)
        if written is None and "FOR NO KEY UPDATE" in sql:
            written = next(table for table in tables if f'FROM "{table}"' in sql)
        if written is not None and written not in seen:
            seen.append(written)
    return [table.removeprefix("integrations_") for table in seen]


@pytest.mark.parametrize("event", ["disconnect", "connect", "hold"])
def test_whatever_happens_to_a_connection_locks_rows_in_the_order_of_a_page(github, shop, team, event):
    handle = begun(shop)
    happens = {
        "disconnect": lambda: disconnect(integration=connection_of(shop), actor=None),
        "connect": lambda: connect_again(shop),
        "hold": lambda: trouble.settle_integration(team.pk, shop.integration_id, SsoRequired("https://x.test/sso")),
    }
    with team_scope(team.pk):
        GitHubIntegration.objects.update(sync_status="held" if event == "connect" else "connected")
        SyncRun.objects.filter(pk=handle.run_id).update(
            status="paused" if event == "connect" else "pending", resume_at=timezone.now()
        )
    with CaptureQueriesContext(connection) as queries:
        happens[event]()
    assert written_first(queries) == ["syncrun", "githubintegration", "trackedrepository"]


def _an_hour_later(team):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(updated_at=timezone.now() - timedelta(minutes=61))


def test_a_held_connection_whose_token_is_revoked_is_told_anew(github, shop, team):
    github.mutations.apply({"action": "require_sso", "organization": "acme"})
    sync(shop)
    use_token(shop, "revoked")
    assert trouble.try_again(team_id=team.pk, integration_id=shop.integration_id) is False
    tell(team.pk)
    assert connection_of(shop).sync_status == "disconnected"
    assert len(mail.outbox) == 2


def test_a_link_that_is_none_is_not_kept(shop, team):
    trouble.settle_integration(team.pk, shop.integration_id, SsoRequired("javascript:alert(1)"))
    assert connection_of(shop).status_url == ""


def test_what_concerns_one_request_only_leaves_the_connection_alone(shop, team):
    limited = RateLimited(timezone.now() + timedelta(minutes=5))
    assert trouble.settle_integration(team.pk, shop.integration_id, limited) is False
    assert connection_of(shop).sync_status == "connected"


def test_discovery_finds_the_connection_held_and_its_runs_rest(github, shop, team):
    one_page(shop)
    github.mutations.apply({"action": "ip_allow_list", "organization": "acme"})
    assert discovery.discover(team_id=team.pk, integration_id=shop.integration_id) == 0
    integration = connection_of(shop)
    assert (integration.sync_status, integration.discovery_status) == ("held", "failed")
    assert run_of(shop).status == "paused"


def test_a_hook_that_single_sign_on_forbids_is_set_up_once_that_is_authorised(github, shop, team):
    WebhookEndpointFactory.create(team=team, integration=shop.integration)
    with team_scope(team.pk):
        TrackedRepository.objects.filter(pk=shop.pk).update(webhook_status="pending")
    github.faults.add("/repos/", "sso", times=1)
    assert github_webhooks.register(team_id=team.pk, tracked_id=shop.pk) is False
    assert (connection_of(shop).sync_status, fresh(shop).webhook_status) == ("held", "pending")
    assert trouble.try_again(team_id=team.pk, integration_id=shop.integration_id) is True
    assert github_webhooks.register(team_id=team.pk, tracked_id=shop.pk) is True


@pytest.mark.django_db(transaction=True)  # the thread that speaks to GitHub stores the new token
def test_an_expired_token_that_can_be_renewed_is_renewed_and_nobody_notices(github, shop, settings):
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = "sandbox-expiring-app", "sandbox-oauth-secret"
    granted = granted_by(github)
    with team_scope(shop.team_id):
        IntegrationCredential.objects.filter(integration_id=shop.integration_id).delete()
        IntegrationCredential.objects.create(
            integration_id=shop.integration_id,
            kind=IntegrationCredential.Kind.OAUTH,
            access_token="expired-long-ago",
            refresh_token=granted["refresh_token"],
            expires_at=timezone.now() + timedelta(hours=3),
            github_user_id=9_000_000_001,
            github_login="sandbox-owner",
        )
    assert sync(shop).ended == Ended.FINISHED, run_of(shop).errors
    assert connection_of(shop).sync_status == "connected"
    assert mail.outbox == []


def granted_by(github):
    """An expiring token pair, as the OAuth page mints it."""
    client, secret = "sandbox-expiring-app", "sandbox-oauth-secret"
    code = github.oauth.grant(client, github.world.account("sandbox-owner"), frozenset({"repo", "read:org"}))
    return github.oauth.token({"client_id": client, "client_secret": secret, "code": code})


def test_a_token_that_lost_its_scope_stops_what_is_private_and_says_404(github, shop, web, team):
    sync(shop)
    sync(web)
    github.mutations.apply({"action": "privatize", "repo": "acme/shop"})
    github.mutations.apply({"action": "remove_scope", "who": "sandbox-token", "scope": "repo"})
    assert sync(shop).ended == Ended.FAILED
    assert sync(web).ended == Ended.FINISHED
    assert fresh(shop).is_active is False
    assert "GitHub answers 404" in fresh(shop).stopped_reason
    assert stored(shop) == 30
    github.mutations.apply({"action": "remove_scope", "who": "sandbox-token", "scope": "repo", "on": False})

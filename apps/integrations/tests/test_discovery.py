"""What a connection sees, asked of a sandbox GitHub."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.factories import AvailableRepositoryFactory, GitHubIntegrationFactory
from apps.integrations.github.errors import RateLimited, RepositoryGone
from apps.integrations.models import AvailableRepository, GitHubIntegration, IntegrationCredential
from apps.integrations.services.discovery import STALE, discover, look_up
from apps.metrics.factories import TeamMemberFactory
from apps.metrics.models import TeamMember
from apps.teams.scope import team_scope

Discovery = GitHubIntegration.Discovery


def discovered(integration) -> int:
    return discover(team_id=integration.team_id, integration_id=integration.pk)


def fresh(integration) -> GitHubIntegration:
    with team_scope(integration.team_id):
        return GitHubIntegration.objects.get(pk=integration.pk)


def names(integration) -> list[str]:
    with team_scope(integration.team_id):
        return list(AvailableRepository.objects.order_by("full_name").values_list("full_name", flat=True))


def use_token(integration, token) -> None:
    with team_scope(integration.team_id):
        credential = IntegrationCredential.objects.get(integration=integration)
        credential.access_token = token
        credential.save()


def test_it_lists_every_repository_with_what_the_page_shows(sandbox, connected):
    assert discovered(connected) == 3
    assert names(connected) == ["acme/docs", "acme/shop", "acme/web"]
    with team_scope(connected.team_id):
        shop = AvailableRepository.objects.get(full_name="acme/shop")
        remote = sandbox.world.repository("acme/shop")
        assert (shop.github_repo_id, shop.default_branch, shop.can_admin) == (remote.database_id, "main", True)
        assert shop.pushed_at is not None
    stored = fresh(connected)
    assert (stored.discovery_status, stored.discovery_error) == (Discovery.DONE, "")
    assert stored.discovered_at is not None


def test_it_drops_what_is_no_longer_there_and_keeps_the_rest(connected):
    AvailableRepositoryFactory.create(
        team=connected.team,
        integration=connected,
        full_name="acme/gone",
        seen_at=timezone.now() - timedelta(days=1),
    )
    discovered(connected)
    assert names(connected) == ["acme/docs", "acme/shop", "acme/web"]
    with team_scope(connected.team_id):
        before = set(AvailableRepository.objects.values_list("pk", flat=True))
    discovered(connected)
    with team_scope(connected.team_id):
        assert set(AvailableRepository.objects.values_list("pk", flat=True)) == before


def test_another_connections_repositories_are_left_alone(connected):
    other = GitHubIntegrationFactory.create(team=connected.team)
    old = timezone.now() - timedelta(days=1)
    AvailableRepositoryFactory.create(team=connected.team, integration=other, full_name="else/where", seen_at=old)
    discovered(connected)
    assert "else/where" in names(connected)


def test_members_become_the_teams_with_their_role(sandbox, connected):
    discovered(connected)
    with team_scope(connected.team_id):
        roles = dict(TeamMember.objects.filter(in_organization=True).values_list("login", "organization_role"))
    assert roles["sandbox-owner"] == "admin"
    assert roles["sandbox-reader"] == "member"
    assert len(roles) == len(sandbox.world.account("acme").members)


def test_who_left_is_a_member_no_longer_and_stays_in_the_charts(connected):
    left = TeamMemberFactory.create(team=connected.team, in_organization=True, organization_role="member")
    discovered(connected)
    with team_scope(connected.team_id):
        left.refresh_from_db()
    assert (left.in_organization, left.organization_role) == (False, "")


def test_a_failure_leaves_what_is_there_and_says_why(sandbox, connected):
    discovered(connected)
    sandbox.faults.add("/orgs/acme/repos", "status", times=-1, status=500)
    assert discovered(connected) == 0
    stored = fresh(connected)
    assert stored.discovery_status == Discovery.FAILED
    assert "not available" in stored.discovery_error
    assert len(names(connected)) == 3


def test_single_sign_on_is_named(sandbox, connected):
    sandbox.faults.add("/orgs/acme/repos", "sso", times=-1)
    discovered(connected)
    assert "single sign-on" in fresh(connected).discovery_error


@pytest.mark.parametrize(("status", "message"), [(403, "Must have admin rights"), (404, "Not Found")])
def test_members_that_may_not_be_listed_are_no_failure(sandbox, connected, status, message):
    sandbox.faults.add("/orgs/acme/members", "status", status=status, body={"message": message})
    assert discovered(connected) == 3
    stored = fresh(connected)
    assert stored.discovery_status == Discovery.DONE
    assert "members" in stored.discovery_error


def test_a_refused_token_disconnects_and_keeps_everything(connected):
    discovered(connected)
    use_token(connected, "revoked")
    assert discovered(connected) == 0
    stored = fresh(connected)
    assert stored.sync_status == GitHubIntegration.SyncStatus.DISCONNECTED
    assert "Connect GitHub again" in stored.status_reason
    assert len(names(connected)) == 3


def test_without_budget_it_waits(sandbox, connected):
    sandbox.faults.add("/orgs/acme/repos", "rate_limited", times=-1, reset_in=600)
    with pytest.raises(RateLimited):
        discovered(connected)
    assert fresh(connected).discovery_status == Discovery.PENDING


def test_two_at_once_are_one(connected):
    with team_scope(connected.team_id):
        GitHubIntegration.objects.update(discovery_status=Discovery.RUNNING, updated_at=timezone.now())
    assert discovered(connected) == 0
    assert names(connected) == []


def test_a_dead_one_is_taken_over(connected):
    with team_scope(connected.team_id):
        GitHubIntegration.objects.update(
            discovery_status=Discovery.RUNNING, updated_at=timezone.now() - STALE - timedelta(seconds=1)
        )
    assert discovered(connected) == 3


def test_a_personal_account_lists_its_own(sandbox, team, connected):
    with team_scope(team.pk):
        GitHubIntegration.objects.update(is_personal=True, organization_slug="sandbox-owner")
    discovered(connected)
    with team_scope(team.pk):
        assert not TeamMember.objects.filter(in_organization=True).exists()
    assert fresh(connected).discovery_status == Discovery.DONE


def test_a_repository_can_be_looked_up_by_name(connected):
    available = look_up(integration=connected, full_name="acme/shop")
    assert available.full_name == "acme/shop"
    assert names(connected) == ["acme/shop"]


def test_one_that_is_not_visible_stores_nothing(connected):
    with pytest.raises(RepositoryGone):
        look_up(integration=connected, full_name="acme/nothing")
    assert names(connected) == []

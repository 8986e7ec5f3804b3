import pytest
from django.test import Client

from apps.teams.factories import MembershipFactory
from apps.users.factories import UserFactory


@pytest.mark.django_db
def test_a_stranger_reads_what_it_is(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "See where pull requests wait" in page.content.decode()
    assert 'href="/accounts/signup/"' in page.content.decode()


@pytest.mark.django_db
def test_a_login_without_a_team_is_asked_to_name_one(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert client.get("/").headers["Location"] == "/teams/new/"


@pytest.mark.django_db
def test_a_login_goes_to_its_only_team(client: Client) -> None:
    membership = MembershipFactory.create()
    client.force_login(membership.user)
    assert client.get("/").headers["Location"] == f"/a/{membership.team.slug}/"


@pytest.mark.django_db
def test_a_login_goes_to_the_team_it_looked_at_last(client: Client) -> None:
    first = MembershipFactory.create()
    second = MembershipFactory.create(user=first.user, role="admin")
    client.force_login(first.user)
    client.get(f"/a/{second.team.slug}/settings/")
    assert client.get("/").headers["Location"] == f"/a/{second.team.slug}/"
    second.delete()  # no longer a member: back to the other one
    assert client.get("/").headers["Location"] == f"/a/{first.team.slug}/"

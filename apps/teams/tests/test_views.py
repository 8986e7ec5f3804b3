import pytest
from django.test import Client

from apps.teams.factories import MembershipFactory
from apps.teams.models import AuditEvent, Membership, Team
from apps.teams.scope import team_scope
from apps.users.factories import UserFactory


@pytest.mark.django_db
def test_whoever_signed_up_names_a_team_and_is_its_admin(client: Client) -> None:
    user = UserFactory.create()
    client.force_login(user)
    response = client.post("/teams/new/", {"name": "Harbour", "slug": "harbour"})
    assert (response.status_code, response.headers["Location"]) == (302, "/a/harbour/")
    assert Membership.objects.get(team__slug="harbour").role == Membership.Role.ADMIN


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "message"),
    [
        ("My Team", "Use lower-case letters, digits and single hyphens"),
        ("harbour", "This address is taken. Please choose another one."),
        ("new", "“new” is reserved. Please choose another address."),
    ],
)
def test_a_bad_address_is_explained_beside_its_field(client: Client, slug: str, message: str) -> None:
    MembershipFactory.create(team__slug="harbour")
    client.force_login(UserFactory.create())
    response = client.post("/teams/new/", {"name": "Mine", "slug": slug})
    assert response.status_code == 200
    assert message in response.content.decode()
    assert 'aria-invalid="true"' in response.content.decode()
    assert Team.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "slug"), [("Harbour Labs", "harbour-labs"), ("Ünïcode GmbH & Co.", "unicode-gmbh-co")]
)
def test_an_address_that_is_left_empty_is_made_from_the_name(client: Client, name: str, slug: str) -> None:
    client.force_login(UserFactory.create())
    assert client.post("/teams/new/", {"name": name, "slug": ""}).headers["Location"] == f"/a/{slug}/"


@pytest.mark.django_db
def test_a_name_without_letters_needs_an_address(client: Client) -> None:
    client.force_login(UserFactory.create())
    response = client.post("/teams/new/", {"name": "東京", "slug": ""})
    assert "none can be made from the name" in response.content.decode()


@pytest.mark.django_db
def test_an_admin_changes_name_and_time_zone(client: Client, team: Team) -> None:
    client.force_login(MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user)
    response = client.post(f"/a/{team.slug}/settings/", {"name": "Quay", "time_zone": "Asia/Kolkata"}, follow=True)
    assert "Saved." in response.content.decode()
    team.refresh_from_db()
    assert (team.name, team.time_zone) == ("Quay", "Asia/Kolkata")
    with team_scope(team.pk):
        assert AuditEvent.objects.get().action == "team.changed"


@pytest.mark.django_db
def test_a_bad_time_zone_changes_nothing(client: Client, team: Team) -> None:
    client.force_login(MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user)
    response = client.post(f"/a/{team.slug}/settings/", {"name": "Quay", "time_zone": "Mars"})
    assert "Select a valid choice." in response.content.decode()
    team.refresh_from_db()
    assert team.name != "Quay"


@pytest.mark.django_db
def test_the_switcher_lists_the_teams_of_the_login_only(client: Client, team: Team, other_team: Team) -> None:
    user = MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user
    second = MembershipFactory.create(user=user, team__name="Quay").team
    page = client_of(user).get(f"/a/{team.slug}/settings/").content.decode()
    assert f'href="/a/{second.slug}/"' in page
    assert f"/a/{other_team.slug}/" not in page


def client_of(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership, Team
from apps.users.models import User

PASSWORD = "correct horse battery"


def create(capsys: pytest.CaptureFixture[str], **changed: Any) -> list[str]:
    options = {"name": "Harbour", "slug": "harbour", "admin_email": "mira@example.com", "admin_password": PASSWORD}
    call_command("create_team", **(options | changed))
    return capsys.readouterr().out.splitlines()


@pytest.mark.django_db
def test_it_makes_a_team_and_a_login_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    said = create(capsys)
    assert said == ["Team Harbour (/a/harbour/): made. Login mira@example.com: made."]
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert user.memberships.get().role == Membership.Role.ADMIN
    address = user.emailaddress_set.get()
    assert (address.verified, address.primary) == (True, True)


@pytest.mark.django_db
def test_it_can_be_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys)
    said = create(capsys, admin_email="MIRA@example.com", admin_password="another horse battery", json=True)
    team = Team.objects.get()
    assert json.loads(said[-1]) == {
        "team": "harbour",
        "id": team.pk,
        "name": "Harbour",
        "created": False,
        "admin": "mira@example.com",
        "admin_created": False,
    }
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.django_db
def test_run_again_it_adds_an_admin(capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys)
    create(capsys, admin_email="tom@example.com")
    assert Membership.objects.filter(role=Membership.Role.ADMIN).count() == 2


@pytest.mark.django_db
def test_without_a_password_the_login_waits_for_a_reset(capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys, admin_password=None)
    assert not User.objects.get().has_usable_password()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("name", "", "--name: This field cannot be blank."),
        ("slug", "Two Words", "--slug: Use lower-case letters"),
        ("slug", "admin", "--slug: “admin” is reserved."),
        ("admin_email", "nobody", "--admin-email: Enter a valid email address."),
        ("admin_password", "short", "--admin-password: This password is too short."),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(
    capsys: pytest.CaptureFixture[str], option: str, value: str, message: str
) -> None:
    with pytest.raises(CommandError) as error:
        create(capsys, **{option: value})
    assert str(error.value).startswith(message)
    assert not Team.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_delete_team_asks_to_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys)
    with pytest.raises(CommandError, match="Add --yes when you mean it"):
        call_command("delete_team", team="harbour")
    with pytest.raises(CommandError, match="There is no team “quay”"):
        call_command("delete_team", team="quay", yes=True)
    assert Team.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_delete_team_deletes_one_team_and_no_login(capsys: pytest.CaptureFixture[str]) -> None:
    kept = MembershipFactory.create().team
    create(capsys)
    team = Team.objects.get(slug="harbour")
    call_command("delete_team", team="harbour", yes=True, json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"team": "harbour", "id": team.pk, "deleted": True}
    assert list(Team.objects.all()) == [kept]
    assert User.objects.filter(email="mira@example.com").exists()

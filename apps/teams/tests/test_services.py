import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from apps.metrics.factories import PRReviewFactory
from apps.teams.factories import MembershipFactory
from apps.teams.models import AuditEvent, Membership, Team
from apps.teams.scope import team_scope
from apps.teams.services import SLUG_TAKEN, create_team, delete_team, ensure_admin, record_event, update_team
from apps.users.factories import UserFactory
from apps.users.models import User
from tests.worker_support import wait_until


def events(team: Team) -> list[tuple[str, str, dict[str, object]]]:
    with team_scope(team.pk):
        return [(e.action, e.actor_name, e.details) for e in AuditEvent.objects.order_by("pk")]


@pytest.mark.django_db
def test_a_new_team_has_an_admin_and_a_line_in_its_log() -> None:
    admin = UserFactory.create(email="mira@example.com")
    team = create_team(name=" Harbour ", slug="harbour", admin=admin)
    assert (team.name, team.slug, team.time_zone) == ("Harbour", "harbour", "UTC")
    assert [(m.user, m.role) for m in team.memberships.all()] == [(admin, Membership.Role.ADMIN)]
    assert events(team) == [("team.created", "mira@example.com", {"name": "Harbour", "slug": "harbour"})]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "slug", "field", "message"),
    [
        ("", "fine", "name", "This field cannot be blank."),
        ("   ", "fine", "name", "This field cannot be blank."),
        ("x" * 101, "fine", "name", "Ensure this value has at most 100 characters (it has 101)."),
        ("a\x00b", "fine", "name", "The name contains characters that cannot be shown."),
        ("Fine", "", "slug", "This field cannot be blank."),
        ("Fine", "two words", "slug", None),
        ("Fine", "Upper", "slug", None),
        ("Fine", "-edge", "slug", None),
        ("Fine", "edge-", "slug", None),
        ("Fine", "two--hyphens", "slug", None),
        ("Fine", "ümlaut", "slug", None),
        ("Fine", "a/b", "slug", None),
        ("Fine", "x" * 51, "slug", "Ensure this value has at most 50 characters (it has 51)."),
        ("Fine", "admin", "slug", "“admin” is reserved. Please choose another address."),
        ("Fine", "taken", "slug", SLUG_TAKEN),
    ],
)
def test_it_says_what_is_wrong_with_a_name_or_an_address(name: str, slug: str, field: str, message: str | None) -> None:
    admin = UserFactory.create()
    create_team(name="First", slug="taken", admin=admin)
    with pytest.raises(ValidationError) as error:
        create_team(name=name, slug=slug, admin=admin)
    expected = message or (
        "Use lower-case letters, digits and single hyphens, such as “acme-web”: it becomes part of the address."
    )
    assert error.value.message_dict == {field: [expected]}
    assert Team.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_want_the_same_address_at_once() -> None:
    """The second looks before the first has committed, waits for it in the database, and is told."""
    first, second = UserFactory.create(), UserFactory.create()
    told: list[dict[str, list[str]]] = []

    def come_second() -> None:
        try:
            create_team(name="Second", slug="harbour", admin=second)
        except ValidationError as error:
            told.append(error.message_dict)
        finally:
            connection.close()

    thread = threading.Thread(target=come_second)
    with transaction.atomic():
        create_team(name="First", slug="harbour", admin=first)
        thread.start()
        wait_until(somebody_waits)
    thread.join(timeout=60)
    assert told == [{"slug": [SLUG_TAKEN]}]
    assert [team.name for team in Team.objects.all()] == ["First"]


def somebody_waits() -> bool:
    asleep = "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = %s"
    with connection.cursor() as cursor:
        cursor.execute(asleep, [connection.settings_dict["NAME"]])
        return cursor.fetchone() is not None


@pytest.mark.django_db
def test_a_change_says_from_what_to_what(team: Team) -> None:
    admin = MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user
    before = team.name
    update_team(team=team, actor=admin, name="Quay", time_zone="Europe/Berlin")
    update_team(team=team, actor=admin, name="Quay", time_zone="Europe/Berlin")  # changes nothing, tells nothing
    team.refresh_from_db()
    assert (team.name, team.time_zone) == ("Quay", "Europe/Berlin")
    assert events(team) == [
        ("team.changed", admin.email, {"name": [before, "Quay"], "time_zone": ["UTC", "Europe/Berlin"]})
    ]


@pytest.mark.django_db
def test_it_refuses_a_time_zone_that_is_none(team: Team) -> None:
    with pytest.raises(ValidationError, match="is not a time zone"):
        update_team(team=team, actor=UserFactory.create(), name="Quay", time_zone="Mars/Olympus")


@pytest.mark.django_db
def test_a_member_is_made_an_admin_once(team: Team) -> None:
    user = MembershipFactory.create(team=team).user
    assert ensure_admin(team=team, user=user, actor=None) is True
    assert ensure_admin(team=team, user=user, actor=None) is False
    assert events(team) == [("membership.admin", "", {"person": user.email})]


@pytest.mark.django_db
def test_the_audit_log_outlives_the_login(team: Team) -> None:
    actor = UserFactory.create(email="gone@example.com")
    record_event(team, actor, "team.changed")
    actor.delete()
    assert events(team) == [("team.changed", "gone@example.com", {})]
    assert not User.objects.filter(email="gone@example.com").exists()


@pytest.mark.django_db(transaction=True)
def test_deleting_a_team_leaves_nothing_of_it_and_everything_of_others() -> None:
    mine, theirs = (MembershipFactory.create().team for _ in range(2))
    for team in (mine, theirs):
        PRReviewFactory.create(team=team)
        record_event(team, None, "team.changed")
    delete_team(team_id=mine.pk)
    assert rows_by_team(mine.pk) == {}
    kept = rows_by_team(theirs.pk)
    assert {"teams_membership", "teams_auditevent", "metrics_prreview", "metrics_pullrequest"} <= kept.keys()
    assert [team.pk for team in Team.objects.all()] == [theirs.pk]


def rows_by_team(team_id: int) -> dict[str, int]:
    """How many rows of the team each table holds, for those that hold any. Asked in its scope, or all are hidden."""
    with team_scope(team_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'team_id' AND table_schema = 'public'"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE team_id = %s', [team_id])
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}

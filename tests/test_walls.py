"""The second wall: PostgreSQL's own, and the check that says when it has a hole."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection, connections
from django.db.transaction import TransactionManagementError

from apps.common.roles import as_owner, grant_app_role
from apps.metrics.models import PRReview
from apps.teams import checks
from apps.teams.rls import EnableTeamRLS

TABLE = "metrics_prreview"


def row(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


def check():
    return sorted({message.id for message in run_checks(databases=["default"]) if message.id.startswith("teams.")})


def as_owner_sql(statement):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_tests_run_as_a_role_that_row_level_security_applies_to(db):
    assert row(f"SELECT pg_has_role(current_user, '{settings.APP_ROLE}', 'USAGE')") == (True,)
    assert row("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == (False, False)
    assert row(f"SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE relname = '{TABLE}'") == (False,)
    assert check() == []


def test_nothing_gives_the_role_back(db):
    role = row("SELECT current_user")
    for statement in ("RESET ROLE", "RESET ALL"):
        with connection.cursor() as cursor:
            cursor.execute(statement)
        assert row("SELECT current_user") == role


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_another_connection_of_this_thread_alone():
    app = row("SELECT current_user")
    with as_owner():
        assert row(f"SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE relname = '{TABLE}'") == (True,)
        grant_app_role()  # again
        assert "AS_OWNER" not in connections.settings["default"]
    assert row("SELECT current_user") == app


def test_the_owner_cannot_be_taken_in_a_transaction(db):
    with pytest.raises(TransactionManagementError), as_owner():
        pass


@pytest.mark.parametrize(
    ("breach", "repair", "error"),
    [
        ("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "ALTER TABLE {} ENABLE ROW LEVEL SECURITY", "teams.E011"),
        (
            "ALTER POLICY team_wall ON {} USING (true)",
            "DROP POLICY team_wall ON {}; " + EnableTeamRLS("prreview").statements(PRReview)[0],
            "teams.E011",
        ),
        ("CREATE POLICY hole ON {} USING (true)", "DROP POLICY hole ON {}", "teams.E011"),
        (
            "ALTER TABLE {} RENAME CONSTRAINT metrics_prreview_pull_request_id_team TO kept;"
            "ALTER TABLE {} DROP CONSTRAINT kept",
            "ALTER TABLE {} ADD CONSTRAINT metrics_prreview_pull_request_id_team FOREIGN KEY (team_id, pull_request_id)"
            " REFERENCES metrics_pullrequest (team_id, id) ON DELETE CASCADE",
            "teams.E013",
        ),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_the_check_finds_a_hole(breach, repair, error):
    as_owner_sql(breach.replace("{}", TABLE))
    try:
        assert check() == [error]
    finally:
        as_owner_sql(repair.replace("{}", TABLE))
    assert check() == []


@pytest.mark.django_db(transaction=True)
def test_the_check_refuses_the_owner(monkeypatch):
    with as_owner():
        assert check() == []  # migrate builds the wall
        monkeypatch.delitem(connection.settings_dict, "AS_OWNER")
        assert check() in (["teams.E010"], ["teams.E012"])  # a superuser, a plain owner


def test_the_check_finds_models_that_skip_the_wall(monkeypatch):
    monkeypatch.setattr(PRReview._meta.get_field("pull_request"), "db_constraint", True)
    assert [message.id for message in checks.check_team_models()] == ["teams.E002"]

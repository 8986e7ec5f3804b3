import time

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from apps.web import health
from apps.web.tasks import worker_heartbeat_task


@pytest.fixture(autouse=True)
def fresh_heartbeat() -> None:
    worker_heartbeat_task()


def test_it_is_alive_without_asking_the_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_it_is_ready_when_everything_is_there(client: Client) -> None:
    response = client.get("/readyz")
    assert response.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "walls": "ok", "redis": "ok", "worker": "ok"},
    }
    assert response.status_code == 200


@pytest.mark.django_db
def test_it_says_that_the_worker_is_gone(client: Client) -> None:
    health.redis_client().set(health.HEARTBEAT_KEY, time.time() - 600)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.json()["checks"]["worker"] == "last heartbeat 600 s ago"
    health.redis_client().delete(health.HEARTBEAT_KEY)
    assert client.get("/readyz").json()["checks"]["worker"] == "no heartbeat: are worker and beat running?"


@pytest.mark.django_db
def test_it_says_that_redis_is_gone(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    health.redis_client.cache_clear()
    try:
        checks = client.get("/readyz").json()["checks"]
    finally:
        health.redis_client.cache_clear()
    assert (checks["redis"], checks["worker"]) == ("Redis does not answer", "Redis does not answer")
    assert checks["database"] == "ok"


@pytest.mark.django_db
def test_it_says_which_migration_is_missing(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # the owner, until this test is rolled back
        cursor.execute("DELETE FROM django_migrations WHERE app = 'teams' AND name = '0003_audit_event'")
        cursor.execute(f"SET LOCAL ROLE {configured.APP_ROLE}")
    assert client.get("/readyz").json()["checks"]["migrations"] == "not applied: teams.0003_audit_event"


@pytest.mark.django_db
def test_it_says_that_a_wall_is_down(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE teams_auditevent DISABLE ROW LEVEL SECURITY")
        cursor.execute(f"SET LOCAL ROLE {configured.APP_ROLE}")
    assert client.get("/readyz").json()["checks"]["walls"].startswith("teams_auditevent needs the policy")

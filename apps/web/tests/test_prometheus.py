import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from apps.teams.models import Team
from apps.web.health import record_heartbeat, redis_client

TOKEN = {"Authorization": "Bearer let-me-in"}


@pytest.fixture
def configured(settings: Settings) -> None:
    settings.METRICS_TOKEN = "let-me-in"


def test_it_is_off_unless_a_token_is_configured(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "let-me-in"}])
def test_it_wants_the_token(client: Client, given: dict[str, str]) -> None:
    response = client.get("/metrics", headers=given)
    assert response.status_code == 401
    assert "tformance_" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("configured")
def test_it_tells_what_waits(
    client: Client, team: Team, other_team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    record_heartbeat()
    redis_client().delete("webhooks")
    redis_client().rpush("webhooks", "a", "b", "c")
    with django_assert_num_queries(2):
        response = client.get("/metrics", headers=TOKEN)
    redis_client().delete("webhooks")
    lines = response.content.decode().splitlines()
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE tformance_teams gauge" in lines
    assert "tformance_teams 2" in lines
    assert "tformance_webhook_deliveries_waiting 0" in lines
    assert 'tformance_queue_length{queue="webhooks"} 3' in lines
    (age,) = [line for line in lines if line.startswith("tformance_worker_heartbeat_age_seconds")]
    assert float(age.split()[1]) < 60
    assert team.name not in response.content.decode()

"""What every request goes through."""

import pytest
from django.conf import settings as configured
from django.urls import reverse

from apps.teams.factories import TeamFactory
from apps.users.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/webhooks/github/%00/", "/a/acme/pull-requests/%00/shop/1/", "/%00"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_with_nul_leads_nowhere(client, path, method):
    response = getattr(client, method)(path)
    assert response.status_code == 404
    assert b"Traceback" not in response.content


def test_a_query_with_nul_is_no_error(client):
    assert client.get(reverse("home"), {"q": "\x00"}).status_code == 200


@pytest.fixture
def developing(settings):
    settings.DEBUG = True
    settings.MIDDLEWARE = [*configured.MIDDLEWARE, "apps.web.middleware.NotFoundAsInProduction"]


@pytest.mark.parametrize("path", ["/a/foreign/", "/a/foreign/pull-requests/acme/api/1/", "/no/such/address/"])
def test_while_developing_404_is_the_page_of_production(client, developing, path):
    TeamFactory.create(slug="foreign")
    client.force_login(UserFactory.create())
    page = client.get(path)
    assert page.status_code == 404
    text = page.content.decode()
    assert "There is nothing here" in text
    assert "URLconf" not in text


def test_while_developing_a_missing_slash_still_finds_its_way(client, developing):
    assert client.get("/accounts/login").headers["Location"] == "/accounts/login/"


def test_development_has_it_on():
    from tformance.settings import dev

    assert dev.MIDDLEWARE[-1] == "apps.web.middleware.NotFoundAsInProduction"

"""What every request goes through."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/webhooks/github/%00/", "/a/acme/pull-requests/%00/shop/1/", "/%00"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_with_nul_leads_nowhere(client, path, method):
    response = getattr(client, method)(path)
    assert response.status_code == 404
    assert b"Traceback" not in response.content


def test_a_query_with_nul_is_no_error(client):
    assert client.get(reverse("home"), {"q": "\x00"}).status_code == 200

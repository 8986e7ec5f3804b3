from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import include, path
from pytest_django.fixtures import Settings

from tformance.urls import urlpatterns as ours

urlpatterns = [*ours, path("dev/", include("apps.web.dev_urls"))]  # as when DEBUG is on


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Client:
    settings.ROOT_URLCONF = __name__
    settings.EMAIL_FILE_PATH = tmp_path
    backend = get_connection("django.core.mail.backends.filebased.EmailBackend")
    messages = [
        EmailMultiAlternatives("First", "Plain words, a link: http://testserver/x/", to=["mira@example.com"]),
        EmailMultiAlternatives("Zweite Nachricht für dich", "Grüße", to=["tom@example.com"]),
    ]
    messages[1].attach_alternative(
        "<html><head></head><body><b>Grüße</b><script>x()</script></body></html>", "text/html"
    )
    backend.send_messages(messages)
    return Client()


@pytest.mark.django_db
def test_it_lists_what_would_have_been_sent(client: Client) -> None:
    page = client.get("/dev/mail/").content.decode()
    assert page.index("Zweite Nachricht für dich") < page.index("First")
    assert "mira@example.com" in page


@pytest.mark.django_db
def test_it_shows_both_parts_the_html_one_in_a_frame_of_its_own(client: Client) -> None:
    listed = client.get("/dev/mail/").context["mails"]
    second, first = (f"/dev/mail/{mail.key}/" for mail in listed)
    assert '<a href="http://testserver/x/"' in client.get(first).content.decode()
    assert "iframe" not in client.get(first).content.decode()
    page = client.get(second)
    assert "Grüße" in page.content.decode()
    assert f'sandbox="allow-popups" src="{second}html/"' in page.content.decode()
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_nothing_in_the_html_part_is_run(client: Client) -> None:
    (mail, _) = client.get("/dev/mail/").context["mails"]
    response = client.get(f"/dev/mail/{mail.key}/html/")
    assert "<b>Grüße</b>" in response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "sandbox" in policy


@pytest.mark.django_db
def test_a_message_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/dev/mail/nothing/").status_code == 404


@pytest.mark.django_db
def test_it_is_not_there_in_production(client: Client, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tformance.urls"
    assert client.get("/dev/mail/").status_code == 404

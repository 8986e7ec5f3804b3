"""Signing up, in and out: allauth with our settings and our pages."""

import re
from itertools import count
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from apps.users.factories import UserFactory
from apps.users.models import User

PASSWORD = "correct horse battery"
_addresses = count(1)


@pytest.fixture
def client() -> Client:
    """From an address of its own: the rate limits, which are real, count by it."""
    return Client(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}::{next(_addresses):x}")


@pytest.fixture
def email() -> str:
    return f"mira-{uuid4().hex}@example.com"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> HttpResponse:
    return client.post("/accounts/login/", {"login": email, "password": password})


@pytest.mark.django_db
def test_whoever_signs_up_names_a_team_next_and_need_not_confirm_first(client: Client, email: str) -> None:
    response = client.post("/accounts/signup/", {"email": email, "password1": PASSWORD}, follow=True)
    assert [url for url, _ in response.redirect_chain] == ["/", "/teams/new/"]
    assert not EmailAddress.objects.get(email=email).verified
    assert client.post("/teams/new/", {"name": "Mine", "slug": "mine"}).headers["Location"] == "/a/mine/"


@pytest.mark.django_db
def test_the_welcome_mail_is_text_and_html_and_its_link_confirms(client: Client, email: str) -> None:
    client.post("/accounts/signup/", {"email": email, "password1": PASSWORD})
    (message,) = mail.outbox
    assert message.subject == "Welcome to tformance: confirm your email address"
    (html, kind) = message.alternatives[0]
    assert kind == "text/html"
    link = re.search(r"http://localhost:8000(/accounts/confirm-email/\S+)", message.body)
    assert link
    assert link[0] in html
    assert "Yes, confirm it" in client.get(link[1]).content.decode()
    client.post(link[1])
    assert EmailAddress.objects.get(email=email).verified


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"email": "nobody", "password1": PASSWORD}, "Enter a valid email address."),
        ({"email": "x@example.com", "password1": "short"}, "This password is too short."),
        ({"email": "x@example.com", "password1": "password1234"}, "This password is too common."),
        ({"email": "", "password1": PASSWORD}, "This field is required."),
    ],
)
def test_it_says_what_is_wrong_with_a_sign_up(client: Client, data: dict[str, str], message: str) -> None:
    response = client.post("/accounts/signup/", data)
    assert message in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_an_address_in_another_case_is_the_same_account(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    client.post("/accounts/signup/", {"email": email.upper(), "password1": PASSWORD})
    assert User.objects.count() == 1
    assert sign_in(client, email.upper()).status_code == 302


@pytest.mark.django_db
def test_signing_in_and_out(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    assert sign_in(client, email).headers["Location"] == "/"
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/").headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_a_visit_of_the_logout_page_signs_nobody_out(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    sign_in(client, email)
    assert "You are signed in as" in client.get("/accounts/logout/").content.decode()
    assert "_auth_user_id" in client.session


@pytest.mark.django_db
def test_a_wrong_password_does_not_tell_whether_the_account_exists(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    wrong, unknown = sign_in(client, email, "wrong"), sign_in(client, f"no-{email}", "wrong")
    expected = "The email address and/or password you specified are not correct."
    assert expected in wrong.content.decode()
    assert expected in unknown.content.decode()


@pytest.mark.django_db
def test_guessing_passwords_is_slowed_down(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    for _ in range(5):
        sign_in(client, email, "wrong")
    response = sign_in(client, email)
    assert "Too many failed login attempts. Try again later." in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_the_rate_limit_page_says_what_to_do(client: Client) -> None:
    for _ in range(31):
        response = client.post("/accounts/login/", {"login": "x", "password": "x"})
    assert response.status_code == 429
    assert "Wait a few minutes, then try again." in response.content.decode()


@pytest.mark.django_db
def test_a_forgotten_password_is_chosen_anew_by_mail(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    client.post("/accounts/password/reset/", {"email": email})
    (message,) = mail.outbox
    assert message.subject == "Choose a new password"
    assert email in message.body
    link = re.search(r"http://localhost:8000(/accounts/password/reset/key/\S+)", message.body)
    assert link
    form = client.get(link[1], follow=True)
    action = form.redirect_chain[-1][0]
    client.post(action, {"password1": "another horse battery", "password2": "another horse battery"})
    assert User.objects.get().check_password("another horse battery")
    assert "This link does not work any more" in client.get(link[1], follow=True).content.decode()


@pytest.mark.django_db
def test_asking_for_a_reset_does_not_tell_whether_the_account_exists(client: Client, email: str) -> None:
    response = client.post("/accounts/password/reset/", {"email": email}, follow=True)
    assert "Look into your mail" in response.content.decode()
    assert mail.outbox[0].subject == "There is no account with this address"


@pytest.mark.django_db
def test_a_password_is_changed_by_who_knows_the_old_one(client: Client, email: str) -> None:
    user = UserFactory.create(email=email)
    client.force_login(user)
    new = {"password1": "another horse battery", "password2": "another horse battery"}
    wrong = client.post("/accounts/password/change/", {"oldpassword": "wrong"} | new)
    assert "Please type your current password." in wrong.content.decode()
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD} | new)
    user.refresh_from_db()
    assert user.check_password("another horse battery")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "login/",
        "signup/",
        "password/reset/",
        "password/reset/done/",
        "password/reset/key/done/",
        "password/reset/key/x-y/",
        "confirm-email/",
        "confirm-email/nonsense/",
        "inactive/",
        "3rdparty/login/cancelled/",
        "3rdparty/login/error/",
    ],
)
def test_each_page_for_strangers_is_in_our_look(client: Client, path: str) -> None:
    page = client.get(f"/accounts/{path}", follow=True).content.decode()
    assert '<main class="plain-main' in page
    assert "<h1" in page
    assert "style=" not in page


@pytest.mark.django_db
def test_labels_are_in_sentence_case(client: Client, email: str) -> None:
    UserFactory.create(email=email)
    assert "Remember me" in client.get("/accounts/login/").content.decode()
    sign_in(client, email)
    page = client.get("/accounts/password/change/").content.decode()
    assert all(label in page for label in ("Current password", "New password<", "New password, again"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["email/", "password/change/", "logout/", "reauthenticate/", "3rdparty/"])
def test_each_page_of_the_account_is_in_our_look(client: Client, email: str, path: str) -> None:
    UserFactory.create(email=email)
    sign_in(client, email)
    page = client.get(f"/accounts/{path}", follow=True).content.decode()
    assert '<main class="plain-main' in page
    assert "style=" not in page


# ── GitHub ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def github(settings: Settings) -> None:
    app = {"client_id": "Iv1.0123456789abcdef", "secret": "not-a-secret", "key": ""}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"SCOPE": ["read:user", "user:email"], "APPS": [app]}}


def come_from_github(email: str, *, verified: bool = True) -> tuple[HttpRequest, HttpResponse]:
    """What allauth does when GitHub has answered who it is."""
    request = RequestFactory(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}::1").get("/accounts/github/login/callback/")
    request.session, request.user = SessionStore(), AnonymousUser()
    request._messages = FallbackStorage(request)
    profile = {"id": 583231, "login": "mira", "name": "Mira Okafor", "email": email}
    profile["emails"] = [{"email": email, "primary": True, "verified": verified}]
    with request_context(request):
        provider = get_adapter().get_provider(request, "github")
        return request, complete_social_login(request, provider.sociallogin_from_response(request, profile))


@pytest.mark.django_db
@pytest.mark.usefixtures("github")
def test_who_comes_from_github_gets_an_account(email: str) -> None:
    request, response = come_from_github(email)
    assert response.headers["Location"] == "/"
    assert (request.user.email, request.user.name) == (email, "Mira Okafor")
    assert SocialAccount.objects.get().user == request.user
    assert not request.user.has_usable_password()


@pytest.mark.django_db
@pytest.mark.usefixtures("github")
@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_github_login_is_never_linked_by_its_address(email: str, verified: bool, confirmed: bool) -> None:
    """Neither when GitHub vouches for the address, nor when the account here has confirmed it."""
    owner = UserFactory.create(email=email)
    EmailAddress.objects.create(user=owner, email=email, verified=confirmed, primary=True)
    request, response = come_from_github(email, verified=verified)
    assert response.headers["Location"] == "/accounts/3rdparty/signup/"
    assert not request.user.is_authenticated
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("github")
def test_the_github_button_is_there_when_github_is_configured(client: Client) -> None:
    assert "Sign in with GitHub" in client.get("/accounts/login/").content.decode()
    assert "Sign up with GitHub" in client.get("/accounts/signup/").content.decode()


@pytest.mark.django_db
def test_the_github_button_is_not_there_otherwise(client: Client, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": []}}
    assert "GitHub" not in client.get("/accounts/login/").content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("github")
def test_a_visit_of_the_github_page_leads_nowhere_by_itself(client: Client) -> None:
    """Or another site could sign people in: it takes a click on ours."""
    page = client.get("/accounts/github/login/")
    assert page.status_code == 200
    assert "Go to GitHub" in page.content.decode()

"""Somebody signs up with another person's address before them: when its owner comes, no door is left open."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from apps.users.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def email() -> str:
    return f"owner-{uuid4().hex}@example.com"


def visitor() -> Client:
    return Client(REMOTE_ADDR=f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}")


@pytest.fixture
def stranger(email: str) -> Client:
    """Who signed up with an address that is not theirs, and is signed in."""
    client = visitor()
    client.post("/accounts/signup/", {"email": email, "password1": PASSWORD})
    return client


def link_of(client: Client, email: str, **headers: str) -> str:
    mail.outbox.clear()
    client.post("/accounts/password/reset/", {"email": email}, **headers)
    found = re.search(r"https?://\S+/accounts/password/reset/key/\S+", mail.outbox[0].body)
    assert found
    return found[0]


def reset(email: str) -> None:
    client = visitor()
    path = link_of(client, email).removeprefix("http://localhost:8000")
    form = client.get(path).headers["Location"]
    chosen = {"password1": "another horse battery", "password2": "another horse battery"}
    assert client.post(form, chosen).status_code == 302


def connecting(user: User | AnonymousUser) -> None:
    request = RequestFactory().get("/")
    request.user = user
    request._messages = _Unheard()  # type: ignore[attr-defined]
    login = SocialLogin(user=User(), account=SocialAccount(provider="github", uid="5"))
    login.state = {"process": "connect"}
    get_adapter().pre_social_login(request, login)


class _Unheard:
    def add(self, *args: object) -> None:
        return


def test_a_second_address_waits_until_the_first_is_confirmed(stranger: Client, email: str) -> None:
    response = stranger.post("/accounts/email/", {"action_add": "1", "email": f"other-{email}"})
    assert b"confirm your present email address first" in response.content
    assert EmailAddress.objects.filter(user__email=email).count() == 1
    EmailAddress.objects.update(verified=True)
    stranger.post("/accounts/email/", {"action_add": "1", "email": f"other-{email}"})
    assert EmailAddress.objects.filter(user__email=email).count() == 2


def test_a_github_log_in_waits_until_the_address_is_confirmed(stranger: Client, email: str) -> None:
    user = User.objects.get(email=email)
    with pytest.raises(ImmediateHttpResponse) as refused:
        connecting(user)
    assert refused.value.response["Location"] == "/accounts/email/"
    EmailAddress.objects.update(verified=True)
    connecting(user)


def test_the_owner_who_resets_the_password_is_alone_in_the_account(stranger: Client, email: str) -> None:
    user = User.objects.get(email=email)
    SocialAccount.objects.create(user=user, provider="github", uid="77")
    EmailAddress.objects.create(user=user, email=f"other-{email}", verified=True)
    reset(email)
    assert not SocialAccount.objects.filter(user=user).exists()
    only = EmailAddress.objects.get(user=user)
    assert (only.email, only.verified, only.primary) == (email, True, True)
    assert stranger.get("/teams/new/").status_code == 302  # signed out


def test_a_confirmed_account_keeps_everything_at_a_reset(stranger: Client, email: str) -> None:
    user = User.objects.get(email=email)
    EmailAddress.objects.update(verified=True)
    SocialAccount.objects.create(user=user, provider="github", uid="77")
    EmailAddress.objects.create(user=user, email=f"other-{email}", verified=True)
    reset(email)
    assert SocialAccount.objects.filter(user=user).count() == 1
    assert EmailAddress.objects.filter(user=user).count() == 2


def test_a_mailed_link_leads_to_us_whatever_host_was_named(stranger: Client, email: str, settings: Settings) -> None:
    settings.BASE_URL = "https://tformance.example.com"
    link = link_of(visitor(), email, HTTP_HOST="evil.example.net")
    assert link.startswith("https://tformance.example.com/accounts/password/reset/key/")
    assert "evil.example.net" not in mail.outbox[0].body + str(mail.outbox[0].alternatives)

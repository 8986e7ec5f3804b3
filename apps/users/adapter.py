from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from apps.users.models import User
from apps.users.services import CONFIRM_FIRST, has_confirmed_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Links in mails lead to BASE_URL, whatever host the request named that caused the mail: else anybody could
        have a working link to a new password mailed that leads to their own server.
        """
        base = urlsplit(settings.BASE_URL)
        ours = {
            name: urlsplit(value)._replace(scheme=base.scheme, netloc=base.netloc).geturl()
            for name, value in context.items()
            if name.endswith("_url") and isinstance(value, str)
        }
        site = SimpleNamespace(domain=base.netloc, name="tformance")
        super().send_mail(template_prefix, email, {**context, **ours, "current_site": site})


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Somebody who signed up with another person's address must not leave a door of their own in the account."""
        is_connecting = sociallogin.state.get("process") == "connect" and request.user.is_authenticated
        if is_connecting and not has_confirmed_address(request.user):
            messages.error(request, CONFIRM_FIRST)
            raise ImmediateHttpResponse(redirect("account_email"))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """A new login takes its name from GitHub, where allauth looks for a first and a last one."""
        user: User = super().populate_user(request, sociallogin, data)
        user.name = (data.get("name") or "")[:150]
        return user

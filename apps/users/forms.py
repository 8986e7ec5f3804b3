from typing import Any

from allauth.account.forms import AddEmailForm as AllauthAddEmailForm
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordKeyForm
from allauth.account.forms import SetPasswordForm as AllauthSetPasswordForm
from django.core.exceptions import ValidationError

from apps.users.services import CONFIRM_FIRST, has_confirmed_address


class AddEmailForm(AllauthAddEmailForm):  # type: ignore[misc]  # allauth is not typed
    def clean_email(self) -> str:
        """A second address opens the account too, so the first must be known to be theirs."""
        if not has_confirmed_address(self.user):
            raise ValidationError(CONFIRM_FIRST)
        return str(super().clean_email())


class OurLabels:
    """Labels in sentence case, as everywhere else; `labels` by field. Before the form in the bases."""

    labels: dict[str, str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.labels.items():
            self.fields[name].label = label  # type: ignore[attr-defined]  # of the form


class LoginForm(OurLabels, AllauthLoginForm):  # type: ignore[misc]  # allauth is not typed
    labels = {"remember": "Remember me"}


class ChangePasswordForm(OurLabels, AllauthChangePasswordForm):  # type: ignore[misc]
    labels = {"oldpassword": "Current password", "password1": "New password", "password2": "New password, again"}


class SetPasswordForm(OurLabels, AllauthSetPasswordForm):  # type: ignore[misc]
    labels = {"password1": "Password", "password2": "Password, again"}


class ResetPasswordKeyForm(OurLabels, AllauthResetPasswordKeyForm):  # type: ignore[misc]
    labels = {"password1": "New password", "password2": "New password, again"}

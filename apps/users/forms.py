from allauth.account.forms import AddEmailForm as AllauthAddEmailForm
from django.core.exceptions import ValidationError

from apps.users.services import CONFIRM_FIRST, has_confirmed_address


class AddEmailForm(AllauthAddEmailForm):  # type: ignore[misc]  # allauth is not typed
    def clean_email(self) -> str:
        """A second address opens the account too, so the first must be known to be theirs."""
        if not has_confirmed_address(self.user):
            raise ValidationError(CONFIRM_FIRST)
        return str(super().clean_email())

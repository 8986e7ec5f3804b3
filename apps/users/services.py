"""What happens to logins."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.users.models import User

CONFIRM_FIRST = "Please confirm your present email address first: a link to do so was mailed to you."


def has_confirmed_address(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the login's main address was shown to be its owner's."""
    return bool(EmailAddress.objects.filter(user_id=user.pk, primary=True, verified=True).exists())


@transaction.atomic
def take_over_unconfirmed(user: User) -> None:
    """Who chose a new password by mail reads the main address, so it is theirs. Until now whoever signed up may have
    been somebody else: what else opens the login (GitHub log-ins, other addresses) goes.
    """
    if has_confirmed_address(user):
        return
    SocialAccount.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


@transaction.atomic
def ensure_user(*, email: str, password: str | None = None) -> tuple[User, bool]:
    """The login with this address (any case), made when there is none: (user, created).

    The caller vouches for the address: it counts as verified. An existing login keeps its password. Without one, a
    new login has no password until it asks for a reset. Raises ValidationError for a bad address or a weak password.
    """
    email = email.strip().lower()
    validate_email(email)
    user = User.objects.filter(email__iexact=email).first()
    created = user is None
    if user is None:
        user = User(email=email)
        if password is not None:
            _check_password(password, user)
        user = User.objects.create_user(email, password)
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True}, create_defaults={"verified": True, "primary": True}
    )
    return user, created


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error

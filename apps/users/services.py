"""What happens to logins."""

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.users.models import User


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

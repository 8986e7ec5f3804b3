import pytest
from django.core.exceptions import ValidationError

from apps.users.factories import UserFactory
from apps.users.services import ensure_user


@pytest.mark.django_db
def test_it_finds_a_login_by_its_address_in_any_case() -> None:
    user = UserFactory.create(email="mira@example.com")
    assert ensure_user(email=" Mira@Example.com ") == (user, False)
    assert user.emailaddress_set.get().verified


@pytest.mark.django_db
def test_a_password_that_resembles_the_address_is_refused() -> None:
    with pytest.raises(ValidationError) as error:
        ensure_user(email="miraokafor@example.com", password="miraokafor")
    assert error.value.message_dict == {"password": ["The password is too similar to the email."]}

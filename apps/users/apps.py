from typing import Any

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "apps.users"

    def ready(self) -> None:
        from allauth.account.signals import password_reset

        password_reset.connect(_own_after_reset, dispatch_uid="own-after-reset")


def _own_after_reset(user: Any, **kwargs: Any) -> None:
    from apps.users.services import take_over_unconfirmed

    take_over_unconfirmed(user)

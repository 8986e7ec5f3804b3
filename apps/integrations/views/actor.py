from __future__ import annotations

from django.http import HttpRequest

from apps.users.models import User


def actor_of(request: HttpRequest) -> User:
    """Who asks, behind a view that only the signed-in reach."""
    assert isinstance(request.user, User)
    return request.user

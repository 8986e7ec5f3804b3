"""Requests and answers for the tests of budgets."""

from __future__ import annotations

import secrets
from typing import Any

from apps.integrations.services.budgets.terms import Asked, Became, Keeper, Settled

NOW = 1_795_000_000.0
RESET = NOW + 1800


def new_account() -> str:
    return f"test:{secrets.token_hex(8)}"


def asked(cost: int = 1, *, resource: str = "graphql", floor: int = 100) -> Asked:
    return Asked(secrets.token_hex(8), resource, cost, floor)


def stated(
    request: Asked, account: str, remaining: int, *, reset_at: float = RESET, became: Became = Became.FINE, **more: Any
) -> Settled:
    """How a lease ended whose answer states what is left."""
    about: dict[str, Any] = {"resource": request.resource, "limit": 5000, "remaining": remaining, "reset_at": reset_at}
    about |= {"actual": request.cost} | more
    return Settled(request.id, account, request.resource, request.cost, became, **about)


def silent(request: Asked, account: str, became: Became = Became.FINE, **more: Any) -> Settled:
    return Settled(request.id, account, request.resource, request.cost, became, **more)


def learn(
    keeper: Keeper, account: str, remaining: int, *, now: float = NOW, resource: str = "graphql", **more: Any
) -> None:
    keeper.settle(stated(asked(resource=resource), account, remaining, **more), now)


def left_of(keeper: Keeper, account: str, *, now: float = NOW, resource: str = "graphql") -> int | None:
    budget = keeper.standing(account, resource, now).budget
    return budget.remaining if budget else None

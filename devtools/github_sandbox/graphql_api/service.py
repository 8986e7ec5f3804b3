"""One GraphQL request from its JSON to its JSON: read, price, charge, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, get_argument_values

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.fault import Fault as Broken
from devtools.github_sandbox.fault import Touched
from devtools.github_sandbox.graphql_api.context import Context, RateLimit
from devtools.github_sandbox.graphql_api.cost import Cost, price
from devtools.github_sandbox.graphql_api.documents import Documents, Operation, sandbox_schema
from devtools.github_sandbox.graphql_api.errors import Refused
from devtools.github_sandbox.graphql_api.execution import Execution
from devtools.github_sandbox.limits import Budget, Limits
from devtools.github_sandbox.world import World


@dataclass(frozen=True)
class Answer:
    body: dict[str, Any]
    budget: Budget
    operation: str
    points: int
    headers: dict[str, str] = field(default_factory=dict)
    touched: Touched = ()
    """The pull requests in it, each with the fields asked of it."""
    met: Sequence[Broken] = ()
    """The faults of single fields that struck."""


class GraphQLService:
    def __init__(self, world: World, limits: Limits) -> None:
        self.world = world
        self.limits = limits
        self.documents = Documents()
        self._prices: dict[Any, tuple[Operation, Cost]] = {}

    def prepare(self, request: dict[str, Any]) -> Operation:
        """The operation of a request body. Raises Refused."""
        variables = request.get("variables") or {}
        return self.documents.operation(request.get("query") or "", request.get("operationName"), variables)

    def answer(self, operation: Operation, session: Session, web_url: str, broken: Sequence[Broken] = ()) -> Answer:
        """Status 200, whatever happened: GitHub's GraphQL errors travel in the body. `broken`: faults of fields."""
        key = session.budget_key
        try:
            cost = self._price(operation)
        except Refused as refused:
            return Answer({"errors": refused.errors}, self.limits.budget(key, "graphql"), operation.name, 0)
        dry_run = is_dry_run(operation)
        points = 0 if dry_run else cost.points
        budget = self.limits.charge(key, "graphql", points)
        if budget is None:
            return Answer(limited(session), self.limits.budget(key, "graphql"), operation.name, 0)
        context = Context(self.world, session, web_url, rate_of(cost, budget) if self.limits.enabled else None)
        execution = Execution(operation, context, "rateLimit" if dry_run else None, broken)
        with self.world.lock:
            body: dict[str, Any] = {"data": execution.run(None)}
        if execution.errors:
            body["errors"] = execution.errors
        return Answer(body, budget, operation.name, points, context.headers, execution.touched, execution.met)

    def _price(self, operation: Operation) -> Cost:
        """Pages of one walk cost the same: only sizes and switches among the variables matter."""
        sizes = tuple((name, _size(value)) for name, value in operation.variables.items())
        key = (id(operation.node), sizes)
        known = self._prices.get(key)
        if known is None:
            if len(self._prices) > 1_000:
                self._prices.clear()
            known = self._prices[key] = (operation, price(operation))
        return known[1]


def _size(value: Any) -> Any:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int | bool | None) else None


def rate_of(cost: Cost, budget: Budget) -> RateLimit:
    return RateLimit(cost.points, budget.limit, cost.nodes, budget.remaining, budget.reset_at, budget.used)


def limited(session: Session) -> dict[str, Any]:
    """The primary limit: 200, no data."""
    person = session.account.database_id if session.account else 0
    return {"errors": [{"type": "RATE_LIMITED", "message": f"API rate limit exceeded for user ID {person}."}]}


def is_dry_run(operation: Operation) -> bool:
    query = sandbox_schema().query_type
    assert query is not None
    return any(
        isinstance(node, FieldNode)
        and node.name.value == "rateLimit"
        and get_argument_values(query.fields["rateLimit"], node, operation.bound).get("dryRun") is True
        for node in operation.node.selection_set.selections
    )

"""The tokens of one operator, for fetching public repositories: `GITHUB_SEEDING_TOKENS`.

The one with most left is used, one that is exhausted rests until its reset, and one that GitHub refuses is dropped with
a word. Two tokens of one account share its budget, at GitHub and so here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime

from apps.integrations.github import lookups
from apps.integrations.github.access import Lease
from apps.integrations.github.errors import BadCredentials, GitHubError, NotFound, PermissionMissing, RateLimited
from apps.integrations.github.types import RateLimit
from apps.integrations.services.budgets.memory import MemoryBudgets
from apps.integrations.services.budgets.terms import Standing
from apps.integrations.services.github_rate_limit import IntegrationTokens, Usable
from apps.integrations.services.github_rest import rest_with

VARIABLE = "GITHUB_SEEDING_TOKENS"

TERMS = (
    "https://docs.github.com/site-policy/github-terms/github-terms-of-service: “You may not share API tokens to exceed"
    " GitHub's rate limitations.” (H. API Terms) “One person or legal entity may maintain no more than one free Account"
    " (if you choose to control a machine account as well, that's fine, but it can only be used for running a"
    " machine).” (B. Account Terms)"
)
HELP = (
    f"{VARIABLE} holds the tokens that ask GitHub, comma separated; one token without any scope is enough, since only"
    " public repositories are read. Several are for one operator who has them anyway (their own account's, their"
    " machine account's, their organisation's App's), never for tokens of other people. GitHub's terms,"
    f" {TERMS}"
)
NO_TOKEN = (
    f"There is no token to ask GitHub with. Make one at https://github.com/settings/tokens (no scope is needed to read"
    f" public repositories) and set {VARIABLE} to it, in the environment or in .env."
)
NONE_GOOD = f"GitHub accepts none of the tokens in {VARIABLE}: they were revoked, have expired or were mistyped. "
FRESH = "Make a new one at https://github.com/settings/tokens and put it there; what was fetched is kept."

SENDABLE = re.compile(r"[!-~]+")
"""What a header can hold."""

Tell = Callable[[str], None]


class GitHubTokenPool:
    """A `TokenSource` over several tokens. `tell` gets a sentence about each that is dropped, which never holds one.

    Raises BadCredentials when there is no token, or none that GitHub accepts.
    """

    def __init__(
        self, tokens: Sequence[str], *, tell: Tell = lambda words: None, clock: Callable[[], float] = time.time
    ) -> None:
        given = dict.fromkeys(filter(None, (token.strip() for token in tokens)))
        self._names = {token: f"token {place} of {VARIABLE}" for place, token in enumerate(given, start=1)}
        if not self._names:
            raise BadCredentials(NO_TOKEN)
        self._tell = tell
        self._clock = clock
        self._keeper = MemoryBudgets()
        self._account_of = self._asked_for()
        if not self._account_of:
            raise BadCredentials(NONE_GOOD + FRESH)
        usable = [Usable(account, token) for token, account in self._account_of.items()]
        self._tokens = IntegrationTokens(usable, self._keeper, floor=0, clock=clock)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose budgets there are to draw on."""
        return tuple(dict.fromkeys(self._account_of.values()))

    def _asked_for(self) -> dict[str, str]:
        """Whose each token is. A single one is not asked: its first request shows whether it is good."""
        found: dict[str, str] = {}
        for token in [token for token in self._names if not SENDABLE.fullmatch(token)]:
            self._drop(token)
            del self._names[token]
        if len(self._names) == 1:
            return dict(self._names)
        for token, name in self._names.items():
            try:
                with closing(rest_with(token)) as rest:
                    found[token] = f"user {lookups.whoami(rest).id}"
            except BadCredentials:
                self._drop(token)
            except (PermissionMissing, NotFound, RateLimited):  # an App's token is no user's, and has its own budget
                found[token] = name
        if len(set(found.values())) > 1:
            self._tell(f"Tokens of {len(set(found.values()))} accounts: all must be your own. GitHub's terms, {TERMS}")
        return found

    def lease(self, *, cost: int, resource: str) -> Lease:
        """Raises RateLimited with the earliest reset when every account is used up or blocked."""
        try:
            return self._tokens.lease(cost=cost, resource=resource)
        except BadCredentials as error:
            raise BadCredentials(NONE_GOOD + FRESH) from error

    def report(self, lease: Lease, limit: RateLimit | None, error: GitHubError | None = None) -> None:
        self._tokens.report(lease, limit, error)

    def refused(self, lease: Lease) -> bool:
        self._drop(lease.token)
        self._account_of.pop(lease.token, None)
        self._tokens.refused(lease)
        return True  # the next lease says in words that there is none, if so

    def _drop(self, token: str) -> None:
        self._tell(f"GitHub does not accept {self._names[token]}: it is not used any more. Take it out or renew it.")

    @property
    def remaining(self) -> int | None:
        """GraphQL points that are left on all accounts together; None while one says nothing of it."""
        left = 0
        for standing in self._standings():
            if standing.blocked_until is not None:
                continue
            if standing.budget is None:
                return None
            left += standing.budget.remaining
        return left

    @property
    def resets_at(self) -> datetime | None:
        """When the first of the budgets is full again, as far as that is known."""
        budgets = [standing.budget for standing in self._standings()]
        return min((budget.reset_at for budget in budgets if budget is not None), default=None)

    @property
    def is_open(self) -> bool:
        """Whether an account is neither used up nor asked to wait."""
        return any(
            standing.blocked_until is None and (standing.budget is None or standing.budget.remaining > 0)
            for standing in self._standings()
        )

    def _standings(self) -> list[Standing]:
        now = self._clock()
        return [self._keeper.standing(account, "graphql", now) for account in self.accounts]

"""What the client hands out. Instants are aware UTC datetimes, durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Raw = dict[str, Any]
"""One object in GitHub's own shape."""

NO_DIFF = "GitHub could not compute the diff"

NAMELESS = "a pull request: "
"""Before the reason why one could not be read whose very number GitHub does not say."""

NAMELESS_IN_LIST = f"{NAMELESS}GitHub cannot even say its number"
"""Why the files of a pull request are partial when GitHub gave null for them and no error: its sizes mean nothing."""


def instant(text: str) -> datetime:
    """GitHub's `2026-11-20T09:00:00Z` as an aware UTC datetime."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What an answer said about the budget of its token. `cost` is what this one request took of it (points or 1)."""

    limit: int
    remaining: int
    used: int
    reset_at: datetime
    cost: int = 1
    resource: str = "graphql"


@dataclass(frozen=True, slots=True)
class QueryError:
    """One entry of a GraphQL answer's `errors`. `path` leads to what is null because of it."""

    type: str
    message: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer. `errors` are those that left the rest of `data` usable.

    `rate_limit` is None where the server keeps none (some Enterprise Servers). `seconds` is the time of the attempt
    that succeeded, `requests` the number of attempts.
    """

    data: Raw
    errors: tuple[QueryError, ...] = ()
    rate_limit: RateLimit | None = None
    seconds: float = 0.0
    requests: int = 1


@dataclass(slots=True)
class Spending:
    """What a piece of work has cost so far: GraphQL points, requests, and the budget as last seen."""

    points: int = 0
    requests: int = 0
    rate_limit: RateLimit | None = None

    def add(self, answer: Answer) -> None:
        self.requests += answer.requests
        if answer.rate_limit is not None:
            self.points += answer.rate_limit.cost
            self.rate_limit = answer.rate_limit


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that GitHub could not give, and why. `number` and `id` where they are known: REST may have it."""

    reason: str
    number: int | None = None
    id: str = ""

    def __str__(self) -> str:
        return self.reason if self.number is None else f"#{self.number}: {self.reason}"


@dataclass(frozen=True, slots=True)
class PullRequestPage:
    """Some pull requests with everything that belongs to them.

    Each of `nodes` is a pull request as GitHub's GraphQL shapes it (`queries/fragments.graphql`), every connection
    followed to its end and merged into one `nodes` list. A connection that could not be fetched is None. Two keys
    are ours: `partial` and `capped`, each `{part: reason}` with the values of `apps.metrics.records.Part`.

    `total` is how many there are in all, `seconds` how long the page's own query took, `size` for how many it asked
    (the most of them, if they were several that worked) and `refused` how often GitHub gave up before that: from these
    the next page's size is chosen. `too_heavy` pull requests were so by themselves (only when asked by ids).
    `unreadable` holds each pull request that could not be had at all, `gone` the ids that GitHub does not know (only
    when asked by ids), `permissions_missing` {part: permission} of what was refused.
    """

    nodes: list[Raw]
    end_cursor: str | None
    has_next: bool
    total: int
    repository: Raw
    points: int
    requests: int
    seconds: float
    rate_limit: RateLimit | None = None
    unreadable: tuple[Lost, ...] = ()
    gone: tuple[str, ...] = ()
    permissions_missing: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    refused: int = 0
    too_heavy: int = 0

    @property
    def partial(self) -> dict[int, dict[str, str]]:
        """By pull request number: which parts are missing or short, and why."""
        return {node["number"]: node["partial"] for node in self.nodes if node["partial"]}


@dataclass(frozen=True, slots=True)
class Touched:
    """A pull request that changed: enough to decide whether to fetch it. `state` is OPEN, CLOSED or MERGED."""

    id: str
    number: int
    updated_at: datetime
    state: str
    head_sha: str


@dataclass(frozen=True, slots=True)
class IdPage:
    """A page of ids; `total` is how many there are on all pages, `lost` how many of this one GitHub could not give."""

    touched: tuple[Touched, ...]
    end_cursor: str | None
    has_next: bool
    total: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class DeploymentPage:
    """Deployments in GitHub's shape, their statuses complete or noted in `partial` as with pull requests.

    `unreadable` holds a reason for each deployment that GitHub could not give, and for those with too few statuses.
    """

    nodes: list[Raw]
    has_next: bool
    total: int
    end_cursor: str | None = None
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteTeam:
    """A team of an organisation with its members; `is_partial` when not all of them could be read."""

    id: int
    node_id: str
    slug: str
    name: str
    members: tuple[Member, ...]
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentSeen:
    """A deployment that exists: enough to decide whether to fetch it. `id` is the database's, `state` GitHub's word in
    lower case.
    """

    id: int
    created_at: datetime
    updated_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """A repository's newest changes. `touched` are its ten pull requests that were updated last, newest first, and
    `deployments` the ten that were created last: none where they were not asked for or may not be read (`refused`),
    None where GitHub failed to tell. `pull_requests` is how many the repository has in all.
    """

    id: str
    full_name: str
    is_archived: bool
    pushed_at: datetime | None
    pull_requests: int
    touched: Sequence[Touched]
    deployments: Sequence[DeploymentSeen] | None = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class WindowCount:
    """How many pull requests a depth means: the open ones exactly, the closed ones as its search estimates."""

    open: int
    closed: int

    @property
    def total(self) -> int:
        return self.open + self.closed


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """A repository as the connection sees it. `open_pull_requests` is None where GitHub did not count them."""

    id: int
    node_id: str
    full_name: str
    default_branch: str = ""
    description: str = ""
    language: str = ""
    is_private: bool = False
    is_archived: bool = False
    is_fork: bool = False
    is_disabled: bool = False
    can_admin: bool = False
    pushed_at: datetime | None = None
    open_pull_requests: int | None = None

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token speaks for. `scopes` is None for tokens that have none to tell (fine-grained, GitHub App)."""

    id: int
    login: str
    name: str = ""
    avatar_url: str = ""
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    id: int
    login: str
    node_id: str = ""
    avatar_url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an organisation; `role` is admin or member, "" where it was not asked."""

    id: int
    login: str
    node_id: str = ""
    avatar_url: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of a repository. `adopted`: it was there already and now points to us with our secret; `changed_at`:
    when its settings were written last.
    """

    id: int
    url: str
    events: frozenset[str] = field(default_factory=frozenset)
    is_active: bool = True
    adopted: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What GitHub hands out for an OAuth code. `expires_in` and `refresh_token_expires_in` are seconds, None: never."""

    access_token: str = field(repr=False)
    scopes: frozenset[str] = frozenset()
    refresh_token: str = field(default="", repr=False)
    expires_in: int | None = None
    refresh_token_expires_in: int | None = None

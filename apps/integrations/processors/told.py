"""What events tell, by kind: read from the payload alone, before anybody looks at what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from apps.integrations.github.types import RemoteRepository
from apps.integrations.processors.outcome import Reason
from apps.metrics.records import CheckRecord, DeploymentRecord, PullRequestNews


@dataclass(frozen=True, slots=True)
class PullRequestTold:
    """`repository` is its name as the event has it. `node_id` is "" where the event has none; `reason` None: it carries
    all that changed. `is_dated`: it moved the pull request's time of change, so what was fetched later has it.
    """

    news: PullRequestNews
    repository: str
    node_id: str = ""
    reason: Reason | None = None
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Pushed:
    """A branch of the repository has another commit at its end."""

    branch: str
    sha: str


@dataclass(frozen=True, slots=True)
class ChecksTold:
    """Checks of a commit. `numbers`: pull requests with it at their head, as far as the event knows them."""

    sha: str
    checks: tuple[CheckRecord, ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChecksEnded:
    """All of a commit's checks of one app have ended, each of which is told by itself."""

    sha: str


@dataclass(frozen=True, slots=True)
class DeploymentTold:
    deployment: DeploymentRecord


@dataclass(frozen=True, slots=True)
class RepositoryTold:
    """A repository as it is now, and the name it had until now; `is_deleted`: it is no more."""

    remote: RemoteRepository
    former_name: str
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationRenamed:
    """`id` is GitHub's number of the organisation."""

    id: int
    login: str
    former_login: str


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """Somebody joined or left the organisation of this id. None: may do something else in the repository."""

    organization_id: int | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event that changes nothing that is kept here, and why."""

    why: str


Told: TypeAlias = (
    PullRequestTold
    | Pushed
    | ChecksTold
    | ChecksEnded
    | DeploymentTold
    | RepositoryTold
    | OrganizationRenamed
    | MembersChanged
    | Nothing
)

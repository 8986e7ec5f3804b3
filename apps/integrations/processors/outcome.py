"""What came of an event, for the task that processed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Unreadable(ValueError):
    """The payload is not what GitHub publishes for its event, and never will be. Nothing was changed; the message says
    what is wrong.
    """


class Reason(StrEnum):
    """Why a pull request has to be fetched."""

    UNKNOWN = "unknown"  # nothing of it is stored, or only what an event told
    MERGED = "merged"  # its last state, which will be looked at most; what ends after the merge is fetched later
    CODE = "code"  # its commits, files and sizes changed
    LIFE = "life"  # a turn of its life, a review or comment: its counts and whatever else the event does not carry
    CHECKS = "checks"  # checks of its head ended that were never heard of
    COUNTS = "counts"  # somebody wants all of it, whatever changed
    DOUBT = "doubt"  # two events of one second say different things, or one comes from the future: what is so?


@dataclass(frozen=True, slots=True)
class Need:
    """A pull request that has to be fetched. `repository_id` is the primary key of the team's `metrics.Repository`,
    `pull_request_id` that of the stored row, None where there is none yet. `node_id` is "" where the event did not say.
    """

    repository_id: int
    number: int
    node_id: str
    reason: Reason
    pull_request_id: int | None = None


@dataclass(frozen=True, slots=True)
class Processed:
    """`touched_weeks`: Mondays in the team's time zone whose aggregates may have changed. `needs`: what the event could
    not tell. `changed`: rows that were written or marked as gone. `ignored`: why nothing was done with it, else "".
    `repository_id`: the primary key of the followed repository that it was about, if any.
    """

    touched_weeks: frozenset[date] = frozenset()
    needs: tuple[Need, ...] = ()
    changed: int = 0
    ignored: str = ""
    repository_id: int | None = None

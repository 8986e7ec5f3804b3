"""What came of an event, for the task that processed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Unreadable(ValueError):
    """The payload is not what GitHub publishes for its event. Nothing was changed; the message says what is wrong."""


class Reason(StrEnum):
    """Why a pull request has to be fetched."""

    UNKNOWN = "unknown"  # it is not stored yet
    MERGED = "merged"  # everything, now and later: it will be asked for most
    CODE = "code"  # its commits, files and sizes changed
    CONVERSATION = "conversation"  # what the payload does not carry of reviews, comments and turns
    COUNTS = "counts"  # the payload's words are stored; what it states of the rest is not known


@dataclass(frozen=True, slots=True)
class Need:
    """A pull request of a stored repository that has to be fetched, known by its number, its node id ("") or both.

    `repository_id` is the primary key of the team's `metrics.Repository`, `pull_request_id` that of the stored row, None
    where there is none yet. A `number` of 0 is not known: only the node id is.
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
    notes: tuple[str, ...] = field(default=())

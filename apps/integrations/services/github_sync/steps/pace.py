"""How many pull requests the next page asks for: as many as GitHub answers in good time, found without failing often.

A page that is too heavy costs extra points and ten seconds, so one that came late is followed by a smaller one before
GitHub cuts it, and a larger one is tried only after several that came so fast that it should come in time, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from apps.integrations.github.completion import SLOW
from apps.integrations.services.github_sync.steps.learned import Checkpoint

SIZES = (24, 14, 7, 3, 1)
"""24 cost two points and 14 one; the others are about half each."""

COMFORTABLE = 5.0
"""Seconds that a larger page may be expected to take."""

GOOD_PAGES, MOST_PATIENCE = 4, 64
"""So many pages in a row must have gone well before a larger one: more after each time that it was too much."""


def smaller(size: int) -> int:
    return next((each for each in SIZES if each < size), 1)


def larger(size: int) -> int:
    return min((each for each in SIZES if each > size), default=SIZES[0])


@dataclass(frozen=True, slots=True)
class Pace:
    """The size of the next page; `good` pages went well in a row, `patience` of them are wanted. `before` is the size
    from which it fell, until the pull request that is to blame is found (0: it did not).
    """

    size: int
    good: int = 0
    patience: int = GOOD_PAGES
    before: int = 0

    @classmethod
    def of(cls, checkpoint: Checkpoint, page_size: int) -> Pace:
        return cls(**checkpoint["pace"]) if "pace" in checkpoint else cls(page_size)

    def noted(self) -> dict[str, Any]:
        """As a checkpoint holds it."""
        return asdict(self)

    def after(self, *, asked: int, worked: int, seconds: float) -> Pace:
        """After a page of `worked` pull requests, tried first with `asked`, whose query took `seconds`."""
        if worked < asked or seconds > SLOW:
            size = smaller(worked) if seconds > SLOW else worked
            return Pace(size, 0, min(2 * self.patience, MOST_PATIENCE), self.before or self.size)
        if worked < self.size:
            return self
        good = self.good + 1 if seconds * larger(worked) / worked <= COMFORTABLE else 0
        if good < self.patience:
            return replace(self, good=good)
        if self.size == SIZES[0]:
            return Pace(self.size, 0, max(GOOD_PAGES, self.patience // 2))
        return replace(self, size=larger(self.size), good=0)

    def eased(self, failures: int) -> Pace:
        """After answers that broke off so often in a row at this place: the first time says nothing of the size."""
        size = self.size
        for _ in range(failures - 1):
            size = smaller(size)
        if size == self.size:
            return self
        return Pace(size, 0, min(2 * self.patience, MOST_PATIENCE), self.before or self.size)

    def relieved(self) -> Pace:
        """After the pull request was found that is too heavy by itself: the others are not to blame. But where such
        pull requests are many, the size grows slowly as ever.
        """
        return Pace((self.before or self.size) if self.patience < MOST_PATIENCE else 1, 0, self.patience)

    def remembered(self, *, is_last: bool = False) -> int:
        """With what the repository's next run begins. A run that may end in the middle of the search for the one to
        blame takes it down by a step at most, and one whose `is_last` page went well takes it up by a step: short runs
        never have the pages in a row that it takes otherwise.
        """
        if self.before:
            return self.size if is_last else max(self.size, smaller(self.before))
        return larger(self.size) if is_last and self.good else self.size

"""Chance that is always the same."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice(random.Random):
    """As `random.Random`, seeded with words; its draws of one thing take a third of the time. They are not quite even,
    by parts of a billion, and `choice` takes sequences only.
    """

    def randint(self, a: int, b: int) -> int:
        return a + int(self.random() * (b - a + 1))

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]
        return seq[int(self.random() * len(seq))]

    def spread(self, median: float, sigma: float) -> float:
        """A lognormal value, as durations and sizes are: most are small, a few are not."""
        return min(median * math.exp(self.gauss(0, sigma)), median * 25)


def dice(*words: object) -> Dice:
    return Dice(":".join(map(str, words)))

"""How long a piece of work may go on asking REST: what it is asked for is seldom worth holding everything else up."""

from __future__ import annotations

import time
from collections.abc import Callable

from apps.integrations.github.errors import LeftForLater

SECONDS = 40.0
"""Of a step: enough for the sizes of the most commits that GitHub lists of a pull request, one request each."""

AWAY = 60.0
"""After an answer that did not come in any attempt, REST is left alone for so long."""


class Patience:
    """`begin` a piece of work; then `check` before each request, and say when GitHub `is_away`. `clock` in seconds."""

    def __init__(self, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until = clock() + seconds
        self._away_until = clock()

    def begin(self) -> None:
        self._until = self._clock() + self._seconds

    @property
    def is_over(self) -> bool:
        now = self._clock()
        return now >= self._until or now < self._away_until

    def check(self) -> None:
        """Raises LeftForLater."""
        if self.is_over:
            raise LeftForLater

    def is_away(self) -> None:
        self._away_until = self._clock() + AWAY

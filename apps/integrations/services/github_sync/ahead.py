"""Steps fetched ahead of the writer: one at a time, a few at most, in a thread that knows no database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Self

from apps.integrations.services.github_sync.steps import Checkpoint, Learned, merged

AHEAD = 2
"""Steps that wait for the writer: what a kill costs again is these and the one that is being fetched."""

TOGETHER = 2
"""Steps that are written in one transaction, when they are there: what a transaction costs by itself is shared."""


class Ahead:
    """The steps from `checkpoint` on, in order: `with Ahead(fetch, checkpoint, is_over) as coming: coming.take(...)`.

    None but the first is begun once `is_over` says so: nothing is fetched for nothing.
    """

    def __init__(
        self, fetch: Callable[[Checkpoint], Learned], checkpoint: Checkpoint, is_over: Callable[[], bool]
    ) -> None:
        self._fetch = fetch
        self._is_over = is_over
        self._checkpoint: Checkpoint | None = checkpoint
        self._ready: Queue[Learned | BaseException | None] = Queue(AHEAD)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="github", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while self._checkpoint is not None and not self._ended.is_set():
            try:
                learned = self._fetch(self._checkpoint)
            except BaseException as error:  # noqa: BLE001 - it travels to the writer
                self._put(error)
                return
            self._checkpoint = learned.next
            self._put(learned)
            if self._is_over():
                self._put(None)
                return

    def _put(self, what: Learned | BaseException | None) -> None:
        while not self._ended.is_set():
            try:
                self._ready.put(what, timeout=0.2)
            except Full:
                continue
            return

    def take(self, *, patience: float, while_waiting: Callable[[], None], together: bool) -> Learned | None:
        """The next step, merged with those behind it that are there and can be written with it (`together`); None when
        the time is up.

        Calls `while_waiting` every `patience` seconds. Raises what fetching raised, once all before it was taken.
        """
        while True:
            try:
                first = self._ready.get(timeout=patience)
                break
            except Empty:
                while_waiting()
        if isinstance(first, BaseException):
            raise first
        if first is None:
            return None
        steps = [first]
        while together and len(steps) < TOGETHER and self._can_join(first):
            following = self._ready.get_nowait()
            assert isinstance(following, Learned)  # as _can_join saw; nobody else takes
            steps.append(following)
        return merged(steps)

    def _can_join(self, first: Learned) -> bool:
        with self._ready.mutex:
            following = self._ready.queue[0] if self._ready.queue else None
        return isinstance(following, Learned) and following.recount == first.recount

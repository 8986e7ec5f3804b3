"""Cursors that lead in circles: a server that says for ever that there is more must not keep a run for ever."""

from __future__ import annotations

from apps.integrations.github.types import Lost
from apps.integrations.services.github_sync.steps.learned import Checkpoint

CIRCLE = Lost("the list of pull requests: GitHub's pages lead in circles, so there may be more")


def leads_back(checkpoint: Checkpoint, cursor: str) -> tuple[bool, Checkpoint]:
    """Whether the phase was at this cursor before, and the checkpoint with what is needed to tell so the next time.

    Brent's way: one cursor is remembered, a later one each time that twice as many pages were walked. A circle is seen
    within three rounds of it, however long it is, and nothing grows with the pages.
    """
    lap = checkpoint.get("lap")
    if lap is None or lap["phase"] != checkpoint["phase"]:
        lap = {"phase": checkpoint["phase"], "mark": checkpoint["cursor"], "pages": 0, "of": 1}
    if cursor == lap["mark"]:
        return True, checkpoint
    lap = {**lap, "pages": lap["pages"] + 1}
    if lap["pages"] == lap["of"]:
        lap |= {"mark": cursor, "pages": 0, "of": 2 * lap["of"]}
    return False, {**checkpoint, "lap": lap}

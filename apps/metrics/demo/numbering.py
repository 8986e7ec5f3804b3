"""Which numbers of a repository are pull requests and which are issues: both come from one sequence, as on GitHub.

The `place` of a pull request says how many there were up to and with it. What is made of one is dealt out by its place,
never remembered: that keeps it the same whatever was made before, and different from those around it.
"""

from __future__ import annotations

_PULL_REQUESTS = (2, 3, 5, 6, 7)  # of every seven numbers; the others are issues
_ISSUES = (1, 4)
_BLOCK = len(_PULL_REQUESTS) + len(_ISSUES)
_BLOCKS_BACK = 4
_LATER = {number: place for place, number in enumerate(_PULL_REQUESTS)}

INCIDENT_EVERY = 71
"""Of so many pull requests of a repository one is a revert and one a hotfix."""

_UPGRADES = {5: 0, 20: 1}  # of every 28 places
_UPGRADES_EVERY = 28


def number_of(place: int) -> int:
    block, later = divmod(place - 1, len(_PULL_REQUESTS))
    return block * _BLOCK + _PULL_REQUESTS[later]


def place_of(number: int) -> int:
    """KeyError where the number is an issue's."""
    block, later = divmod(number - 1, _BLOCK)
    return block * len(_PULL_REQUESTS) + _LATER[later + 1] + 1


def is_issue(number: int) -> bool:
    return (number - 1) % _BLOCK + 1 in _ISSUES


def issue_for(place: int) -> int | None:
    """The issue that this pull request may close: opened before it, and no other one's. Three of five have none."""
    block, later = divmod(place - 1, len(_PULL_REQUESTS))
    turn, step = divmod(block, _BLOCKS_BACK)
    if later >= len(_ISSUES) or not turn:
        return None
    return ((turn - 1) * _BLOCKS_BACK + (step * 3 + later) % _BLOCKS_BACK) * _BLOCK + _ISSUES[later]


def is_hotfix(number: int) -> bool:
    return place_of(number) % INCIDENT_EVERY == 52


def is_revert(number: int) -> bool:
    return place_of(number) % INCIDENT_EVERY == 35


def upgrade_of(number: int) -> int | None:
    """Which one of the dependency bot's it is, from 0; None: another's."""
    turn, place = divmod(place_of(number), _UPGRADES_EVERY)
    return turn * len(_UPGRADES) + _UPGRADES[place] if place in _UPGRADES else None

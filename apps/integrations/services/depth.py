"""How far back: 30, 60 or 90 days, or the full history. In code the full history is None."""

from __future__ import annotations

from apps.integrations.models import TrackedRepository

ALL = "all"
LONGEST = 36_500
"""Days; a hundred years are longer than any history, and dates before the year 1 do not exist."""


class InvalidDepth(ValueError):
    """No depth; the message says which there are."""


def parse_depth(text: str) -> int | None:
    """`30`, `60` or `90` days, or None for `all`. Raises InvalidDepth."""
    depth = _number(text)
    if depth not in TrackedRepository.DEPTHS:
        raise InvalidDepth(f"“{_shown(text)}” is no depth: choose {_choices()}.")
    return depth


def parse_days(text: str) -> int | None:
    """Any number of days from 1, or None for `all`: for commands. Raises InvalidDepth."""
    depth = _number(text)
    if depth is not None and not 1 <= depth <= LONGEST:
        raise InvalidDepth(f"“{_shown(text)}” is no number of days from 1 to {LONGEST}; `{ALL}` is the full history.")
    return depth


def depth_value(depth: int | None) -> str:
    """What `parse_depth` understands."""
    return ALL if depth is None else str(depth)


def depth_label(depth: int | None) -> str:
    return "full history" if depth is None else f"{depth} days" if depth != 1 else "1 day"


def _number(text: str) -> int | None:
    """None for `all`, 0 for what is no number."""
    if text == ALL:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _choices() -> str:
    *days, _ = (depth_value(depth) for depth in TrackedRepository.DEPTHS)
    return f"{', '.join(days)} (days) or {ALL}"


def _shown(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"

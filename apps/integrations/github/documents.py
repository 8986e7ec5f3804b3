"""The GraphQL documents: one operation a file in `queries/`, the fragments they share in `fragments.graphql`.

All of them are read when this module is: a process must not mix its own code with the documents of the next release,
which are put where it finds them while it still works.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

QUERIES = Path(__file__).with_name("queries")
FRAGMENTS = "fragments"

FRAGMENT = re.compile(r"fragment (\w+) on ")
SPREAD = re.compile(r"\.\.\.\s*(?!on\b)(\w+)")
COMMENT = re.compile(r"#[^\n]*")
SPACE = re.compile(r"\s+")


def _read() -> dict[str, str]:
    """The files by name, without comments and line breaks; none of our documents holds a string literal."""
    return {
        path.stem: SPACE.sub(" ", COMMENT.sub("", path.read_text(encoding="utf-8"))).strip()
        for path in sorted(QUERIES.glob("*.graphql"))
    }


def _apart(text: str) -> dict[str, str]:
    """The fragments of a file by name."""
    starts = [found.start() for found in FRAGMENT.finditer(text)]
    pieces = (text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True))
    return {FRAGMENT.match(piece).group(1): piece for piece in pieces}  # type: ignore[union-attr]


_OPERATIONS = _read()
_FRAGMENTS = _apart(_OPERATIONS.pop(FRAGMENTS))


def operations() -> list[str]:
    """The names of all operations, which are the names of their files."""
    return list(_OPERATIONS)


@cache
def operation(name: str) -> str:
    """The document of `queries/<name>.graphql`, complete with the fragments that it spreads."""
    return with_fragments(_OPERATIONS[name])


def with_fragments(text: str) -> str:
    """`text` followed by each fragment that it needs, directly or through another, once."""
    needed: dict[str, str] = {}
    waiting = SPREAD.findall(text)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _FRAGMENTS[name]
            waiting.extend(SPREAD.findall(_FRAGMENTS[name]))
    return " ".join([text, *(needed[name] for name in sorted(needed))])

"""The GraphQL documents: one operation a file in `queries/`, the fragments they share in `fragments.graphql`."""

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


def operations() -> list[str]:
    """The names of all operations, which are the names of their files."""
    return sorted(path.stem for path in QUERIES.glob("*.graphql") if path.stem != FRAGMENTS)


@cache
def operation(name: str) -> str:
    """The document of `queries/<name>.graphql`, complete with the fragments that it spreads."""
    return with_fragments(_read(name))


def with_fragments(text: str) -> str:
    """`text` followed by each fragment that it needs, directly or through another, once."""
    known = _fragments()
    needed: dict[str, str] = {}
    waiting = SPREAD.findall(text)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = known[name]
            waiting.extend(SPREAD.findall(known[name]))
    return " ".join([text, *(needed[name] for name in sorted(needed))])


@cache
def _fragments() -> dict[str, str]:
    text = _read(FRAGMENTS)
    starts = [found.start() for found in FRAGMENT.finditer(text)]
    pieces = (text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True))
    return {FRAGMENT.match(piece).group(1): piece for piece in pieces}  # type: ignore[union-attr]


def _read(name: str) -> str:
    """The file without comments and line breaks; none of our documents holds a string literal."""
    text = (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")
    return SPACE.sub(" ", COMMENT.sub("", text)).strip()

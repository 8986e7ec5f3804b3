"""The subjects of a repository, read from its vocabulary, and the grammar that sentences about them need."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "vocabulary"
_DOUBLED = {
    *("blur", "cut", "drop", "flap", "forget", "lag", "log", "overlap", "prefer", "reset", "run", "skip", "stop"),
    *("submit", "swap", "wrap"),
}


@dataclass(frozen=True, slots=True)
class Component:
    """`name` as in the middle of a sentence. `slug`: what its files are named after."""

    name: str
    is_plural: bool
    slug: str


@dataclass(frozen=True, slots=True)
class Problem:
    """`fails`: "count twice", in the number of its component; `failing`: "counting twice"."""

    component: Component
    slug: str
    fails: str
    failing: str


@dataclass(frozen=True, slots=True)
class Wish:
    component: Component
    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Subjects:
    """`who` asks for things there. Problems and wishes of different components take turns."""

    who: str
    components: tuple[Component, ...]
    problems: tuple[Problem, ...]
    wishes: tuple[Wish, ...]
    when: tuple[str, ...]
    scope: tuple[str, ...]


@cache
def subjects_of(repository: str) -> Subjects:
    """From vocabulary/REPOSITORY.toml. Each failure there must fit each `when`, each wish each `scope`; failures begin
    with a verb in its plain form, without a negation or a passive, wishes with an imperative. All components have as
    many.
    """
    text = tomllib.loads((_FOLDER / f"{repository}.toml").read_text(encoding="utf-8"))
    rows = [
        (Component(row["name"], row.get("plural", False), slug(row["name"])), row["fails"], row["wanted"])
        for row in text["components"]
    ]
    turns = range(len(rows[0][1]))
    return Subjects(
        who=text["who"],
        components=tuple(component for component, _, _ in rows),
        problems=tuple(_problem(component, fails[n]) for n in turns for component, fails, _ in rows),
        wishes=tuple(Wish(component, slug(wanted[n]), wanted[n]) for n in turns for component, _, wanted in rows),
        when=tuple(text["when"]),
        scope=tuple(text["scope"]),
    )


def _problem(component: Component, text: str) -> Problem:
    verb, _, rest = text.partition(" ")
    fails = text if component.is_plural else f"{_third_person(verb)} {rest}".strip()
    return Problem(component, f"{component.slug}-{slug(text)}", fails, f"{_gerund(verb)} {rest}".strip())


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "go")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def _gerund(verb: str) -> str:
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ing"
    return f"{verb.removesuffix('e')}ing" if not verb.endswith("ee") else f"{verb}ing"


def slug(text: str) -> str:
    """As in the names of branches and files: at most five words, without articles."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.replace("-D", "D").lower()).split()
    return "-".join([word for word in words if word not in ("the", "a", "an")][:5])


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """As it is, where it begins with an abbreviation or a number."""
    return text if text[1:2].isupper() or text[1:2] == "-" else text[:1].lower() + text[1:]

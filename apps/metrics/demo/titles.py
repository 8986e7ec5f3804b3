"""What pull requests are called. A kind's titles are dealt out one after another, all before one comes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple

from apps.metrics.demo.dice import dice
from apps.metrics.demo.numbering import INCIDENT_EVERY
from apps.metrics.demo.organisation import DemoRepository
from apps.metrics.demo.subjects import Component, Problem, Subjects, capitalised, subjects_of, uncapitalised
from apps.metrics.demo.upgrades import Upgrade

_DECK = {"feature": 19, "fix": 14, "refactor": 6, "test": 3, "docs": 3, "chore": 5}
"""How many of each kind there are of so many pull requests as these are together."""

# Each is a title, and what the same is called as an issue.
_FIXES = (
    ("Fix {name} {failing}{when}", "{Name} {fails}{when}"),
    ("{Name} no longer {fails}{when}", "{Name} {fails}{when}"),
    ("Stop {name} from {failing}{when}", "{Name} {fails}{when}"),
)
_HOTFIXES = (("Hotfix: {name} {fails}{when}", "Incident: {name} {fails}{when}"),)
_TESTS = (
    ("Test {name}{when}", "{Name} {be} not tested{when}"),
    ("Cover {name}{when} in the integration tests", "{Name} {be} not tested{when}"),
    ("Add a regression test: {name}{when}", "{Name} {be} broken again{when}"),
)
_STEPS = (
    *("", ": first version", ": behind a flag", ": error cases", ": metrics", ": tests", ": follow-up from the demo"),
    ": polish",
)
_REFACTORINGS = (
    ("Split the module for {name} in two", "The module for {name} is too long"),
    ("Move {name} into a package of {its} own", "It is hard to find everything about {name}"),
    ("Remove dead code around {name}", "There is dead code around {name}"),
    ("Simplify the error handling around {name}", "Errors around {name} are handled in three ways"),
    ("Flatten nested conditions in the code for {name}", "The code for {name} is hard to read"),
    ("Use better names in the code for {name}", "The code for {name} is hard to read"),
    ("Read the settings for {name} in one place", "Settings for {name} are read in several places"),
    ("Drop global state from the code for {name}", "The code for {name} keeps global state"),
    ("Make the types behind {name} strict", "The types behind {name} allow anything"),
    ("Replace flags with an enum in the code for {name}", "The code for {name} has flags that exclude each other"),
    ("Extract helpers from the code for {name}", "The code for {name} does too much at once"),
    ("Inline single-use helpers in the code for {name}", "The code for {name} jumps from helper to helper"),
    ("Hide the internals of {name} behind an interface", "Other modules rely on the internals of {name}"),
    ("Untangle imports in the code for {name}", "The code for {name} imports half of the repository"),
    ("Reduce duplication in the code for {name}", "Much of the code for {name} is there twice"),
    ("Remove the compatibility layer of {name}", "Nobody needs the compatibility layer of {name} any more"),
    ("Break up the longest function behind {name}", "The longest function behind {name} has 180 lines"),
    ("Remove a workaround around {name}", "The workaround around {name} is not needed any more"),
    ("Collect the constants of {name} in one place", "Constants of {name} are repeated"),
    ("Pass typed values through the code for {name}", "The code for {name} passes dictionaries around"),
    ("Separate reading from writing in the code for {name}", "The code for {name} writes while it reads"),
    ("Load data for {name} once", "Data for {name} is loaded several times"),
)
_DOCS = (
    ("Explain {name} to newcomers", "Newcomers do not understand {name}"),
    ("Add {name} to the runbook", "The runbook leaves out {name}"),
    ("Correct the docs of {name}", "The docs of {name} are wrong"),
    ("Say whom to call about {name}", "Nobody knows whom to call about {name}"),
    ("Add examples to the docs of {name}", "The docs of {name} have no examples"),
    ("Record the decision about {name}", "Nobody remembers what we decided about {name}"),
    ("Draw a diagram for {name}", "The docs of {name} need a diagram"),
    ("Describe the limits of {name}", "The limits of {name} are not documented"),
    ("Link the dashboard for {name} from the runbook", "It is hard to find the dashboard for {name}"),
    ("Describe how to test {name} by hand", "Nobody knows how to test {name} by hand"),
    ("List known issues with {name}", "Support asks again and again about {name}"),
    ("Write up the last incident with {name}", "There is no report on the last incident with {name}"),
    ("Explain the settings for {name}", "The settings for {name} are not documented"),
    ("Document events around {name}", "Events around {name} are not documented"),
)
_CHORES = (
    ("Log less around {name}", "The code for {name} fills the logs"),
    ("Add metrics for {name}", "We do not see how {name} {do}"),
    ("Remove the old flag for {name}", "The flag for {name} is always on"),
    ("Name the owners of {name} in CODEOWNERS", "Nobody is asked to review changes of {name}"),
    ("Run the tests of {name} in parallel", "The tests of {name} take too long"),
    ("Clean up the settings for {name}", "Some settings for {name} are unused"),
)
_CHORES_ABOUT_PROBLEMS = (
    ("Count how often {name} {fails}", "We do not know how often {name} {fails}"),
    ("Alert when {name} {fails}", "Nobody hears of it when {name} {fails}"),
    ("Log more when {name} {fails}", "The logs do not say why {name} {fails}"),
)
_AGAIN = ("", " (part 2)", " (follow-up)", " (after the roll-out)", " (part 3)", " (second try)", " (last part)")
"""Said of a title when it is dealt out once more, months later."""

_STYLES = {
    "web-shop": "conventional",
    "parcels-api": "PAR",
    "courier-app": "tagged",
    "billing": "BIL",
    "data-pipeline": "conventional",
    "identity": "IAM",
    "notifications": "tagged",
}
_TAGS = {"feature": "Feature", "fix": "Bugfix", "test": "Tests", "docs": "Docs"}


class Titled(NamedTuple):
    """`subject`: what its files are named after. `branch`: without whose it is. `issue`: the same from outside."""

    title: str
    subject: str
    branch: str
    issue: str


def kind_and_title(seed: int, repository: DemoRepository, place: int) -> tuple[str, Titled]:
    """Of an ordinary pull request."""
    turn, card = divmod(place, sum(_DECK.values()))
    kind, earlier = _deck(seed, repository.index)[card]
    return kind, _dealt(seed, repository, place, kind, turn * _DECK[kind] + earlier)


def hotfix_title(seed: int, repository: DemoRepository, place: int) -> Titled:
    return _dealt(seed, repository, place, "hotfix", place // INCIDENT_EVERY)


def dependencies_title(repository: DemoRepository, proposed: Upgrade) -> Titled:
    is_conventional = _STYLES.get(repository.name) == "conventional"
    title = f"chore(deps): {uncapitalised(proposed.title)}" if is_conventional else proposed.title
    return Titled(title, "dependencies", proposed.branch, f"{capitalised(proposed.package)} is out of date")


@lru_cache(maxsize=64)
def _deck(seed: int, index: int) -> tuple[tuple[str, int], ...]:
    """Kinds in an order that repeats, each with how many of the same are before it."""
    kinds = [kind for kind, count in _DECK.items() for _ in range(count)]
    dice(seed, index, "kinds").shuffle(kinds)
    return tuple((kind, kinds[:place].count(kind)) for place, kind in enumerate(kinds))


def _dealt(seed: int, repository: DemoRepository, place: int, kind: str, turn: int) -> Titled:
    """What comes at `turn`: neighbours have little in common, and all are through before one comes again."""
    titles = titles_of(repository.name, kind)
    again, turn = divmod(turn, len(titles))
    titled = titles[(turn * _stride(len(titles)) + seed * 101 + repository.index) % len(titles)]
    title = _styled(repository.name, place, kind, titled) + _AGAIN[again % len(_AGAIN)]
    return Titled(title, titled.subject, titled.branch, titled.issue)


@cache
def _stride(size: int) -> int:
    """About 0.618 of it, and prime to it."""
    return next(stride for stride in range(int(size * 0.618), size + 1) if gcd(stride, size) == 1)


def _styled(repository: str, place: int, kind: str, titled: Titled) -> str:
    style, title = _STYLES.get(repository, ""), titled.title
    if style == "conventional":
        kind, title = {"feature": "feat"}.get(kind, kind), title.removeprefix("Hotfix: ")
        return f"{kind}({titled.subject}): {uncapitalised(title)}"
    if style == "tagged" and kind in _TAGS:
        return f"[{_TAGS[kind]}] {title}"
    return f"{style}-{320 + place * 3 + place % 2} {title}" if style.isupper() else title


@cache
def titles_of(repository: str, kind: str) -> tuple[Titled, ...]:
    """All that a repository can say of one kind, before its style; those about different components take turns."""
    subjects = subjects_of(repository)
    when = [{"when": f" {when}"} for when in subjects.when]
    found: Iterable[Titled]
    match kind:
        case "feature":
            found = _wishes(subjects)
        case "fix":
            found = _of_problems(subjects.problems, _FIXES, [*when, {"when": ""}])
        case "hotfix":
            found = _of_problems(subjects.problems, _HOTFIXES, when)
        case "test":
            found = _of_components("test", subjects.components, _TESTS, when)
        case "refactor":
            found = _of_components("refactor", subjects.components, _REFACTORINGS, [{}])
        case "docs":
            found = _of_components("document", subjects.components, _DOCS, [{}])
        case _:
            found = [
                *_of_problems(subjects.problems, _CHORES_ABOUT_PROBLEMS, [{}]),
                *_of_components("tidy", subjects.components, _CHORES, [{}]),
            ]
    return tuple(found)


Patterns = Iterable[tuple[str, str]]
Words = dict[str, str]


def _wishes(subjects: Subjects) -> Iterator[Titled]:
    endings = [f" {scope}" for scope in subjects.scope]
    for n, ending in enumerate([*endings, *_STEPS]):
        asked = ending if n < len(endings) else ""
        for wish in subjects.wishes:
            issue = f"{subjects.who} ask us to {wish.text}{asked}" if n % 2 else f"Idea: {wish.text}{asked}"
            yield Titled(f"{capitalised(wish.text)}{ending}", wish.component.slug, wish.slug, issue)


def _of_problems(problems: Iterable[Problem], patterns: Patterns, more: Iterable[Words]) -> Iterator[Titled]:
    for words, pattern, problem in product(more, patterns, problems):
        named = _named(problem.component) | {"fails": problem.fails, "failing": problem.failing} | words
        yield _titled(pattern, problem.component.slug, problem.slug, named)


def _of_components(
    verb: str, components: Iterable[Component], patterns: Patterns, more: Iterable[Words]
) -> Iterator[Titled]:
    for words, pattern, component in product(more, patterns, components):
        yield _titled(pattern, component.slug, f"{verb}-{component.slug}", _named(component) | words)


def _titled(pattern: tuple[str, str], subject: str, branch: str, words: Words) -> Titled:
    title, issue = (text.format_map(words) for text in pattern)
    return Titled(title, subject, branch, issue)


def _named(component: Component) -> Words:
    be, do, its = ("are", "do", "their") if component.is_plural else ("is", "does", "its")
    return {"name": component.name, "Name": capitalised(component.name), "be": be, "do": do, "its": its}

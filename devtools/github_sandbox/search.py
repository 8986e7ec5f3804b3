"""Issue search in GitHub's query language: `repo:o/r is:pr updated:>=2026-01-01 sort:created-asc`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from devtools.github_sandbox.access import Session
from devtools.github_sandbox.entities import Issue, PullRequest
from devtools.github_sandbox.world import Repository, World

Test = Callable[[Any], bool]

_TERM = re.compile(r'(-?)([a-z-]+):("[^"]*"|\S+)|"([^"]*)"|(\S+)')
_DATES = {"created": "created_at", "updated": "updated_at", "closed": "closed_at", "merged": "merged_at"}
_SORTS = {"created": "created_at", "updated": "updated_at"}


def search_issues(world: World, session: Session, query: str) -> list[PullRequest | Issue]:
    """Everything that matches, best match first: newest unless `sort:` says otherwise. Not capped."""
    repositories: list[Repository] = []
    tests: list[Test] = []
    attribute, descending = "created_at", True
    for negated, key, value, quoted, word in _TERM.findall(query):
        value = value.strip('"')
        if key in ("repo", "org", "user"):
            repositories += _scope(world, key, value)
        elif key == "sort":
            name, _, direction = value.partition("-")
            attribute, descending = _SORTS.get(name, "created_at"), direction != "asc"
        else:
            test = _test(key, value) if key else _text(quoted or word)
            tests.append(_opposite(test) if negated else test)
    if not repositories and not re.search(r"(?:repo|org|user):", query):
        repositories = world.listed_repositories()
    items: list[PullRequest | Issue] = []
    for repository in {each.database_id: each for each in repositories if session.sees(each)}.values():
        items += [*repository.contents.sorted_pulls("CREATED_AT"), *repository.contents.issues.values()]
    found = [item for item in items if all(test(item) for test in tests)]
    return sorted(found, key=lambda item: (getattr(item, attribute), item.number), reverse=descending)


def whole(item: PullRequest | Issue) -> PullRequest | Issue:
    """The item itself, where a list has a stand-in."""
    return item if isinstance(item, Issue) else item.repository.contents.whole([item])[0]


def _scope(world: World, key: str, value: str) -> list[Repository]:
    if key == "repo":
        found = world.repository(value)
        return [found] if found is not None else []
    account = world.account(value)
    return list(account.repositories) if account is not None else []


def _opposite(test: Test) -> Test:
    return lambda item: not test(item)


def _text(word: str) -> Test:
    return lambda item: word.lower() in f"{item.title}\n{item.body}".lower()


def _test(key: str, value: str) -> Test:
    if key in _DATES:
        return _date_test(_DATES[key], value)
    if key in ("is", "type", "state"):
        return _state_test(value)
    if key == "author":
        return lambda item: item.author is not None and item.author.login.lower() == value.lower()
    if key == "label":
        return lambda item: any(label.name.lower() == value.lower() for label in item.labels)
    if key == "draft":
        return lambda item: item.typename == "PullRequest" and item.is_draft == (value == "true")
    if key == "base":
        return lambda item: item.typename == "PullRequest" and item.base_ref_name == value
    return lambda item: True


def _state_test(value: str) -> Test:
    tests: dict[str, Test] = {
        "pr": lambda item: item.typename == "PullRequest",
        "issue": lambda item: isinstance(item, Issue),
        "open": lambda item: item.state == "OPEN",
        "closed": lambda item: item.state != "OPEN",
        "merged": lambda item: item.state == "MERGED",
        "unmerged": lambda item: item.state != "MERGED",
        "draft": lambda item: item.typename == "PullRequest" and item.is_draft,
    }
    return tests.get(value, lambda item: True)


def _date_test(attribute: str, value: str) -> Test:
    """A day stands for all of it: `>2026-01-01` begins on the 2nd, `a..2026-01-07` ends with the 7th."""
    if ".." in value:
        start, _, end = value.partition("..")
        low = "" if start == "*" else _first(start)
        high = "9" if end == "*" else _last(end)
    elif value.startswith(">="):
        low, high = _first(value[2:]), "9"
    elif value.startswith(">"):
        low, high = _last(value[1:]) + "~", "9"
    elif value.startswith("<="):
        low, high = "", _last(value[2:])
    elif value.startswith("<"):
        low, high = "", _first(value[1:])[:-1]
    else:
        low, high = _first(value), _last(value)
    return lambda item: low <= (getattr(item, attribute, None) or "~") <= high


def _first(value: str) -> str:
    return _utc(value) if "T" in value else f"{value}T00:00:00Z"


def _last(value: str) -> str:
    return _utc(value) if "T" in value else f"{value}T23:59:59Z"


def _utc(value: str) -> str:
    return re.sub(r"(\.\d+)?(\+00:00|Z)?$", "Z", value, count=1)

"""What titles, bodies, labels and branch names say (docs/metrics.md, "Reverts", "Hotfixes")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_REVERT = 'Revert "'
_REAPPLY = 'Reapply "'

_BY_NUMBER = re.compile(
    r"\breverts\s+(?P<repository>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,9})\b"
    r"|\bthis\s+reverts\s+(?:PR|pull\s+request)\s+#(?P<named>\d{1,9})\b",
    re.IGNORECASE,
)
_BY_SHA = re.compile(r"\bthis\s+reverts\s+commit\s+(?P<sha>[0-9a-f]{7,40})\b", re.IGNORECASE)

# An underscore separates words in labels and branches, a letter or a digit does not.
_HOTFIX_WORD = re.compile(r"(?<![^\W_])hot[ -]?fix(?![^\W_])", re.IGNORECASE)
_HOTFIX_BRANCH = ("hotfix/", "hotfix-")


@dataclass(frozen=True, slots=True)
class Revert:
    """Whether a pull request undoes another one, and which: its number, the sha of a commit, or, where only that is
    known, the title that was quoted; all empty where it does not say."""

    is_revert: bool = False
    number: int | None = None
    sha: str = ""
    title: str = ""


def revert_of(title: str, body: str, url: str = "") -> Revert:
    """Judge by the title where it begins `Revert "` or `Reapply "`, otherwise by the body.

    `url` is the pull request's own: a number that the body gives for another repository is not one of this.
    """
    title = title.strip()
    if title.startswith(_REAPPLY):
        return Revert()
    levels, rest = 0, title
    while rest.startswith(_REVERT):
        levels, rest = levels + 1, rest[len(_REVERT) :]
    if levels and levels % 2 == 0:
        return Revert()

    # The expressions below are slow on long bodies, and nearly all bodies lack the word.
    mentioned = "reverts" in body.lower()
    by_number = _BY_NUMBER.search(body) if mentioned else None
    by_sha = _BY_SHA.search(body) if mentioned else None
    if not levels and by_number is None and by_sha is None:
        return Revert()
    number = _number_here(by_number, url) if by_number else None
    sha = by_sha["sha"].lower() if by_sha else ""
    quoted = _quoted(title) if levels and number is None and not sha else ""
    return Revert(True, number, sha, quoted)


def _quoted(title: str) -> str:
    """What stands between the first and the last quotation mark; a title that was cut off has no last one."""
    inner = title[len(_REVERT) :]
    return (inner.rpartition('"')[0] or inner).strip()


def _number_here(match: re.Match[str], url: str) -> int | None:
    repository = match["repository"]
    own = "/".join(urlsplit(url).path.split("/")[1:3])
    if repository and own and repository.lower() != own.lower():
        return None
    return int(match["number"] or match["named"])


def is_hotfix(title: str, labels: Iterable[str], head_ref: str) -> bool:
    """Whether the title, a label or the head branch calls it a hotfix."""
    return (
        head_ref.lower().startswith(_HOTFIX_BRANCH)
        or _HOTFIX_WORD.search(title) is not None
        or any(_HOTFIX_WORD.search(label) for label in labels)
    )

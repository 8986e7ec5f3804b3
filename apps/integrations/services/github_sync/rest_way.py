"""REST for what GraphQL could not give of one pull request, each part on its own: some of it is better than none.

No database in here: it runs where the steps are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from apps.integrations.github import parts as ask
from apps.integrations.github.errors import BadCredentials, GitHubError, QueryTooHeavy, RateLimited, SsoRequired
from apps.integrations.github.rest import Rest, documented_shape
from apps.integrations.github.types import Raw
from apps.integrations.services.mapping import rest as mapping
from apps.metrics.records import CommitRecord, OverallTotal, Part, PullRequestRecord, ReviewRecord

T = TypeVar("T")

OF_THE_CONNECTION = (RateLimited, BadCredentials, SsoRequired)
"""Errors that are no part's own: every other request would meet them too."""

NOT_IN_REST = frozenset({Part.THREADS, Part.LINKED_ISSUES})
ONLY_GRAPHQL = "REST does not tell them"
SIZES = ("additions", "deletions", "changed_files")
REST = "REST: "
"""What a reason of REST's begins with, behind GraphQL's."""


def fill(rest: Rest, full_name: str, record: PullRequestRecord, parts: Collection[Part]) -> PullRequestRecord:
    """`record` with what REST gives of `parts`, which GraphQL did not give. Up to a request for every 100 entries, and
    one for each commit whose size is not in the record.

    What REST gave is no longer partial; what it could not give keeps its reason with REST's behind it. A part of which
    REST gave the first pages only stays partial, with as much as either of the two ways brought. The sizes of a pull
    request without any (no diff) come with its files. Raises what is OF_THE_CONNECTION.
    """
    return _filled(_Way(rest, full_name, record.number), record, parts)


def whole(rest: Rest, full_name: str, number: int) -> PullRequestRecord:
    """A pull request that GraphQL cannot give at all: its own facts, then every part as `fill` does.

    Raises the GitHubError of the first request: then REST cannot give it either.
    """
    way = _Way(rest, full_name, number)
    record = mapping.pull_request_record(way.pull_request())
    filled = _filled(way, record, [part for part in Part if part not in {Part.LABELS, Part.ASSIGNEES}])
    if Part.FILES in filled.partial and not filled.changed_files:
        unknown: dict[str, Any] = dict.fromkeys(SIZES)
        return replace(filled, **unknown)  # 0 is what GitHub states of a diff that it cannot compute
    return filled


@dataclass(slots=True)
class _Way:
    """REST's answers on one pull request. Its own facts serve several parts and are asked for once."""

    rest: Rest
    full_name: str
    number: int
    _pull_request: Raw | GitHubError | None = None

    def pull_request(self) -> Raw:
        if self._pull_request is None:
            try:
                with documented_shape():
                    found = ask.pull_request(self.rest, self.full_name, self.number)
                    mapping.pull_request_record(found)
            except GitHubError as error:
                self._pull_request = error
            else:
                self._pull_request = found
        if isinstance(self._pull_request, GitHubError):
            raise self._pull_request
        return self._pull_request


@dataclass(frozen=True, slots=True)
class _Given:
    """What REST gave of a part: `stated` is how many there are by its own word, `short` why some are missing though
    they were asked for. `overall` are totals beside the parts', `more` fields of the pull request itself that came with
    it.
    """

    found: tuple[Any, ...]
    stated: int
    short: str = ""
    capped: str = ""
    overall: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def _filled(way: _Way, record: PullRequestRecord, parts: Collection[Part]) -> PullRequestRecord:
    changes: dict[str, Any] = {}
    totals, partial, capped = dict(record.totals), dict(record.partial), dict(record.capped)
    for part in parts:
        name = part.value
        had = getattr(record, name)
        if part in NOT_IN_REST:
            if had is None:
                partial.setdefault(name, ONLY_GRAPHQL)
            continue
        given = _given(way, record, part)
        if not given.short:
            changes |= {name: given.found, **given.more}
            totals |= {name: given.stated, **given.overall}
            partial.pop(name, None)
            capped.pop(name, None)
            if given.capped:
                capped[name] = given.capped
        elif had is None or name in partial:
            partial[name] = "; ".join(filter(None, [partial.get(name), given.short]))
            if len(given.found) > len(had or ()):
                changes[name] = given.found
    return replace(record, **changes, totals=totals, partial=partial, capped=capped)


def _given(way: _Way, record: PullRequestRecord, part: Part) -> _Given:
    try:
        with documented_shape():
            return _FETCH[part](way, record)
    except OF_THE_CONNECTION:
        raise
    except GitHubError as error:
        return _Given((), 0, short=_reason(error))


def _reason(error: GitHubError) -> str:
    words = error.reason if isinstance(error, QueryTooHeavy) else str(error).removesuffix(".")
    return f"{REST}{words}"


def _gathered(
    entries: Iterable[Raw], make: Callable[[Raw], T | None], key: Callable[[T], object]
) -> tuple[tuple[T, ...], str]:
    """The records of the entries, once each; and why they end early, where a page after the first failed."""
    found: dict[object, T] = {}
    try:
        with documented_shape():
            for entry in entries:
                record = make(entry)
                if record is not None:
                    found[key(record)] = record
    except OF_THE_CONNECTION:
        raise
    except GitHubError as error:
        return tuple(found.values()), _reason(error)
    return tuple(found.values()), ""


def _capped(found: Collection[object], stated: int) -> str:
    return f"GitHub yields {len(found):,} of {stated:,}" if len(found) < stated else ""


def _listed(
    entries: Callable[[Rest, str, int], Iterable[Raw]],
    make: Callable[[Raw], T | None],
    key: Callable[[T], object],
) -> Callable[[_Way, PullRequestRecord], _Given]:
    """A part that is a list of the pull request and complete when its last page was read."""

    def fetch(way: _Way, record: PullRequestRecord) -> _Given:
        found, short = _gathered(entries(way.rest, way.full_name, way.number), make, key)
        return _Given(found, len(found), short)

    return fetch


def _named(part: Part) -> Callable[[_Way, PullRequestRecord], _Given]:
    """A part that the pull request itself carries."""

    def fetch(way: _Way, record: PullRequestRecord) -> _Given:
        found = getattr(mapping.pull_request_record(way.pull_request()), part.value)
        return _Given(found, len(found))

    return fetch


def _reviews(way: _Way, record: PullRequestRecord) -> _Given:
    """The submitted ones; those that whoever asks has not submitted yet are counted only."""
    pending: list[Raw] = []

    def make(entry: Raw) -> ReviewRecord | None:
        review = mapping.review_record(entry)
        if review is None:
            pending.append(entry)
        return review

    found, short = _gathered(ask.reviews(way.rest, way.full_name, way.number), make, lambda review: review.id)
    every = {OverallTotal.EVERY_REVIEW.value: len(found) + len(pending)}
    return _Given(found, len(found), short, overall=every)


def _events(way: _Way, record: PullRequestRecord) -> _Given:
    found, short = _gathered(
        ask.events(way.rest, way.full_name, way.number),
        lambda turn: mapping.event_record(turn, base_ref=record.base_ref),
        lambda turn: (turn.kind, turn.occurred_at, turn.subject),
    )
    return _Given(found, len(found), short)


def _commits(way: _Way, record: PullRequestRecord) -> _Given:
    """At most 250, each with its size, which is asked for alone where the record does not know it."""
    entries = ask.commits(way.rest, way.full_name, way.number)
    found, short = _gathered(entries, mapping.commit_record, lambda commit: commit.sha)
    known = {commit.sha: commit for commit in record.commits or () if commit.additions is not None}
    sized: list[CommitRecord] = []
    for commit in found:
        sizes: Mapping[str, Any] = {}
        if (same := known.get(commit.sha)) is not None:
            sizes = {size: getattr(same, size) for size in SIZES}
        elif not short:
            try:
                sizes = mapping.commit_sizes(ask.commit_sizes(way.rest, way.full_name, commit.sha))
            except OF_THE_CONNECTION:
                raise
            except GitHubError as error:  # the next ones would most likely fail as well
                short = f"{_reason(error)} (the commits' sizes)"
        sized.append(replace(commit, **sizes))
    stated = len(found)
    if not short and stated >= ask.MOST_COMMITS:
        stated = max(stated, record.totals.get(Part.COMMITS, 0), way.pull_request().get("commits") or 0)
    return _Given(tuple(sized), stated, short, _capped(found, stated))


def _files(way: _Way, record: PullRequestRecord) -> _Given:
    """At most 3,000. The pull request's own sizes with them, where GraphQL could not compute the diff."""
    found, short = _gathered(
        ask.files(way.rest, way.full_name, way.number), mapping.file_record, lambda it: it.filename
    )
    if short or record.changed_files is not None:
        return _Given(found, len(found), short, _capped(found, record.changed_files or 0))
    core = mapping.pull_request_record(way.pull_request())
    if not (found and core.changed_files):
        return _Given(found, 0, short=f"{REST}no diff either")
    sizes = {size: getattr(core, size) for size in SIZES}
    return _Given(found, len(found), capped=_capped(found, core.changed_files), more=sizes)


def _checks(way: _Way, record: PullRequestRecord) -> _Given:
    """Check runs and status contexts of the head; where one kind fails, the other is kept."""
    sha = record.head_sha
    if not sha:
        return _Given((), 0, short=f"{REST}the head commit is not known")
    runs, no_runs = _gathered(
        ask.check_runs(way.rest, way.full_name, sha), mapping.check_run_record, lambda check: check.id
    )
    statuses, no_statuses = _gathered(
        ask.statuses(way.rest, way.full_name, sha),
        lambda status: mapping.status_record(status, sha=sha),
        lambda check: check.name,
    )
    found = (*runs, *statuses)
    return _Given(found, len(found), no_runs or no_statuses)


_FETCH: dict[Part, Callable[[_Way, PullRequestRecord], _Given]] = {
    Part.LABELS: _named(Part.LABELS),
    Part.ASSIGNEES: _named(Part.ASSIGNEES),
    Part.REVIEWS: _reviews,
    Part.REVIEW_COMMENTS: _listed(ask.review_comments, mapping.review_comment_record, lambda comment: comment.id),
    Part.ISSUE_COMMENTS: _listed(ask.issue_comments, mapping.issue_comment_record, lambda comment: comment.id),
    Part.COMMITS: _commits,
    Part.FILES: _files,
    Part.EVENTS: _events,
    Part.CHECKS: _checks,
}

"""What a repository holds by the end of a run: since when, up to when, and how much of what GitHub states."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Func, JSONField
from django.utils import timezone

from apps.common.copy_upsert import update_rows
from apps.integrations.github.connections import is_without_permission
from apps.integrations.github.errors import LeftForLater
from apps.integrations.github.types import NAMELESS, NAMELESS_IN_LIST, NO_DIFF
from apps.integrations.models import GitHubIntegration, SyncRun, TrackedRepository
from apps.integrations.services.github_sync import runs
from apps.integrations.services.github_sync.steps import Learned
from apps.metrics.models import PullRequest, Repository
from apps.metrics.queries.completeness import (
    Gap,
    completeness_in_words,
    count_gaps,
    gaps_in_words,
    stored_of,
    unread_of,
)
from apps.metrics.records import OUTDATED, Part
from apps.metrics.services.deploy_stage import set_deploy_seconds
from apps.metrics.services.ingest.pull_requests import NOT_FETCHED
from apps.teams.scope import team_scope

__all__ = (
    "completeness_in_words",
    "finish",
    "may_come",
    "not_stored",
    "note_gaps",
    "note_outdated",
    "outdated",
    "reason_in_words",
)

MOST_MISSING = 1_000
"""Numbers of pull requests that are kept as missing; more are counted, not named."""

MOST_OUTDATED = 100

MENTIONED = re.compile(r"#(\d+)\b")

Kind = SyncRun.Kind


def finish(run: SyncRun) -> None:
    """The run has everything: say since when the repository is covered, how complete it is, and where the next sync
    begins. Runs for single pull requests and reconciliations say nothing of what changed elsewhere: those three stay.
    """
    with team_scope(run.team_id):
        now = timezone.now()
        runs.beat(run)  # first: it locks the run until the end of this transaction
        tracked, repository = run.tracked_repository, run.tracked_repository.repository
        if run.kind in runs.WHOLE:
            note_gaps(repository, count_gaps(repository))
        _cover(run, repository, now)
        is_short = unread_of(repository.completeness) > 0
        status = SyncRun.Status.PARTIAL if run.partial or is_short else SyncRun.Status.COMPLETE
        runs.hold(run, status=status, finished_at=now, heartbeat_at=now)
        set_deploy_seconds(repository)  # asks since when the repository is covered
        changes: dict[str, Any] = {
            # A run that met nothing partial leaves what an earlier one could not read.
            "sync_status": SyncRun.Status.PARTIAL if repository.completeness["partial"] or is_short else status,
            "sync_progress": 100,
            "sync_prs_total": tracked.sync_prs_completed,
            "sync_activity": "",
            "last_sync_error": "",
            "admins_told_at": None,  # should it need them again they are told again
        }
        if run.kind in {*runs.WHOLE, Kind.INCREMENTAL}:
            changes |= {"last_sync_at": now, "watermark": _seen_until(run)}
            GitHubIntegration.objects.filter(pk=tracked.integration_id).update(last_sync_at=now)
        if run.kind == Kind.RECONCILE:
            changes["reconciled_at"] = now
        TrackedRepository.objects.filter(pk=tracked.pk).update(**changes)


def _cover(run: SyncRun, repository: Repository, now: datetime) -> None:
    changes: dict[str, Any] = {}
    if run.kind in {*runs.WHOLE, Kind.INCREMENTAL}:
        changes["synced_to"] = _seen_until(run)
    if run.kind in runs.WHOLE:
        repository.covered_from = _covered_from(run.cutoff or runs.EVERYTHING, repository)
        changes["covered_from"] = repository.covered_from
    changes["completeness"] = _completeness(run, repository, now)
    Repository.objects.filter(pk=repository.pk).update(**changes)
    for name, value in changes.items():
        setattr(repository, name, value)


def note_opened(repository: Repository, opened_at: datetime) -> None:
    """A pull request was stored of which an event told. One that was opened since the latest sync is one more here and
    one more at GitHub; of an older one the next sync says whether it had been counted.
    """
    counted = Repository.objects.filter(
        pk=repository.pk, synced_to__lt=opened_at, completeness__stored__isnull=False, completeness__stated__gte=0
    )
    counted.update(completeness=_OneMore("completeness"))


class _OneMore(Func):
    """`stored` and `stated` of a completeness, each one more: in the statement, so none is lost between two events."""

    template = (
        "%(expressions)s || jsonb_build_object('stored', (%(expressions)s->>'stored')::int + 1,"
        " 'stated', (%(expressions)s->>'stated')::int + 1)"
    )
    output_field = JSONField()


def _covered_from(since: datetime, repository: Repository) -> datetime:
    """Since when there is no gap: what was covered before counts on only if that sync reached up to this one."""
    before, until = repository.covered_from, repository.synced_to
    return min(since, before) if before is not None and until is not None and until >= since else since


def _seen_until(run: SyncRun) -> datetime:
    """What changed later is for the next run; so is a little before, since GitHub's replicas lag."""
    horizon = run.horizon or run.started_at
    assert horizon is not None  # set when it was taken up
    return horizon - runs.WATERMARK_OVERLAP


def _completeness(run: SyncRun, repository: Repository, now: datetime) -> dict[str, Any]:
    """What is kept as `Repository.completeness`.

    `stored`: pull requests here. `stated`: how many GitHub has by its own word (None: nothing is covered yet).
    `partial`: how many of the stored are, and for which `reasons`. `capped`: of how many GitHub itself yields less than
    it states. `missing`: numbers that it named and did not give. `nameless`: how many it could not even name, if there
    are any; what is stored of them may be an older version. `outdated`: {since, ids} of those that could not be
    read again, if there are any. `checked_at`: ISO.

    Of a full history `stated` is GitHub's count. Of a window there is no such count: a run that ended has walked
    GitHub's lists down to the window's begin, so what they named is stored, or is missing.
    """
    stored = stored_of(repository)
    missing, nameless = _missing(run, repository), _nameless(run, repository)
    stated: int | None = None
    if repository.covered_from == runs.EVERYTHING and repository.prs_stated is not None:
        stated = max(repository.prs_stated, stored.pull_requests)  # some are opened after they were counted
    elif repository.covered_from is not None:
        stated = stored.pull_requests + len(missing) + _unstored(repository, nameless)
    reasons: Counter[str] = Counter()
    for partial, times in stored.reasons:
        for words in {reason_in_words(part, reason) for part, reason in partial.items()}:
            reasons[words] += times
    found: dict[str, Any] = {
        "stored": stored.pull_requests,
        "stated": stated,
        "partial": stored.partial,
        "capped": stored.capped,
        "reasons": dict(reasons.most_common()),
        "missing": missing,
        "checked_at": now.isoformat(),
    }
    if nameless:
        found["nameless"] = nameless
    if any(OUTDATED in partial for partial, _ in stored.reasons):
        found["outdated"] = _outdated(repository, now)
    return found


def _missing(run: SyncRun, repository: Repository) -> list[int]:
    """The numbers that this run or one before could not get, and that are not here by now."""
    numbers = {int(number) for number in run.partial if number.isdigit()}
    for reasons in (run.partial.get("unreadable") or {}).values():
        numbers.update(int(number) for number in MENTIONED.findall(str(reasons)))
    before = run.checkpoint if run.kind == Kind.RECONCILE else repository.completeness
    numbers.update(before.get("missing", ()))
    return sorted(not_stored(repository, numbers), reverse=True)[:MOST_MISSING]


def _nameless(run: SyncRun, repository: Repository) -> int:
    """How many pull requests GitHub has of which it cannot say which they are. A page and a list that both meet one say
    so in other words, so each is counted in one of them. An update sees only the latest, and leaves what was known.
    """
    said = [reason for reason in (run.partial.get("unreadable") or {}).values() if str(reason).startswith(NAMELESS)]
    listed = said.count(NAMELESS_IN_LIST)
    found = max(listed, len(said) - listed)
    is_overall = run.kind in {*runs.WHOLE, Kind.RECONCILE}
    return found if is_overall else max(found, int(repository.completeness.get("nameless", 0)))


def _unstored(repository: Repository, nameless: int) -> int:
    """How many of the nameless are not stored: all of them when a window is fetched for the first time. Later those
    that were not stored before: what is new came through by itself.
    """
    before = repository.completeness
    if before.get("stated") is None:
        return nameless
    lacked: int = before["stated"] - before["stored"] - len(before.get("missing", ()))
    return max(0, min(nameless, lacked))


def not_stored(repository: Repository, numbers: Collection[int]) -> set[int]:
    """Those of the numbers that no pull request here has. One statement, served by pull_request_key."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, number__in=list(numbers))
    return set(numbers) - set(here.filter(gone_at=None).values_list("number", flat=True))


def note_gaps(repository: Repository, gaps: Collection[Gap]) -> int:
    """Say on the pull requests what of them is not stored though GitHub states it. How many there are."""
    if not gaps:
        return 0
    words = gaps_in_words(gaps)
    known = dict(PullRequest.objects.filter(team_id=repository.team_id, pk__in=words).values_list("pk", "partial"))
    rows = [{"id": pk, "partial": {**known[pk], **parts}, "is_partial": True} for pk, parts in words.items()]
    update_rows(PullRequest, rows, update=["partial", "is_partial"])
    return len(rows)


def note_outdated(repository: Repository, learned: Learned) -> int:
    """Say on what is stored of a pull request that it could not be read again: it may be an older version. The next
    time that it can be read takes it off. How many were noted; no statement where nothing was lost.
    """
    read = {record.number for record in learned.pull_requests}
    reasons = {lost.number: lost.reason for lost in learned.unreadable if lost.number not in {None, *read}}
    if not reasons:
        return 0
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    stored = here.filter(number__in=list(reasons)).exclude(partial__has_key=OUTDATED)
    rows = [
        {"id": pk, "partial": {**partial, OUTDATED: reasons[number]}, "is_partial": True}
        for pk, number, partial in stored.order_by("number")
        .select_for_update(no_key=True)
        .values_list("pk", "number", "partial")
    ]
    update_rows(PullRequest, rows, update=["partial", "is_partial"])
    return len(rows)


ASKED_AGAIN_FOR = timedelta(days=1)
"""How long each look and sync asks again for what is outdated: after that the nightly reconciliation does."""


def outdated(repository: Repository, *, now: datetime) -> tuple[tuple[str, int], ...]:
    """The pull requests that are outdated since a short while, as (node id, number)."""
    known = repository.completeness.get("outdated")
    if not known or now - datetime.fromisoformat(known["since"]) > ASKED_AGAIN_FOR:
        return ()
    return tuple((node_id, number) for node_id, number in known["ids"])


def _outdated(repository: Repository, now: datetime) -> dict[str, Any]:
    """`since`: when a run first ended with some. One statement."""
    here = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    found = here.filter(is_partial=True, partial__has_key=OUTDATED).order_by("-number").values_list("node_id", "number")
    before = repository.completeness.get("outdated") or {}
    return {"since": before.get("since", now.isoformat()), "ids": [list(each) for each in found[:MOST_OUTDATED]]}


_PARTS = {part.value: part.value.replace("_", " ") for part in Part} | {
    Part.REVIEW_COMMENTS.value: "comments in reviews",
    Part.ISSUE_COMMENTS.value: "comments",
}
_CAUSES = (
    (re.compile(r"not accessible|permission|forbidden|insufficient.scope", re.IGNORECASE), "permission missing: {}"),
    (re.compile(r"resource limit|too large|too heavy|exceeds|maximum", re.IGNORECASE), "{} too large"),
    (re.compile(r"tim(e|ed|ing) ?out|in time|gave up|something went wrong|\b50[24]\b", re.IGNORECASE), "timed out"),
    (re.compile(r"not available|unavailable|no usable answer", re.IGNORECASE), "GitHub was away"),
    (re.compile(r"are stored| came$|repeats a page|could not be read", re.IGNORECASE), "{} incomplete"),
)


OLDER_VERSION = "could not be read again"


def reason_in_words(part: str, reason: str) -> str:
    """Why a part of a pull request is missing, in a few words that many reasons share: part and cause."""
    if NO_DIFF in reason:
        return "GitHub gives no diff"
    if reason == NOT_FETCHED:
        return NOT_FETCHED
    if part == OUTDATED:
        return OLDER_VERSION
    name = _PARTS.get(part, part.replace("_", " "))
    for pattern, words in _CAUSES:
        if pattern.search(reason):
            return words.format(name)
    return f"{name} missing"


TRANSIENT = re.compile(
    r"^(timed out|not fetched yet|could not be read again|GitHub was away|.* too large|.* incomplete|.* missing)$"
)


def may_come(part: str, reason: str, not_readable: Collection[str]) -> bool:
    """Whether asking again may help: not for what GitHub does not have, nor for the parts that we may not read."""
    if is_without_permission(reason):
        source = Part.THREADS if part == Part.REVIEW_COMMENTS else part
        return not {part, source} & set(not_readable)
    if LeftForLater.WORDS in reason:
        return True
    return TRANSIENT.match(reason_in_words(part, reason)) is not None

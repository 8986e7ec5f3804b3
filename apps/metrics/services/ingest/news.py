"""What an event told of a pull request, on its way to rows: in any order, any number of times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeAlias

from django.db import models

from apps.common.copy_upsert import copy_upsert
from apps.metrics.models import PRComment, PRReview, PullRequest, Repository, ReviewThread
from apps.metrics.queries.stored_records import core_record_of
from apps.metrics.records import CommentRecord, Part, PullRequestNews, PullRequestRecord, ReviewRecord, ThreadRecord
from apps.metrics.services.ingest.conversation import comment_row, review_row
from apps.metrics.services.ingest.page import ingest_pull_requests
from apps.metrics.services.ingest.weeks import weeks_of
from apps.metrics.services.ingest.writing import Row
from apps.metrics.services.members import resolve_members

Entry: TypeAlias = ReviewRecord | CommentRecord


@dataclass(frozen=True, slots=True)
class IngestedNews:
    """`pull_request_id`: the row's primary key, None where there is none. `is_new`: there was none before. `changed`:
    rows that were written or marked as gone. `whole_at`: when all of it was last fetched. `is_doubtful`: two events of
    one second said different things of it, and which came last nobody can tell.
    """

    pull_request_id: int | None = None
    is_new: bool = False
    changed: int = 0
    touched_weeks: frozenset[date] = frozenset()
    whole_at: datetime | None = None
    is_doubtful: bool = False


def ingest_news(repository: Repository, news: PullRequestNews, *, synced_at: datetime) -> IngestedNews:
    """Store what an event told of one pull request, in the caller's `team_scope`. Nothing is written that is older than
    what is stored; what was gone once stays so until it is fetched. Without `core` only a stored one can be told of.

    What is stored of the parts stays, but for the entries that the event names.
    """
    rows = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, number=news.number)
    stored = rows.select_related("milestone").select_for_update(no_key=True, of=("self",)).first()
    if stored is None:
        return _first_heard_of(repository, news, synced_at)
    if stored.gone_at is not None:
        return IngestedNews(stored.pk)
    changed, instants = 0, list[datetime]()
    if news.gone:
        changed, instants = _mark_gone(repository, stored.pk, news, synced_at)
    else:
        news = _fresh(repository, stored, news)
    is_newer = news.core is not None and news.core.updated_at >= stored.pr_updated_at
    if not is_newer and not _entries(news):
        return IngestedNews(stored.pk, whole_at=stored.whole_at)
    core = news.core if news.core is not None and is_newer else core_record_of(stored)
    ingested = ingest_pull_requests(repository, [_told(core, news)], synced_at=synced_at)
    weeks = ingested.touched_weeks | weeks_of(instants, repository.team.time_zone)
    return IngestedNews(
        pull_request_id=stored.pk,
        changed=changed + ingested.changed,
        touched_weeks=frozenset(weeks),
        whole_at=stored.whole_at,
        is_doubtful=ingested.changed > 0 and news.updated_at == stored.pr_updated_at,
    )


def _first_heard_of(repository: Repository, news: PullRequestNews, synced_at: datetime) -> IngestedNews:
    if news.core is None:
        return IngestedNews()
    ingested = ingest_pull_requests(repository, [_told(news.core, news)], synced_at=synced_at)
    rows = PullRequest.objects.filter(team_id=repository.team_id, repository=repository)
    pull_request = rows.values_list("pk", flat=True).get(number=news.number)
    gone, _ = _mark_gone(repository, pull_request, news, synced_at) if news.gone else (0, [])
    return IngestedNews(
        pull_request_id=pull_request,
        is_new=True,
        changed=ingested.changed + gone,
        touched_weeks=ingested.touched_weeks,
    )


def _entries(news: PullRequestNews) -> tuple[Entry | ThreadRecord, ...]:
    return (*news.reviews, *news.threads, *news.review_comments, *news.issue_comments)


def _told(core: PullRequestRecord, news: PullRequestNews) -> PullRequestRecord:
    parts: dict[str, Any] = {
        Part.REVIEWS.value: news.reviews,
        Part.THREADS.value: news.threads,
        Part.REVIEW_COMMENTS.value: news.review_comments,
        Part.ISSUE_COMMENTS.value: news.issue_comments,
    }
    told = {name: entries for name, entries in parts.items() if entries and not news.gone}
    return replace(core, **told, excerpts=frozenset(map(Part, told)))


def _fresh(repository: Repository, stored: PullRequest, news: PullRequestNews) -> PullRequestNews:
    """The news without entries that are gone, or stored as they were later. One statement for each kind it has."""
    return replace(
        news,
        reviews=tuple(_newer(repository, "", news.reviews)),
        review_comments=tuple(_newer(repository, PRComment.Type.REVIEW, news.review_comments)),
        issue_comments=tuple(_newer(repository, PRComment.Type.ISSUE, news.issue_comments)),
        threads=_placed(stored, news.threads),
    )


def _newer(repository: Repository, kind: str, entries: tuple[Any, ...]) -> Iterator[Any]:
    """`kind` "" is reviews, else of comments."""
    if not entries:
        return
    model, key = (PRComment, "github_comment_id") if kind else (PRReview, "github_review_id")
    rows: models.QuerySet[Any] = model._default_manager.filter(
        team_id=repository.team_id, **{f"{key}__in": [entry.id for entry in entries]}
    )
    rows = rows.filter(comment_type=kind) if kind else rows
    stored = {getattr(row, key): row for row in rows}
    yield from (entry for entry in entries if not _is_outdated(entry, stored.get(entry.id)))


def _is_outdated(entry: Entry, row: Any) -> bool:
    if row is None:
        return False
    if row.gone_at is not None:
        return True
    if row.source_updated_at and entry.updated_at and row.source_updated_at != entry.updated_at:
        return bool(row.source_updated_at > entry.updated_at)
    # In one second, or at times that were not told: a dismissal is never taken back.
    return isinstance(entry, ReviewRecord) and row.state == PRReview.State.DISMISSED != entry.state


def _placed(stored: PullRequest, threads: tuple[ThreadRecord, ...]) -> tuple[ThreadRecord, ...]:
    """Threads where they are stored: an event tells of their comments' places only."""
    if not threads:
        return ()
    rows = ReviewThread.objects.filter(
        team_id=stored.team_id, pull_request=stored, node_id__in=[thread.node_id for thread in threads]
    )
    known = {row.node_id: row for row in rows}
    return tuple(
        replace(thread, is_outdated=row.is_outdated, path=row.path, line=row.line)
        if (row := known.get(thread.node_id))
        else thread
        for thread in threads
        if thread.node_id not in known or known[thread.node_id].gone_at is None
    )


def _mark_gone(
    repository: Repository, pull_request: int, news: PullRequestNews, at: datetime
) -> tuple[int, list[datetime]]:
    """How many rows changed, and when they were. What is not stored is stored as gone, so that what was told before and
    arrives later does not bring it back.
    """
    entries: list[Entry] = [*news.reviews, *news.review_comments, *news.issue_comments]  # no event ends a thread
    members = resolve_members(entry.author for entry in entries if entry.author is not None)
    reviews = [review_row(members, pull_request, review) for review in news.reviews]
    comments = [
        comment_row(members, pull_request, comment, {}) for comment in (*news.review_comments, *news.issue_comments)
    ]
    changed = _write_gone(PRReview, ("github_review_id",), reviews, at)
    changed += _write_gone(PRComment, ("comment_type", "github_comment_id"), comments, at)
    return changed, [_when(entry) for entry in entries] if changed else []


def _write_gone(model: type[models.Model], key: tuple[str, ...], rows: Iterable[Row], at: datetime) -> int:
    gone = [{**row, "gone_at": at} for row in rows]
    return copy_upsert(
        model,
        gone,
        conflict=["team", *key],
        update=["gone_at"],
        when="t.gone_at IS NULL AND t.pull_request_id = EXCLUDED.pull_request_id",
    ).changed


def _when(entry: Entry) -> datetime:
    return entry.submitted_at if isinstance(entry, ReviewRecord) else entry.created_at

"""How much of what the source states is stored: rows against the source's own totals, and what is partial and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from apps.metrics.models import PullRequest, Repository
from apps.metrics.records import Part


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a pull request of which fewer rows are stored than the source states, without a reason being noted."""

    id: int
    number: int
    part: str
    stored: int
    stated: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a repository: pull requests in all, those that are partial and those that the source caps.
    `reasons`: how many pull requests have the same partial parts with the same reasons.
    """

    pull_requests: int
    partial: int
    capped: int
    reasons: tuple[tuple[dict[str, str], int], ...]


def stored_of(repository: Repository) -> Stored:
    """Two statements."""
    there = PullRequest.objects.filter(team_id=repository.team_id, repository=repository, gone_at=None)
    counts = there.aggregate(
        pull_requests=Count("pk"),
        partial=Count("pk", filter=Q(is_partial=True)),
        capped=Count("pk", filter=~Q(capped={})),
    )
    reasons = there.filter(is_partial=True).values_list("partial").annotate(Count("pk")).order_by("partial")
    return Stored(**counts, reasons=tuple(reasons))


def count_gaps(repository: Repository, numbers: Collection[int] | None = None) -> list[Gap]:
    """Where stored rows are fewer than the totals that came with them, and neither partial nor capped says so: of the
    pull requests with these numbers, or of all. One statement, which looks up each part that has any entries.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _GAPS,
            {
                "team": repository.team_id,
                "repository": repository.pk,
                "all": numbers is None,
                "numbers": list(numbers or ()),
            },
        )
        return [Gap(*row) for row in cursor.fetchall()]


def gaps_in_words(gaps: Collection[Gap]) -> dict[int, dict[str, str]]:
    """By primary key of the pull request: the reason to note for each part."""
    words: dict[int, dict[str, str]] = {}
    for gap in gaps:
        words.setdefault(gap.id, {})[gap.part] = f"{gap.stored:,} of {gap.stated:,} are stored"
    return words


def unread_of(known: Mapping[str, Any]) -> int:
    """Of how many pull requests `Repository.completeness` knows that the source has them, and did not give them."""
    stated = known.get("stated")
    short: int = 0 if stated is None else stated - known["stored"]
    return max(0, short, int(known.get("nameless", 0)))


def completeness_in_words(repository: Repository) -> str:
    """As in "1,239 of 1,240, 1 could not be read; 3 partial: files too large (2), timed out (1)"; "" before the first
    sync ended.
    """
    known = repository.completeness
    if not known:
        return ""
    stored, stated = known["stored"], known.get("stated")
    words = [f"{stored:,}" if stated is None else f"{stored:,} of {stated:,}"]
    if unread := unread_of(known):
        words[0] += f", {unread:,} could not be read"
    if partial := known.get("partial"):
        reasons = ", ".join(f"{reason} ({times:,})" for reason, times in known.get("reasons", {}).items())
        words.append(f"{partial:,} partial: {reasons}" if reasons else f"{partial:,} partial")
    if capped := known.get("capped"):
        words.append(f"{capped:,} capped by GitHub")
    return "; ".join(words)


_TABLES = {
    Part.LABELS: "metrics_pullrequestlabel c WHERE true",
    Part.ASSIGNEES: "metrics_pullrequestassignee c WHERE true",
    Part.LINKED_ISSUES: "metrics_linkedissue c WHERE c.gone_at IS NULL",
    Part.REVIEWS: "metrics_prreview c WHERE c.gone_at IS NULL",
    Part.THREADS: "metrics_reviewthread c WHERE c.gone_at IS NULL",
    Part.REVIEW_COMMENTS: "metrics_prcomment c WHERE c.gone_at IS NULL AND c.comment_type = 'review'",
    Part.ISSUE_COMMENTS: "metrics_prcomment c WHERE c.gone_at IS NULL AND c.comment_type = 'issue'",
    Part.COMMITS: "metrics_pullrequestcommit c WHERE c.gone_at IS NULL",
    Part.FILES: "metrics_prfile c WHERE c.gone_at IS NULL",
    Part.EVENTS: "metrics_prevent c WHERE c.gone_at IS NULL",
}
_OF_PULL_REQUEST = " ".join(
    f"WHEN '{part.value}' THEN (SELECT count(*) FROM {table} AND c.team_id = p.team_id AND c.pull_request_id = p.id)"  # noqa: S608 - the tables stand above
    for part, table in _TABLES.items()
)
# Each look-up is served by the index on the part's pull request, that of checks by check_run_head. Checks are kept when
# the source forgets them, so there may be more.
_GAPS = f"""
SELECT p.id, p.number, said.part, held.rows, said.stated
FROM metrics_pullrequest p
CROSS JOIN LATERAL (
    SELECT key AS part, value::int AS stated FROM jsonb_each_text(p.totals)
) AS said
CROSS JOIN LATERAL (
    SELECT CASE WHEN said.stated = 0 THEN 0 ELSE CASE said.part {_OF_PULL_REQUEST}
        WHEN 'checks' THEN (SELECT count(*) FROM metrics_prcheckrun c
            WHERE c.gone_at IS NULL AND c.team_id = p.team_id AND c.repository_id = p.repository_id
              AND c.head_sha = p.head_sha)
        END END AS rows
) AS held
WHERE p.team_id = %(team)s AND p.repository_id = %(repository)s AND p.gone_at IS NULL
  AND (%(all)s OR p.number = ANY(%(numbers)s::int[]))
  AND held.rows < said.stated AND NOT p.partial ? said.part AND NOT p.capped ? said.part
ORDER BY p.number, said.part
"""  # noqa: S608 - the tables stand above

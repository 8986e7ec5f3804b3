"""The list of pull requests: every number of the product opens a choice of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, F, Q

from apps.metrics.models import Label, Milestone, PullRequestLabel, TeamMember
from apps.metrics.models.member import bot_condition
from apps.metrics.queries.pull_request_filters import PullRequestFilters

PAGE_SIZE = 50
LAST_PAGE = 200  # further down an offset costs more than a narrower filter
MOST_OPTIONS = 500


@dataclass(frozen=True, slots=True)
class PullRequestRow:
    """Durations in seconds, None where they are not known or not reached. `author` None: a deleted account."""

    id: int
    repository: str
    number: int
    title: str
    state: str
    is_draft: bool
    author: str | None
    author_name: str
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None
    closed_at: datetime | None
    size: str
    additions: int | None
    deletions: int | None
    cycle_time: int | None
    review_time: int | None
    coding: int | None
    pickup: int | None
    review: int | None
    merge: int | None
    rounds: int
    comments: int
    ci_status: str | None
    ai_assisted: bool
    merged_without_review: bool
    is_partial: bool
    labels: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        return self.repository.partition("/")[2]

    @property
    def lines(self) -> int | None:
        return None if self.additions is None or self.deletions is None else self.additions + self.deletions


@dataclass(frozen=True, slots=True)
class PullRequestList:
    """One page of the choice. `count`: of all its pages; `page` and `pages` count from 1.

    `by_bots`: what the other filters let through, left out because bots wrote it.
    """

    rows: tuple[PullRequestRow, ...]
    count: int
    page: int
    pages: int
    notes: tuple[str, ...]
    by_bots: int = 0

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.page - 1) * PAGE_SIZE + len(self.rows)

    @property
    def previous_page(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def next_page(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None


@dataclass(frozen=True, slots=True)
class Options:
    """What the filters offer, by name; no more than 500 of each."""

    labels: tuple[str, ...]
    milestones: tuple[str, ...]
    people: tuple[str, ...]


def pull_request_list(filters: PullRequestFilters) -> PullRequestList:
    """A page of 50. Three SQL statements (two when it is empty).

    The usual orders are served by pull_request_merged, _created and _updated (team, time).
    """
    chosen = filters.select()
    is_by_bot = bot_condition("author__") if filters.leaves_bots_out else Q(pk__in=[])
    counts = filters.select_with_bots().aggregate(all=Count("id"), by_bots=Count("id", filter=is_by_bot))
    count = counts["all"] - counts["by_bots"]
    all_pages = max(1, -(-count // PAGE_SIZE))
    pages = min(all_pages, LAST_PAGE)
    page = min(filters.page, pages)
    notes = filters.notes
    if filters.page > page:
        notes = (*notes, f"Page {filters.page} does not exist. Shown: the last one.")
    if page == LAST_PAGE < all_pages:
        notes = (*notes, f"The list ends after {LAST_PAGE * PAGE_SIZE:,} rows; narrow the filters to see the others.")
    found = list(
        chosen.annotate(lines=F("additions") + F("deletions"))
        .order_by(*filters.order())
        .values_list(*COLUMNS)[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    )
    labels = _labels([row[0] for row in found]) if found else {}
    rows = tuple(replace(PullRequestRow(*row), labels=tuple(labels.get(row[0], ()))) for row in found)
    return PullRequestList(rows, count, page, pages, notes, counts["by_bots"])


COLUMNS = (  # in the order of PullRequestRow's fields
    "id",
    "repository__full_name",
    "number",
    "title",
    "state",
    "is_draft",
    "author__login",
    "author__name",
    "pr_created_at",
    "pr_updated_at",
    "merged_at",
    "closed_at",
    "size",
    "additions",
    "deletions",
    "cycle_time_seconds",
    "review_time_seconds",
    "coding_seconds",
    "pickup_seconds",
    "review_seconds",
    "merge_seconds",
    "review_rounds",
    "total_comments",
    "ci_status",
    "ai_assisted",
    "merged_without_review",
    "is_partial",
)


def filter_options() -> Options:
    """What the team's pull requests can be filtered by. Three SQL statements."""
    labels = Label.objects.filter(gone_at=None).order_by("name").values_list("name", flat=True)
    milestones = Milestone.objects.filter(gone_at=None).order_by("title").values_list("title", flat=True)
    people = TeamMember.objects.order_by("login").values_list("login", flat=True)
    return Options(
        labels=tuple(labels.distinct()[:MOST_OPTIONS]),
        milestones=tuple(milestones.distinct()[:MOST_OPTIONS]),
        people=tuple(people.distinct()[:MOST_OPTIONS]),
    )


def _labels(ids: list[int]) -> dict[int, list[str]]:
    """By pull request; served by pull_request_label_key (team, pull_request, label)."""
    found: dict[int, list[str]] = {}
    rows = PullRequestLabel.objects.filter(pull_request__in=ids, label__gone_at=None).order_by("label__name")
    for pull_request_id, name in rows.values_list("pull_request_id", "label__name"):
        found.setdefault(pull_request_id, []).append(name)
    return found

"""Who gave the reviews (docs/metrics.md, "Review load")."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet

from apps.metrics.models import PRReview, TeamMember
from apps.metrics.models.member import bot_condition
from apps.metrics.queries.population import Population

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Reviewer:
    """`login` None: deleted accounts. `pull_requests` are distinct."""

    login: str | None
    name: str
    pull_requests: int
    pull_requests_before: int
    reviews: int


@dataclass(frozen=True, slots=True)
class ReviewLoad:
    """The busiest of this window or the one before, with most in this one first: whoever stopped is seen too. `people`,
    `reviews`, `pull_requests` count everybody, `by_busiest` the one with most; a pull request that two people reviewed
    is two of `pull_requests`.
    """

    busiest: tuple[Reviewer, ...]
    people: int
    reviews: int
    pull_requests: int
    by_busiest: int

    @property
    def share_of_busiest(self) -> float | None:
        return self.by_busiest / self.pull_requests if self.pull_requests else None

    @property
    def most(self) -> int:
        return max((max(r.pull_requests, r.pull_requests_before) for r in self.busiest), default=0)

    def bars_of(self, reviewer: Reviewer) -> tuple[float, float]:
        """(now, before) in percent of the longest bar."""
        most = self.most or 1
        return round(100 * reviewer.pull_requests / most, 1), round(100 * reviewer.pull_requests_before / most, 1)

    @property
    def others(self) -> int:
        return self.people - sum(r.pull_requests > 0 for r in self.busiest)

    @property
    def pull_requests_of_others(self) -> int:
        return self.pull_requests - sum(r.pull_requests for r in self.busiest)


def reviews_that_count() -> QuerySet[PRReview]:
    """Those by people other than the author, not later than the merge."""
    is_own = Q(reviewer=F("pull_request__author")) | Q(reviewer=None, pull_request__author=None)
    is_late = Q(submitted_at__gt=F("pull_request__merged_at"))
    given: QuerySet[PRReview] = PRReview.objects.filter(gone_at=None)
    return given.filter(Q(pull_request__merged_at=None) | ~is_late).exclude(is_own).exclude(bot_condition("reviewer__"))


def review_load_for(population: Population) -> ReviewLoad:
    """Reviews that were given in the period, and in the one before, of pull requests that count. Two SQL statements."""
    period = population.period
    rows = (
        # Served by review_submitted (team, submitted_at) and pull_request_updated (team, pr_updated_at): a review
        # updates its pull request, so older ones cannot have one of these. Without it all of them would be read.
        reviews_that_count()
        .filter(
            population.condition("pull_request__"),
            submitted_at__gte=period.before.start,
            submitted_at__lt=period.end,
            pull_request__pr_updated_at__gte=period.before.start,
        )
        .annotate(is_now=ExpressionWrapper(Q(submitted_at__gte=period.start), output_field=BooleanField()))
        .values("reviewer", "is_now")
        .annotate(reviews=Count("id"), pull_requests=Count("pull_request", distinct=True))
    )
    now: dict[int | None, tuple[int, int]] = {}
    before: dict[int | None, int] = {}
    for row in rows:
        if row["is_now"]:
            now[row["reviewer"]] = (row["pull_requests"], row["reviews"])
        else:
            before[row["reviewer"]] = row["pull_requests"]
    of_this = {one: now.get(one, (0, 0))[0] for one in {*now, *before}}
    ids = sorted(of_this, key=lambda one: (-max(of_this[one], before.get(one, 0)), one or 0))[:SHOWN]
    ids.sort(key=lambda one: (-of_this[one], -before.get(one, 0), one or 0))
    members = {member.pk: member for member in TeamMember.objects.filter(pk__in=[one for one in ids if one])}
    return ReviewLoad(
        busiest=tuple(
            Reviewer(
                login=members[one].login if one else None,
                name=(members[one].name or members[one].login) if one else "deleted account",
                pull_requests=now.get(one, (0, 0))[0],
                pull_requests_before=before.get(one, 0),
                reviews=now.get(one, (0, 0))[1],
            )
            for one in ids
        ),
        people=len(now),
        reviews=sum(reviews for _, reviews in now.values()),
        pull_requests=sum(count for count, _ in now.values()),
        by_busiest=max((count for count, _ in now.values()), default=0),
    )

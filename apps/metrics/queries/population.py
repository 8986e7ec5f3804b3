"""Which pull requests a number counts (docs/metrics.md, "Who counts"), as chosen in the address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from apps.metrics.models import PullRequest, PullRequestLabel
from apps.metrics.models.member import bot_condition
from apps.metrics.queries.period import Period, period_from, zone_of
from apps.metrics.queries.trust import RepositoryTrust, Trust

TOO_FEW = 5  # below it a number is shown greyed, and compared with nothing


@dataclass(frozen=True, slots=True)
class Population:
    """`repositories` empty: all of them. `label`: only with it; `without_label`: only without it; "" is no filter."""

    period: Period
    repositories: tuple[RepositoryTrust, ...] = ()
    with_bots: bool = False
    label: str = ""
    without_label: str = ""
    notes: tuple[str, ...] = ()

    @property
    def repository_ids(self) -> tuple[int, ...]:
        return tuple(repository.id for repository in self.repositories)

    def in_repositories(self, *repositories: RepositoryTrust) -> Population:
        return replace(self, repositories=repositories)

    def condition(self, prefix: str = "") -> Q:
        """What lets a pull request count, of any time and state; `prefix` is the way to it, as in a lookup."""
        found = Q(**{f"{prefix}gone_at": None, f"{prefix}repository__gone_at": None})
        if self.repositories:
            found &= Q(**{f"{prefix}repository__in": self.repository_ids})
        if not self.with_bots:
            found &= ~bot_condition(f"{prefix}author__")
        if self.label:
            found &= Q(Exists(labelled(self.label, prefix)))
        if self.without_label:
            found &= ~Q(Exists(labelled(self.without_label, prefix)))
        return found

    def pull_requests(self) -> QuerySet[PullRequest]:
        found: QuerySet[PullRequest] = PullRequest.objects.filter(self.condition())
        return found

    def merged_between(self, start: datetime, end: datetime) -> QuerySet[PullRequest]:
        """Served by pull_request_merged (team, merged_at)."""
        return self.pull_requests().filter(merged_at__gte=start, merged_at__lt=end)

    def filters(self) -> list[tuple[str, str]]:
        """The choices besides the period, as they stand in an address."""
        chosen = [("repository", repository.full_name) for repository in self.repositories]
        if self.label:
            chosen.append(("label", self.label))
        if self.without_label:
            chosen.append(("not_label", self.without_label))
        if self.with_bots:
            chosen.append(("bots", "1"))
        return chosen

    def merged_query(self, *more: tuple[str, str], period: Period | None = None) -> str:
        """The query of the list that shows the merged pull requests behind a number."""
        return urlencode([("state", "merged"), *self._days("merged", period or self.period), *self.filters(), *more])

    def reviewed_query(self) -> str:
        """The query of the list that shows what was reviewed in the period; with a reviewer, what by them."""
        return urlencode([*self._days("reviewed", self.period), *self.filters()])

    def _days(self, what: str, window: Period) -> list[tuple[str, str]]:
        return [(f"{what}_from", window.first.isoformat()), (f"{what}_to", window.last.isoformat())]

    def overview_query(self, *, period: Period | None = None, **changed: str | None) -> str:
        """The query of this page with something changed; None takes a choice out."""
        window = period or self.period
        pairs = [("from", window.first.isoformat()), ("to", window.last.isoformat()), *self.filters()]
        kept = [(key, value) for key, value in pairs if key not in changed]
        return urlencode(kept + [(key, value) for key, value in changed.items() if value is not None])


def labelled(name: str, prefix: str = "") -> QuerySet[PullRequestLabel]:
    """The rows that give a pull request (of the outer row, `prefix` is the way to it) a label of that name."""
    rows: QuerySet[PullRequestLabel] = PullRequestLabel.objects.filter(pull_request=OuterRef(f"{prefix}pk"))
    return rows.filter(label__name__iexact=name, label__gone_at=None)  # as GitHub compares them


def population_from(query: QueryDict, *, time_zone: str, now: datetime, trust: Trust) -> Population:
    """What an address chooses. What it cannot mean is left out and said in `notes`. No SQL."""
    flat = {key: value for key in query if isinstance(value := query.get(key), str)}
    period, notes = period_from(flat, zone=zone_of(time_zone), now=now)
    repositories, unknown = chosen_repositories(query.getlist("repository"), trust)
    return Population(
        period=period,
        repositories=repositories,
        with_bots=flat.get("bots", "") == "1",
        label=printable(flat.get("label", "")),
        without_label=printable(flat.get("not_label", "")),
        notes=(*notes, *unknown),
    )


def chosen_repositories(names: list[str], trust: Trust) -> tuple[tuple[RepositoryTrust, ...], tuple[str, ...]]:
    """The repositories of those full names (any case), and what is to be said of the rest."""
    known = {repository.full_name.lower(): repository for repository in trust.repositories}
    wanted = [name.strip() for name in names if name.strip()]
    found = {known[name.lower()].id: known[name.lower()] for name in wanted if name.lower() in known}
    notes = [f"No repository “{name[:100]}” is kept here." for name in wanted if name.lower() not in known]
    return tuple(found.values()), tuple(notes)


def printable(text: str) -> str:
    """As typed, without what the database cannot hold, and no longer than a name may be."""
    return text.replace("\x00", "").strip()[:255]

"""How large the demo organisation is, and when its pull requests were opened."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from apps.metrics.demo.numbering import place_of
from apps.metrics.demo.organisation import DemoRepository, repositories_of
from apps.metrics.demo.worktime import DAY, HOUR, is_day_off, offset_of

LEFT_BEFORE = 31
"""Days before the last one since when the two busiest reviewers are gone: the last 30 days are all without them, the 30
days before all with them.
"""

ENDS_AT = 11 * HOUR
"""UTC, on the last day: a morning's reviews and merges, so that the day that the pages look at last is not empty."""

_MORNING, _EVENING = 8 * HOUR + HOUR // 2, 18 * HOUR  # of the squad: when pull requests are opened


@dataclass(frozen=True, slots=True)
class Plan:
    """`until`: the last day, of which there is the morning: what was opened before goes on, nothing is opened. `days`:
    the work that is begun from the first day up to and with each one before it, added up.
    """

    seed: int
    prs: int
    until: date
    first_day: int
    days: tuple[float, ...]
    repositories: tuple[DemoRepository, ...]

    @property
    def start(self) -> int:
        return self.first_day * DAY

    @property
    def end(self) -> int:
        return self._last_midnight + ENDS_AT

    @property
    def _last_midnight(self) -> int:
        return (self.first_day + len(self.days)) * DAY

    @property
    def left_at(self) -> int:
        return self._last_midnight - LEFT_BEFORE * DAY

    @property
    def ended_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

    @property
    def started_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    def opened(self, repository: DemoRepository, number: int) -> int:
        """When pull request `number` was opened: later ones never earlier, few on weekends and at Christmas."""
        work = (place_of(number) - 0.5) / repository.prs * self.days[-1]
        day = bisect_left(self.days, work)
        before = self.days[day - 1] if day else 0.0
        part = (work - before) / (self.days[day] - before)
        morning = (self.first_day + day) * DAY + _MORNING - offset_of(repository.zone, self.first_day + day)
        return morning + int(part * (_EVENING - _MORNING))


def last_day(now: datetime) -> date:
    """The latest day that a plan can have, so that nothing of it is to come."""
    return (now.astimezone(UTC) - timedelta(seconds=ENDS_AT)).date()


def plan_for(*, seed: int, prs: int, until: date) -> Plan:
    """Weeks and people for `prs` pull requests: half a year of a small team, three years of one of two hundred."""
    weeks = min(156, max(16, prs // 60))
    people = max(12, round(prs / (weeks * 2.6)))
    last = (until - date(1970, 1, 1)).days
    first = last - weeks * 7
    return Plan(
        seed=seed,
        prs=prs,
        until=until,
        first_day=first,
        days=tuple(accumulate(_work_of(day, (day - first) / (weeks * 7)) for day in range(first, last))),
        repositories=repositories_of(seed, prs, people, (last - LEFT_BEFORE) * DAY),
    )


def _work_of(day: int, share: float) -> float:
    """How much is begun on a day: the organisation grows, Fridays are short, summers and Decembers slow."""
    when = date(1970, 1, 1) + timedelta(days=day)
    if is_day_off("", day):
        return 0.05
    season = 0.75 if when.month == 8 else 0.5 if (when.month, when.day) > (12, 20) else 1.0
    return season * (0.75 + 0.5 * share) * (0.8 if when.weekday() == 4 else 1.0)

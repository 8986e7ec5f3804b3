"""When somebody works: office hours in their own time zone, no weekends, no holidays. Instants are whole seconds since
1970, since hundreds of thousands of them are moved about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY, HOUR = 86_400, 3_600

# Month and day; those of everybody come first.
_HOLIDAYS = {
    "": ((1, 1), (12, 24), (12, 25), (12, 26), (12, 31)),
    "Europe/Berlin": ((5, 1), (10, 3)),
    "Europe/Lisbon": ((4, 25), (5, 1), (6, 10), (12, 8)),
    "Europe/Warsaw": ((1, 6), (5, 1), (5, 3), (8, 15), (11, 11)),
    "America/New_York": ((7, 4), (11, 11), (6, 19)),
    "America/Sao_Paulo": ((4, 21), (5, 1), (9, 7), (11, 15)),
    "Asia/Kolkata": ((1, 26), (8, 15), (10, 2)),
}
ZONES = tuple(zone for zone in _HOLIDAYS if zone)


@cache
def is_day_off(zone: str, day: int) -> bool:
    """Whether nobody works there on that day (days since 1970, where they are)."""
    when = date(1970, 1, 1) + timedelta(days=day)
    return when.weekday() >= 5 or (when.month, when.day) in (*_HOLIDAYS[""], *_HOLIDAYS.get(zone, ()))


@cache
def offset_of(zone: str, day: int) -> int:
    """Seconds east of Greenwich at noon of that UTC day."""
    offset = datetime.fromtimestamp(day * DAY + DAY // 2, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


@dataclass(frozen=True, slots=True)
class Worktime:
    """Somebody's hours: from `start` to `end`, seconds after midnight in `zone`."""

    zone: str
    start: int = 9 * HOUR
    end: int = 17 * HOUR + HOUR // 2

    def is_working(self, at: int) -> bool:
        local = at + offset_of(self.zone, at // DAY)
        return self.start <= local % DAY < self.end and not is_day_off(self.zone, local // DAY)

    def after(self, at: int, hours: float) -> int:
        """The instant when so many hours of work have passed since `at`."""
        offset, left = offset_of(self.zone, at // DAY), max(60, int(hours * HOUR))
        day, second = divmod(at + offset, DAY)
        while True:
            if not is_day_off(self.zone, day) and second < self.end:
                second = max(second, self.start)
                if left < self.end - second:
                    return day * DAY + second + left - offset
                left -= self.end - second
            day, second = day + 1, 0

    def before(self, at: int, hours: float) -> int:
        """The instant since which so many hours of work have passed until `at`."""
        offset, left = offset_of(self.zone, at // DAY), max(60, int(hours * HOUR))
        day, second = divmod(at + offset, DAY)
        while True:
            if not is_day_off(self.zone, day) and second > self.start:
                second = min(second, self.end)
                if left < second - self.start:
                    return day * DAY + second - left - offset
                left -= second - self.start
            day, second = day - 1, DAY

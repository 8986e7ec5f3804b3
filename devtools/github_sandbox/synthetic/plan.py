"""What is generated: repositories by specification, and a plan for each of their pull requests."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import NamedTuple

MIX_THREADS = 2_232
MIX_COUNT = 500
HEAVY = 10
HEAVY_ITEMS = 105
HEAVY_THREAD_COMMENTS = 120


@dataclass(frozen=True)
class SyntheticRepository:
    """What to generate: `count` pull requests over the last `span_days`.

    `mix` gives exactly the cost mix: of 500 pull requests 205 have review threads, 2,232 in all, 350 have reviews, ten
    have over 100 of everything, one thread has over 100 comments; other counts in proportion.
    """

    owner: str
    name: str
    count: int
    seed: int = 1
    mix: bool = False
    span_days: int = 200
    owner_kind: str = "Organization"
    people: int = 12
    language: str = "Python"
    description: str | None = None
    private: bool = False
    fork: bool = False
    archived: bool = False
    deploys: bool = True
    copies: int = 1
    """How many repositories of this kind: `name`-1 to `name`-N, each opened when it is first looked into."""

    @classmethod
    def parse(cls, text: str) -> SyntheticRepository:
        """OWNER:REPO:N[:mix][:SEED]; REPO may end in *COPIES. Raises ValueError."""
        parts = text.split(":")
        if len(parts) < 3 or not parts[0] or not parts[1]:
            raise ValueError(f"not OWNER:REPO:N[:mix][:SEED]: {text}")
        name, _, copies = parts[1].partition("*")
        rest = [part for part in parts[3:] if part != "mix"]
        if len(rest) > 1:
            raise ValueError(f"not OWNER:REPO:N[:mix][:SEED]: {text}")
        seed = int(rest[0]) if rest else 1
        return cls(parts[0], name, int(parts[2]), seed, "mix" in parts[3:], copies=int(copies or 1))


class Plan(NamedTuple):
    """What one pull request is to have; `threads` None leaves it to chance."""

    number: int
    created: datetime
    state: str
    reviewed: bool | None
    threads: int | None
    heavy: bool
    long_thread: bool


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number_of(spec: SyntheticRepository, word: str | int) -> int:
    """A number that depends on nothing but the specification and the word."""
    return zlib.crc32(f"{spec.owner}/{spec.name} {spec.seed} {word}".encode())


@cache
def plans(spec: SyntheticRepository, now: datetime) -> tuple[Plan, ...]:
    """What there will be, oldest first, without making it. Numbers leave every sixth to an issue."""
    profile = mix_profile(spec.count, spec.seed) if spec.mix else [(None, None, False, False)] * spec.count
    moments = _moments(spec, now)
    open_from = spec.count - max(spec.count // 20, 1)
    made = []
    for index in range(spec.count):
        chance = number_of(spec, index) % 1_000
        state = "CLOSED" if chance < 90 else "MERGED"
        if (index >= open_from and chance % 4) or (chance > 985 and index > spec.count // 2):
            state = "CLOSED" if spec.archived else "OPEN"
        reviewed, threads, heavy, long_thread = profile[index]
        made.append(Plan(index + 1 + index // 5, moments[index], state, reviewed, threads, heavy, long_thread))
    return tuple(made)


def _moments(spec: SyntheticRepository, now: datetime) -> list[datetime]:
    """When they were opened: spread evenly, mostly in working hours of working days."""
    random = Random(number_of(spec, "moments"))
    end = now - timedelta(days=400) if spec.archived else now - timedelta(hours=3)
    moments = []
    for index in range(spec.count):
        share = (index + random.random()) / spec.count
        moment = end - timedelta(days=spec.span_days) * (1 - share)
        if random.random() < 0.9:
            moment = moment.replace(
                hour=random.randint(8, 17), minute=random.randint(0, 59), second=random.randint(0, 59)
            )
            moment -= timedelta(days=max(moment.weekday() - 4, 0))
        moments.append(min(moment, end).replace(microsecond=0))
    return sorted(moments)


def mix_profile(count: int, seed: int) -> list[tuple[bool, int, bool, bool]]:
    """(reviewed, threads, heavy, long thread) for each pull request of the cost mix, in an order that `seed` gives."""
    share = count / MIX_COUNT
    heavy = min(HEAVY, count) if count >= 100 else round(HEAVY * share)
    with_threads, reviewed = max(round(count * 0.41), heavy), round(count * 0.7)
    left = max(round(MIX_THREADS * share) - heavy * HEAVY_ITEMS, 0)
    plain = with_threads - heavy
    rows: list[tuple[bool, int, bool, bool]] = []
    for index in range(count):
        if index < heavy:
            rows.append((True, HEAVY_ITEMS, True, index == 0))
        elif index < with_threads:
            each, extra = divmod(left, plain)
            rows.append((True, each + (1 if index - heavy < extra else 0), False, False))
        else:
            rows.append((index < reviewed, 0, False, False))
    Random(seed).shuffle(rows)
    return rows

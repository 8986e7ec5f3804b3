"""What CI said of a head commit: several checks, a slow one that is flaky and is run again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from apps.metrics.demo.dice import Dice
from apps.metrics.demo.organisation import DemoRepository
from apps.metrics.records import CheckRecord

# Name and how many seconds it usually takes.
_CHECKS = {
    "python": (("lint", 40), ("unit", 210), ("integration", 540)),
    "typescript": (("lint", 55), ("unit", 150), ("browser", 620)),
    "go": (("vet", 35), ("unit", 120), ("integration", 480)),
    "kotlin": (("lint", 70), ("unit", 260), ("emulator", 840)),
    "terraform": (("validate", 30), ("plan", 180), ("policy", 60)),
}
_PREVIEW = "deploy/preview"
FLAKY_SHARE = 0.08


def instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def checks_of(
    rng: Dice, repository: DemoRepository, sha: str, pushed: int, *, first_id: int, end: int, passes: bool
) -> Iterator[CheckRecord]:
    """The checks of `sha` as they stand at `end`; ids grow with time. A status context where there is a preview."""
    names = _CHECKS[repository.language]
    broken = None if passes else rng.randrange(len(names))
    id_ = first_id
    for place, (name, usual) in enumerate(names):
        started, took = pushed + rng.randint(5, 40), int(usual * rng.uniform(0.8, 1.5))
        if place == len(names) - 1 and place != broken and rng.random() < FLAKY_SHARE:
            yield _run(id_, name, sha, started, took, "failure", end, attempt=1)
            id_, started = id_ + 1, started + took + rng.randint(120, 900)
            yield _run(id_, name, sha, started, took, "success", end, attempt=2)
        else:
            yield _run(id_, name, sha, started, took, "failure" if place == broken else "success", end)
        id_ += 1
    if repository.language == "typescript":
        done = pushed + 90
        yield CheckRecord(
            id=None,
            name=_PREVIEW,
            head_sha=sha,
            status="completed" if done < end else "pending",
            conclusion="success" if done < end else "",
            started_at=instant(pushed),
            completed_at=instant(done) if done < end else None,
        )


def _run(
    id_: int, name: str, sha: str, started: int, took: int, conclusion: str, end: int, attempt: int = 1
) -> CheckRecord:
    is_done = started + took < end
    return CheckRecord(
        id=id_,
        name=name,
        head_sha=sha,
        status="completed" if is_done else "in_progress" if started < end else "queued",
        conclusion=conclusion if is_done else "",
        started_at=instant(started) if started < end else None,
        completed_at=instant(started + took) if is_done else None,
        app="GitHub Actions",
        workflow="CI",
        attempt=attempt,
    )

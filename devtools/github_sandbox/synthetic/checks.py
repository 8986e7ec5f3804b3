"""Generated checks on a head commit: workflow jobs that pass, fail, or pass when run again, and two statuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from devtools.github_sandbox.entities import App, CheckRun, CheckSuite, StatusContext
from devtools.github_sandbox.synthetic.plan import HEAVY_ITEMS, iso

if TYPE_CHECKING:
    from devtools.github_sandbox.synthetic.pull import PullWriter

_JOBS = ("lint", "unit tests", "integration tests", "build")


def write_checks(story: PullWriter) -> None:
    """One pull request in twelve has none at all."""
    random = story.random
    if random.random() < 0.08 and not story.plan.heavy:
        return
    jobs = [f"matrix ({index})" for index in range(HEAVY_ITEMS)] if story.plan.heavy else list(_JOBS)
    _suite(story, story.generator.actions, "CI", jobs)
    if random.random() < 0.5:
        _suite(story, story.generator.scanner, None, ["CodeQL"])
    if random.random() < 0.6:
        _statuses(story)


def _suite(story: PullWriter, app: App, workflow: str | None, jobs: list[str]) -> None:
    generator, random, pull = story.generator, story.random, story.pull
    start = datetime.fromisoformat(pull.commits[-1].committed_date) + timedelta(seconds=random.randint(5, 60))
    start = min(max(start, datetime.fromisoformat(pull.created_at)), generator.now - timedelta(minutes=30))
    number, node = generator.new("CS")
    moment = iso(start)
    suite = CheckSuite(
        number, node, pull.repository, pull.head_ref_oid, app, moment, moment, workflow, pull.number, pull.head_ref_name
    )
    end = start
    for job in jobs:
        end = max(end, _attempts(story, suite, job, start))
    suite.updated_at = iso(end)
    generator.contents.suites.setdefault(pull.head_ref_oid, []).append(suite)
    generator.keep(suite)


def _attempts(story: PullWriter, suite: CheckSuite, job: str, start: datetime) -> datetime:
    """One run, or a failed one and its repetition. Merged work is rarely red."""
    random = story.random
    first = "FAILURE" if random.random() < 0.09 else "SKIPPED" if random.random() < 0.03 else "SUCCESS"
    end = _run(story, suite, job, first, start, 1)
    if first == "FAILURE" and (story.pull.state == "MERGED" or random.random() < 0.4):
        again = "SUCCESS" if random.random() < 0.9 else "FAILURE"
        end = _run(story, suite, job, again, end + timedelta(minutes=2), 2)
    return end


def _run(story: PullWriter, suite: CheckSuite, job: str, conclusion: str, start: datetime, attempt: int) -> datetime:
    random, generator = story.random, story.generator
    end = start + timedelta(seconds=random.randint(15, 420))
    running = story.pull.state == "OPEN" and attempt == 1 and random.random() < 0.04
    number, node = generator.new("CR")
    run = CheckRun(
        number,
        node,
        job,
        "IN_PROGRESS" if running else "COMPLETED",
        None if running else conclusion,
        iso(start),
        None if running else iso(end),
        suite,
        attempt,
        title=job,
    )
    suite.runs.append(run)
    generator.keep(run)
    return end


def _statuses(story: PullWriter) -> None:
    generator, pull = story.generator, story.pull
    bot = generator.bot("codecov[bot]")
    for context, state in (("codecov/project", "SUCCESS"), ("licence/cla", "SUCCESS")):
        number, node = generator.new("SC")
        moment = min(datetime.fromisoformat(pull.created_at) + timedelta(minutes=6), generator.now)
        status = StatusContext(number, node, pull.repository, pull.head_ref_oid, context, state, iso(moment), bot)
        generator.contents.statuses.setdefault(pull.head_ref_oid, []).append(status)
        generator.keep(status)

"""The demo organisation, in memory: the same for the same seed, believable, and with a story."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from statistics import median

import pytest

from apps.metrics.calculations import derive
from apps.metrics.demo.deployments import Deployments
from apps.metrics.demo.numbering import number_of, place_of
from apps.metrics.demo.plan import LEFT_BEFORE, Plan, last_day, plan_for
from apps.metrics.demo.pull_requests import milestone_at, pull_request, pull_requests_of
from apps.metrics.demo.worktime import HOUR, Worktime
from apps.metrics.records import DeploymentRecord, EventKind, PullRequestRecord
from apps.metrics.services.members import accounts_of

UNTIL = date(2026, 11, 20)
END = datetime(2026, 11, 20, 11, tzinfo=UTC)


@lru_cache
def plan(seed: int = 7) -> Plan:
    return plan_for(seed=seed, prs=1_200, until=UNTIL)


@lru_cache
def records(index: int = 0) -> tuple[PullRequestRecord, ...]:
    return tuple(pull_requests_of(plan(), plan().repositories[index]))


@lru_cache
def everything() -> tuple[PullRequestRecord, ...]:
    return tuple(record for index in range(len(plan().repositories)) for record in records(index))


@lru_cache
def deployments() -> tuple[DeploymentRecord, ...]:
    train = Deployments(plan(), plan().repositories[0])
    until_the_last = [each for record in records() for each in train.after(record)]
    return (*until_the_last, *train.rest())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_same_seed_makes_the_same_pull_request_whatever_was_made_before_it() -> None:
    checkout = plan().repositories[0]
    again = plan_for(seed=7, prs=1_200, until=UNTIL)

    assert pull_request(again, again.repositories[0], number_of(106)) == records()[105]
    assert again.repositories == plan().repositories
    assert pull_request(plan(8), plan(8).repositories[0], 107) != pull_request(plan(), checkout, 107)


def test_it_has_as_many_as_were_asked_for_numbered_in_the_order_of_their_opening() -> None:
    assert len(everything()) == 1_200
    for index in range(len(plan().repositories)):
        opened = [record.created_at for record in records(index)]
        assert [place_of(record.number) for record in records(index)] == list(range(1, len(opened) + 1))
        assert opened == sorted(opened)


@pytest.mark.parametrize("prs", [1, 3, 40, 25_000])
def test_any_number_can_be_asked_for(prs: int) -> None:
    asked = plan_for(seed=1, prs=prs, until=UNTIL)

    assert sum(repository.prs for repository in asked.repositories) == prs
    assert all(len(repository.squad) >= 3 for repository in asked.repositories)
    assert pull_request(asked, asked.repositories[0], number_of(1)).number == 2


def test_nothing_happens_after_the_end_and_nothing_ends_before_it_began() -> None:
    for record in everything():
        instants = [record.created_at, record.updated_at, record.merged_at, record.closed_at]
        instants += [review.submitted_at for review in record.reviews]
        instants += [comment.created_at for comment in (*record.issue_comments, *record.review_comments)]
        instants += [event.occurred_at for event in record.events]
        instants += [commit.committed_at for commit in record.commits]
        instants += [check.completed_at for check in record.checks]
        assert max(instant for instant in instants if instant) < END
        assert record.closed_at is None or record.created_at < record.closed_at
        assert (record.state == "merged") == (record.merged_at is not None) == bool(record.merge_commit_sha)
    assert max(status.created_at for each in deployments() for status in each.statuses) < END


def test_ids_lie_below_0_and_are_of_one_thing_each() -> None:
    for kind in ("reviews", "issue_comments", "review_comments", "checks"):
        ids = [each.id for record in everything() for each in getattr(record, kind) if each.id is not None]
        assert len(ids) == len(set(ids))
        assert max(ids) < 0
    ids = [record.id for record in everything()] + [each.id for each in deployments()]
    assert max(ids) < 0
    assert len({record.id for record in everything()}) == 1_200
    assert max(account.id for record in everything() for account in accounts_of(record)) < 0


def test_it_has_what_an_organisation_has() -> None:
    derived = [derive(record) for record in everything()]
    found = Counter(kind for record in everything() for kind in kinds(record))

    assert min(found[kind] for kind in ("draft", "flaky", "label", "milestone", "assignee", "issue")) >= 5
    assert min(found[kind] for kind in ("bot", "agent", "forced", "open", "closed", "thread")) >= 5
    assert {tool for each in derived for tool in each.ai_tools} == {"Claude Code", "Cursor", "GitHub Copilot"}
    assert sum(each.is_hotfix for each in derived) >= 10
    assert sum(each.review_rounds > 0 for each in derived) > 0.15 * len(derived)
    assert {each.ci_status for each in derived} >= {"success", "failure"}
    assert sum(each.merged_without_review for each in derived) >= 5


def kinds(record: PullRequestRecord) -> set[str]:
    """What a pull request is an example of."""
    failed = {(check.name, check.head_sha) for check in record.checks if check.conclusion == "failure"}
    again = {(c.name, c.head_sha) for c in record.checks if c.attempt == 2 and c.conclusion == "success"}
    examples = {
        "draft": any(event.kind == EventKind.READY_FOR_REVIEW for event in record.events),
        "forced": any(event.kind == EventKind.FORCE_PUSHED for event in record.events),
        "flaky": bool(failed & again),
        "label": bool(record.labels),
        "milestone": record.milestone is not None,
        "assignee": bool(record.assignees),
        "issue": bool(record.linked_issues),
        "thread": bool(record.threads),
        "bot": record.author.login == "dependabot[bot]",
        "agent": record.author.login == "copilot-swe-agent",
        record.state: True,
    }
    return {kind for kind, is_one in examples.items() if is_one}


def test_a_revert_undoes_what_was_merged_before_and_production_is_rolled_back_for_it() -> None:
    reverts = {record.number: derive(record) for record in records() if derive(record).is_revert}
    assert len(reverts) >= 3
    for number, derived in reverts.items():
        undone, revert = (records()[place_of(each) - 1] for each in (derived.reverts_number, number))
        assert undone.merged_at < revert.created_at
        assert revert.title == f'Revert "{undone.title}"'
    rolled_back = [each for each in deployments() if each.description == "Roll back"]
    assert 1 <= len(rolled_back) <= len(reverts)


def test_what_is_deployed_was_merged_and_some_deployments_fail() -> None:
    merged = {record.merge_commit_sha: record.merged_at for record in records()}

    assert all(merged[each.sha] < each.created_at for each in deployments())
    assert {each.environment for each in deployments()} == {"staging", "production"}
    assert {each.state for each in deployments()} == {"success", "failure"}


def test_people_work_on_working_days() -> None:
    days = Counter(review.submitted_at.weekday() for record in everything() for review in record.reviews)

    assert days[5] + days[6] < 0.03 * days.total()
    assert sum(record.created_at.weekday() >= 5 for record in everything()) < 0.06 * len(everything())


def test_first_reviews_of_one_repository_take_twice_as_long_since_two_reviewers_left() -> None:
    left = datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=LEFT_BEFORE)
    gone = [person.account for person in plan().repositories[0].squad if person.leaves]
    reviewed = Counter(
        (review.submitted_at >= left, review.author in gone) for record in records() for review in record.reviews
    )

    assert len(gone) == 2
    assert reviewed[True, True] == 0
    assert reviewed[False, True] > 0.4 * (reviewed[False, True] + reviewed[False, False])
    assert waited(0, left, END) > 2 * waited(0, left - timedelta(days=31), left)
    assert waited(1, left, END) < 2 * waited(1, left - timedelta(days=31), left)


def waited(index: int, start: datetime, end: datetime) -> float:
    """The median time to the first review of what a repository's people opened in between, in seconds."""
    opened = [record for record in records(index) if start <= record.created_at < end and not record.author.is_bot]
    return median(time for record in opened if (time := derive(record).review_time_seconds) is not None)


def test_the_last_day_has_a_morning_and_that_is_over_by_now() -> None:
    merged = [record for record in everything() if record.merged_at and record.merged_at.date() == UNTIL]

    assert merged
    assert plan().ended_at == END
    assert last_day(END) == UNTIL
    assert last_day(END - timedelta(seconds=1)) == UNTIL - timedelta(days=1)


def test_a_quarters_milestone_is_due_on_its_last_day_and_closed_afterwards() -> None:
    before, now = milestone_at(at("2026-08-05"), at("2026-11-20")), milestone_at(at("2026-12-31"), at("2027-01-01"))

    assert (before.title, before.due_at, before.state) == ("2026 Q3", datetime(2026, 9, 30, tzinfo=UTC), "closed")
    assert (now.title, now.due_at) == ("2026 Q4", datetime(2026, 12, 31, tzinfo=UTC))
    assert before.number < now.number


class TestWorktime:
    def test_work_goes_on_after_nights_and_weekends(self) -> None:
        berlin = Worktime("Europe/Berlin", 9 * HOUR, 17 * HOUR)

        assert berlin.after(at("2026-03-04T10:00"), 2) == at("2026-03-04T12:00")
        assert berlin.after(at("2026-03-04T15:00"), 2) == at("2026-03-05T09:00")  # an hour each: 16 and 9 o'clock there
        assert berlin.after(at("2026-03-06T15:00"), 2) == at("2026-03-09T09:00")
        assert berlin.after(at("2026-03-07T12:00"), 1) == at("2026-03-09T09:00")

    def test_nobody_works_on_holidays_of_where_they_are(self) -> None:
        assert not Worktime("Europe/Berlin").is_working(at("2026-05-01T10:00"))
        assert Worktime("Asia/Kolkata").is_working(at("2026-05-01T10:00"))
        assert not Worktime("Asia/Kolkata").is_working(at("2026-05-01T15:00"))

    def test_going_back_is_the_way_there_the_other_way_round(self) -> None:
        lisbon = Worktime("Europe/Lisbon", 9 * HOUR, 17 * HOUR)
        start = at("2026-03-05T14:00")

        assert lisbon.before(lisbon.after(start, 11.5), 11.5) == start

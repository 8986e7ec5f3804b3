"""The numbers of one pull request, worked out by hand. Hours count from the opening."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from apps.metrics.calculations import DERIVED_FROM, Derived, default_rule, derive, person_of, size_of
from apps.metrics.records import Account, LabelRecord, Part
from apps.metrics.tests.histories import (
    AUTHOR,
    BOB,
    BOT,
    CLEO,
    GHOST,
    OPENED,
    approved,
    asked,
    at,
    comment,
    commit,
    drafted,
    event,
    pull_request,
    pushed,
    ready,
    review,
)

DEFINITIONS = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize(
    ("account", "is_bot"),
    [
        (Account(1, "ada"), False),
        (Account(1, "helper", is_bot=True), True),
        (Account(1, "renovate[bot]"), True),
        (Account(1, "Renovate[BOT]"), True),
        (Account(1, "drahtbot"), False),
        (Account(1, "acme-ci"), False),
        (GHOST, False),
        (None, False),
    ],
)
def test_it_calls_only_those_bots_that_the_source_calls_bots(account, is_bot):
    assert default_rule(account) is is_bot


def test_it_compares_logins_without_case_and_takes_the_ghost_for_a_deleted_account():
    assert person_of(Account(1, "Ada")) == person_of(Account(1, "ada"))
    assert person_of(Account(10137, "Ghost")) is None
    assert person_of(None) is None


# Cycle time, hours


def test_it_measures_the_cycle_from_the_opening_to_the_merge():
    derived = derive(pull_request(merged_at=at(4, 1504), state="merged"))
    assert (derived.cycle_time_seconds, derived.cycle_time_hours) == (15_904, Decimal("4.42"))


@pytest.mark.parametrize(
    ("seconds", "hours"), [(17, "0.00"), (18, "0.01"), (53, "0.01"), (54, "0.02"), (90, "0.03"), (3600, "1.00")]
)
def test_it_rounds_hours_half_up(seconds, hours):
    found = derive(pull_request(merged_at=at(0, seconds))).cycle_time_hours
    assert str(found) == hours


def test_it_has_no_cycle_and_no_stages_until_the_merge():
    derived = derive(pull_request(state="closed", closed_at=at(9), reviews=(approved(3),)))
    assert derived.cycle_time_seconds is derived.cycle_time_hours is None
    assert derived.coding_seconds is derived.pickup_seconds is derived.review_seconds is None
    assert derived.merge_seconds is derived.closed_seconds is derived.rework_after_approval is None
    assert derived.approved_at == at(3)


# Ready, and the time to the first review


@pytest.mark.parametrize(
    ("events", "reviews", "is_draft", "merged", "ready_at", "hours"),
    [
        ([], [review(5)], False, 10, OPENED, "5.00"),
        ([ready(2)], [review(5)], False, 10, at(2), "3.00"),
        ([drafted(1), ready(4)], [review(5)], False, 10, at(4), "1.00"),
        ([drafted(6), ready(8)], [review(5)], False, 10, OPENED, "5.00"),
        ([drafted(1), ready(2), drafted(3), ready(4), drafted(6), ready(7)], [review(5)], False, 10, at(4), "1.00"),
        ([ready(6), drafted(7), ready(8)], [review(5)], False, 10, at(6), "0.00"),
        ([], [review(5)], True, None, None, "0.00"),
        ([], [], True, None, None, None),
        ([], [], True, 10, OPENED, None),
        ([ready(3), drafted(4), ready(6)], [], False, None, at(6), None),
        ([ready(3)], [], False, 10, at(3), None),
        ([drafted(3)], [], True, None, OPENED, None),
        ([drafted(3)], [review(5)], True, None, OPENED, "5.00"),
        ([drafted(1), ready(5)], [review(5)], False, 10, at(5), "0.00"),
    ],
    ids=[
        "opened ready",
        "opened as a draft",
        "drafted and readied before the review",
        "drafted after the review: the opening counts",
        "the last time before the review",
        "reviewed as a draft: the first time after",
        "still a draft, reviewed",
        "still a draft",
        "merged as a draft without events: the opening",
        "no review: the last time",
        "no review, merged",
        "drafted again, no review",
        "drafted again, then reviewed",
        "readied in the second of the review",
    ],
)
def test_it_finds_when_it_became_ready_and_how_long_the_first_review_took(
    events, reviews, is_draft, merged, ready_at, hours
):
    pr = pull_request(merged=merged, events=tuple(reversed(events)), reviews=tuple(reviews), is_draft=is_draft)
    derived = derive(pr)
    assert derived.ready_at == ready_at
    assert derived.review_time_hours == (Decimal(hours) if hours else None)


# First commit


@pytest.mark.parametrize(
    ("authored", "first", "left_out"),
    [
        ([-3, -5, 2], at(-5), False),
        ([1], at(1), False),
        ([-60 * 24], at(-60 * 24), False),
        ([-60 * 24 - 1], None, True),
        ([-60 * 24 - 1, -3], at(-3), True),
        ([], None, False),
    ],
    ids=[
        "the earliest",
        "after the opening",
        "exactly 60 days",
        "a cherry-pick",
        "a cherry-pick and more",
        "no commits",
    ],
)
def test_it_leaves_out_commits_older_than_sixty_days(authored, first, left_out):
    derived = derive(pull_request(merged=10, commits=tuple(commit(hours, 0) for hours in authored)))
    assert (derived.first_commit_at, derived.old_commits_left_out) == (first, left_out)
    assert derived.coding_seconds == (int((OPENED - first).total_seconds()) if first and first < OPENED else 0)


# Size, comments


@pytest.mark.parametrize(
    ("lines", "size"),
    [(0, "XS"), (10, "XS"), (11, "S"), (50, "S"), (51, "M"), (200, "M"), (201, "L"), (500, "L"), (501, "XL")],
)
def test_it_sizes_by_changed_lines(lines, size):
    assert size_of(lines, 0) == size_of(lines - lines // 2, lines // 2) == size


def test_it_has_no_size_where_github_told_none():
    assert derive(pull_request(additions=None, deletions=3)).size == ""
    assert size_of(3, None) is None


def test_it_counts_each_comment_once_whoever_wrote_it_and_whenever():
    pr = pull_request(
        merged=10,
        issue_comments=(comment(1, AUTHOR), comment(2, BOT, id=5), comment(2, BOT, id=5), comment(20, None)),
        review_comments=(comment(3, BOB, "review", id=5),),
    )
    derived = derive(pr)
    assert (derived.total_comments, derived.human_comments) == (4, 3)


# The whole


def test_it_takes_parts_that_were_not_fetched_for_empty():
    empty = pull_request(merged=10)
    parts = ("labels", "reviews", "review_comments", "issue_comments", "commits", "events", "checks", "files")
    assert derive(replace(empty, **dict.fromkeys(parts))) == derive(empty)


def test_it_does_not_depend_on_the_order_of_the_parts():
    pr = pull_request(
        merged=40,
        labels=(LabelRecord("bug"), LabelRecord("hotfix")),
        reviews=(review(2), asked(3, CLEO), approved(9), asked(11), approved(20, CLEO), approved(21)),
        commits=(commit(-2), commit(4), commit(12)),
        events=(drafted(1), ready(2), pushed(5), event(6, "closed"), event(7, "reopened"), event(40, "merged")),
        issue_comments=(comment(3), comment(4, CLEO)),
    )
    parts = ("labels", "reviews", "commits", "events", "issue_comments")
    assert derive(replace(pr, **{part: getattr(pr, part)[::-1] for part in parts})) == derive(pr)


def test_it_explains_every_number_in_the_documentation():
    text = DEFINITIONS.read_text(encoding="utf-8")
    assert [field.name for field in fields(Derived) if f"`{field.name}`" not in text] == []


def test_it_names_headings_that_the_documentation_has():
    headings = set(re.findall(r"^#+ (.+)$", DEFINITIONS.read_text(encoding="utf-8"), re.MULTILINE))
    modules = (Path(__file__).resolve().parents[1] / "calculations").glob("*.py")
    references = [re.search(r"docs/metrics\.md, (.+)\)", module.read_text(encoding="utf-8")) for module in modules]
    named = {heading for found in references if found for heading in re.findall(r'"([^"]+)"', found[1])}
    assert len(named) > 8
    assert named - headings == set()


class Watched:
    """A pull request that remembers what was looked at."""

    def __init__(self, record):
        self._record, self.seen = record, set()

    def __getattr__(self, name):
        self.seen.add(name)
        return getattr(self._record, name)


def test_the_derived_fields_rest_on_the_parts_that_are_read_for_them_and_no_other():
    watched = Watched(pull_request(merged=30, reviews=(asked(2), approved(20)), commits=(commit(-1), commit(9))))
    derive(watched)
    assert {part for part in Part if part.value in watched.seen} == DERIVED_FROM

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
    dismissed,
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


# What a review is, and the first one


@pytest.mark.parametrize(
    ("reviews", "author", "first"),
    [
        ([review(3), review(2, author=CLEO)], AUTHOR, at(2)),
        ([review(1, author=AUTHOR), review(2)], AUTHOR, at(2)),
        ([review(1, author=Account(1, "ADA"))], AUTHOR, None),
        ([review(1, author=BOT), review(2)], AUTHOR, at(2)),
        ([review(1, author=Account(5, "ci[bot]"))], AUTHOR, None),
        ([review(1, "dismissed")], AUTHOR, at(1)),
        ([review(1, author=None)], AUTHOR, at(1)),
        ([review(1, author=None)], GHOST, None),
        ([review(1, author=GHOST)], None, None),
        ([review(1)], None, at(1)),
        ([review(10)], AUTHOR, at(10)),
        ([review(11)], AUTHOR, None),
        ([], AUTHOR, None),
        (None, AUTHOR, None),
    ],
    ids=[
        "the earliest",
        "not the author's own",
        "logins without case",
        "not a bot's",
        "not a bot's by name",
        "a dismissed one was given",
        "a deleted reviewer's",
        "not if both may be one person",
        "not if both are deleted",
        "a deleted author's reviewer",
        "in the second of the merge",
        "not after the merge",
        "none",
        "not fetched",
    ],
)
def test_it_counts_reviews_by_others_up_to_the_merge(reviews, author, first):
    reviews = tuple(reviews) if reviews is not None else None
    assert derive(pull_request(merged=10, author=author, reviews=reviews)).first_review_at == first


def test_it_counts_late_reviews_while_it_is_not_merged():
    assert derive(pull_request(state="closed", closed_at=at(1), reviews=(review(5),))).first_review_at == at(5)


def test_it_lets_a_team_say_who_is_a_bot():
    pr = pull_request(reviews=(review(1), review(2, author=CLEO)), issue_comments=(comment(1), comment(2, CLEO)))
    derived = derive(pr, is_bot=lambda account: account == BOB)
    assert (derived.first_review_at, derived.total_comments, derived.human_comments) == (at(2), 2, 1)


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


# Approval


@pytest.mark.parametrize(
    ("reviews", "events", "approved_at"),
    [
        ([approved(3), approved(2, CLEO)], [], at(2)),
        ([review(1), asked(2)], [], None),
        ([approved(1), asked(2)], [], None),
        ([approved(1), asked(2), approved(3)], [], at(3)),
        ([approved(1), asked(2), approved(2.5, CLEO)], [], at(2.5)),
        ([approved(1), review(2)], [], at(1)),
        ([approved(1), approved(2)], [], at(1)),
        ([approved(1, None), asked(2, GHOST)], [], None),
        ([approved(1), asked(2, Account(2, "BOB"))], [], None),
        ([review(1, "dismissed", id=50)], [dismissed(4, 50, "approved")], None),
        ([review(1, "dismissed", id=50)], [dismissed(10, 50, "approved")], None),
        ([review(1, "dismissed", id=50)], [dismissed(11, 50, "approved")], at(1)),
        ([review(1, "dismissed", id=50)], [dismissed(11, 50, "")], None),
        ([approved(1, id=50)], [dismissed(11, 50, "")], at(1)),
        ([approved(1, id=50)], [dismissed(4, 50, "")], None),
        ([review(1, "dismissed", id=50), approved(2)], [dismissed(4, 50, "approved")], at(2)),
        ([approved(1), review(2, "dismissed", id=50)], [dismissed(4, 50, "approved")], None),
        ([approved(1), review(2, "dismissed")], [], None),
        ([review(1, "dismissed"), approved(2)], [], at(2)),
        ([review(1, "dismissed", id=50), approved(2)], [dismissed(4, 50, "changes_requested")], at(2)),
        ([approved(1), review(2, "dismissed", id=50)], [dismissed(11, 50, "changes_requested")], None),
        ([approved(11)], [], None),
        ([approved(1, AUTHOR), approved(2, BOT)], [], None),
    ],
    ids=[
        "the earliest",
        "none",
        "taken back",
        "given again",
        "another reviewer's",
        "a comment takes nothing back",
        "twice",
        "deleted reviewers are one person",
        "logins without case",
        "dismissed",
        "dismissed in the second of the merge",
        "dismissed after the merge",
        "dismissed, what it said is nowhere",
        "the dismissal is known before the new state, after the merge",
        "the dismissal is known before the new state",
        "dismissed, given again before",
        "a later one dismissed",
        "a later one dismissed, unknown when",
        "an earlier one dismissed, unknown when",
        "a request dismissed",
        "a request, dismissed after the merge",
        "after the merge",
        "by the author and by a bot",
    ],
)
def test_it_finds_the_earliest_approval_in_force_at_the_merge(reviews, events, approved_at):
    pr = pull_request(merged=10, reviews=tuple(reviews), events=tuple(events))
    assert derive(pr).approved_at == approved_at


def test_it_tells_the_approval_in_force_now_of_what_is_not_merged():
    pr = pull_request(reviews=(review(1, "dismissed", id=50),), events=(dismissed(400, 50, "approved"),))
    assert derive(pr).approved_at is None


@pytest.mark.parametrize(
    ("commits", "events", "rework"),
    [
        ([commit(-1)], [], False),
        ([commit(-1, 4)], [], True),
        ([commit(-1, 3)], [], False),
        ([], [pushed(5)], True),
        ([], [pushed(11)], False),
        ([commit(11)], [], False),
    ],
    ids=[
        "before it",
        "a commit",
        "in its second",
        "a force push",
        "a push after the merge",
        "a commit after the merge",
    ],
)
def test_it_sees_rework_between_the_approval_and_the_merge(commits, events, rework):
    pr = pull_request(merged=10, reviews=(approved(3),), commits=tuple(commits), events=tuple(events))
    assert derive(pr).rework_after_approval is rework


def test_it_does_not_speak_of_rework_without_an_approval_or_a_merge():
    assert derive(pull_request(merged=10, reviews=(review(3),), events=(pushed(5),))).rework_after_approval is None
    assert derive(pull_request(reviews=(approved(3),), events=(pushed(5),))).rework_after_approval is None


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


@pytest.mark.parametrize(
    ("comments", "discussed"),
    [
        ([comment(3)], True),
        ([comment(10)], True),
        ([comment(11)], False),
        ([comment(3, AUTHOR)], False),
        ([comment(3, BOT)], False),
        ([comment(3, None)], True),
        ([], False),
    ],
    ids=[
        "by another",
        "in the second of the merge",
        "after it",
        "by the author",
        "by a bot",
        "by a deleted one",
        "none",
    ],
)
def test_it_tells_discussed_from_silently_merged(comments, discussed):
    issue = derive(pull_request(merged=10, issue_comments=tuple(comments)))
    lines = derive(pull_request(merged=10, review_comments=tuple(comments)))
    assert issue.merged_without_review is lines.merged_without_review is True
    assert issue.discussed_without_review is lines.discussed_without_review is discussed


def test_it_does_not_call_unmerged_or_reviewed_pull_requests_merged_without_review():
    reviewed = derive(pull_request(merged=10, reviews=(review(2),), issue_comments=(comment(1),)))
    open_ = derive(pull_request(issue_comments=(comment(1),)))
    assert (reviewed.merged_without_review, reviewed.discussed_without_review) == (False, False)
    assert (open_.merged_without_review, open_.discussed_without_review) == (False, False)


# After the first review


def test_it_counts_commits_after_the_first_review_by_when_they_were_written():
    commits = (commit(-1, 8), commit(3, 3), commit(4, 8), commit(5, 5))
    assert derive(pull_request(merged=10, reviews=(review(3),), commits=commits)).commits_after_first_review == 2


def test_it_counts_force_pushes_after_the_first_review_up_to_the_merge():
    events = (pushed(1), pushed(3), pushed(4), pushed(10), pushed(11))
    derived = derive(pull_request(merged=10, reviews=(review(3),), events=events))
    assert derived.force_pushes_after_first_review == 2


def test_it_knows_nothing_after_a_first_review_that_never_came():
    derived = derive(pull_request(merged=10, commits=(commit(2),), events=(pushed(3),)))
    assert derived.commits_after_first_review is derived.force_pushes_after_first_review is None


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

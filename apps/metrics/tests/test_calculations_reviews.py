"""What reviews say of a pull request: the first one, the approval in force, what came after. Hours from the opening."""

from __future__ import annotations

import pytest

from apps.metrics.calculations import derive
from apps.metrics.records import Account
from apps.metrics.tests.histories import (
    AUTHOR,
    BOB,
    BOT,
    CLEO,
    GHOST,
    approved,
    asked,
    at,
    comment,
    commit,
    dismissed,
    pull_request,
    pushed,
    review,
)

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


# Merged without one


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

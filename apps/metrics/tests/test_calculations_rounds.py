"""Review rounds, worked out by hand. Hours count from the opening."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.metrics.calculations import derive, open_request_of, review_rounds_of
from apps.metrics.tests.histories import (
    AUTHOR,
    BOT,
    CLEO,
    approved,
    asked,
    at,
    commit,
    dismissed,
    pull_request,
    pushed,
    review,
)

WITHDRAWN = review(2, "dismissed", id=50)


@pytest.mark.parametrize(
    ("reviews", "commits", "events", "rounds"),
    [
        ([review(1), approved(2)], [commit(3)], [], []),
        ([asked(2)], [], [], []),
        ([asked(2)], [commit(1)], [], []),
        ([asked(2)], [commit(5)], [], [(2, 5)]),
        ([asked(2)], [commit(1, 5)], [], [(2, 5)]),
        ([asked(2)], [commit(9)], [pushed(5)], [(2, 5)]),
        ([asked(2)], [commit(2)], [], []),
        ([asked(2)], [commit(2), commit(3)], [], [(2, 3)]),
        ([asked(2)], [commit(21)], [pushed(21)], []),
        ([asked(2)], [commit(20)], [], [(2, 20)]),
        ([asked(2), asked(4, CLEO)], [commit(6), commit(7)], [], [(2, 6)]),
        ([asked(2), asked(4)], [commit(6)], [], [(2, 6)]),
        ([asked(2), asked(7), asked(9)], [commit(6), commit(8), commit(12)], [], [(2, 6), (7, 8), (9, 12)]),
        ([asked(2), approved(4)], [commit(6)], [], []),
        ([asked(2), asked(3), approved(4)], [commit(6)], [], []),
        ([asked(2), approved(4, CLEO)], [commit(6)], [], [(2, 6)]),
        ([asked(2), asked(3, CLEO), approved(4)], [commit(6)], [], [(3, 6)]),
        ([asked(2), asked(3, CLEO), approved(4), approved(5, CLEO)], [commit(6)], [], []),
        ([asked(2), approved(4), asked(5)], [commit(6)], [], [(5, 6)]),
        ([WITHDRAWN], [commit(6)], [dismissed(4, 50, "changes_requested")], []),
        ([WITHDRAWN], [commit(3)], [dismissed(4, 50, "changes_requested")], [(2, 3)]),
        ([WITHDRAWN, asked(3)], [commit(6)], [dismissed(4, 50, "changes_requested")], [(3, 6)]),
        ([WITHDRAWN], [commit(6)], [dismissed(21, 50, "changes_requested")], [(2, 6)]),
        ([WITHDRAWN, asked(3)], [commit(6)], [dismissed(4, 50, "approved")], [(3, 6)]),
        ([asked(1), WITHDRAWN], [commit(6)], [dismissed(4, 50, "approved")], []),
        ([WITHDRAWN], [commit(6)], [], []),
        ([asked(2, None), approved(4, None)], [commit(6)], [], []),
        ([asked(2, BOT), asked(3, AUTHOR)], [commit(6)], [], []),
        ([asked(2), approved(6)], [commit(6)], [], [(2, 6)]),
    ],
    ids=[
        "nobody asked",
        "never answered",
        "a commit before the request",
        "a commit answers",
        "by when it was committed",
        "a force push answers",
        "not in the second of the request",
        "the first commit that is later",
        "not after the merge",
        "in the second of the merge",
        "two reviewers before one fix are one round",
        "one reviewer twice before one fix is one round",
        "three rounds",
        "the requester approves without a fix",
        "the requester approves after asking twice",
        "another one's approval closes nothing",
        "the first one approves, the other still waits",
        "both approve",
        "asked again after the approval",
        "dismissed before the fix",
        "dismissed after the fix",
        "dismissed, another of theirs stands",
        "dismissed after the merge",
        "an approval dismissed closes nothing",
        "an approval that was dismissed later had closed it",
        "dismissed, unknown what it said",
        "deleted reviewers are one person",
        "bots and the author do not ask",
        "fixed and approved in one second",
    ],
)
def test_it_counts_rounds(reviews, commits, events, rounds):
    pr = pull_request(merged=20, reviews=tuple(reviews), commits=tuple(commits), events=tuple(events))
    assert [(r.asked_at, r.fixed_at) for r in review_rounds_of(pr)] == [(at(a), at(b)) for a, b in rounds]
    assert derive(pr).review_rounds == len(rounds)


def test_it_takes_the_mean_of_the_responses_from_exact_seconds():
    pr = pull_request(
        merged=80,
        reviews=(asked(2), asked(7), asked(30)),
        commits=(commit(6), commit(8), commit(50)),
    )
    derived = derive(pr)
    assert (derived.avg_fix_response_seconds, derived.avg_fix_response_hours) == (30_000, Decimal("8.33"))


def test_it_has_no_mean_without_rounds():
    derived = derive(pull_request(merged=20, reviews=(asked(2),)))
    assert (derived.review_rounds, derived.avg_fix_response_seconds, derived.avg_fix_response_hours) == (0, None, None)


def test_it_runs_to_the_end_of_the_record_while_it_is_not_merged():
    pr = pull_request(state="closed", closed_at=at(3), reviews=(asked(2),), events=(pushed(500),))
    assert derive(pr).review_rounds == 1


@pytest.mark.parametrize(
    ("reviews", "commits", "since"),
    [
        ([asked(2), asked(3, CLEO)], [], at(2)),
        ([asked(2), asked(3, CLEO), approved(4)], [], at(3)),
        ([asked(2)], [commit(5)], None),
        ([asked(2), asked(6)], [commit(5)], at(6)),
        ([approved(2)], [], None),
    ],
    ids=["the earliest", "of whoever still waits", "fixed", "asked again", "nobody asked"],
)
def test_it_tells_since_when_the_author_is_asked_for_changes(reviews, commits, since):
    assert open_request_of(pull_request(reviews=tuple(reviews), commits=tuple(commits))) == since

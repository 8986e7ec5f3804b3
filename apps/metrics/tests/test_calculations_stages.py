"""Stages: cases by hand, and generated histories in which they always add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.metrics.calculations import derive, stages_of
from apps.metrics.records import (
    CommitRecord,
    EventKind,
    EventRecord,
    PullRequestRecord,
    ReviewRecord,
)
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
    closed,
    commit,
    drafted,
    pull_request,
    ready,
    reopened,
    review,
)


@pytest.mark.parametrize(
    ("commits", "reviews", "events", "hours"),
    [
        ([commit(-2)], [review(3), approved(5)], [], (2, 3, 2, 5, 0)),
        ([commit(-2)], [], [], (2, 10, 0, 0, 0)),
        ([commit(-2)], [review(3)], [], (2, 3, 7, 0, 0)),
        ([commit(-2)], [approved(3)], [], (2, 3, 0, 7, 0)),
        ([commit(-2)], [approved(3), asked(4), approved(8)], [], (2, 3, 5, 2, 0)),
        ([], [approved(3)], [], (0, 3, 0, 7, 0)),
        ([commit(1)], [approved(3)], [], (0, 3, 0, 7, 0)),
        ([commit(-2)], [review(3), approved(6)], [ready(2)], (4, 1, 3, 4, 0)),
        ([commit(-2)], [review(3), approved(6)], [ready(5)], (7, 0, 1, 4, 0)),
        ([commit(-2)], [approved(3)], [ready(5)], (7, 0, 0, 5, 0)),
        ([commit(-2)], [review(3), approved(6)], [drafted(4), ready(5)], (2, 3, 3, 4, 0)),
        ([commit(-2)], [review(3), approved(6)], [closed(1), reopened(2)], (2, 2, 3, 4, 1)),
        ([commit(-2)], [review(3), approved(6)], [closed(2), reopened(8)], (2, 2, 0, 2, 6)),
        (
            [commit(-2)],
            [review(3), approved(6)],
            [closed(7), reopened(8), closed(9), reopened(9.5)],
            (2, 3, 3, 2.5, 1.5),
        ),
        ([commit(-2)], [review(3), approved(6)], [closed(7)], (2, 3, 3, 4, 0)),
        ([commit(-2)], [review(3), approved(6)], [closed(7), reopened(11)], (2, 3, 3, 4, 0)),
        ([commit(-2)], [review(3), approved(6)], [closed(7), closed(7.5), reopened(8)], (2, 3, 3, 3, 1)),
        ([commit(-2)], [review(3), approved(6)], [closed(7), reopened(7)], (2, 3, 3, 4, 0)),
        ([commit(-2)], [review(3, author=AUTHOR), approved(6, BOT), review(11)], [], (2, 10, 0, 0, 0)),
    ],
    ids=[
        "the plain way",
        "never reviewed: pickup runs to the merge",
        "never approved: review runs to the merge",
        "the first review is the approval",
        "the approval that holds",
        "no commits: starts at the opening",
        "committed after the opening",
        "readied before the review",
        "reviewed as a draft: no pickup",
        "approved as a draft: the later cut point waits for the earlier",
        "drafted after the review: the opening counts",
        "closed in one stage",
        "closed over three stages",
        "closed twice",
        "closed and not reopened",
        "reopened after the merge",
        "closed twice before one reopen",
        "closed and reopened in one second",
        "reviews that do not count",
    ],
)
def test_it_cuts_the_life_of_a_pull_request(commits, reviews, events, hours):
    derived = derive(
        pull_request(merged=10, commits=tuple(commits), reviews=tuple(reviews), events=tuple(events[::-1]))
    )
    found = (
        derived.coding_seconds,
        derived.pickup_seconds,
        derived.review_seconds,
        derived.merge_seconds,
        derived.closed_seconds,
    )
    assert found == tuple(h * 3600 for h in hours)


def test_it_keeps_closed_time_in_the_cycle_and_in_the_time_to_review():
    derived = derive(pull_request(merged=10, reviews=(review(5),), events=(closed(1), reopened(3))))
    assert (derived.cycle_time_seconds, derived.review_time_seconds) == (36_000, 18_000)


def test_it_gives_the_cut_points_in_order_with_what_never_happened_at_the_merge():
    stages = stages_of(
        pull_request(merged=10, commits=(commit(-2),), reviews=(review(3),), events=(closed(4), reopened(5)))
    )
    assert stages is not None
    assert (stages.start, stages.ready, stages.first_review) == (at(-2), at(0), at(3))
    assert (stages.approved, stages.merged) == (at(10), at(10))
    assert stages.closed == ((at(4), at(5)),)


def test_it_has_no_stages_before_the_merge():
    assert stages_of(pull_request(reviews=(approved(3),))) is None


# Generated histories

MOMENTS = st.integers(min_value=-70 * 86_400, max_value=70 * 86_400).map(lambda s: OPENED + timedelta(seconds=s))
# Few moments, so that much happens in one second.
CLOSE = st.integers(min_value=-3, max_value=6).map(lambda s: OPENED + timedelta(seconds=s))
PEOPLE = st.sampled_from([AUTHOR, BOB, CLEO, BOT, GHOST, None])


@st.composite
def merged_pull_requests(draw: st.DrawFn) -> PullRequestRecord:
    moments = draw(st.sampled_from([MOMENTS, CLOSE]))
    after = moments.map(lambda at: max(at, OPENED))
    states = st.sampled_from(["approved", "changes_requested", "commented", "dismissed"])
    reviews = [
        ReviewRecord(id=i, state=draw(states), submitted_at=draw(after), author=draw(PEOPLE))
        for i in range(draw(st.integers(0, 6)))
    ]
    dismissals = [
        EventRecord(EventKind.REVIEW_DISMISSED, draw(after), subject=str(r.id), previous_state=draw(states))
        for r in reviews
        if r.state == "dismissed" and draw(st.booleans())
    ]
    kinds = st.sampled_from(
        [
            EventKind.READY_FOR_REVIEW,
            EventKind.CONVERTED_TO_DRAFT,
            EventKind.FORCE_PUSHED,
            EventKind.CLOSED,
            EventKind.REOPENED,
        ]
    )
    events = [EventRecord(draw(kinds), draw(after)) for _ in range(draw(st.integers(0, 10)))]
    commits = [CommitRecord(str(i), draw(moments), draw(moments)) for i in range(draw(st.integers(0, 4)))]
    return pull_request(
        merged_at=draw(after),
        state="merged",
        author=draw(PEOPLE),
        is_draft=draw(st.booleans()),
        reviews=tuple(reviews),
        events=tuple(draw(st.permutations(events + dismissals))),
        commits=tuple(commits),
    )


@settings(max_examples=400, deadline=None)
@given(merged_pull_requests())
def test_it_adds_up_to_the_second_whatever_happened(pr):
    derived = derive(pr)
    start = min(derived.first_commit_at or pr.created_at, pr.created_at)
    spans = [
        derived.coding_seconds,
        derived.pickup_seconds,
        derived.review_seconds,
        derived.merge_seconds,
        derived.closed_seconds,
    ]
    assert all(span is not None and span >= 0 for span in spans)
    assert sum(spans) == int((pr.merged_at - start).total_seconds())


@settings(max_examples=400, deadline=None)
@given(merged_pull_requests())
def test_it_never_shows_a_cut_point_out_of_order_or_a_negative_span(pr):
    stages, derived = stages_of(pr), derive(pr)
    assert stages is not None
    points = [stages.start, stages.ready, stages.first_review, stages.approved, stages.merged]
    assert points == sorted(points)
    assert all(begin <= end for begin, end in stages.closed)
    assert list(stages.closed) == sorted(stages.closed)
    assert derived.cycle_time_seconds >= 0
    assert derived.review_time_seconds is None or derived.review_time_seconds >= 0
    assert derived.avg_fix_response_seconds is None or derived.avg_fix_response_seconds > 0


@settings(max_examples=200, deadline=None)
@given(merged_pull_requests())
def test_it_finds_the_same_in_whatever_order_the_events_come(pr):
    assert derive(replace(pr, events=pr.events[::-1], reviews=pr.reviews[::-1])) == derive(pr)


@settings(max_examples=200, deadline=None)
@given(merged_pull_requests(), st.integers(0, 999_999))
def test_it_adds_up_even_where_instants_carry_fractions_of_a_second(pr, fraction):
    merged_at = pr.merged_at + timedelta(microseconds=fraction)
    reviews = tuple(
        ReviewRecord(
            r.id, r.state, r.submitted_at + timedelta(microseconds=(fraction * (r.id + 1)) % 1_000_000), r.author
        )
        for r in pr.reviews
    )
    derived = derive(pull_request(merged_at=merged_at, reviews=reviews, events=pr.events))
    spans = (derived.pickup_seconds, derived.review_seconds, derived.merge_seconds, derived.closed_seconds)
    assert derived.coding_seconds + sum(spans) == derived.cycle_time_seconds

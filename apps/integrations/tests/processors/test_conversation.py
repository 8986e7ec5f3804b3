"""What people say on pull requests, as events tell it."""

from __future__ import annotations

import pytest

from apps.integrations.processors import Reason, handle_pull_request_review_event, process
from apps.integrations.tests.processors.support import SHOP, present, reasons, the_pull_request
from apps.metrics.models import PRComment, PRReview, ReviewThread
from apps.teams.scope import team_scope


def test_one_review_leaves_the_others_and_moves_the_figures(github, number, team, happens):
    for state in ("COMMENTED", "APPROVED"):
        [(_, payload)] = github.tell("review", number=number, state=state, author=github.somebody)
        handle_pull_request_review_event(team, payload)
    pr = the_pull_request(team, number)
    assert [review.state for review in present(team, PRReview)] == ["commented", "approved"]
    assert pr.first_review_at == present(team, PRReview)[0].submitted_at
    assert pr.review_time_seconds == 10
    happens("dismiss", number=number)
    assert [review.state for review in present(team, PRReview)] == ["commented", "dismissed"]


def test_a_dismissal_is_never_taken_back_by_a_late_event(github, number, team):
    review, dismissal = github.tell("review", number=number), github.tell("dismiss", number=number)
    for _, payload in (*review, *dismissal):
        payload["review"].pop("updated_at")  # older servers do not say
    for event in (*dismissal, *review):
        process(team.pk, *event)
    assert [review.state for review in present(team, PRReview)] == ["dismissed"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
@pytest.mark.parametrize("kind", ["comment", "review_comment"])
def test_a_deleted_comment_stays_deleted_in_any_order(github, number, team, kind, order):
    events = [github.tell(action, number=number) for action in (kind, f"edit_{kind}", f"delete_{kind}")]
    for place in order:
        [event] = events[place]
        process(team.pk, *event)
    assert present(team, PRComment) == []
    assert the_pull_request(team, number).total_comments == 0
    with team_scope(team.pk):
        assert PRComment.objects.count() == 1


def test_a_comment_that_is_deleted_before_anything_was_heard_of_stays_deleted(github, shop, team):
    created, deleted = github.tell("review_comment", number=2), github.tell("delete_review_comment", number=2)
    assert reasons(process(team.pk, *event) for event in deleted) == [Reason.UNKNOWN]
    for event in created:
        process(team.pk, *event)
    assert present(team, PRComment) == []


def test_the_latest_text_of_a_comment_counts_in_any_order(github, number, team):
    events = [github.tell("comment", number=number, body="One"), github.tell("edit_comment", number=number, body="Two")]
    for [event] in reversed(events):
        process(team.pk, *event)
    assert [comment.body for comment in present(team, PRComment)] == ["Two"]
    assert the_pull_request(team, number).total_comments == 1


def test_a_thread_is_resolved_and_opened_again_and_its_comments_are_in_it(github, number, team, happens):
    happens("review_comment", number=number)
    assert present(team, ReviewThread) == []  # which thread it is only the thread's own events say
    assert reasons(happens("resolve", number=number, author=github.somebody)) == [Reason.LIFE]
    [thread], [comment] = present(team, ReviewThread), present(team, PRComment)
    assert (thread.is_resolved, thread.resolved_by_id is not None, comment.thread_id) == (True, True, thread.pk)
    happens("unresolve", number=number)
    [thread] = present(team, ReviewThread)
    assert (thread.is_resolved, thread.resolved_by_id) == (False, None)


def test_a_comment_on_what_is_not_stored_has_it_fetched(github, shop, team):
    [processed] = [process(team.pk, *event) for event in github.tell("comment", number=1)]
    [need] = processed.needs
    pull = github.sandbox.world.repository(SHOP).contents.pulls[1]
    assert (need.reason, need.number, need.node_id, need.pull_request_id) == (Reason.UNKNOWN, 1, pull.id, None)
    assert present(team, PRComment) == []


def test_a_comment_on_an_issue_is_nobodys_business(github, number, team, shop):
    [(event, payload)] = github.tell("comment", number=number)
    del payload["issue"]["pull_request"]
    assert process(team.pk, event, payload).ignored == "It is about an issue."

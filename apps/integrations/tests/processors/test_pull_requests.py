"""What events of pull requests do to what is stored, and what they have fetched."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from django.utils import timezone

from apps.integrations.processors import Reason, handle_pull_request_event, process
from apps.integrations.services.github_sync.trouble import stop_repository
from apps.integrations.tests.processors.support import SHOP, fetched_whole, present, reasons, the_pull_request
from apps.integrations.tests.sync_support import rows_of, tracked_at, versions_of
from apps.metrics.models import PullRequest, Repository
from apps.teams.scope import team_scope


def test_an_opened_pull_request_is_there_at_once_and_says_what_is_not_fetched_yet(github, shop, team):
    [(_, payload)] = github.tell("open", title="Count the gulls", author=github.somebody)
    processed = handle_pull_request_event(team, payload)
    pr = the_pull_request(team, payload["number"])
    assert (pr.title, pr.state, pr.author.login) == ("Count the gulls", "open", github.somebody)
    assert (pr.additions, pr.changed_files, pr.is_partial, pr.whole_at) == (12, 0, True, None)
    assert set(pr.partial.values()) == {"not fetched yet"}
    [need] = processed.needs
    assert (need.reason, need.number, need.node_id) == (Reason.UNKNOWN, pr.number, pr.node_id)
    assert (need.repository_id, need.pull_request_id) == (shop.repository_id, pr.pk)
    assert processed.repository_id == shop.repository_id
    assert len(processed.touched_weeks) == 1


def test_one_that_is_opened_is_counted_on_both_sides_at_once_and_once(happens, shop, team):
    def counted():
        known = present(team, Repository, pk=shop.repository_id)[0].completeness
        return known["stored"], known["stated"], known["missing"]

    known = {"stored": 3, "stated": 4, "missing": [2]}
    with team_scope(team.pk):
        Repository.objects.update(completeness=known, synced_to=timezone.now() - timedelta(hours=3))
    happens("open", title="Count the gulls")
    [first] = present(team, PullRequest)
    happens("label", number=first.number, name="birds")
    assert counted() == (4, 5, [2])
    with team_scope(team.pk):
        Repository.objects.update(synced_to=timezone.now())  # counted, or not: the next sync says
    happens("open", title="Count the terns")
    assert counted() == (4, 5, [2])


def test_before_a_first_sync_has_counted_nothing_is(happens, shop, team):
    happens("open", title="Count the gulls")
    assert present(team, Repository, pk=shop.repository_id)[0].completeness == {}


def test_a_merge_asks_for_everything_even_when_its_event_is_late(github, number, team, happens):
    merge = github.tell("merge", number=number, author=github.somebody)
    happens("label", number=number, name="late")
    [processed] = [process(team.pk, *event) for event in merge]
    pr = the_pull_request(team, number)
    assert (pr.state, pr.merged_by.login) == ("merged", github.somebody)
    assert reasons([processed]) == [Reason.MERGED]


def test_what_a_payload_carries_whole_asks_for_nothing(happens, number, team):
    came_of = [
        *happens("label", number=number, name="birds"),
        *happens("label", number=number, name="harbour"),
        *happens("unlabel", number=number, name="birds"),
        *happens("edit", number=number, title="Count the terns"),
    ]
    pr = the_pull_request(team, number)
    with team_scope(team.pk):
        assert [label.name for label in pr.labels.all()] == ["harbour"]
    assert pr.title == "Count the terns"
    assert reasons(came_of) == []


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"action": "edit", "body": "Closes #1"}, Reason.LIFE),
        ({"action": "convert_to_draft"}, Reason.LIFE),
        ({"action": "close"}, Reason.LIFE),
        ({"action": "push"}, Reason.CODE),
        ({"action": "comment"}, Reason.LIFE),
        ({"action": "review"}, Reason.LIFE),
        ({"action": "review_comment"}, Reason.LIFE),
    ],
)
def test_what_it_does_not_carry_is_to_be_fetched_unless_that_was_done_later(github, number, team, action, reason):
    events = github.tell(number=number, **action)
    assert set(reasons(process(team.pk, *event) for event in events)) == {reason}
    fetched_whole(team)
    assert reasons(process(team.pk, *event) for event in events) == []


def test_an_older_event_changes_nothing(github, number, team):
    first, second = (
        github.tell("edit", number=number, title="First"),
        github.tell("edit", number=number, title="Second"),
    )
    for event in (*second, *first, *second):
        process(team.pk, *event)
    before = versions_of(team)
    assert [process(team.pk, *event).changed for event in (*first, *second)] == [0, 0]
    assert the_pull_request(team, number).title == "Second"
    assert versions_of(team) == before


def test_two_words_of_one_second_are_asked_about(github, number, team, shop):
    [(event, first)] = github.tell("edit", number=number, title="First")
    second = orjson.loads(orjson.dumps(first)) | {"pull_request": first["pull_request"] | {"title": "Second"}}
    assert reasons([process(team.pk, event, first)]) == []
    assert reasons([process(team.pk, event, second)]) == [Reason.DOUBT]


@pytest.mark.parametrize("action", ["edit", "close", "comment", "review_comment", "merge"])
def test_what_comes_from_the_future_is_fetched_and_not_believed(github, number, team, action):
    [*_, (event, payload)] = github.tell(action, number=number, title="From the future")
    told = payload.get("comment") or payload["pull_request"]
    told["updated_at"] = "2999-01-01T00:00:00Z"
    before = versions_of(team)
    processed = process(team.pk, event, payload)
    assert reasons([processed]) == [Reason.MERGED if action == "merge" else Reason.DOUBT]
    assert processed.needs[0].pull_request_id == the_pull_request(team, number).pk
    assert versions_of(team) == before


def test_what_is_gone_is_fetched_and_not_believed(github, number, team):
    with team_scope(team.pk):
        PullRequest.objects.update(gone_at=timezone.now())
    [processed] = [process(team.pk, *event) for event in github.tell("close", number=number)]
    assert (processed.changed, reasons([processed])) == (0, [Reason.LIFE])
    assert the_pull_request(team, number).gone_at is not None


def test_two_teams_that_follow_it_both_get_it(github, shop, team, other_team):
    tracked_at(github.sandbox, other_team, SHOP)
    events = [*github.tell("open"), *github.tell("comment", number=4), *github.tell("check", number=4)]
    for each in (team, other_team):
        for event in events:
            process(each.pk, *event)
    assert rows_of(team) == rows_of(other_team)
    assert len(rows_of(team)["prcheckrun"]) == 1


def test_a_repository_that_was_switched_off_hears_nothing(github, shop, team):
    with team_scope(team.pk):
        stop_repository(shop, "Somebody wanted it so.")
    [processed] = [process(team.pk, *event) for event in github.tell("open")]
    assert processed.ignored == "The repository is not followed."
    assert present(team, PullRequest) == []

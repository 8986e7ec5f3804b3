"""What events have fetched: gathered, in few queries, tried again, and again after a merge."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from apps.integrations.github.errors import RateLimited
from apps.integrations.models import GitHubIntegration, ScheduledFetch
from apps.integrations.processors import Need, Reason
from apps.integrations.services.github_rate_limit import tokens_of
from apps.integrations.services.webhooks import due_fetches, fetching, gathering, inbox
from apps.integrations.tests.looks_support import mutate, some_pull
from apps.integrations.tests.sync_support import rows_of
from apps.integrations.tests.webhook_support import delivered, due_now, fetches, heard, listening
from apps.metrics.models import PRComment, PRFile, PullRequest, Repository
from apps.teams.scope import team_scope

SHOP, WEB = "acme/r-1", "acme/r-2"
Kind = ScheduledFetch.Kind


@pytest.fixture
def endpoint(busy_github, team):
    return listening(busy_github, team, SHOP)


@pytest.fixture
def pull(busy_github, endpoint):
    return some_pull(busy_github, SHOP)


def stored(team, number) -> PullRequest:
    with team_scope(team.pk):
        return PullRequest.objects.get(number=number, repository__full_name=SHOP)


def need(team, pull, reason=Reason.CODE):
    row = stored(team, pull.number)
    return Need(row.repository_id, row.number, row.node_id, reason, row.pk)


def asked_for(team, *needs):
    with team_scope(team.pk):
        return gathering.note(needs)


def fetched(endpoint, **which):
    due_now(endpoint.team, **which)
    return fetching.fetch_due(endpoint.team_id, endpoint.integration_id)


def processed(github, endpoint, *names):
    delivered(endpoint, heard(github, *names))
    return inbox.empty(endpoint.pk)


def test_a_burst_is_gathered_in_one_row_that_keeps_its_time(team, pull, endpoint):
    first = asked_for(team, need(team, pull))
    [row] = fetches(team)
    assert first.others
    assert row.due_at - row.asked_at == gathering.GATHERED_FOR
    for _ in range(4):
        assert not asked_for(team, need(team, pull)).others
    [again] = fetches(team)
    assert (again.pk, again.due_at, again.asked) == (row.pk, row.due_at, 5)


def test_a_merge_is_fetched_sooner_and_again_in_ten_minutes_and_in_a_day(team, pull, endpoint):
    asked_for(team, need(team, pull))
    merged = asked_for(team, need(team, pull, Reason.MERGED))
    assert merged.merged == {stored(team, pull.number).pk}
    now, settled, late = fetches(team)
    assert (now.kind, settled.kind, late.kind) == (Kind.EVENT, Kind.SETTLED, Kind.LATE)
    assert now.due_at <= timezone.now() + gathering.MERGED_AFTER
    assert settled.due_at - settled.asked_at == timedelta(minutes=10)
    assert late.due_at - late.asked_at == timedelta(hours=24)


def test_fifty_events_on_ten_pull_requests_cost_two_points_at_most(busy_github, team):
    endpoint = listening(busy_github, team, SHOP, WEB)
    pulls = [
        (name, pull.number)
        for name in (SHOP, WEB)
        for pull in list(busy_github.world.repository(name).contents.pulls.values())[:5]
    ]
    for name, number in pulls:
        for place in range(4):
            mutate(busy_github, name, "comment", number=number, body=f"number {place}")
        mutate(busy_github, name, "edit", number=number, title="Changed")
    busy_github.stats.reset()
    processed(busy_github, endpoint, SHOP, WEB)
    result = fetched(endpoint)
    assert result.pull_requests == 10
    assert busy_github.stats.points <= 2
    assert fetches(team) == []
    with team_scope(team.pk):
        assert PRComment.objects.filter(body__startswith="number ").count() == 40


def test_a_pushed_commit_is_here_with_its_files_after_the_fetch(busy_github, team, endpoint, pull):
    with team_scope(team.pk):
        before = PRFile.objects.filter(pull_request__number=pull.number).count()
    mutate(busy_github, SHOP, "push", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    fetched(endpoint)
    row = stored(team, pull.number)
    assert row.head_sha == pull.head_ref_oid
    assert row.is_partial is False
    with team_scope(team.pk):
        assert PRFile.objects.filter(pull_request=row, gone_at=None).count() >= before


@pytest.mark.parametrize("letters", ["abcdefghijklmnopqrstuvwxyz0123456789", "äöüéèßñçøåæ日本語"])
def test_a_path_that_is_longer_than_an_index_takes_is_cut_and_holds_nobody_up(
    busy_github, team, endpoint, pull, letters
):
    mutate(busy_github, SHOP, "push", number=pull.number)
    random = Random(1)
    pull.files[0].path = name = "".join(random.choice(letters) for _ in range(5_000))
    processed(busy_github, endpoint, SHOP)
    fetched(endpoint)
    assert fetches(team) == []
    with team_scope(team.pk):
        stored = max(PRFile.objects.values_list("filename", flat=True), key=len)
    assert name.startswith(stored)
    assert len(stored.encode()) > 2_500


def test_a_new_pull_request_that_nobody_knew_is_fetched_whole(busy_github, team, endpoint):
    opened = mutate(busy_github, SHOP, "open", title="Out of nothing")
    processed(busy_github, endpoint, SHOP)
    fetched(endpoint)
    with team_scope(team.pk):
        row = PullRequest.objects.get(title="Out of nothing")
        assert row.whole_at is not None
    assert opened is not None


def test_after_a_merge_the_rows_are_those_of_a_sync(busy_github, team, other_team, endpoint, pull):
    mutate(busy_github, SHOP, "review", number=pull.number, state="APPROVED")
    mutate(busy_github, SHOP, "merge", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    fetching.complete_pull_request(team.pk, stored(team, pull.number).pk, is_noted=True)
    listening(busy_github, other_team, SHOP)
    assert rows_of(team)["pullrequest"] == rows_of(other_team)["pullrequest"]
    assert [row.kind for row in fetches(team)] == [Kind.SETTLED, Kind.LATE]


def test_a_merge_that_was_fetched_along_is_not_fetched_again(busy_github, team, endpoint, pull):
    asked_for(team, need(team, pull, Reason.MERGED))
    fetched(endpoint, kind=Kind.EVENT)
    busy_github.stats.reset()
    again = fetching.complete_pull_request(team.pk, stored(team, pull.number).pk, is_noted=True)
    assert [each.rows for each in again.values()] == [0]
    assert busy_github.stats.points == 0


def test_whoever_wants_one_whole_gets_it_at_once(busy_github, team, endpoint, pull):
    mutate(busy_github, SHOP, "edit", number=pull.number, title="No event came")
    (result,) = fetching.complete_pull_request(team.pk, stored(team, pull.number).pk).values()
    assert (result.rows, result.pull_requests) == (1, 1)
    assert stored(team, pull.number).title == "No event came"


def test_one_that_is_no_more_is_nothing_to_do(team):
    assert fetching.complete_pull_request(team.pk, 2**40) == {}


def test_what_asks_while_it_is_fetched_has_it_fetched_once_more(team, pull, endpoint):
    asked_for(team, need(team, pull))
    due_now(team)
    with team_scope(team.pk):
        [row] = due_fetches.claim(endpoint.integration_id)
    assert asked_for(team, need(team, pull)).others
    with team_scope(team.pk):
        due_fetches.finish(row)
    [again] = fetches(team)
    assert (again.claimed_at, again.attempts) == (None, 0)
    assert again.due_at > timezone.now()


def test_two_workers_never_fetch_the_same(team, pull, endpoint):
    asked_for(team, need(team, pull))
    due_now(team)
    with team_scope(team.pk):
        assert len(due_fetches.claim(endpoint.integration_id)) == 1
        assert due_fetches.claim(endpoint.integration_id) == []


def test_a_lost_worker_is_made_up_for(team, pull, endpoint):
    asked_for(team, need(team, pull))
    due_now(team)
    with team_scope(team.pk):
        due_fetches.claim(endpoint.integration_id)
        ScheduledFetch.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))
        assert due_fetches.connections_due() == [endpoint.integration_id]
    assert fetched(endpoint).pull_requests == 1


def test_what_github_does_not_give_is_tried_three_times_more_and_then_left(busy_github, team, endpoint, pull):
    asked_for(team, need(team, pull))
    busy_github.faults.add("PullRequestsByIds", "drop", times=-1)
    busy_github.faults.add("/repos/acme/r-1", "drop", times=-1)
    pauses = []
    for attempt in range(1, 5):
        fetched(endpoint)
        [row] = fetches(team)
        assert (row.attempts, bool(row.error)) == (attempt, True)
        if attempt < 4:
            pauses.append((row.due_at - timezone.now()).total_seconds())
    assert row.done_at is not None
    assert [low <= pause <= high for pause, (low, high) in zip(pauses, [(8, 19), (40, 75), (170, 300)], strict=True)]
    assert fetched(endpoint).rows == 0


def test_a_used_up_budget_puts_it_off_and_counts_no_attempt(busy_github, team, endpoint, pull):
    asked_for(team, need(team, pull))
    busy_github.faults.add("PullRequestsByIds", "rate_limited", times=-1, reset_in=600)
    fetched(endpoint)
    [row] = fetches(team)
    assert (row.attempts, row.claimed_at) == (0, None)
    assert row.due_at > timezone.now() + timedelta(minutes=5)


def test_it_may_use_up_what_syncs_leave(busy_github, team, endpoint, pull):
    """All of it: pull requests, what only REST gives, and the deployments after a merge."""
    busy_github.limits.preset(remaining=60, reset_in=3600)
    asked_for(team, need(team, pull))
    assert fetched(endpoint).pull_requests == 1
    with pytest.raises(RateLimited):  # known from the answer by now, and so no sync goes on
        tokens_of(team_id=team.pk, integration_id=endpoint.integration_id).lease(cost=1, resource="graphql")
    busy_github.faults.add("*", "graphql_error", times=-1, field="files", when={"pull": pull.number})
    mutate(busy_github, SHOP, "merge", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    assert fetched(endpoint).rows == 3
    assert fetches(team) == []
    row = stored(team, pull.number)
    assert (row.state, row.is_partial) == ("merged", False)
    assert busy_github.stats.rest_requests > 0


def test_what_was_fetched_whole_and_is_as_it_was_is_known_to_be_so_since_then(busy_github, team, endpoint, pull):
    mutate(busy_github, SHOP, "merge", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    told = stored(team, pull.number)
    for kind in (Kind.EVENT, Kind.SETTLED):
        began = timezone.now()
        fetched(endpoint, kind=kind)
        row = stored(team, pull.number)
        assert row.whole_at > began > told.whole_at
        assert row.synced_at > began


def test_what_is_whole_is_so_since_github_was_asked_not_since_it_was_written(busy_github, team, endpoint, pull):
    mutate(busy_github, SHOP, "push", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    busy_github.faults.add("PullRequestsByIds", "slow", times=1, seconds=0.4)
    fetched(endpoint)
    row = stored(team, pull.number)
    assert row.synced_at - row.whole_at > timedelta(seconds=0.4)


def test_a_refused_token_disconnects_and_the_fetch_waits(busy_github, team, endpoint, pull):
    asked_for(team, need(team, pull))
    with team_scope(team.pk):
        credential = GitHubIntegration.objects.get().credentials.get()
        credential.access_token = "revoked"
        credential.save()
    fetched(endpoint)
    with team_scope(team.pk):
        assert GitHubIntegration.objects.get().sync_status == GitHubIntegration.SyncStatus.DISCONNECTED
        assert due_fetches.connections_due() == []
    [row] = fetches(team)
    assert (row.attempts, row.done_at) == (0, None)


def test_one_that_github_no_longer_knows_is_gone(busy_github, team, endpoint, pull):
    asked_for(team, need(team, pull))
    mutate(busy_github, SHOP, "delete", number=pull.number)
    fetched(endpoint)
    assert stored(team, pull.number).gone_at is not None
    assert fetches(team) == []


def test_one_of_which_only_the_number_is_known_is_fetched_over_rest(busy_github, team, endpoint):
    mutate(busy_github, SHOP, "open", title="By its number")
    number = max(busy_github.world.repository(SHOP).contents.pulls)
    with team_scope(team.pk):
        repository = Repository.objects.get()
    asked_for(team, Need(repository.pk, number, "", Reason.UNKNOWN))
    fetched(endpoint)
    assert stored(team, number).title == "By its number"


def test_deployments_that_end_after_the_merge_come_with_the_later_fetches(busy_github, team, endpoint, pull):
    mutate(busy_github, SHOP, "merge", number=pull.number)
    processed(busy_github, endpoint, SHOP)
    fetched(endpoint, kind=Kind.EVENT)
    before = len(rows_of(team)["deployment"])
    mutate(busy_github, SHOP, "deploy", sha=pull.merge_commit_oid, environment="production")
    fetched(endpoint, kind=Kind.SETTLED)
    assert len(rows_of(team)["deployment"]) == before + 1
    assert [row.kind for row in fetches(team)] == [Kind.LATE]


def test_what_nobody_follows_any_more_is_forgotten(team, pull, endpoint):
    asked_for(team, need(team, pull))
    with team_scope(team.pk):
        assert due_fetches.tidy(timezone.now() + timedelta(days=2)) == 0
        assert due_fetches.tidy(timezone.now() + timedelta(days=4)) == 1

"""Pages that GitHub cannot give whole: smaller ones, parts fetched apart, REST, and what is said of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.integrations.models import SyncRun, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.github_sync import runs
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.services.github_sync.steps.learned import MOST_IN_VAIN
from apps.integrations.tests.sync_support import fresh, rows_of, run_of, tracked_at
from apps.metrics.models import Commit, Deployment, PRCheckRun, PullRequest
from apps.teams.scope import team_scope
from devtools.github_sandbox.server import SandboxServer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SICK = 31
"""The number of the pull request that GitHub cannot render."""


@pytest.fixture
def tracked(shop_github, team) -> TrackedRepository:
    return tracked_at(shop_github, team, "acme/shop")


def sync(tracked, days=None) -> SyncRun:
    """The run, at its end."""
    assert github_sync.sync_repository_history(tracked, days).ended == Ended.FINISHED
    return run_of(tracked)


def reaching(days: int) -> int:
    """The window that ends so many days before the newest of a quiet sandbox's pull requests, whatever the day is."""
    return days + (datetime.now(UTC) - NOW).days


def update_of(tracked, ids=None, kind=SyncRun.Kind.INCREMENTAL) -> SyncRun:
    """A sync of what changed, or of these (node id, number)."""
    with team_scope(tracked.team_id):
        handle = runs.handle_of(runs.begin_found(tracked=fresh(tracked), kind=kind, ids=ids))
    assert github_sync.advance(handle).ended == Ended.FINISHED
    return run_of(tracked)


def pair_of(github, number=None) -> tuple[str, int]:
    """The node id and the number of a pull request; without one, of the first that is not the sick one."""
    pulls = github.world.repository("acme/shop").contents.pulls
    number = number or next(number for number in pulls if number != SICK)
    return pulls[number].id, number


def stored(team, **filters) -> int:
    with team_scope(team.pk):
        return PullRequest.objects.filter(**filters).count()


@pytest.mark.parametrize("part", ["files", "statusCheckRollup", "commits", "timelineItems", "reviews"])
def test_a_part_that_graphql_cannot_render_comes_over_rest_and_nothing_differs(
    shop_github, tracked, team, other_team, part
):
    shop_github.faults.poison("acme/shop", SICK, part)
    run = sync(tracked)
    assert (run.status, run.partial) == ("complete", {})
    assert run.rest_requests == shop_github.stats.rest_requests > 0
    shop_github.faults.clear()
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    for each in (team, other_team):
        with team_scope(each.pk):  # REST tells neither
            PRCheckRun.objects.update(workflow="")
            Commit.objects.update(changed_files=None)
    assert rows_of(team) == rows_of(other_team)


def test_one_sick_pull_request_does_not_make_the_pages_after_it_small(shop_github, tracked):
    shop_github.faults.poison("acme/shop", SICK, "files")
    sync(tracked)
    assert fresh(tracked).page_size == 24
    assert shop_github.stats.faults <= 12


def test_a_pull_request_that_graphql_cannot_render_at_all_comes_over_rest_but_for_its_threads(
    shop_github, tracked, team
):
    shop_github.faults.poison("acme/shop", SICK, "body")
    run = sync(tracked)
    assert run.status == "partial"
    assert set(run.partial) == {str(SICK)}
    assert set(run.partial[str(SICK)]) <= {"threads", "linked_issues"}
    with team_scope(team.pk):
        sick = PullRequest.objects.get(number=SICK)
    pull = shop_github.world.repository("acme/shop").contents.pulls[SICK]
    assert (sick.title, sick.state) == (pull.title, pull.state.lower())
    assert stored(team) == 60


def test_one_that_neither_way_can_give_is_named_with_its_reason_and_the_others_are_stored(shop_github, tracked, team):
    shop_github.faults.poison("acme/shop", SICK, "body")
    shop_github.faults.add(f"/repos/acme/shop/pulls/{SICK}", "502", times=-1)
    run = sync(tracked)
    assert run.status == fresh(tracked).sync_status == "partial"
    assert set(run.partial) == {"unreadable"}
    [reason] = run.partial["unreadable"].values()
    assert reason.startswith(f"#{SICK}: GitHub answered 502; REST: ")
    assert stored(team) == 59


def test_one_that_was_unreadable_is_struck_off_when_it_can_be_read(shop_github, tracked, team):
    shop_github.faults.poison("acme/shop", SICK, "body")
    shop_github.faults.add(f"/repos/acme/shop/pulls/{SICK}", "502", times=-1)
    sync(tracked)
    shop_github.faults.clear()
    run = update_of(tracked, [pair_of(shop_github, SICK)])
    assert (run.partial, stored(team)) == ({}, 60)


def test_one_of_which_github_cannot_even_say_the_number_is_passed_by(shop_github, tracked, team):
    shop_github.faults.poison("acme/shop", SICK)
    run = sync(tracked)
    assert list(run.partial) == ["unreadable"]
    assert stored(team) == 59


def test_a_sick_pull_request_among_those_that_changed_comes_over_rest(shop_github, tracked, team):
    sync(tracked)
    with team_scope(team.pk):
        PullRequest.objects.filter(number__in=[SICK, pair_of(shop_github)[1]]).update(title="Before")
    shop_github.faults.poison("acme/shop", SICK, ["files", "commits"])
    run = update_of(tracked, [pair_of(shop_github, SICK), pair_of(shop_github)])
    assert (run.status, run.partial, run.counts["pull_requests"]) == ("complete", {}, 2)
    assert run.rest_requests > 0
    assert stored(team, title="Before") == 0


def test_a_pull_request_that_changed_and_that_graphql_cannot_render_is_asked_of_rest_by_its_number(
    shop_github, tracked, team
):
    sync(tracked)
    with team_scope(team.pk):
        PullRequest.objects.filter(number=SICK).update(title="Before")
    shop_github.faults.poison("acme/shop", SICK, "body")
    run = update_of(tracked, [pair_of(shop_github, SICK), pair_of(shop_github)])
    assert set(run.partial) == {str(SICK)}
    assert stored(team, title="Before") == 0


def test_a_diff_that_graphql_has_not_comes_over_rest(settings, team):
    with SandboxServer(synthetic=["acme:shop:20:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        github.mutations.apply({"repo": "acme/shop", "action": "diff_unavailable", "number": 5})
        run = sync(tracked_at(github, team, "acme/shop"))
        changed = github.world.repository("acme/shop").contents.pulls[5].files
    assert (run.status, run.partial) == ("complete", {})
    with team_scope(team.pk):
        assert PullRequest.objects.get(number=5).changed_files == len(changed)


def test_a_page_of_which_everything_fails_on_both_ways_ends_partial_and_does_not_loop(settings, team):
    with SandboxServer(synthetic=["acme:shop:8:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        github.faults.add("*", "502", times=-1, when={"selecting": "files"})
        github.faults.add("/repos/acme/shop/pulls/", "502", times=-1)
        run = sync(tracked_at(github, team, "acme/shop"))
        numbers = set(map(str, github.world.repository("acme/shop").contents.pulls))
    assert run.status == "partial"
    assert {number: set(parts) for number, parts in run.partial.items()} == {number: {"files"} for number in numbers}
    assert stored(team, is_partial=True) == stored(team) == 8
    assert run.rest_requests == MOST_IN_VAIN * 3  # each tried three times; then REST is not asked for files any more


def test_pages_that_break_off_for_their_length_come_through_when_they_are_smaller(
    shop_github, tracked, team, other_team, settings
):
    shop_github.faults.add("PullRequestPage", "truncate", times=-1, when={"pulls_over": 7})
    ended = github_sync.sync_repository_history(tracked, None).ended
    pauses = 0
    while ended == Ended.PAUSED and pauses < 5:
        ended = github_sync.sync_repository_history(fresh(tracked), None).ended
        pauses += 1
    assert (ended, pauses) == (Ended.FINISHED, 3)
    shop_github.faults.clear()
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_a_run_says_of_what_size_its_pages_were_and_how_long_they_took(shop_github, tracked):
    run = sync(tracked)
    assert {size: (it["pages"], it["pull_requests"]) for size, it in run.pages.items()} == {"7": (1, 7), "24": (3, 53)}
    assert 0 < run.pages["24"]["seconds"] < 30
    assert run.rest_requests == 0


def test_deployments_that_are_too_many_at_once_come_in_smaller_pages(settings, team):
    with SandboxServer(synthetic=["acme:shop:40:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        for _ in range(30):
            github.mutations.apply({"repo": "acme/shop", "action": "deploy", "environment": "production"})
        github.faults.add("Deployments", "502", times=-1, when={"variable": "n", "over": 30})
        run = sync(tracked_at(github, team, "acme/shop"))
        there = len(github.world.repository("acme/shop").contents.deployments)
    assert (run.status, run.partial) == ("complete", {})
    with team_scope(team.pk):
        assert Deployment.objects.count() == there >= 30


def test_deployments_that_cannot_be_had_are_said_and_stop_nothing(shop_github, tracked, team):
    shop_github.faults.add("Deployments", "502", times=-1)
    run = sync(tracked)
    assert list(run.partial) == ["unreadable"]
    assert list(run.partial["unreadable"].values()) == ["deployments: GitHub answered 502"]
    assert stored(team) == 60


def test_a_sync_of_what_changed_costs_a_point_for_the_deployments(shop_github, tracked):
    sync(tracked)
    shop_github.stats.reset()
    run = update_of(tracked, [])
    assert (run.points, run.requests) == (1, 1)
    assert shop_github.stats.operations == ["Deployments"]


def test_what_github_no_longer_knows_is_marked_as_gone(settings, team):
    with SandboxServer(synthetic=["acme:shop:20:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        sync(tracked)
        pair = pair_of(github)
        github.mutations.apply({"repo": "acme/shop", "action": "delete", "number": pair[1]})
        run = update_of(tracked, [pair, pair_of(github)])
    assert run.partial == {}
    assert stored(team, gone_at=None) == 19
    assert stored(team, number=pair[1], gone_at=None) == 0


def test_nothing_is_gone_because_the_repository_is_out_of_sight(settings, team):
    with SandboxServer(synthetic=["acme:shop:20:3"], now=NOW) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        sync(tracked)
        pair = pair_of(github)
        github.mutations.apply({"repo": "acme/shop", "action": "hide", "who": "*"})
        with team_scope(team.pk):
            handle = runs.handle_of(runs.begin_found(tracked=fresh(tracked), kind=SyncRun.Kind.PR, ids=[pair]))
        assert github_sync.advance(handle).ended == Ended.FAILED
    assert stored(team, gone_at=None) == 20


def test_a_failed_lookup_marks_nothing_as_gone(shop_github, tracked, team):
    sync(tracked)
    shop_github.faults.add(
        "PullRequestsByIds", "graphql_error", times=-1, path=["nodes", "*"], message="Loading failed"
    )
    shop_github.faults.add("/repos/acme/shop/pulls/", "502", times=-1)
    run = update_of(tracked, [pair_of(shop_github), pair_of(shop_github, SICK)])
    assert len(run.partial["unreadable"]) == 2
    assert stored(team, gone_at=None) == 60


def test_a_wider_window_fetches_exactly_what_is_missing(shop_github, tracked, team, other_team):
    narrow = sync(tracked, reaching(45))
    had, known_from = stored(team), narrow.cutoff
    shop_github.stats.reset()
    run = sync(fresh(tracked), None)
    pulls = shop_github.world.repository("acme/shop").contents.pulls.values()
    since = f"{known_from:%Y-%m-%dT%H:%M:%SZ}"
    missing = [pull for pull in pulls if pull.state != "OPEN" and pull.updated_at < since]
    assert run.known_from == known_from
    assert run.counts["pull_requests"] == len(missing) == 60 - had
    assert "PullRequestPage" not in shop_github.stats.operations
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


def test_the_progress_of_a_wider_window_is_about_what_is_missing(shop_github, tracked, team):
    sync(tracked, reaching(45))
    had = stored(team)
    seen = []
    github_sync.sync_repository_history(
        fresh(tracked), None, on_page=lambda run: seen.append(fresh(tracked).sync_prs_total)
    )
    assert seen[0] == 60 - had
    assert fresh(tracked).sync_prs_total == fresh(tracked).sync_prs_completed == 60 - had


def test_a_window_that_becomes_wider_and_not_endless_lacks_only_the_difference(shop_github, tracked, team, other_team):
    short, long = reaching(30), reaching(60)
    sync(tracked, short)
    had = stored(team)
    run = sync(fresh(tracked), long)
    wide = sync(tracked_at(shop_github, other_team, "acme/shop"), long)
    assert rows_of(team) == rows_of(other_team)
    assert run.counts["pull_requests"] == wide.counts["pull_requests"] - had
    assert run.points < wide.points + 3


def test_what_changes_while_a_window_is_widened_is_not_missed(settings, team):
    with SandboxServer(synthetic=["acme:shop:60:3"]) as github:
        settings.GITHUB_API_URL = github.url
        tracked = tracked_at(github, team, "acme/shop")
        sync(tracked, 20)
        with team_scope(team.pk):
            opened = PullRequest.objects.filter(state="open").first().number
        github.mutations.apply({"repo": "acme/shop", "action": "merge", "number": opened})
        sync(fresh(tracked), None)
        with team_scope(team.pk):
            assert PullRequest.objects.get(number=opened).state == "merged"
            assert PullRequest.objects.count() == 60


def test_a_sync_that_was_interrupted_while_it_widened_goes_on_there(shop_github, tracked, team, other_team):
    sync(tracked, reaching(20))
    with team_scope(team.pk):
        handle = runs.handle_of(runs.begin_run(tracked=fresh(tracked), kind=SyncRun.Kind.MANUAL, days_back=None))
    ended = github_sync.advance(handle, seconds=0).ended
    while ended == Ended.HANDED_ON:
        with team_scope(team.pk):
            handle = runs.handle_of(SyncRun.objects.get(pk=handle.run_id))
        ended = github_sync.advance(handle, seconds=0).ended
    assert ended == Ended.FINISHED
    sync(tracked_at(shop_github, other_team, "acme/shop"))
    assert rows_of(team) == rows_of(other_team)


class TestPermissions:
    @pytest.fixture
    def forbidden(self, settings, team):
        """A sandbox whose token may not read checks, and a repository of it."""
        with SandboxServer(synthetic=["acme:shop:30:3"], now=NOW) as github:
            settings.GITHUB_API_URL = github.url
            github.mutations.apply({"action": "forbid", "part": "statusCheckRollup", "who": "*"})
            yield github, tracked_at(github, team, "acme/shop")

    def missing(self, tracked):
        with team_scope(tracked.team_id):
            return type(tracked.integration).objects.get().permissions_missing

    def test_it_is_noted_once_and_not_asked_for_again(self, forbidden, team):
        github, tracked = forbidden
        run = sync(tracked)
        assert run.partial == {"permissions": {"checks": "checks"}}
        assert run.status == "partial"
        assert {part: gap["permission"] for part, gap in self.missing(tracked).items()} == {"checks": "checks"}
        assert github.stats.rest_requests == 0
        assert stored(team, partial={"checks": "permission missing: checks"}) == 30
        before = self.missing(tracked)
        github.mutations.apply({"action": "forbid", "part": "statusCheckRollup", "who": "*", "on": False})
        again = sync(fresh(tracked))
        assert (again.status, again.partial) == ("partial", {"permissions": {"checks": "checks"}})
        assert stored(team, is_partial=True) == 30
        assert self.missing(tracked) == before

    def test_it_is_asked_for_again_after_a_day_and_struck_off_when_it_is_granted(self, forbidden, team):
        github, tracked = forbidden
        sync(tracked)
        since = self.missing(tracked)["checks"]["since"]
        self.a_day_passes(tracked)
        sync(fresh(tracked))
        assert self.missing(tracked)["checks"]["since"] == since
        github.mutations.apply({"action": "forbid", "part": "statusCheckRollup", "who": "*", "on": False})
        self.a_day_passes(tracked)
        assert sync(fresh(tracked)).status == "complete"
        assert self.missing(tracked) == {}
        assert stored(team, is_partial=True) == 0

    def a_day_passes(self, tracked):
        with team_scope(tracked.team_id):
            integration = type(tracked.integration).objects.get()
            for gap in integration.permissions_missing.values():
                gap["asked"] = (datetime.fromisoformat(gap["asked"]) - timedelta(days=1)).isoformat()
            integration.save()

    def test_deployments_may_be_forbidden_and_all_else_is_synced(self, forbidden, team):
        github, tracked = forbidden
        github.mutations.apply({"action": "forbid", "part": "deployments", "who": "*"})
        assert sync(tracked).partial["permissions"] == {"checks": "checks", "deployments": "deployments"}
        github.stats.reset()
        update_of(tracked, [])
        assert github.stats.operations == []
        assert stored(team) == 30

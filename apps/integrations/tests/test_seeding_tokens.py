"""The token pool and the budget: most remaining first, exhausted ones rest, bad ones are dropped with a word."""

from __future__ import annotations

import pytest
from django.core.management import load_command_class

from apps.integrations.github.errors import RateLimited
from apps.integrations.seeding.cache import PRCache
from apps.integrations.seeding.fetcher import GitHubGraphQLFetcher
from apps.integrations.seeding.github_token_pool import GitHubTokenPool
from apps.integrations.tests.seeding_support import REPO, seed, seeded_rows, seeded_team, synced_rows
from apps.metrics.models import PRCheckRun, PullRequest
from apps.teams.scope import team_scope

OWNER, READER = "sandbox-token", "sandbox-readonly"


def budget(github, token):
    return github.limits.budget(github.tokens.session(token).budget_key, "graphql")


def test_without_a_token_it_says_where_to_get_one(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = []
    run = seed(public_github)
    assert (run.code, run.requests) == (1, 0)
    assert "https://github.com/settings/tokens" in run.err
    assert "GITHUB_SEEDING_TOKENS" in run.err


def test_a_token_that_github_refuses_is_said_and_never_shown(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = ["ghp_wrong"]
    run = seed(public_github)
    assert run.code == 1
    assert "GitHub accepts none of the tokens in GITHUB_SEEDING_TOKENS" in run.err
    assert "ghp_wrong" not in run.out + run.err


def test_a_bad_one_among_good_ones_is_dropped_with_a_word(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = ["ghp_wrong", OWNER, READER]
    run = seed(public_github)
    assert run.code == 0
    assert "GitHub does not accept token 1 of GITHUB_SEEDING_TOKENS" in run.err


def test_one_that_is_revoked_meanwhile_makes_way_for_the_other(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = [OWNER, READER]
    seed(public_github, most=5)
    said = []
    pool = GitHubTokenPool([OWNER, READER], tell=said.append)
    public_github.tokens.revoke(OWNER)
    cache = PRCache.in_memory()
    GitHubGraphQLFetcher(pool).walk(cache, REPO, most=30, on_answer=lambda brought: None)
    assert cache.count >= 30
    assert len(pool.accounts) == 1
    assert "token 1" in said[-1]


def test_the_one_with_most_left_asks(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = [OWNER, READER]
    public_github.limits.preset(remaining=200, reset_in=1800)
    public_github.limits.exhaust(public_github.tokens.session(OWNER).budget_key, "graphql", 1800)
    assert seed(public_github).code == 0
    assert budget(public_github, OWNER).remaining == 0
    assert budget(public_github, READER).remaining < 200


def test_two_tokens_of_one_account_are_one_budget(public_github, db):
    another = public_github.tokens.mint(public_github.world.account("sandbox-owner"), frozenset({"repo"}))
    assert len(GitHubTokenPool([OWNER, another]).accounts) == 1
    assert len(GitHubTokenPool([OWNER, READER]).accounts) == 2


def test_when_all_are_used_up_it_says_until_when_and_goes_on_after_it(public_github, db, team):
    public_github.limits.preset(remaining=8, reset_in=1800)
    run = seed(public_github)
    assert run.code == 3
    assert "The points of every token are used up until" in run.err
    public_github.limits.preset(remaining=5000, reset_in=3600)
    assert seed(public_github).code == 0
    assert seeded_rows() == synced_rows(public_github, team)


def test_below_a_hundred_points_it_warns_and_leaves_check_runs_out(public_github, db, team):
    public_github.limits.preset(remaining=90, reset_in=1800)
    run = seed(public_github)
    assert run.code == 0
    assert "points are left" in run.err
    assert "check runs are left out" in run.err
    with team_scope(seeded_team().pk):
        assert not PRCheckRun.objects.exists()
        assert set(PullRequest.objects.values_list("is_partial", flat=True)) == {True}
    public_github.limits.preset(remaining=5000, reset_in=3600)
    again = seed(public_github)
    assert (again.report["fetched"], again.points <= 4) == (0, True)
    assert seeded_rows() == synced_rows(public_github, team)


def test_it_waits_as_long_as_github_asks_it_to(public_github, db):
    public_github.faults.add("PullRequestPage", "secondary", times=1, skip=1)
    waited = []

    class Clock:
        now = 1_800_000_000.0

    def sleep(seconds):
        waited.append(seconds)
        Clock.now += seconds + 1

    pool = GitHubTokenPool([OWNER], clock=lambda: Clock.now)
    cache = PRCache.in_memory()
    GitHubGraphQLFetcher(pool, sleep=sleep).walk(cache, REPO, most=60, on_answer=lambda brought: None)
    assert (cache.count, len(waited)) == (60, 1)
    assert waited[0] > 0


def test_a_wait_of_an_hour_ends_the_run(public_github, db):
    public_github.limits.preset(remaining=0, reset_in=3600)
    with pytest.raises(RateLimited):
        GitHubGraphQLFetcher(GitHubTokenPool([OWNER])).walk(
            PRCache.in_memory(), REPO, most=5, on_answer=lambda brought: None
        )


def test_every_line_of_progress_says_what_is_left(public_github, db):
    lines = [line for line in seed(public_github).err.splitlines() if line.startswith("[")]
    assert len(lines) >= 4
    assert all(line.endswith("points left") for line in lines)


def test_its_help_quotes_githubs_terms():
    text = (
        load_command_class("apps.integrations", "seed_real_projects").create_parser("manage.py", "seed").format_help()
    )
    assert "You may not share API tokens to exceed GitHub's rate limitations." in " ".join(text.split())
    assert "github-terms-of-service" in text


def test_what_no_header_can_hold_is_no_token(public_github, db, settings):
    settings.GITHUB_SEEDING_TOKENS = ["to ken", " ", f" {OWNER} "]
    run = seed(public_github, most=5)
    assert (run.code, "token 1 of GITHUB_SEEDING_TOKENS" in run.err) == (0, True)

"""What is generated: the same every time, in the proportions promised."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devtools.github_sandbox.entities import PullRequest
from devtools.github_sandbox.server import build_world
from devtools.github_sandbox.synthetic import SyntheticRepository
from devtools.github_sandbox.world import Contents, World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def contents_of(spec: str, now: datetime = NOW) -> Contents:
    world = build_world(None, [spec], now)
    return world.listed_repositories()[0].contents


def fingerprint(pull: PullRequest) -> tuple[Any, ...]:
    reviews = [(review.state, review.submitted_at, review.body) for review in pull.reviews]
    return (pull.title, pull.id, pull.updated_at, pull.head_ref_oid, reviews, [file.path for file in pull.files or ()])


def test_the_same_seed_gives_the_same_pull_requests() -> None:
    first, second, other = (contents_of(f"acme:shop:30:{seed}") for seed in (5, 5, 6))
    assert [fingerprint(pull) for pull in first.pulls.values()] == [fingerprint(pull) for pull in second.pulls.values()]
    assert [pull.title for pull in first.pulls.values()] != [pull.title for pull in other.pulls.values()]


def test_the_cost_mix_is_exact() -> None:
    contents = contents_of("acme:shop:500:mix")
    pulls = list(contents.pulls.values())
    assert len(pulls) == 500
    assert sum(bool(pull.threads) for pull in pulls) == 205  # 41 %
    assert sum(len(pull.threads) for pull in pulls) == 2_232
    assert sum(any(review.state != "PENDING" for review in pull.reviews) for pull in pulls) == 350  # 70 %
    assert sum(smallest_part(contents, pull) > 100 for pull in pulls) == 10
    assert sum(len(thread.comments) > 100 for pull in pulls for thread in pull.threads) == 1


def smallest_part(contents: Contents, pull: PullRequest) -> int:
    checks = contents.latest_runs_of(pull.head_ref_oid)
    parts: list[Any] = [pull.reviews, pull.comments, pull.commits, pull.files, pull.events, pull.threads, checks]
    return min(len(part) for part in parts)


def test_no_moment_lies_in_the_future_or_before_its_cause() -> None:
    latest = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    contents = contents_of("acme:shop:150")
    for pull in contents.pulls.values():
        assert pull.created_at <= pull.updated_at <= latest
        for review in pull.reviews:
            assert pull.created_at <= review.created_at <= latest
        if pull.merged_at:
            assert pull.created_at <= pull.merged_at <= pull.updated_at
    assert all(status.created_at <= latest for each in contents.deployments for status in each.statuses)


def test_counts_are_foreseen_without_making_anything() -> None:
    world = build_world(None, ["acme:shop:90"], NOW)
    repository = world.listed_repositories()[0]
    foreseen = {state: repository.count_pulls([state]) for state in ("OPEN", "CLOSED", "MERGED")}
    assert not repository.is_loaded
    assert foreseen == Counter(pull.state for pull in repository.contents.pulls.values())


def test_the_demo_organisation_has_something_in_every_window_and_every_kind_of_repository() -> None:
    world = build_world(None, [], NOW)
    repositories = {each.name: each for each in world.listed_repositories()}
    assert {each.owner.login for each in repositories.values()} == {"harbourlabs"}
    assert repositories["legacy-ledger"].is_archived
    assert repositories["django-fork"].is_fork
    assert repositories["handbook"].count_pulls() == 0
    for days in (30, 60, 90):
        since = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert len(repositories["tidewatch"].contents.updated_since(since)) > days


def test_the_demo_holds_what_goes_wrong_elsewhere() -> None:
    pulls = [pull for each in build_world(None, [], NOW).listed_repositories() for pull in each.contents.pulls.values()]
    assert any(pull.author is None for pull in pulls)
    assert any(pull.files is None for pull in pulls)
    assert any(pull.head_repository is None for pull in pulls)
    assert any(pull.is_draft for pull in pulls)
    assert any(pull.author is not None and pull.author.typename == "Bot" for pull in pulls)
    assert any(review.state == "DISMISSED" for pull in pulls for review in pull.reviews)
    assert any(not pull.title.isascii() for pull in pulls)
    assert any(pull.closing_issues for pull in pulls)
    assert any(pull.title.startswith('Revert "') and pull.body.startswith("Reverts harbourlabs/") for pull in pulls)
    runs = [run for pull in pulls for run in pull.repository.contents.runs_of(pull.head_ref_oid)]
    assert any(run.attempt == 2 for run in runs)


def test_five_thousand_repositories_cost_nothing_until_one_is_opened() -> None:
    world: World = build_world(None, ["acme:service*5000:20"], NOW)
    assert len(world.listed_repositories()) == 5_000
    assert not any(each.is_loaded for each in world.listed_repositories())
    last = world.repository("acme/service-5000")
    assert last is not None
    pull = next(iter(last.contents.pulls.values()))
    assert world.node(pull.id) is pull


@pytest.mark.parametrize("text", ["acme", "acme:shop", "acme:shop:many", ":shop:1", "acme:shop:1:2:3"])
def test_a_specification_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not OWNER|invalid literal"):
        SyntheticRepository.parse(text)


def test_a_specification_says_owner_name_count_mix_and_seed() -> None:
    assert SyntheticRepository.parse("o:r:500:mix:3") == SyntheticRepository("o", "r", 500, 3, mix=True)
    assert SyntheticRepository.parse("o:r*7:5") == SyntheticRepository("o", "r", 5, copies=7)

"""What the demo organisation writes: nothing twice, nothing out of order, in sentences that are some."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from apps.metrics.calculations import derive
from apps.metrics.demo import subjects as subjects_module
from apps.metrics.demo.numbering import is_issue, number_of, place_of
from apps.metrics.demo.plan import plan_for
from apps.metrics.demo.subjects import capitalised, slug, subjects_of, uncapitalised
from apps.metrics.demo.titles import titles_of
from apps.metrics.demo.upgrades import ECOSYSTEMS, upgrade
from apps.metrics.records import EventKind
from apps.metrics.tests.test_demo import UNTIL, everything, plan, records

REPOSITORIES = sorted(path.stem for path in (Path(subjects_module.__file__).parent / "vocabulary").glob("*.toml"))
KINDS = ("feature", "fix", "refactor", "test", "docs", "chore", "hotfix")


def test_no_two_pull_requests_of_a_repository_are_called_the_same() -> None:
    for index in range(len(plan().repositories)):
        titles = Counter(record.title for record in records(index))
        assert titles.most_common(1)[0][1] == 1


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_a_repository_has_hundreds_of_titles_without_a_repetition(repository: str) -> None:
    said = [titled.title for kind in KINDS for titled in titles_of(repository, kind)]

    assert len(said) == len(set(said)) > 900
    assert not [title for title in said if re.search(r"[{}|*]|  |\b(\w+) \1\b", title)]
    assert max(len(title) for title in said) <= 110


def test_every_repository_has_a_vocabulary_in_which_each_component_has_as_much_to_say() -> None:
    assert {repository.name for repository in plan_for(seed=1, prs=25_000, until=UNTIL).repositories} == set(
        REPOSITORIES
    )
    for subjects in map(subjects_of, REPOSITORIES):
        assert len(subjects.problems) == len(subjects.wishes) == 3 * len(subjects.components)


def test_verbs_are_in_the_number_of_what_they_are_said_of() -> None:
    said = {problem.fails: problem.failing for problem in subjects_of("checkout").problems}

    assert said["count twice"] == "counting twice"
    assert said["forgets the chosen card"] == "forgetting the chosen card"
    assert said["loses the postcode"] == "losing the postcode"
    assert "misses on every branch" in {problem.fails for problem in subjects_of("platform").problems}
    assert capitalised("3-D Secure") == uncapitalised("3-D Secure") == "3-D Secure"
    assert uncapitalised("DNS fails") == "DNS fails"
    assert slug("Stop the basket total from jumping by a cent") == "stop-basket-total-from-jumping"


def test_squads_write_titles_in_their_own_way() -> None:
    people = [
        [record.title for record in records(index) if not record.author.is_bot and not derive(record).is_revert]
        for index in range(3)
    ]

    assert all(title[0].isupper() or title[0].isdigit() for title in people[0])
    assert all(re.match(r"(feat|fix|refactor|test|docs|chore|hotfix)\([\w-]+\): \S", title) for title in people[1])
    keys = [int(title.split()[0].removeprefix("PAR-")) for title in people[2]]
    assert keys == sorted(set(keys))


class TestNumbers:
    def test_places_and_numbers_are_each_others_way_back_and_issues_fill_the_gaps(self) -> None:
        numbers = [number_of(place) for place in range(1, 200)]

        assert [place_of(number) for number in numbers] == list(range(1, 200))
        assert numbers == [number for number in range(1, numbers[-1] + 1) if not is_issue(number)]

    def test_a_closed_issue_has_a_number_of_its_own_below_the_pull_request(self) -> None:
        for index in range(len(plan().repositories)):
            taken = {record.number for record in records(index)}
            closed = [(issue.number, record) for record in records(index) for issue in record.linked_issues]
            assert len({number for number, _ in closed}) == len(closed) > 20
            for number, record in closed:
                assert 0 < number < record.number
                assert number not in taken
                assert re.search(rf"(Closes|Fixes|Resolves) #{number}$", record.body)

    def test_issues_are_sentences_about_what_the_pull_request_does(self) -> None:
        titles = [issue.title for record in everything() for issue in record.linked_issues]

        assert all(len(title.split()) >= 4 and capitalised(title) == title for title in titles)

    def test_a_revert_says_what_it_undoes_as_github_does(self) -> None:
        reverts = [record for record in records() if derive(record).is_revert]
        numbers = {record.number: record for record in records()}

        assert reverts
        for record in reverts:
            undone = numbers[int(re.match(r"Reverts larkfield/checkout#(\d+)\n", record.body)[1])]
            assert record.title == f'Revert "{undone.title}"'
            assert record.head_ref.startswith(f"revert-{undone.number}-")


class TestDependencies:
    @pytest.mark.parametrize("language", sorted(ECOSYSTEMS))
    def test_versions_only_rise_and_begin_where_the_last_merged_one_ended(self, language: str) -> None:
        latest: dict[str, str] = {}
        for count in range(500):
            proposed = upgrade(language, count)
            assert latest.get(proposed.package, proposed.before) == proposed.before
            assert parts(proposed.before) < parts(proposed.after)
            if not proposed.is_dropped:
                latest[proposed.package] = proposed.after

    def test_they_are_of_the_repositorys_language_and_read_like_a_bots(self) -> None:
        for index, repository in enumerate(plan().repositories):
            bumps = [record for record in records(index) if record.author.login == "dependabot[bot]"]
            names = {name for name, *_ in ECOSYSTEMS[repository.language].packages}
            assert bumps
            for record in bumps:
                assert re.search(r"ump (\S+) from", record.title)[1] in names
                assert record.body.startswith("Bumps [")
                assert {label.name for label in record.labels} == {"dependencies", repository.language}
                assert (record.milestone, record.linked_issues) == (None, ())


def parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@pytest.mark.parametrize("prs", [40, 2_000, 10_000])
def test_in_a_team_nobody_shares_a_first_or_a_last_name(prs: int) -> None:
    names = people_of(prs)

    assert len({first for first, _ in names}) == len({last for _, last in names}) == len(names)


def test_in_the_largest_organisation_nobody_shares_both() -> None:
    names = people_of(1_000_000)

    assert len(set(names)) == len(names) > 2_000


def people_of(prs: int) -> list[tuple[str, str]]:
    squads = (repository.squad for repository in plan_for(seed=2, prs=prs, until=UNTIL).repositories)
    return [tuple(person.account.name.split(" ")) for squad in squads for person in squad]


class TestFiltersHaveSomethingToShow:
    def test_some_of_the_open_ones_are_drafts_most_of_them_recent(self) -> None:
        waiting = [record for record in everything() if record.state == "open"]
        drafts = [record for record in waiting if record.is_draft]

        assert 5 <= len(drafts) <= 0.5 * len(waiting)
        assert all(EventKind.READY_FOR_REVIEW not in {event.kind for event in record.events} for record in drafts)

    def test_milestones_labels_assignees_and_issues_are_on_most_kinds(self) -> None:
        kinds = ("feature", "bug", "tech debt", "documentation", "tests", "hotfix")
        for kind in kinds:
            some = [record for record in everything() if kind in {label.name for label in record.labels}]
            assert any(record.milestone for record in some)
            assert any(record.assignees for record in some)
            assert any(record.linked_issues for record in some)
        titles = {record.milestone.title.split()[0] for record in everything() if record.milestone}
        assert titles >= {"Release", "2026"}

    def test_some_was_changed_once_it_was_approved(self) -> None:
        approved = [derive(record).rework_after_approval for record in everything()]

        assert 0.03 < approved.count(True) / (approved.count(True) + approved.count(False)) < 0.15


def test_consecutive_pull_requests_are_about_different_things() -> None:
    branches = [record.head_ref.partition("/")[2] for record in records()]

    assert sum(one == other for one, other in pairwise(branches)) == 0

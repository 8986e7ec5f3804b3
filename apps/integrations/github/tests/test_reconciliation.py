"""What GitHub says of what is stored, and above all what its silence does not say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from apps.integrations.github import reconciliation
from apps.integrations.github.access import StaticToken
from apps.integrations.github.errors import PermissionMissing, QueryTooHeavy, RepositoryGone, Unavailable
from apps.integrations.github.graphql import GraphQL
from apps.integrations.github.transport import Response
from apps.integrations.github.types import Spending

HOME = reconciliation.Home("o", "r")


class GitHub:
    """Answers each query with what `answer` makes of its variables: (data, errors), or a status."""

    def __init__(self, answer):
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def send(self, method, url, *, headers, body=None) -> Response:
        variables = orjson.loads(body)["variables"]
        self.asked.append(variables)
        found = self.answer(variables)
        if isinstance(found, int):
            return Response(found, {}, b"{}")
        data, errors = found
        return Response(200, {}, orjson.dumps({"data": data | {"rateLimit": None}, "errors": errors}))

    def close(self) -> None:
        """Nothing is open."""

    def client(self) -> GraphQL:
        return GraphQL(self, StaticToken("t"), repository_id=7, sleep=lambda seconds: None, jitter=lambda: 0.0)


def nodes(variables, *, lost: dict[str, str] | None = None):
    """Every id is a pull request of that number, but for those that are lost to an error of a type."""
    lost = lost or {}
    ids = variables["ids"]
    found = [None if each in lost else {"__typename": "PullRequest", "id": each, "number": int(each)} for each in ids]
    errors = [
        {"type": lost[each], "path": ["nodes", place], "message": lost[each]}
        for place, each in enumerate(ids)
        if lost.get(each)
    ]
    return {"repository": {"id": "R"}, "nodes": found}, errors


def states(github, ids, spending=None):
    return reconciliation.states_of(github.client(), HOME, ids, spending=spending or Spending())


def test_unknown_is_only_what_github_says_it_does_not_know():
    lost = {"2": "NOT_FOUND", "3": "FORBIDDEN", "4": "INTERNAL", "5": ""}  # of the last nothing is said at all
    found = states(GitHub(lambda variables: nodes(variables, lost=lost)), list("12345"))
    assert set(found.stated) == {"1"}
    assert found.unknown == {"2"}


def test_what_is_no_pull_request_is_looked_up_by_its_number():
    def answer(variables):
        return {"repository": {"id": "R"}, "nodes": [{"__typename": "Issue"}]}, []

    assert states(GitHub(answer), ["1"]).unknown == {"1"}


def test_without_the_repository_nothing_is_unknown():
    def answer(variables):
        error = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}
        return {"repository": None, "nodes": [None]}, [error]

    github = GitHub(answer)
    with pytest.raises(RepositoryGone):
        states(github, ["1"])
    with pytest.raises(RepositoryGone):
        reconciliation.by_number(github.client(), HOME, [1], spending=Spending())
    with pytest.raises(RepositoryGone):
        reconciliation.unknown_of(github.client(), HOME, ["1"], spending=Spending())


def test_another_repository_under_the_same_name_is_not_believed():
    def answer(variables):
        error = {"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve"}
        return {"repository": {"id": "R", "databaseId": 8, "p1": {"id": "PR_9"}}, "nodes": [None]}, [error]

    github = GitHub(answer)
    with pytest.raises(RepositoryGone):
        states(github, ["1"])
    with pytest.raises(RepositoryGone):
        reconciliation.by_number(github.client(), HOME, [1], spending=Spending())
    with pytest.raises(RepositoryGone):
        reconciliation.unknown_of(github.client(), HOME, ["1"], spending=Spending())


def test_what_is_too_heavy_together_is_asked_in_halves():
    github = GitHub(lambda variables: 502 if len(variables["ids"]) > 30 else nodes(variables))
    found = states(github, [str(number) for number in range(100)])
    assert len(found.stated) == 100
    assert found.unknown == frozenset()


def test_one_that_is_too_heavy_by_itself_is_neither_here_nor_gone():
    github = GitHub(lambda variables: 502 if "7" in variables["ids"] else nodes(variables))
    found = states(github, [str(number) for number in range(100)])
    assert set(found.stated) == {str(number) for number in range(100)} - {"7"}
    assert found.unknown == frozenset()


def test_github_counts_as_away_when_nothing_comes_however_small():
    github = GitHub(lambda variables: 502)
    with pytest.raises(Unavailable):
        states(github, [str(number) for number in range(100)])
    assert len(github.asked) == reconciliation.PATIENCE


def test_the_last_word_is_the_number():
    def answer(variables):
        repository = {"id": "R", "p1": {"id": "PR_1"}, "p2": None, "p3": None}
        return {"repository": repository}, [
            {"type": "NOT_FOUND", "path": ["repository", "p2"], "message": "Could not resolve"},
            {"type": "FORBIDDEN", "path": ["repository", "p3"], "message": "Forbidden"},
        ]

    found = reconciliation.by_number(GitHub(answer).client(), HOME, [1, 2, 3], spending=Spending())
    assert (found.ids, found.unknown) == ({1: "PR_1"}, {2})


def test_nothing_is_asked_for_nothing():
    github = GitHub(lambda variables: 500)
    assert reconciliation.by_number(github.client(), HOME, [], spending=Spending()).ids == {}
    assert reconciliation.unknown_of(github.client(), HOME, [], spending=Spending()) == frozenset()
    assert github.asked == []


def test_a_list_with_unreadable_entries_proves_no_absence():
    node = {"id": "DE_1", "databaseId": 1, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z"}

    def answer(variables):
        page = {
            "totalCount": 2,
            "pageInfo": {"hasNextPage": False, "endCursor": None},
            "nodes": [node, None],
        }
        return {"repository": {"id": "R", "deployments": page}}, []

    page = reconciliation.list_deployment_ids(GitHub(answer).client(), HOME, after=None, spending=Spending())
    assert ([each.id for each in page.listed], page.unreadable, page.total) == ([1], True, 2)


def test_a_missing_permission_is_named():
    def answer(variables):
        error = {
            "type": "FORBIDDEN",
            "path": ["repository", "deployments"],
            "message": "Resource not accessible by integration",
        }
        return {"repository": {"id": "R", "deployments": None}}, [error]

    with pytest.raises(PermissionMissing):
        reconciliation.list_deployment_ids(GitHub(answer).client(), HOME, after=None, spending=Spending())


def test_a_page_is_halved_until_it_fits_and_given_up_at_one():
    def ask(size: int) -> int:
        if size > 12:
            raise QueryTooHeavy
        return size

    assert reconciliation.smaller_until_it_fits(ask) == 12

    def never(size: int) -> int:
        raise QueryTooHeavy

    with pytest.raises(Unavailable):
        reconciliation.smaller_until_it_fits(never)

"""The client against a whole GitHub of our own, over real HTTP: everything once, and what it costs by GitHub's rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from apps.integrations.github import parts
from apps.integrations.github.access import StaticToken
from apps.integrations.github.changes import count_updated, count_window, list_ids, pulses
from apps.integrations.github.deployments import fetch_deployments
from apps.integrations.github.errors import BadCredentials, QueryTooHeavy, RateLimited, SsoRequired, Unavailable
from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.github.lookups import get_repository, list_repositories, membership_role, whoami
from apps.integrations.github.pull_requests import fetch_by_ids, fetch_checks, fetch_page
from apps.integrations.github.rest import Rest
from apps.integrations.github.tests.points import price
from apps.integrations.github.transport import HttpxTransport, Response
from apps.integrations.github.types import Raw, Spending, instant
from apps.integrations.services import mapping
from apps.integrations.services.mapping import rest as rest_mapping
from apps.metrics.records import Part, PullRequestRecord
from devtools.github_sandbox.server import SandboxServer

TOKEN = "sandbox-token"
RECORDED = Path(__file__).parents[3].parent / "shared" / "data" / "github"


class PricedTransport(HttpxTransport):
    """Adds up what the queries cost by our own copy of GitHub's rule."""

    def __init__(self) -> None:
        super().__init__()
        self.points = 0

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        sent = orjson.loads(body or b"{}")
        self.points += price(sent["query"], sent["variables"]).points
        return super().send(method, url, headers=headers, body=body)


@pytest.fixture(scope="module")
def shop() -> Iterator[SandboxServer]:
    with SandboxServer(synthetic=["acme:shop:500:mix"]) as github:
        yield github


@pytest.fixture
def transport() -> Iterator[PricedTransport]:
    with PricedTransport() as transport:
        yield transport


def client(github: SandboxServer, transport: HttpxTransport) -> GraphQL:
    return GraphQL(transport, StaticToken(TOKEN), graphql_url(github.url))


def everything(graphql: GraphQL, owner: str, name: str) -> tuple[list[Raw], int]:
    """All pull requests page by page, and the points that GitHub says they took."""
    nodes: list[Raw] = []
    cursor, has_next, points = None, True, 0
    while has_next:
        page = fetch_page(graphql, owner=owner, name=name, after=cursor)
        cursor, has_next = page.end_cursor, page.has_next
        nodes += page.nodes
        points += page.points
    return nodes, points


def ids_of(record: PullRequestRecord) -> dict[str, list[Any]]:
    """What tells the children of each part apart."""
    children: dict[str, Any] = {part.value: getattr(record, part) for part in Part}
    assert None not in children.values()
    names = {
        Part.REVIEWS: "id",
        Part.THREADS: "node_id",
        Part.REVIEW_COMMENTS: "id",
        Part.ISSUE_COMMENTS: "id",
        Part.COMMITS: "sha",
        Part.FILES: "filename",
        Part.LABELS: "name",
        Part.ASSIGNEES: "login",
    }
    return {part: sorted(getattr(child, name) for child in children[part]) for part, name in names.items()}


def test_it_fetches_everything_once_for_less_than_a_quarter_of_a_point(shop, transport):
    nodes, points = everything(client(shop, transport), "acme", "shop")
    records = {node["number"]: mapping.pull_request_record(node) for node in nodes}
    pulls = shop.world.repository("acme/shop").contents.pulls
    assert len(nodes) == len(records) == len(pulls) == 500
    for number, pull in pulls.items():
        record = records[number]
        assert (record.partial, record.capped) == ({}, {})
        found = ids_of(record)
        assert found == {
            Part.REVIEWS: sorted(review.database_id for review in pull.reviews if review.state != "PENDING"),
            Part.THREADS: sorted(thread.id for thread in pull.threads if thread.comments),
            Part.REVIEW_COMMENTS: sorted(comment.database_id for comment in pull.review_comments()),
            Part.ISSUE_COMMENTS: sorted(comment.database_id for comment in pull.comments),
            Part.COMMITS: sorted(commit.oid for commit in pull.commits),
            Part.FILES: sorted(file.path for file in pull.files),
            Part.LABELS: sorted(label.name for label in pull.labels),
            Part.ASSIGNEES: sorted(account.login for account in pull.assignees),
        }
        assert {part: record.totals[part] for part in found} == {part: len(ids) for part, ids in found.items()}
    assert points == transport.points
    assert points / 500 <= 0.18


def test_rest_and_graphql_say_the_same(shop, transport):
    """Only what REST leaves out differs: threads, workflows, sizes of commits by files, names of people."""
    pull = max(shop.world.repository("acme/shop").contents.pulls.values(), key=lambda pull: len(pull.reviews))
    [node] = fetch_by_ids(client(shop, transport), [pull.id]).nodes
    record = mapping.pull_request_record(node)
    rest = Rest(StaticToken(TOKEN), shop.url)
    number = pull.number
    core = rest_mapping.pull_request_record(parts.pull_request(rest, "acme/shop", number))
    same = ("id", "number", "node_id", "title", "state", "is_draft", "created_at", "updated_at", "merged_at", "body")
    same += ("additions", "deletions", "changed_files", "base_ref", "head_ref", "head_sha", "merge_commit_sha", "url")
    assert {name: getattr(core, name) for name in same} == {name: getattr(record, name) for name in same}
    reviews = [rest_mapping.review_record(found) for found in parts.reviews(rest, "acme/shop", number)]
    assert {(found.id, found.state, found.submitted_at) for found in reviews if found} == {
        (found.id, found.state, found.submitted_at) for found in record.reviews
    }
    comments = [rest_mapping.review_comment_record(found) for found in parts.review_comments(rest, "acme/shop", number)]
    assert {(found.id, found.in_reply_to, found.review_id, found.path) for found in comments} == {
        (found.id, found.in_reply_to, found.review_id, found.path) for found in record.review_comments
    }
    files = {rest_mapping.file_record(found) for found in parts.files(rest, "acme/shop", number)}
    assert files == set(record.files)
    commits = [rest_mapping.commit_record(found) for found in parts.commits(rest, "acme/shop", number)]
    assert [found.sha for found in commits if found] == [found.sha for found in record.commits]
    runs = parts.check_runs(rest, "acme/shop", record.head_sha)
    statuses = parts.statuses(rest, "acme/shop", record.head_sha)
    machines = [rest_mapping.check_run_record(found) for found in runs]
    machines += [rest_mapping.status_record(found, sha=record.head_sha) for found in statuses]
    assert {(found.id, found.name, found.status, found.conclusion, found.completed_at) for found in machines} == {
        (found.id, found.name, found.status, found.conclusion, found.completed_at) for found in record.checks
    }
    rest.close()


def test_checks_alone_are_those_of_the_whole(shop, transport):
    graphql = client(shop, transport)
    page = fetch_page(graphql, owner="acme", name="shop", page_size=5)
    whole = {node["id"]: mapping.pull_request_record(node).checks for node in page.nodes}
    alone = fetch_checks(graphql, list(whole))
    assert {node["id"]: mapping.checks_record(node).checks for node in alone.nodes} == whole


def test_it_finds_what_changed_and_how_much_there_is(shop, transport):
    graphql = client(shop, transport)
    page = list_ids(graphql, owner="acme", name="shop", page_size=10)
    since = page.touched[-1].updated_at
    pulls = shop.world.repository("acme/shop").contents.pulls.values()
    window = count_window(graphql, "acme", "shop", since)
    assert window.open == sum(pull.state == "OPEN" for pull in pulls)
    updated = [pull for pull in pulls if instant(pull.updated_at) >= since]
    assert window.closed == sum(pull.state != "OPEN" for pull in updated)
    assert count_updated(graphql, "acme", "shop", since, spending=Spending()) == len(updated)
    identifier = shop.world.repository("acme/shop").id
    assert pulses(graphql, [identifier])[identifier].touched[0].id == page.touched[0].id
    assert pulses(graphql, [identifier])[identifier].full_name == "acme/shop"


def test_deployments_are_mapped(shop, transport):
    page = fetch_deployments(client(shop, transport), owner="acme", name="shop")
    records = [mapping.deployment_record(node) for node in page.nodes]
    assert page.total >= len(records)
    assert all(record.statuses is not None and record.statuses_total == len(record.statuses) for record in records)


def test_it_looks_up_who_and_what(shop):
    rest = Rest(StaticToken(TOKEN), shop.url)
    assert "repo" in (whoami(rest).scopes or ())
    assert membership_role(rest, "acme") == "admin"
    assert [found.full_name for page in list_repositories(rest, "acme") for found in page] == ["acme/shop"]
    assert get_repository(rest, "acme/shop").id == shop.world.repository("acme/shop").database_id
    rest.close()


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded pull requests are not there")
def test_recorded_pull_requests_come_whole_and_what_github_caps_is_said(transport):
    with SandboxServer(RECORDED) as github:
        nodes, points = everything(client(github, transport), "bitcoin-core", "gui")
    records = [mapping.pull_request_record(node) for node in nodes]
    assert len(records) == 537
    assert {record.number: dict(record.capped) for record in records if record.capped} == {
        178: {"commits": "GitHub yields 250 of 1,639"}
    }
    assert not any(record.partial for record in records)
    assert sum(len(record.reviews or ()) for record in records) == 1788
    assert sum(len(record.review_comments or ()) for record in records) == 2308
    assert sum(len(record.issue_comments or ()) for record in records) == 3865
    assert sum(len(record.files or ()) for record in records) == sum(record.changed_files or 0 for record in records)
    assert points / 537 <= 0.18


@pytest.fixture
def broken() -> Iterator[SandboxServer]:
    with SandboxServer(synthetic=["acme:small:3"]) as github:
        yield github


def patient(github: SandboxServer, transport: HttpxTransport) -> GraphQL:
    return GraphQL(transport, StaticToken(TOKEN), graphql_url(github.url), sleep=lambda seconds: None)


@pytest.mark.parametrize("kind", ["drop", "truncate", "invalid_json"])
def test_a_broken_connection_is_mended_by_the_third_attempt_or_said(broken, transport, kind):
    graphql = patient(broken, transport)
    broken.faults.add("PullRequestPage", kind, times=2)
    assert len(fetch_page(graphql, owner="acme", name="small").nodes) == 3
    broken.faults.add("PullRequestPage", kind, times=3)
    with pytest.raises(Unavailable):
        fetch_page(graphql, owner="acme", name="small")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("502", QueryTooHeavy),
        ("504", QueryTooHeavy),
        ("resource_limits", QueryTooHeavy),
        ("rate_limited", RateLimited),
        ("secondary", RateLimited),
        ("bad_credentials", BadCredentials),
        ("sso", SsoRequired),
    ],
)
def test_each_fault_is_named(broken, transport, kind, error):
    broken.faults.add("PullRequestPage", kind)
    with pytest.raises(error):
        fetch_page(patient(broken, transport), owner="acme", name="small")

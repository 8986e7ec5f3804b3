"""What GraphQL cannot give of a pull request comes over REST: the same facts, so the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from apps.integrations.github.access import StaticToken
from apps.integrations.github.errors import BadCredentials, LeftForLater, NotFound, RateLimited, SsoRequired
from apps.integrations.github.graphql import GraphQL, graphql_url
from apps.integrations.github.patience import AWAY, Patience
from apps.integrations.github.pull_requests import fetch_page
from apps.integrations.github.rest import Rest
from apps.integrations.github.transport import HttpxTransport
from apps.integrations.github.types import NO_DIFF
from apps.integrations.services.github_sync import rest_way
from apps.integrations.services.github_sync.coverage import may_come
from apps.integrations.services.mapping import pull_request_record
from apps.metrics.records import Account, EventKind, OverallTotal, Part, PullRequestRecord
from devtools.github_sandbox.server import SandboxServer

TOKEN = "sandbox-token"
SHOP = "acme/shop"
RECORDED = Path(__file__).parents[3].parent / "shared" / "data" / "github"
IN_REST = [part for part in Part if part not in rest_way.NOT_IN_REST]
NOT_IN_REST = {
    "reviews": {"updated_at"},
    "review_comments": {"thread_node_id"},
    "checks": {"workflow"},
    # The number of files of a commit is in GitHub's REST, but the sandbox keeps no list of them.
    "commits": {"changed_files"},
}
"""By part, what REST does not tell. Besides: the names of people, `before_sha` and some `detail` of events, see
`comparable_event`."""


@pytest.fixture(scope="module")
def shop() -> Iterator[SandboxServer]:
    with SandboxServer(synthetic=["acme:shop:150:mix"]) as github:
        yield github


@pytest.fixture
def github(shop: SandboxServer) -> SandboxServer:
    shop.faults.clear()
    shop.limits.preset(remaining=5000, reset_in=3600)
    return shop


@pytest.fixture
def rest(github: SandboxServer) -> Iterator[Rest]:
    client = Rest(StaticToken(TOKEN), github.url, backoff=0)
    yield client
    client.close()


def by_graphql(github: SandboxServer, owner: str, name: str) -> list[PullRequestRecord]:
    """All pull requests, complete."""
    records: list[PullRequestRecord] = []
    cursor, has_next = None, True
    with HttpxTransport() as transport:
        graphql = GraphQL(transport, StaticToken(TOKEN), graphql_url(github.url))
        while has_next:
            page = fetch_page(graphql, owner=owner, name=name, after=cursor)
            cursor, has_next = page.end_cursor, page.has_next
            records += [pull_request_record(node) for node in page.nodes]
    return records


@pytest.fixture(scope="module")
def records(shop: SandboxServer) -> list[PullRequestRecord]:
    return by_graphql(shop, "acme", "shop")


@pytest.fixture
def busiest(records: list[PullRequestRecord]) -> PullRequestRecord:
    """The pull request with most to tell."""
    return max(records, key=lambda record: sum(record.totals.values()))


def bare(record: PullRequestRecord, *parts: Part, reason: str = "timed out") -> PullRequestRecord:
    """The record as if GraphQL had failed to give `parts` (none named: all)."""
    lost = parts or tuple(Part)
    return replace(
        record,
        **{part.value: None for part in lost},
        totals={part: total for part, total in record.totals.items() if part not in lost},
        partial={**record.partial, **dict.fromkeys(map(str, lost), reason)},
        capped={part: why for part, why in record.capped.items() if part not in lost},
    )


def comparable(part: str, child: Any, besides: dict[str, set[str]]) -> dict[str, Any]:
    """The child's fields without what REST does not tell."""
    if isinstance(child, Account):
        return {"": nameless(child)}
    left_out = NOT_IN_REST.get(part, set()) | besides.get(part, set())
    values = {field.name: getattr(child, field.name) for field in fields(child) if field.name not in left_out}
    values = {name: nameless(value) if isinstance(value, Account) else value for name, value in values.items()}
    return comparable_event(values) if part == Part.EVENTS else values


def comparable_event(values: dict[str, Any]) -> dict[str, Any]:
    """REST tells neither the head before a force push nor a former base, nor why the queue was left."""
    left_out = {"before_sha"}
    if values["kind"] in {EventKind.BASE_CHANGED, EventKind.DEQUEUED, EventKind.AUTO_MERGE_DISABLED}:
        left_out.add("detail")
    return {name: value for name, value in values.items() if name not in left_out}


def nameless(account: Account) -> Account:
    return replace(account, name="")


def facts(record: PullRequestRecord, besides: dict[str, set[str]] | None = None) -> dict[str, Any]:
    """Every field of a record and of its children that both ways can tell, in an order of its own."""
    found: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Account):
            value = nameless(value)
        elif field.name in IN_REST and value is not None:
            value = sorted((comparable(field.name, child, besides or {}) for child in value), key=repr)
        elif field.name in {"totals", "partial", "capped"}:
            value = {str(part): said for part, said in value.items() if part in {*IN_REST, OverallTotal.EVERY_REVIEW}}
        found[field.name] = value
    return {name: value for name, value in found.items() if name not in rest_way.NOT_IN_REST}


def test_a_record_filled_by_rest_is_the_record_that_graphql_gives(rest, records, busiest):
    assert len(records) == 150
    for record in [busiest, *records[::3]]:
        filled = rest_way.fill(rest, SHOP, bare(record), list(Part))
        assert facts(filled) == facts(record)
        assert filled.partial == {"threads": "timed out", "linked_issues": "timed out"}


def test_a_pull_request_that_graphql_cannot_give_is_the_same_by_rest(rest, records):
    for record in records[::10]:
        whole = rest_way.whole(rest, SHOP, record.number)
        assert facts(whole) == facts(record)
        assert (whole.threads, whole.linked_issues) == (None, None)
        assert whole.partial == dict.fromkeys(["threads", "linked_issues"], "REST does not tell them")


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded pull requests are not there")
def test_recorded_pull_requests_are_the_same_by_either_way():
    """Nobody recorded the sizes of commits, nor the reviews that some comments belong to: GraphQL has 0 and null."""
    besides = {"commits": {"additions", "deletions"}, "review_comments": {"review_id"}}
    with SandboxServer(RECORDED) as github:
        rest = Rest(StaticToken(TOKEN), github.url, backoff=0)
        for record in by_graphql(github, "bitcoin-core", "gui")[::20]:
            filled = rest_way.fill(rest, "bitcoin-core/gui", bare(record), IN_REST)
            assert facts(filled, besides) == facts(record, besides)
        rest.close()


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded pull requests are not there")
def test_more_commits_than_github_yields_are_said_as_graphql_says_it():
    with SandboxServer(RECORDED) as github:
        rest = Rest(StaticToken(TOKEN), github.url, backoff=0)
        whole = rest_way.whole(rest, "bitcoin-core/gui", 178)
        rest.close()
    assert len(whole.commits or ()) == 250
    assert whole.capped == {"commits": "GitHub yields 250 of 1,639"}
    assert whole.totals["commits"] == 1639
    assert "commits" not in whole.partial


PATHS = {
    Part.LABELS: "/repos/acme/shop/pulls/{number}",
    Part.ASSIGNEES: "/repos/acme/shop/pulls/{number}",
    Part.REVIEWS: "/repos/acme/shop/pulls/{number}/reviews",
    Part.REVIEW_COMMENTS: "/repos/acme/shop/pulls/{number}/comments",
    Part.ISSUE_COMMENTS: "/repos/acme/shop/issues/{number}/comments",
    Part.COMMITS: "/repos/acme/shop/pulls/{number}/commits",
    Part.FILES: "/repos/acme/shop/pulls/{number}/files",
    Part.EVENTS: "/repos/acme/shop/issues/{number}/events",
    Part.CHECKS: "/repos/acme/shop/commits/{sha}/check-runs",
}


@pytest.mark.parametrize("part", IN_REST)
def test_a_part_that_fails_alone_leaves_the_others_whole(github, rest, busiest, part):
    path = PATHS[part].format(number=busiest.number, sha=busiest.head_sha)
    github.faults.add(path, "502", times=-1)
    others = [Part.CHECKS if part is not Part.CHECKS else Part.EVENTS]
    filled = rest_way.fill(rest, SHOP, bare(busiest), [part, *others])
    assert filled.partial[part] == "timed out; REST: GitHub answered 502"
    assert part not in filled.totals
    for other in others:
        assert other not in filled.partial
        assert facts(filled)[other] == facts(busiest)[other]


def test_of_the_checks_one_kind_is_better_than_none(github, rest, records):
    record = next(r for r in records if len({check.is_context for check in r.checks or ()}) == 2)
    github.faults.add(f"/repos/acme/shop/commits/{record.head_sha}/status", "502", times=-1)
    filled = rest_way.fill(rest, SHOP, bare(record), [Part.CHECKS])
    assert {check.id for check in filled.checks or ()} == {c.id for c in record.checks or () if not c.is_context}
    assert filled.partial[Part.CHECKS] == "timed out; REST: GitHub answered 502"


def test_pages_before_the_one_that_failed_are_kept(github, rest, records):
    record = max(records, key=lambda record: len(record.reviews or ()))
    assert len(record.reviews or ()) > 100
    github.faults.add(f"/repos/acme/shop/pulls/{record.number}/reviews", "502", times=-1, skip=1)
    filled = rest_way.fill(rest, SHOP, bare(record), [Part.REVIEWS])
    assert 0 < len(filled.reviews or ()) <= 100
    assert filled.partial[Part.REVIEWS] == "timed out; REST: GitHub answered 502"
    more = replace(bare(record), reviews=record.reviews)
    github.faults.clear()
    github.faults.add(f"/repos/acme/shop/pulls/{record.number}/reviews", "502", times=-1, skip=1)
    assert rest_way.fill(rest, SHOP, more, [Part.REVIEWS]).reviews == record.reviews


def test_a_part_that_is_whole_already_does_not_suffer_from_a_failure(github, rest, busiest):
    github.faults.add(f"/repos/acme/shop/pulls/{busiest.number}/files", "502", times=-1)
    assert rest_way.fill(rest, SHOP, busiest, [Part.FILES]) == busiest


def test_commits_without_their_sizes_are_better_than_none(github, rest, busiest):
    github.faults.add("/repos/acme/shop/commits/", "502", times=-1)
    before = rest.requests
    filled = rest_way.fill(rest, SHOP, bare(busiest), [Part.COMMITS])
    assert [commit.sha for commit in filled.commits or ()] == [commit.sha for commit in busiest.commits or ()]
    assert {commit.additions for commit in filled.commits or ()} == {None}
    assert filled.partial[Part.COMMITS] == "timed out; REST: GitHub answered 502 (the commits' sizes)"
    assert rest.requests - before <= 1 + len(busiest.commits or ()) // 100 + 3  # the first failure ends the asking


def test_sizes_that_graphql_told_are_not_asked_for_again(rest, busiest):
    known = replace(busiest, partial={"commits": "timed out"})
    before = rest.requests
    filled = rest_way.fill(rest, SHOP, known, [Part.COMMITS])
    assert facts(filled)["commits"] == facts(busiest)["commits"]
    assert rest.requests - before == 1 + (len(busiest.commits or ()) - 1) // 100


@pytest.mark.parametrize(
    ("kind", "error"),
    [("rate_limited", RateLimited), ("bad_credentials", BadCredentials), ("sso", SsoRequired)],
)
def test_what_concerns_the_whole_run_is_raised(github, rest, busiest, kind, error):
    github.faults.add(f"/repos/acme/shop/pulls/{busiest.number}/files", kind, times=-1)
    with pytest.raises(error):
        rest_way.fill(rest, SHOP, bare(busiest), [Part.FILES])


def without_diff(record: PullRequestRecord) -> PullRequestRecord:
    sizes: dict[str, Any] = dict.fromkeys(["additions", "deletions", "changed_files"])
    return replace(bare(record, Part.FILES, reason=NO_DIFF), **sizes)


def test_files_of_a_diff_that_graphql_gave_up_on_come_with_their_sizes():
    with SandboxServer(synthetic=["acme:small:1"]) as github:
        [before] = by_graphql(github, "acme", "small")
        github.mutations.apply(
            {"repo": "acme/small", "number": before.number, "action": "diff_unavailable", "silent": True}
        )
        [record] = by_graphql(github, "acme", "small")
        assert (record.files, record.changed_files, record.partial) == (None, None, {"files": NO_DIFF})
        rest = Rest(StaticToken(TOKEN), github.url, backoff=0)
        filled = rest_way.fill(rest, "acme/small", record, [Part.FILES])
        rest.close()
    assert facts(filled) == facts(before)
    assert (filled.additions, filled.changed_files) == (before.additions, before.changed_files)
    assert filled.partial == {}


def test_sizes_that_nobody_knows_are_never_0(github, rest, busiest):
    github.faults.add(f"/repos/acme/shop/pulls/{busiest.number}/files", "status", status=422, times=-1)
    filled = rest_way.fill(rest, SHOP, without_diff(busiest), [Part.FILES])
    assert (filled.additions, filled.deletions, filled.changed_files) == (None, None, None)
    assert filled.files is None
    assert filled.partial[Part.FILES].startswith(f"{NO_DIFF}; REST: GitHub rejected the request: 422")


def test_a_diff_that_rest_cannot_compute_either_has_no_size_of_0():
    with SandboxServer(synthetic=["acme:small:1"]) as github:
        [pull] = github.world.repository("acme/small").contents.pulls.values()
        pull.files, pull.additions, pull.deletions, pull.changed_files = None, 0, 0, 0
        rest = Rest(StaticToken(TOKEN), github.url, backoff=0)
        whole = rest_way.whole(rest, "acme/small", pull.number)
        rest.close()
    assert (whole.files, whole.additions, whole.deletions, whole.changed_files) == (None, None, None, None)
    assert whole.partial["files"].startswith("REST: GitHub rejected the request: 422")


def test_no_files_of_no_known_size_are_not_taken_for_none():
    with SandboxServer(synthetic=["acme:small:1"]) as github:
        [record] = by_graphql(github, "acme", "small")
        github.world.repository("acme/small").contents.pulls[record.number].files = []
        rest = Rest(StaticToken(TOKEN), github.url, backoff=0)
        filled = rest_way.fill(rest, "acme/small", without_diff(record), [Part.FILES])
        rest.close()
    assert (filled.files, filled.changed_files) == (None, None)
    assert filled.partial[Part.FILES] == f"{NO_DIFF}; REST: no diff either"


def test_a_pull_request_that_rest_cannot_give_either_is_said(rest):
    with pytest.raises(NotFound):
        rest_way.whole(rest, SHOP, 9_999)


def test_an_answer_of_another_shape_is_that_parts_failure(github, rest, busiest):
    github.faults.add(
        f"/repos/acme/shop/issues/{busiest.number}/comments", "status", status=200, body={"a": 1}, times=-1
    )
    filled = rest_way.fill(rest, SHOP, bare(busiest), [Part.ISSUE_COMMENTS])
    assert filled.issue_comments is None
    assert filled.partial[Part.ISSUE_COMMENTS].startswith("timed out; REST: GitHub is not available")


def test_what_takes_too_long_is_left_for_later_and_the_rest_of_it_too(rest, busiest):
    """A commit's size is a request each: those that are known by then are kept."""
    known = rest_way.fill(rest, SHOP, bare(busiest), [Part.COMMITS])
    assert len(known.commits) > 100
    rest.patience = Patience(seconds=20, clock=lambda: float(rest.requests))  # each request takes a second
    rest.patience.begin()
    before = rest.requests
    filled = rest_way.fill(rest, SHOP, bare(busiest), [Part.COMMITS, Part.FILES, Part.REVIEWS])
    assert rest.requests - before == 20
    sized = [commit for commit in filled.commits if commit.additions is not None]
    assert (len(filled.commits), 0 < len(sized) < 20) == (len(known.commits), True)
    assert (filled.files, filled.reviews) == (None, None)
    assert filled.partial[Part.COMMITS] == "timed out; REST: left for later (the commits' sizes)"
    assert filled.partial[Part.FILES] == "timed out; REST: left for later"
    assert all(may_come(part, filled.partial[part], ()) for part in (Part.COMMITS, Part.FILES))
    assert may_come(Part.FILES, f"{NO_DIFF}; REST: left for later", ())
    rest.patience.begin()
    assert rest_way.fill(rest, SHOP, filled, [Part.FILES]).files


def test_an_outage_of_rest_costs_one_question_and_not_one_for_each_part(github, rest, busiest):
    now = [0.0]
    rest.patience = Patience(clock=lambda: now[0])
    github.faults.add("/repos/", "503", times=-1)
    filled = rest_way.fill(rest, SHOP, bare(busiest), list(Part))
    assert rest.requests == 3  # one, tried three times
    assert set(filled.partial) == {str(part) for part in Part}
    assert all(getattr(filled, part) is None for part in Part)
    with pytest.raises(LeftForLater):
        rest_way.whole(rest, SHOP, busiest.number)
    github.faults.clear()
    now[0] = AWAY
    rest.patience.begin()
    assert rest_way.whole(rest, SHOP, busiest.number).id == busiest.id

"""REST's shapes, pages and errors, and that it tells the same as GraphQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from github import Auth, Github

from devtools.github_sandbox.tests.conftest import Client

AsToken = Callable[[str | None], Client]


def pages(client: Client, path: str) -> list[Any]:
    """Everything behind the Link headers."""
    rows: list[Any] = []
    url: str | None = path
    while url:
        response = client.get(url)
        rows += response.json()
        url = response.links.get("next", {}).get("url")
    return rows


@pytest.mark.parametrize("size", [7, 100])
def test_link_headers_lead_through_every_pull_request_once(shop: Client, size: int) -> None:
    rows = pages(shop, f"/repos/acme/shop/pulls?state=all&per_page={size}")
    assert len({row["id"] for row in rows}) == len(rows) == 120


def test_links_name_first_previous_next_and_last(shop: Client) -> None:
    links = shop.get("/repos/acme/shop/pulls?state=all&per_page=50&page=2").links
    assert set(links) == {"first", "prev", "next", "last"}
    assert links["last"]["url"].endswith("page=3")
    assert set(shop.get("/repos/acme/shop/pulls?state=all&per_page=50&page=3").links) == {"first", "prev"}


def test_no_page_has_more_than_a_hundred(shop: Client) -> None:
    assert len(shop.get("/repos/acme/shop/pulls?state=all&per_page=500").json()) == 100
    assert len(shop.get("/repos/acme/shop/pulls?state=all").json()) == 30


def test_it_sorts_and_filters_pull_requests(shop: Client) -> None:
    rows = shop.get("/repos/acme/shop/pulls?state=closed&sort=updated&direction=asc&per_page=100").json()
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)
    assert {row["state"] for row in rows} == {"closed"}


AGREE = """query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) {
  pullRequest(number: $number) {
    id fullDatabaseId number title state isDraft createdAt updatedAt closedAt mergedAt
    additions deletions changedFiles
    headRefOid baseRefName author { login } mergedBy { login } milestone { title }
    labels(first: 100) { nodes { name } }
    reviews(first: 100) { totalCount nodes { fullDatabaseId state submittedAt } }
    comments(first: 100) { totalCount nodes { fullDatabaseId body } }
    commits(first: 100) { totalCount nodes { commit { oid } } }
    files(first: 100) { nodes { path additions deletions } }
    timelineItems(first: 1, itemTypes: [CLOSED_EVENT, MERGED_EVENT, READY_FOR_REVIEW_EVENT]) { filteredCount } } } }"""


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7, 8, 100])
def test_rest_and_graphql_agree_on_a_generated_pull_request(shop: Client, number: int) -> None:
    agree(shop, "acme", "shop", number)


@pytest.mark.parametrize("number", [3, 37, 96, 213, 754])
def test_rest_and_graphql_agree_on_a_recorded_pull_request(gui: Client, number: int) -> None:
    agree(gui, "bitcoin-core", "gui", number)


def agree(client: Client, owner: str, name: str, number: int) -> None:
    said = client.data(AGREE, owner=owner, name=name, number=number)["repository"]["pullRequest"]
    base = f"/repos/{owner}/{name}"
    pull = client.get(f"{base}/pulls/{number}").json()
    assert pull["node_id"] == said["id"]
    assert str(pull["id"]) == said["fullDatabaseId"]
    assert (pull["title"], pull["draft"]) == (said["title"], said["isDraft"])
    assert (pull["state"], pull["merged"]) == (
        "open" if said["state"] == "OPEN" else "closed",
        said["state"] == "MERGED",
    )
    times = [pull[key] for key in ("created_at", "updated_at", "closed_at", "merged_at")]
    assert times == [said[key] for key in ("createdAt", "updatedAt", "closedAt", "mergedAt")]
    sizes = [pull[key] for key in ("additions", "deletions", "changed_files", "commits", "comments")]
    totals = [said[key]["totalCount"] for key in ("commits", "comments")]
    assert sizes == [said["additions"], said["deletions"], said["changedFiles"], *totals]
    assert (pull["head"]["sha"], pull["base"]["ref"]) == (said["headRefOid"], said["baseRefName"])
    assert sorted(label["name"] for label in pull["labels"]) == sorted(node["name"] for node in said["labels"]["nodes"])
    reviews = pages(client, f"{base}/pulls/{number}/reviews?per_page=100")
    assert len(reviews) == said["reviews"]["totalCount"]
    assert [(str(each["id"]), each["state"], each["submitted_at"]) for each in reviews[:100]] == [
        (each["fullDatabaseId"], each["state"], each["submittedAt"]) for each in said["reviews"]["nodes"]
    ]
    comments = pages(client, f"{base}/issues/{number}/comments?per_page=100")
    assert [(str(each["id"]), each["body"]) for each in comments[:100]] == [
        (each["fullDatabaseId"], each["body"]) for each in said["comments"]["nodes"]
    ]
    commits = pages(client, f"{base}/pulls/{number}/commits?per_page=100")
    assert [each["sha"] for each in commits[:100]] == [each["commit"]["oid"] for each in said["commits"]["nodes"]]
    files = pages(client, f"{base}/pulls/{number}/files?per_page=100")
    assert [(each["filename"], each["additions"], each["deletions"]) for each in files[:100]] == [
        (each["path"], each["additions"], each["deletions"]) for each in said["files"]["nodes"]
    ]
    events = pages(client, f"{base}/issues/{number}/events?per_page=100")
    kinds = [each["event"] for each in events if each["event"] in ("closed", "merged", "ready_for_review")]
    assert len(kinds) == said["timelineItems"]["filteredCount"]


def test_a_files_enum_is_rests_own(shop: Client) -> None:
    repository = shop.server.world.repository("acme/shop")
    assert repository is not None
    number = next(
        pull.number
        for pull in repository.contents.pulls.values()
        if any(file.change_type == "DELETED" for file in (pull.files or ())[:30])
    )
    statuses = {row["status"] for row in pages(shop, f"/repos/acme/shop/pulls/{number}/files")}
    assert "removed" in statuses
    assert statuses <= {"added", "removed", "modified", "renamed"}


def test_deployments_carry_their_statuses_newest_first(shop: Client) -> None:
    deployment = shop.get("/repos/acme/shop/deployments?environment=production").json()[0]
    assert deployment["production_environment"] is True
    statuses = shop.get(f"/repos/acme/shop/deployments/{deployment['id']}/statuses").json()
    assert [each["state"] for each in statuses][1:] == ["in_progress", "queued"]


def test_checks_of_a_commit_have_the_latest_attempt_or_all(shop: Client) -> None:
    contents = shop.server.world.repository("acme/shop").contents  # type: ignore[union-attr]
    sha = next(sha for sha, suites in contents.suites.items() if any(run.attempt == 2 for run in suites[0].runs))
    latest = shop.get(f"/repos/acme/shop/commits/{sha}/check-runs?per_page=100").json()
    every = shop.get(f"/repos/acme/shop/commits/{sha}/check-runs?filter=all&per_page=100").json()
    assert latest["total_count"] < every["total_count"] == len(every["check_runs"]) or every["total_count"] > 100
    assert {run["head_sha"] for run in every["check_runs"]} == {sha}


def test_what_is_unchanged_is_304(shop: Client) -> None:
    first = shop.get("/repos/acme/shop/pulls/1")
    again = shop.get("/repos/acme/shop/pulls/1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/nope", "/repos/acme/nope", "/repos/acme/shop/pulls/6", "/orgs/sunniva", "/users/nobody"]
)
def test_what_is_not_there_is_404_in_githubs_form(shop: Client, path: str) -> None:
    response = shop.get(path)
    assert response.status_code == 404
    assert response.json() == {
        "message": "Not Found",
        "documentation_url": "https://docs.github.com/rest",
        "status": "404",
    }


def test_a_renamed_repository_moves_for_good(own: Client) -> None:
    own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "rename", "name": "store"})
    moved = own.get("/repos/acme/shop/pulls")
    assert moved.status_code == 301
    assert moved.json()["message"] == "Moved Permanently"
    assert own.get("/repos/acme/shop", follow_redirects=True).json()["full_name"] == "acme/store"


def test_enterprise_paths_answer_the_same_and_link_to_themselves(shop: Client) -> None:
    repository = shop.get("/api/v3/repos/acme/shop").json()
    assert repository["url"] == f"{shop.server.url}/api/v3/repos/acme/shop"
    answer = shop.post("/api/graphql", {"query": "{ viewer { login } }"}).json()
    assert answer == {"data": {"viewer": {"login": "sandbox-owner"}}}


def test_headers_say_scopes_and_budget(as_token: AsToken) -> None:
    client = as_token("sandbox-readonly")
    headers = client.get("/user").headers
    assert headers["x-oauth-scopes"] == "read:org, read:user, repo"
    assert headers["x-ratelimit-limit"] == "5000"
    assert headers["x-ratelimit-resource"] == "core"
    used = int(headers["x-ratelimit-used"])
    assert client.get("/rate_limit").json()["rate"]["used"] == used  # asking is free
    assert int(client.get("/user").headers["x-ratelimit-used"]) == used + 1


@pytest.mark.parametrize("token", ["sandbox-expired", "whatever"])
def test_a_token_nobody_has_is_bad_credentials(as_token: AsToken, token: str) -> None:
    client = as_token(token)
    for response in (client.get("/user"), client.post("/graphql", {"query": "{ viewer { login } }"})):
        assert response.status_code == 401
        assert response.json()["message"] == "Bad credentials"


def test_without_a_token_public_rest_answers_and_graphql_does_not(as_token: AsToken) -> None:
    client = as_token(None)
    assert client.get("/repos/acme/shop").headers["x-ratelimit-limit"] == "60"
    assert client.get("/repos/acme/vault").status_code == 404
    assert client.get("/user").status_code == 401
    assert client.post("/graphql", {"query": "{ viewer { login } }"}).status_code == 401


def test_an_owner_sees_everything(as_token: AsToken) -> None:
    client = as_token("sandbox-token")
    assert [org["login"] for org in client.get("/user/orgs").json()] == ["acme"]
    assert client.get("/user/memberships/orgs/acme").json()["role"] == "admin"
    assert {row["name"] for row in client.get("/user/repos").json()} == {"shop", "empty", "vault"}


def test_somebody_without_an_organisation_sees_what_is_public(as_token: AsToken) -> None:
    client = as_token("sandbox-noorg")
    assert client.get("/user/orgs").json() == client.get("/user/repos").json() == []
    assert client.get("/user/memberships/orgs/acme").status_code == 404
    assert client.get("/repos/acme/shop").status_code == 200
    assert client.get("/repos/acme/vault").status_code == 404
    assert client.error('{ repository(owner: "acme", name: "vault") { id } }')["type"] == "NOT_FOUND"


def test_a_token_without_scopes_sees_no_organisations_and_nothing_private(as_token: AsToken) -> None:
    client = as_token("sandbox-noscope")
    assert client.get("/user").headers["x-oauth-scopes"] == ""
    assert client.get("/user/orgs").json() == []
    assert client.get("/user/memberships/orgs/acme").status_code == 403
    assert {row["name"] for row in client.get("/user/repos").json()} == {"shop", "empty"}
    error = client.error("{ viewer { organizations(first: 1) { totalCount } } }")
    assert error["type"] == "INSUFFICIENT_SCOPES"


def test_a_reader_reads_and_administers_nothing(as_token: AsToken) -> None:
    client = as_token("sandbox-readonly")
    permissions = client.get("/repos/acme/vault").json()["permissions"]
    assert permissions["pull"] is True
    assert permissions["admin"] is permissions["push"] is False
    assert client.get("/repos/acme/vault/hooks").status_code == 404
    assert client.get("/user/memberships/orgs/acme").json()["role"] == "member"


def test_a_pending_review_is_its_authors_alone(own: Client) -> None:
    change = {"repo": "acme/shop", "action": "review", "number": 1, "state": "PENDING", "author": "sandbox-reader"}
    before = len(own.get("/repos/acme/shop/pulls/1/reviews").json())
    assert own.post("/_sandbox/mutate", change).json()["delivered"] == 0
    query = (
        '{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { reviews(first: 1) { totalCount } } } }'
    )
    with closing(Client(own.server, "sandbox-readonly")) as reader:
        assert reader.get("/repos/acme/shop/pulls/1/reviews").json()[-1]["state"] == "PENDING"
        assert reader.data(query)["repository"]["pullRequest"]["reviews"]["totalCount"] == before + 1
    assert len(own.get("/repos/acme/shop/pulls/1/reviews").json()) == before
    assert own.data(query)["repository"]["pullRequest"]["reviews"]["totalCount"] == before


def test_pygithub_finds_its_way(gui: Client) -> None:
    github = Github(
        base_url=gui.server.url, auth=Auth.Token("sandbox-token"), seconds_between_requests=None, per_page=100
    )
    assert github.get_user().login == "sandbox-owner"
    repository = github.get_repo("bitcoin-core/gui")
    pulls = repository.get_pulls(state="all", sort="created", direction="asc")
    assert pulls.totalCount == 537
    pull = repository.get_pull(213)
    assert (pull.merged, pull.commits, len(list(pull.get_reviews()))) == (True, 1, 3)
    assert github.get_repo(repository.id).full_name == "bitcoin-core/gui"
    github.close()

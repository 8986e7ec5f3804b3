"""Walking, ordering and failing as on GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.github_sandbox.server import SandboxServer
from devtools.github_sandbox.synthetic import SyntheticRepository
from devtools.github_sandbox.tests.conftest import Client

PAGE = """query($after: String, $before: String, $first: Int, $last: Int, $order: IssueOrder,
    $states: [PullRequestState!]) {
  repository(owner: "acme", name: "shop") {
    pullRequests(after: $after, before: $before, first: $first, last: $last, orderBy: $order, states: $states) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor } nodes { number createdAt updatedAt state } } } }"""


def pulls(client: Client, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = client.data(PAGE, **variables)["repository"]["pullRequests"]
    return page


def walk(client: Client, **variables: Any) -> list[int]:
    """The numbers of all pages, forwards."""
    numbers: list[int] = []
    after = None
    while True:
        page = pulls(client, after=after, **variables)
        numbers += [node["number"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return numbers
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("size", [7, 100])
def test_a_walk_meets_every_pull_request_once(shop: Client, field: str, direction: str, size: int) -> None:
    numbers = walk(shop, first=size, order={"field": field, "direction": direction})
    assert len(numbers) == len(set(numbers)) == 120
    assert set(numbers) == set(shop.server.world.repository("acme/shop").contents.pulls)  # type: ignore[union-attr]


def test_it_orders_by_the_field_asked(shop: Client) -> None:
    page = pulls(shop, first=100, order={"field": "UPDATED_AT", "direction": "DESC"})
    moments = [node["updatedAt"] for node in page["nodes"]]
    assert moments == sorted(moments, reverse=True)


def test_backwards_pages_are_the_forward_ones(shop: Client) -> None:
    forward = walk(shop, first=9)
    numbers: list[int] = []
    before = None
    while True:
        page = pulls(shop, last=9, before=before)
        numbers = [node["number"] for node in page["nodes"]] + numbers
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert numbers == forward


def test_states_filter_the_page_and_its_total(shop: Client) -> None:
    total = pulls(shop, first=1)["totalCount"]
    by_state = {state: pulls(shop, first=100, states=[state]) for state in ("OPEN", "CLOSED", "MERGED")}
    assert sum(page["totalCount"] for page in by_state.values()) == total
    assert {node["state"] for node in by_state["CLOSED"]["nodes"]} == {"CLOSED"}


def test_edges_carry_the_cursor_of_their_node(shop: Client) -> None:
    page = pulls(shop, first=5)
    assert page["edges"][-1]["cursor"] == page["pageInfo"]["endCursor"]
    again = pulls(shop, first=2, after=page["edges"][1]["cursor"])
    assert again["nodes"] == page["nodes"][2:4]


def test_a_row_that_changes_while_one_pages_newest_update_first_is_skipped(own: Client) -> None:
    """A cursor on UPDATED_AT is a value: the row moves before it."""
    order = {"field": "UPDATED_AT", "direction": "DESC"}
    first = pulls(own, first=4, order=order)
    oldest = pulls(own, last=1, order=order)["nodes"][0]["number"]
    own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "comment", "number": oldest})
    rest = pulls(own, first=100, order=order, after=first["pageInfo"]["endCursor"])
    met = {node["number"] for node in first["nodes"] + rest["nodes"]}
    assert oldest not in met
    assert len(met) == 11
    assert pulls(own, first=1, order=order)["nodes"][0]["number"] == oldest


NESTED = ("comments", "reviews", "commits", "files", "reviewThreads", "labels", "assignees")


@pytest.mark.parametrize("name", NESTED)
def test_nested_connections_of_the_busiest_pull_request_are_walked_in_full(shop: Client, name: str) -> None:
    pull = busiest(shop)
    part = {"files": "path", "commits": "commit { oid }", "assignees": "login"}.get(name, "id")
    query = f"""query($id: ID!, $after: String) {{ node(id: $id) {{ ... on PullRequest {{
        {name}(first: 40, after: $after) {{
          totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {part} }} }} }} }} }}"""
    found: list[str] = []
    after = None
    while True:
        page = shop.data(query, id=pull.id, after=after)["node"][name]
        found += [str(node) for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(found) == len(set(found)) == page["totalCount"]


def busiest(client: Client) -> Any:
    repository = client.server.world.repository("acme/shop")
    assert repository is not None
    return max(repository.contents.pulls.values(), key=lambda pull: len(pull.threads))


def test_the_timeline_is_filtered_by_type_and_counted_apart(shop: Client) -> None:
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest {
        all: timelineItems(first: 100) { totalCount filteredCount pageCount }
        some: timelineItems(first: 10, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) {
          totalCount filteredCount pageCount nodes { __typename } } } } }"""
    node = shop.data(query, id=busiest(shop).id)["node"]
    assert node["all"]["totalCount"] == node["all"]["filteredCount"] == node["some"]["totalCount"]
    assert node["some"]["filteredCount"] >= 105
    assert node["some"]["pageCount"] == 10
    assert {item["__typename"] for item in node["some"]["nodes"]} == {"HeadRefForcePushedEvent"}


def test_ids_past_the_range_of_int_travel(shop: Client) -> None:
    pull = busiest(shop)
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { databaseId fullDatabaseId } } }"
    found = shop.data(query, id=pull.id)["node"]
    assert found == {"databaseId": pull.database_id, "fullDatabaseId": str(pull.database_id)}
    assert pull.database_id > 2**31


def test_an_unknown_repository_is_not_found_and_its_sibling_answered(shop: Client) -> None:
    answer = shop.graphql('{ gone: repository(owner: "acme", name: "nope") { id } viewer { login } }')
    assert answer["data"] == {"gone": None, "viewer": {"login": "sandbox-owner"}}
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["gone"])
    assert error["message"] == "Could not resolve to a Repository with the name 'acme/nope'."


def test_an_id_that_leads_nowhere_is_null_in_its_place(shop: Client) -> None:
    pull = busiest(shop)
    answer = shop.graphql("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[pull.id, "PR_nope"])
    assert answer["data"]["nodes"] == [{"id": pull.id}, None]
    assert answer["errors"][0]["path"] == ["nodes", 1]
    assert answer["errors"][0]["type"] == "NOT_FOUND"


def test_a_broken_cursor_is_an_error_of_its_connection(shop: Client) -> None:
    error = shop.error(PAGE, first=1, after="nonsense")
    assert error["message"] == "`nonsense` does not appear to be a valid cursor."
    assert error["path"] == ["repository", "pullRequests"]


@pytest.mark.parametrize("query", ["{ viewer { nope } }", "{ viewer ", "query($n: Int!) { viewer { login } }"])
def test_a_query_that_is_wrong_has_errors_and_no_data(shop: Client, query: str) -> None:
    answer = shop.graphql(query)
    assert "data" not in answer
    assert answer["errors"][0]["message"]


def test_an_owner_of_either_kind_lists_repositories(shop: Client) -> None:
    query = """{ repositoryOwner(login: "ACME") { __typename
        repositories(first: 10, orderBy: {field: NAME, direction: ASC}) { totalCount nodes {
          name isPrivate pullRequests { totalCount } open: pullRequests(states: [OPEN]) { totalCount } } } } }"""
    owner = shop.data(query)["repositoryOwner"]
    assert owner["__typename"] == "Organization"
    assert [node["name"] for node in owner["repositories"]["nodes"]] == ["empty", "shop", "vault"]
    assert owner["repositories"]["nodes"][0]["pullRequests"] == {"totalCount": 0}


def test_members_carry_their_roles(shop: Client) -> None:
    query = (
        '{ organization(login: "acme") { membersWithRole(first: 100) { totalCount edges { role node { login } } } } }'
    )
    members = shop.data(query)["organization"]["membersWithRole"]
    roles = {edge["node"]["login"]: edge["role"] for edge in members["edges"]}
    assert roles["sandbox-owner"] == roles["mara-lindqvist"] == "ADMIN"
    assert roles["sandbox-reader"] == "MEMBER"
    assert members["totalCount"] == len(roles) == 14


def test_a_bot_has_no_brackets_in_graphql(shop: Client) -> None:
    query = '{ search(type: ISSUE, query: "repo:acme/shop is:pr author:dependabot[bot]", first: 1) { issueCount } }'
    pulls_by_bot = shop.data(query)["search"]["issueCount"]
    query = PAGE.replace("number createdAt", "author { __typename login } number createdAt")
    authors = [node["author"] for node in pulls_with(shop, query)]
    bots = [author for author in authors if author and author["__typename"] == "Bot"]
    assert len(bots) == pulls_by_bot
    assert {bot["login"] for bot in bots} == {"dependabot"}


def pulls_with(client: Client, query: str) -> list[Any]:
    first = client.data(query, first=100)["repository"]["pullRequests"]
    second = client.data(query, first=100, after=first["pageInfo"]["endCursor"])["repository"]["pullRequests"]
    return [*first["nodes"], *second["nodes"]]


SEARCH = """query($q: String!, $after: String) { search(type: ISSUE, query: $q, first: 50, after: $after) {
    issueCount pageInfo { hasNextPage endCursor } nodes { ... on PullRequest { number createdAt } } } }"""


def test_search_counts_a_window_as_its_days_say(shop: Client) -> None:
    nodes = pulls_with(shop, PAGE)
    since = sorted(node["createdAt"] for node in nodes)[60][:10]
    expected = sum(node["createdAt"] >= since for node in nodes)
    for words in (f"created:>={since}", f"created:{since}..*"):
        assert shop.data(SEARCH, q=f"repo:acme/shop is:pr {words}")["search"]["issueCount"] == expected
    until = sum(node["createdAt"][:10] <= since for node in nodes)
    assert shop.data(SEARCH, q=f"repo:acme/shop is:pr created:<={since}")["search"]["issueCount"] == until
    merged = sum(node["state"] == "MERGED" for node in nodes)
    assert shop.data(SEARCH, q="repo:acme/shop is:pr is:merged")["search"]["issueCount"] == merged


def test_search_yields_a_thousand_whatever_it_counts() -> None:
    with SandboxServer(synthetic=[SyntheticRepository("acme", "huge", 1_050, deploys=False)]) as server:
        client = Client(server)
        numbers: set[int] = set()
        after = None
        while True:
            found = client.data(SEARCH, q="repo:acme/huge is:pr", after=after)["search"]
            numbers |= {node["number"] for node in found["nodes"]}
            after = found["pageInfo"]["endCursor"]
            if not found["pageInfo"]["hasNextPage"]:
                break
        client.close()
    assert found["issueCount"] == 1_050
    assert len(numbers) == 1_000


def test_a_renamed_repository_answers_to_its_old_name_unless_told_not_to(own: Client) -> None:
    own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "rename", "name": "store"})
    query = (
        'query($follow: Boolean!) { repository(owner: "acme", name: "shop", followRenames: $follow) { nameWithOwner } }'
    )
    assert own.data(query, follow=True)["repository"] == {"nameWithOwner": "acme/store"}
    assert own.error(query, follow=False)["type"] == "NOT_FOUND"


def test_checks_show_the_latest_attempt_and_all_of_them_when_asked(own: Client) -> None:
    opened = own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "open"}).json()
    for conclusion in ("FAILURE", "SUCCESS"):
        body = {"repo": "acme/shop", "action": "check", "number": opened["number"], "conclusion": conclusion}
        own.post("/_sandbox/mutate", body)
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest {
        statusCheckRollup { state contexts(first: 10) { totalCount nodes { ... on CheckRun { conclusion } } } }
        commits(last: 1) { nodes { commit { checkSuites(first: 5) { nodes {
          latest: checkRuns(first: 5) { totalCount }
          all: checkRuns(first: 5, filterBy: {checkType: ALL}) { nodes { conclusion } } } } } } } } } }"""
    node = own.data(query, id=opened["node_id"])["node"]
    assert node["statusCheckRollup"]["state"] == "SUCCESS"
    assert node["statusCheckRollup"]["contexts"] == {"totalCount": 1, "nodes": [{"conclusion": "SUCCESS"}]}
    (suite,) = node["commits"]["nodes"][0]["commit"]["checkSuites"]["nodes"]
    assert suite["latest"] == {"totalCount": 1}
    assert suite["all"]["nodes"] == [{"conclusion": "FAILURE"}, {"conclusion": "SUCCESS"}]


def test_a_pull_request_without_checks_has_no_rollup(own: Client) -> None:
    opened = own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "open"}).json()
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { statusCheckRollup { state } } } }"
    assert own.data(query, id=opened["node_id"]) == {"node": {"statusCheckRollup": None}}


def test_a_dismissed_review_says_so_and_its_event_what_it_was(own: Client) -> None:
    number = own.post("/_sandbox/mutate", {"repo": "acme/shop", "action": "open"}).json()["number"]
    for change in ({"action": "review", "state": "CHANGES_REQUESTED"}, {"action": "dismiss"}):
        own.post("/_sandbox/mutate", {"repo": "acme/shop", "number": number, **change})
    query = f"""{{ repository(owner: "acme", name: "shop") {{ pullRequest(number: {number}) {{
        reviews(first: 5) {{ nodes {{ id state }} }}
        timelineItems(first: 5, itemTypes: [REVIEW_DISMISSED_EVENT]) {{
          nodes {{ ... on ReviewDismissedEvent {{ previousReviewState review {{ id }} }} }} }} }} }} }}"""
    pull = own.data(query)["repository"]["pullRequest"]
    (review,) = pull["reviews"]["nodes"]
    assert review["state"] == "DISMISSED"
    assert pull["timelineItems"]["nodes"] == [
        {"previousReviewState": "CHANGES_REQUESTED", "review": {"id": review["id"]}}
    ]
